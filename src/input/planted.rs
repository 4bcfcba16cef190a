//! Finds the file that an output replaces, and refuses what another user may have planted in a folder for everybody.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// As many links may follow each other as for the kernel.
const MAX_LINKS: u32 = 40;

/// Mode bits: only the owner of a file may remove it; everybody may write.
const STICKY: u32 = 0o1000;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The file that a name leads to, which need not exist, with all symbolic links resolved.
///
/// In a sticky folder that others may write to, such as /tmp, anybody can wait with a link, a file or a pipe of the name
/// that root will write to. Linux guards programs that open such names (`fs.protected_symlinks`, `fs.protected_regular`);
/// a program that resolves a link itself and renames has to do so, too. There a link is an error, whosever it is, and a
/// file of another user as well.
pub(crate) fn safe_target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let (Some(name), folder) = (path.file_name(), folder_of(&path)) else {
            return fs::canonicalize(&path);
        };
        check_folders(folder)?;
        let folder = fs::canonicalize(folder)?;
        let place = folder.join(name);
        let shared = shared_owner(&folder)?;
        match fs::symlink_metadata(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(place),
            Err(error) => return Err(error),
            Ok(found) if found.is_symlink() => {
                if shared.is_some() {
                    return Err(trap("a symbolic link"));
                }
                path = folder.join(fs::read_link(&place)?);
            }
            Ok(found) => {
                return match shared {
                    Some(owner) if !is_trusted(&found, owner) => Err(trap("a file of another user")),
                    Some(_) | None => Ok(place),
                };
            }
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The folder of a file; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An error if a folder on the way is a link that another user put into a folder for everybody.
fn check_folders(folder: &Path) -> io::Result<()> {
    let mut way = PathBuf::new();
    for component in folder.components() {
        let parent = way.clone();
        way.push(component);
        if !matches!(component, Component::Normal(_)) {
            continue;
        }
        let found = fs::symlink_metadata(&way)?;
        if found.is_symlink() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { &parent };
            if shared_owner(parent)?.is_some_and(|owner| !is_trusted(&found, owner)) {
                return Err(trap("behind a symbolic link of another user"));
            }
        }
    }
    Ok(())
}

/// The owner of a folder that is sticky and in which others may create files. `None`: it is not such a folder.
fn shared_owner(folder: &Path) -> io::Result<Option<u32>> {
    let metadata = fs::metadata(folder)?;
    let is_shared = metadata.mode() & STICKY != 0 && metadata.mode() & WRITABLE_BY_OTHERS != 0;
    Ok(is_shared.then_some(metadata.uid()))
}

/// Whether the file belongs to us or to the owner of its folder.
fn is_trusted(file: &Metadata, folder_owner: u32) -> bool {
    file.uid() == folder_owner || file.uid() == rustix::process::geteuid().as_raw()
}

fn trap(what: &str) -> io::Error {
    io::Error::other(format!("it is {what} in a directory that everybody can write to; use another name"))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn follows_links_but_not_in_a_folder_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (own, shared) = (root.join("own"), root.join("shared"));
        fs::create_dir(&own).unwrap();
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
        fs::write(own.join("file"), "").unwrap();
        symlink("file", own.join("link")).unwrap();
        symlink("missing", own.join("dangling")).unwrap();
        symlink("loop", own.join("loop")).unwrap();
        symlink(own.join("file"), shared.join("link")).unwrap();
        symlink(shared.join("link"), own.join("far")).unwrap();
        symlink(&own, shared.join("folder")).unwrap();
        fs::write(shared.join("file"), "").unwrap();
        assert_eq!(safe_target(&own.join("link")).unwrap(), own.join("file"));
        assert_eq!(safe_target(&own.join("dangling")).unwrap(), own.join("missing"));
        assert_eq!(safe_target(&shared.join("file")).unwrap(), shared.join("file"));
        assert_eq!(safe_target(&shared.join("new")).unwrap(), shared.join("new"));
        // Our own link to a folder is followed, as the kernel does.
        assert_eq!(safe_target(&shared.join("folder/file")).unwrap(), own.join("file"));
        for trap in [shared.join("link"), own.join("far"), own.join("loop")] {
            assert!(safe_target(&trap).is_err(), "{trap:?}");
        }
    }
}
