//! Writes a file in one step: readers see the old content or the new one, never a part.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::file_lock::{FileLock, try_lock};
pub(crate) use super::planted::folder_of;
use super::planted::safe_target;

/// The mode of a new file, less the umask: a report contains addresses, which are not for everybody.
pub(crate) const USUAL_MODE: u32 = 0o640;

/// A file that gets its name when it is committed. If it is dropped before, the file of that name stays as it was.
///
/// Until it is renamed it has no name at all where the file system allows that (`O_TMPFILE`), so a run that is killed leaves
/// nothing behind. Otherwise, and for the moment before the rename, its name follows from that of the target: the next
/// run that writes the same target removes what a killed one left, and so does any run in that folder two days later.
pub(crate) struct AtomicFile {
    target: PathBuf,
    /// The file that is replaced. `None`: the file is new.
    replaced: Option<Metadata>,
    file: BufWriter<File>,
    /// `None`: the file has no name yet.
    temporary: Option<TemporaryName>,
}

/// A file that was written and synced, and only has to be renamed.
pub(crate) struct StagedFile {
    target: PathBuf,
    /// `None`: it has no name yet.
    temporary: Option<TemporaryName>,
    file: File,
}

/// What is left to do to put a staged file into its place, as it is written to the state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingRename {
    pub from: String,
    pub to: String,
    pub inode: u64,
}

/// A name that is removed when this is dropped.
struct TemporaryName(Option<PathBuf>);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Every temporary name begins so.
const PREFIX: &str = ".smtplog-";

/// The age from which a temporary file is removed that may still be put into its place, by a job that runs each day.
const OLD: Duration = Duration::from_secs(2 * 24 * 3600);

/// How often, and how long, another process is waited for that puts its file into the same place.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

impl AtomicFile {
    /// Prepares a file in the folder of `path`, so that renaming it works. A symbolic link stays a link: the file it points to
    /// is replaced. An existing file keeps its mode; a new one gets `new_mode`, less the umask. It is an error if the file is
    /// not a regular one, or if somebody else may have put it there as a trap.
    pub(crate) fn create(path: &Path, new_mode: u32) -> io::Result<Self> {
        let target = safe_target(path)?;
        let replaced = match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_file() => Some(metadata),
            Ok(_) => return Err(super::regular_file::not_regular()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Set at creation: it must not be readable by others even while it is written.
        let mode = replaced.as_ref().map_or(new_mode, |replaced| replaced.mode() & new_mode);
        remove_old(folder_of(&target));
        let (file, temporary) = match unnamed(folder_of(&target), mode)? {
            Some(file) => (file, None),
            None => named(&target, mode).map(|(file, name)| (file, Some(name)))?,
        };
        Ok(Self { target, replaced, file: BufWriter::new(file), temporary })
    }

    /// Discards what was written.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.file.get_mut().set_len(0)
    }

    /// Syncs the content to disk, so that nothing but the rename is left to do.
    pub(crate) fn stage(self) -> io::Result<StagedFile> {
        let Self { target, replaced, file, temporary } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Some(replaced) = &replaced {
            keep_owner_and_mode(&file, replaced)?;
        }
        file.sync_all()?;
        Ok(StagedFile { target, temporary, file })
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StagedFile {
    /// Renames the file and syncs its folder: after a crash the old content or the new one is there, and never an empty
    /// file.
    pub(crate) fn commit(self) -> io::Result<()> {
        let target = self.rename()?;
        sync_folder(folder_of(&target))
    }

    /// Gives the file its temporary name, which is the last that can fail but for the rename.
    pub(crate) fn link(&mut self) -> io::Result<()> {
        if self.temporary.is_some() {
            return Ok(());
        }
        let temporary = temporary_name(&self.target);
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        try_lock(&self.file)?;
        on_free_name(&temporary, || linkat(CWD, own.as_str(), CWD, &temporary, AtFlags::SYMLINK_FOLLOW))?;
        self.temporary = Some(TemporaryName(Some(temporary)));
        Ok(())
    }

    /// Renames the file, and returns its name. Its folder must be synced afterwards.
    pub(crate) fn rename(mut self) -> io::Result<PathBuf> {
        self.link()?;
        if let Some(name) = &mut self.temporary
            && let Some(temporary) = &name.0
        {
            fs::rename(temporary, &self.target)?;
            name.0 = None;
        }
        Ok(self.target)
    }

    /// The rename as it is written to the state. `None`: a name is not UTF-8.
    pub(crate) fn pending(&self) -> Option<PendingRename> {
        let from = temporary_name(&self.target).to_str()?.to_owned();
        let inode = self.file.metadata().ok()?.ino();
        Some(PendingRename { from, to: self.target.to_str()?.to_owned(), inode })
    }

    /// The file that is replaced.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }
}

impl PendingRename {
    /// Renames the file that a killed run left. Does nothing if that was done already, or if it is not that file.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let (from, to) = (Path::new(&self.from), Path::new(&self.to));
        if temporary_name(to) != from {
            return Ok(());
        }
        let Ok(metadata) = fs::symlink_metadata(from) else { return Ok(()) };
        let is_ours = metadata.is_file()
            && metadata.ino() == self.inode
            && metadata.uid() == rustix::process::geteuid().as_raw();
        // A process that is about to rename it holds its lock.
        if !is_ours || !try_lock(&File::open(from)?)? {
            return Ok(());
        }
        fs::rename(from, to)?;
        sync_folder(folder_of(to))
    }
}

/// Removes the temporary files of ours in a folder that killed runs left long ago; whatever fails is left for the next run.
fn remove_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let is_temporary = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        let is_old = |metadata: Metadata| {
            let age = metadata.modified().ok().and_then(|written| written.elapsed().ok());
            let is_ours = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
            is_ours && age.is_some_and(|age| age > OLD)
        };
        if is_temporary && entry.metadata().is_ok_and(is_old) {
            let _ = FileLock::remove_unlocked(&entry.path());
        }
    }
}

/// Gives a new file the mode of the one that it replaces, and its owner if we may.
fn keep_owner_and_mode(file: &File, replaced: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (replaced.uid(), replaced.gid()) {
        // Only root may give files away.
        let _ = std::os::unix::fs::fchown(file, Some(replaced.uid()), Some(replaced.gid()));
    }
    file.set_permissions(Permissions::from_mode(replaced.mode() & 0o7777))
}

/// A file without a name. `None`: the file system has none.
fn unnamed(folder: &Path, mode: u32) -> io::Result<Option<File>> {
    // Without /proc it could not get a name later.
    if !Path::new("/proc/self/fd").exists() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match openat(CWD, folder, flags, Mode::from_raw_mode(mode)) {
        Ok(file) => Ok(Some(File::from(file))),
        // EISDIR: of a kernel that does not know the flag.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A new file with the temporary name, locked.
fn named(target: &Path, mode: u32) -> io::Result<(File, TemporaryName)> {
    let temporary = temporary_name(target);
    let create = || {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        openat(CWD, &temporary, flags, Mode::from_raw_mode(mode)).map(File::from)
    };
    let file = on_free_name(&temporary, create)?;
    try_lock(&file)?;
    Ok((file, TemporaryName(Some(temporary))))
}

/// Does what needs the name to be free. What a killed run left there is removed; another process is waited for.
fn on_free_name<T>(temporary: &Path, make: impl Fn() -> Result<T, Errno>) -> io::Result<T> {
    for _ in 0..TRIES {
        match make() {
            Err(Errno::EXIST) if FileLock::remove_unlocked(temporary)? => {}
            Err(Errno::EXIST) => std::thread::sleep(PAUSE),
            made => return Ok(made?),
        }
    }
    Err(io::Error::other("another smtplog process is writing it"))
}

/// The temporary name of a target, the same in each run.
fn temporary_name(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let hash = xxh3_64(name.as_encoded_bytes());
    folder_of(target).join(format!("{PREFIX}{hash:016x}"))
}

/// The file is renamed already, so two cases are no failure: a folder that may be written but not read, and a file system
/// that cannot sync folders.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
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
        file.stage().unwrap().commit().unwrap();
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
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
    fn a_new_file_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        write(&path, "new");
        assert_eq!(mode(&path) & 0o137, 0, "{:o}", mode(&path));
    }

    #[test]
    fn what_was_there_stays_until_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path, USUAL_MODE).unwrap();
        file.write_all(b"new").unwrap();
        let staged = file.stage().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        drop(staged);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(count(folder.path()), 1, "no temporary file is left behind");
    }

    #[test]
    fn what_a_killed_run_left_is_removed_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let left = temporary_name(&path);
        for _ in 0..2 {
            fs::write(&left, "half a rep").unwrap();
            write(&path, "new");
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), count(folder.path())), ("new", 1));
        }
        let (file, name) = named(&path, 0o600).unwrap();
        assert!(!FileLock::remove_unlocked(&left).unwrap(), "it is being written");
        drop((file, name));
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn a_staged_file_is_put_into_its_place_by_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let stage = |text: &str| {
            let mut file = AtomicFile::create(&path, USUAL_MODE).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let mut staged = file.stage().unwrap();
            let pending = staged.pending().unwrap();
            assert_eq!(count(folder.path()), 0, "it has no name yet");
            staged.link().unwrap();
            // As if this process was killed.
            staged.temporary.as_mut().unwrap().0 = None;
            pending
        };
        let pending = stage("new");
        assert!(!path.exists());
        let other = PendingRename { inode: pending.inode + 1, ..pending.clone() };
        other.finish().unwrap();
        let elsewhere = PendingRename { to: "/elsewhere/report".to_owned(), ..pending.clone() };
        elsewhere.finish().unwrap();
        assert!(!path.exists());
        pending.finish().unwrap();
        pending.finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), count(folder.path())), ("new", 1));
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

    #[test]
    fn replaces_nothing_but_regular_files() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), Path::new("/dev/null")] {
            assert!(AtomicFile::create(path, USUAL_MODE).is_err(), "{path:?}");
        }
    }
}
