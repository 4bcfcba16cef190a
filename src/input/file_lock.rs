//! Locks a file for this process alone, as long as the lock lives.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};

use super::regular_file::{not_regular, open_regular};
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
            // So that a FIFO of that name blocks nobody.
            options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
            let file = options.open(path)?;
            if !file.metadata()?.is_file() {
                return Err(not_regular());
            }
            if !try_lock(&file)? {
                return Ok(None);
            }
            let lock = Self(file);
            match fs::metadata(path) {
                Ok(named) if FileId::of(&named) == FileId::of(&lock.0.metadata()?) => return Ok(Some(lock)),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Removes a file that a process left which was killed: nobody holds its lock. `false`: a process holds it.
    pub(crate) fn remove_unlocked(path: &Path) -> io::Result<bool> {
        let file = match open_regular(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            file => file?,
        };
        if !try_lock(&file)? {
            return Ok(false);
        }
        // Only the holder of the lock removes the name, so it cannot come to belong to another file in between.
        match fs::symlink_metadata(path) {
            Ok(named) if FileId::of(&named) == FileId::of(&file.metadata()?) => fs::remove_file(path)?,
            Ok(_) | Err(_) => {}
        }
        Ok(true)
    }

    /// The locked file, from its beginning.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

/// Locks an open file. `false`: another process, or another lock of this one, has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
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
