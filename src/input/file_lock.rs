//! Locks a file for this process alone, as long as the lock lives.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::source::FileId;

/// An exclusive lock (`flock(2)`) on a file. It ends with the value, and with the process at the latest.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Locks the file of this name, open for reading and writing; it is created with `new_mode`, less the umask, if it is
    /// not there. Never waits. `None`: another process, or another lock of this one, has it.
    ///
    /// The file may be replaced between opening and locking, and a lock on the old one would exclude nobody: then the new
    /// one is locked.
    pub(crate) fn acquire(path: &Path, new_mode: u32) -> io::Result<Option<Self>> {
        loop {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false).mode(new_mode);
            let file = options.open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            let lock = Self(file);
            match fs::metadata(path) {
                Ok(named) if FileId::of(&named) == FileId::of(&lock.0.metadata()?) => return Ok(Some(lock)),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// The locked file, from its beginning.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for FileLock {
    /// A child that was just forked holds a copy of every open file until it executes its program; closing ours alone would
    /// leave the lock with it.
    fn drop(&mut self) {
        // Closing the file unlocks it too, if unlocking fails.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_a_second_lock_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = FileLock::acquire(&path, 0o600).unwrap();
        assert!(lock.is_some());
        assert!(FileLock::acquire(&path, 0o600).unwrap().is_none());
        drop(lock);
        assert!(FileLock::acquire(&path, 0o600).unwrap().is_some());
    }

    #[test]
    fn a_file_that_took_the_name_is_locked_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("state"), folder.path().join("new"));
        let _old = FileLock::acquire(&path, 0o600).unwrap();
        fs::write(&new, "new").unwrap();
        fs::rename(&new, &path).unwrap();
        assert!(FileLock::acquire(&path, 0o600).unwrap().is_some());
    }
}
