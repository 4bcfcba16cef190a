//! Compares a file with checkpoints, and finds the end of its last complete line.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use memchr::memrchr;

use crate::input::checkpoint::{Checkpoint, END_BYTES, TextHash, prefix_hashes, prefix_hashes_of};
use crate::input::read::compression::{Compression, MAGIC};
use crate::input::read::decompress::Decoder;
use crate::input::source::FileId;

/// A file as it was when it was opened.
pub(crate) struct FingerprintedFile {
    /// `None`: the file is not kept open.
    pub file: Option<Arc<File>>,
    pub id: FileId,
    /// Size on disk, in bytes.
    pub size: u64,
    /// Modification time, in nanoseconds since 1970.
    pub written: i64,
    pub packed: bool,
    heads: Vec<TextHash>,
}

/// How a file matches a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum MatchKind {
    /// The file holds the beginning of the text, and less than was read of it: an earlier copy, or truncated.
    Shorter,
    /// The file holds all of the text that was read, and maybe more.
    Whole,
    /// The compressed file is the one that was read, and was not written since.
    Unchanged,
}

/// The age from which the incomplete last line of a rotated file is read: until then the writer may still have the file
/// open and complete the line.
const SETTLED: Duration = Duration::from_secs(60);

const PIECE: usize = 64 << 10;

impl FingerprintedFile {
    /// Opens a file and hashes its beginning, which of a compressed file is decompressed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(File::open(path)?);
        let metadata = file.metadata()?;
        let written = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        let (id, size) = (FileId::of(&metadata), metadata.len());
        let mut first = vec![0; END_BYTES];
        let count = fill(|room, at| file.read_at(room, at), &mut first)?;
        first.truncate(count);
        let packed = Compression::of(first.get(..MAGIC.min(count)).unwrap_or_default()).is_some();
        if packed {
            first = last_bytes_before(&file, END_BYTES as u64).0;
        }
        Ok(Self { heads: prefix_hashes(&first), file: Some(file), id, size, written, packed })
    }

    fn file(&self) -> io::Result<&Arc<File>> {
        self.file.as_ref().ok_or_else(|| io::Error::other("it was closed"))
    }

    /// `None`: the hashes show nothing in common.
    pub(crate) fn compare(&self, mark: &Checkpoint) -> io::Result<Option<MatchKind>> {
        let untouched =
            (self.id, self.size, self.written) == (mark.id(), mark.size, mark.written) && self.packed;
        if untouched {
            return Ok(Some(MatchKind::Unchanged));
        }
        let common = self.heads.len().min(mark.heads.len());
        let alike = common.checked_sub(1).map(|last| self.heads.get(last) == mark.heads.get(last));
        if alike == Some(false) {
            return Ok(None);
        }
        // A text of less than 64 bytes has no head; its tail is all of it.
        let begins_alike = alike == Some(true);
        let Some(offset) = mark.offset else { return Ok(begins_alike.then_some(MatchKind::Whole)) };
        let (reached, tail) = if self.packed {
            match mark.tail {
                None => (offset, None),
                Some(_) => {
                    let (last, reached) = last_bytes_before(self.file()?, offset);
                    (reached, Some(TextHash::of(&last)))
                }
            }
        } else if self.size < offset {
            (self.size, None)
        } else {
            (offset, Some(self.tail(offset)?))
        };
        if reached < offset {
            return Ok(begins_alike.then_some(MatchKind::Shorter));
        }
        Ok(match (tail, mark.tail) {
            (Some(tail), Some(known)) => (tail == known).then_some(MatchKind::Whole),
            (None, _) | (_, None) => begins_alike.then_some(MatchKind::Whole),
        })
    }

    /// The hash of the bytes before `end`, for an uncompressed file.
    pub(crate) fn tail(&self, end: u64) -> io::Result<TextHash> {
        let mut room = vec![0; end.min(END_BYTES as u64) as usize];
        let begin = end - room.len() as u64;
        let file = self.file()?;
        let count = fill(|room, at| file.read_at(room, begin + at), &mut room)?;
        Ok(TextHash::of(room.get(..count).unwrap_or_default()))
    }

    /// The hashes of beginnings that end before `end`.
    pub(crate) fn heads_until(&self, end: u64) -> Vec<TextHash> {
        self.heads.iter().copied().take(prefix_hashes_of(end)).collect()
    }

    /// Where the last complete line of an uncompressed file ends, or `from` if there is none behind it. An incomplete last
    /// line counts only when no process can complete it any more.
    pub(crate) fn last_line_end(&self, from: u64, current: bool) -> io::Result<u64> {
        let file = self.file()?;
        let mut room = vec![0; PIECE];
        let mut end = self.size;
        while end > from {
            let begin = end.saturating_sub(PIECE as u64).max(from);
            let room = room.get_mut(..(end - begin) as usize).unwrap_or_default();
            let count = fill(|room, at| file.read_at(room, begin + at), room)?;
            if let Some(newline) = memrchr(b'\n', room.get(..count).unwrap_or_default()) {
                let whole = begin + newline as u64 + 1;
                return Ok(if self.is_settled(current) { self.size } else { whole });
            }
            end = begin;
        }
        Ok(if self.is_settled(current) { self.size.max(from) } else { from })
    }

    fn is_settled(&self, current: bool) -> bool {
        let written = u64::try_from(self.written).ok().map(Duration::from_nanos);
        let written = written.and_then(|written| SystemTime::UNIX_EPOCH.checked_add(written));
        let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
        !current && age.is_some_and(|age| age > SETTLED)
    }
}

/// The last bytes of a compressed text up to `end`, and the offset that was reached: damage ends the text.
fn last_bytes_before(file: &Arc<File>, end: u64) -> (Vec<u8>, u64) {
    let mut reader = file.as_ref();
    if reader.rewind().is_err() {
        return (Vec::new(), 0);
    }
    let mut text = Decoder::new(Box::new(file.clone())).take(end);
    let (mut last, mut reached) = (Vec::new(), 0);
    let mut room = vec![0; PIECE];
    loop {
        match text.read(&mut room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return (last, reached),
            Ok(count) => {
                reached += count as u64;
                last.extend_from_slice(room.get(..count).unwrap_or_default());
                last.drain(..last.len().saturating_sub(END_BYTES));
            }
        }
    }
}

/// Fills `room` as far as there are bytes; returns how many.
fn fill(read: impl Fn(&mut [u8], u64) -> io::Result<usize>, room: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while let Some(rest) = room.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match read(rest, at as u64) {
            Ok(0) => break,
            Ok(count) => at += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}
