//! Writes a file in one step: readers see the old content or the new one, never a part.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The mode that most programs ask for when they create a file; the umask takes its bits away.
pub(crate) const USUAL_MODE: u32 = 0o666;

/// A file that gets its name when it is committed. If it is dropped before, the file of that name stays as it was.
pub(crate) struct AtomicFile {
    target: PathBuf,
    /// The mode of the file that is replaced. `None`: the file is new.
    permissions: Option<Permissions>,
    temporary: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Creates a temporary file in the folder of `path`, so that renaming it works. A symbolic link stays a link: the file
    /// it points to is replaced. An existing file keeps its mode; a new one gets `new_mode`, less the umask.
    pub(crate) fn create(path: &Path, new_mode: u32) -> io::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let permissions = fs::metadata(&target).map(|metadata| metadata.permissions()).ok();
        // Set at creation: a report contains addresses, and must not be readable by others even while it is written.
        let at_first = permissions.clone().unwrap_or_else(|| Permissions::from_mode(new_mode));
        let temporary = tempfile::Builder::new()
            .prefix(".smtplog-")
            .permissions(at_first)
            .tempfile_in(folder_of(&target))?;
        Ok(Self { target, permissions, temporary: BufWriter::new(temporary) })
    }

    /// Syncs the content to disk, renames the file and syncs its folder: after a crash the old content or the new one is
    /// there, and never an empty file.
    pub(crate) fn commit(self) -> io::Result<()> {
        let temporary = self.temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
        // The umask took its bits from the mode at creation.
        if let Some(permissions) = self.permissions {
            temporary.as_file().set_permissions(permissions)?;
        }
        temporary.as_file().sync_all()?;
        temporary.persist(&self.target).map_err(|error| error.error)?;
        sync_folder(folder_of(&self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

/// The folder of a file; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file is renamed already, so two cases are no failure: a folder that may be written but not read, and a file system
/// that cannot sync folders.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn write(path: &Path, text: &str) {
        let mut file = AtomicFile::create(path, USUAL_MODE).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.commit().unwrap();
    }

    #[test]
    fn keeps_the_mode_of_an_existing_file_whatever_the_umask() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        for kept in [0o600, 0o664, 0o777] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(kept)).unwrap();
            write(&path, "new");
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", kept));
        }
    }

    #[test]
    fn creates_a_file_with_the_mode_that_any_program_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
        write(&ours, "text");
        File::create(&usual).unwrap();
        assert_eq!(mode(&ours), mode(&usual));
        let closed = folder.path().join("closed");
        AtomicFile::create(&closed, 0o600).unwrap().commit().unwrap();
        assert_eq!(mode(&closed), 0o600);
    }

    #[test]
    fn changes_nothing_before_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path, USUAL_MODE).unwrap();
        file.write_all(&vec![b'x'; 100_000]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left behind");
    }

    #[test]
    fn replaces_what_a_link_points_to_and_keeps_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }
}
