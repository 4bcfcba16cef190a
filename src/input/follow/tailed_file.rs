//! Holds a file that is followed: how far it was read, and how it began.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::siblings::{begins_with, older_parts};
use crate::input::atomic_file::folder_of;
use crate::input::read::compression::first_bytes;
use crate::input::regular_file::open_regular;
use crate::input::source::FileId;

/// How many first bytes tell a file from another of the same name. The first line alone does not: a server may log the
/// same line twice in a second.
const HEAD: usize = 4096;

/// A file that is open, and how far it was read.
pub(crate) struct TailedFile {
    file: File,
    pub id: FileId,
    /// The next byte to be read.
    pub at: u64,
    /// The first bytes that were read, at most `HEAD`.
    pub head: Vec<u8>,
    /// Size and modification time when it was last looked at. `None`: it was not.
    seen: Option<(u64, Written)>,
    /// The older parts that were there when the file began, or began again: none of them is a copy of it.
    known_parts: Vec<FileId>,
}

fn ids(paths: &[PathBuf]) -> Vec<FileId> {
    paths
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|metadata| FileId::of(&metadata))
        .collect()
}

/// A modification time: seconds since 1970, and nanoseconds.
type Written = (i64, i64);

fn written(metadata: &Metadata) -> Written {
    (metadata.mtime(), metadata.mtime_nsec())
}

impl TailedFile {
    /// Opens the file of this name, to be read from `at` on. `older`: its older parts.
    pub(crate) fn new(path: &Path, at: u64, older: &[PathBuf]) -> io::Result<Self> {
        let file = open_regular(path)?;
        let id = FileId::of(&file.metadata()?);
        let head = first_bytes(&file, HEAD.min(usize::try_from(at).unwrap_or(HEAD)))?;
        Ok(Self { id, file, at, head, seen: None, known_parts: ids(older) })
    }

    /// Whether the file is shorter than what was read of it, or begins with other bytes.
    pub(crate) fn was_truncated(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() < self.at || first_bytes(&self.file, self.head.len())? != self.head)
    }

    /// The copy of a log that was truncated and began again with the very text that was read, as far as can be known: the
    /// copy is new since the last look, and the log was written after it. Remembers this look. `None`: the log goes on.
    pub(crate) fn copy_of_repeated_text(&mut self, log: &Path) -> io::Result<Option<PathBuf>> {
        let metadata = self.file.metadata()?;
        let now = (metadata.len(), written(&metadata));
        let Some(before) = self.seen.replace(now).filter(|&before| before != now) else { return Ok(None) };
        let is_repeatable = self.at > 0 && self.at <= HEAD as u64;
        // Without a new file in the folder there is no new copy.
        if !is_repeatable || std::fs::metadata(folder_of(log)).is_ok_and(|folder| written(&folder) < before.1)
        {
            return Ok(None);
        }
        let is_copy = |path: &PathBuf| {
            let Ok(copy) = std::fs::metadata(path) else { return false };
            // Clocks of file systems may tick once in four milliseconds. If the copy ends where we are, the log was written
            // after it.
            let is_older = written(&copy) < now.1 || written(&copy) == now.1 && copy.len() == self.at;
            let id = FileId::of(&copy);
            id != self.id
                && !self.known_parts.contains(&id)
                && before.1 <= written(&copy)
                && is_older
                && begins_with(path, &self.head, self.at)
        };
        Ok(older_parts(log).into_iter().rev().find(is_copy))
    }

    /// Begins again at the first byte: the file was truncated. `older`: its older parts.
    pub(crate) fn restart(&mut self, older: &[PathBuf]) {
        (self.at, self.known_parts) = (0, ids(older));
        self.head.clear();
    }

    /// Reads the next bytes and does not go on yet. 0: there are no more for now.
    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read_at(room, self.at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Goes on behind the bytes that were read.
    pub(crate) fn advance(&mut self, read: &[u8]) {
        self.at += read.len() as u64;
        let missing = HEAD.saturating_sub(self.head.len()).min(read.len());
        self.head.extend_from_slice(read.get(..missing).unwrap_or_default());
    }
}
