//! Compares a file with checkpoints, and finds the end of its last complete line.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use memchr::{memchr_iter, memrchr};

use super::known_lines::KnownLines;
use super::{Checkpoint, END_BYTES, TextHash, prefix_hashes, prefix_hashes_of, prefix_length};
use crate::input::read::compression::{Compression, MAGIC, is_packed};
use crate::input::read::decompress::Decoder;
use crate::input::regular_file::open_regular;
use crate::input::source::FileId;
use crate::input::stop_point::stop_point;

/// A file as it was when it was opened.
#[derive(Clone)]
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
    /// How many first bytes of an uncompressed file were looked at, and their hash.
    first: (usize, TextHash),
    /// Length and hash of the text of a compressed file that is shorter than `END_BYTES`.
    short_text: Option<(u64, TextHash)>,
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
    /// The log that is being written begins like the text that was read, and does not go on like it: it was cut or edited.
    Cut,
}

/// The age from which the incomplete last line of a rotated file is read: until then the writer may still have the file
/// open and complete the line.
const SETTLED: Duration = Duration::from_secs(60);

const PIECE: usize = 64 << 10;

impl FingerprintedFile {
    /// Opens a file and hashes its beginning, which of a compressed file is decompressed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(open_regular(path)?);
        let metadata = file.metadata()?;
        let written = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        let (id, size) = (FileId::of(&metadata), metadata.len());
        stop_point();
        let mut first = vec![0; END_BYTES];
        let count = fill(|room, at| file.read_at(room, at), &mut first)?;
        if size == 0 && count > 0 && file.metadata()?.len() == 0 {
            // A file of /proc, whose size is not known.
            return Err(io::Error::other("--state cannot be used with it, because its size is unknown"));
        }
        // It may have grown in between.
        let count = count.min(usize::try_from(size).unwrap_or(usize::MAX));
        if (count as u64) < size.min(END_BYTES as u64) {
            return Err(was_cut());
        }
        first.truncate(count);
        let packed = Compression::of(first.get(..MAGIC.min(count)).unwrap_or_default()).is_some();
        let seen = (count, TextHash::of(&first));
        let mut short_text = None;
        if packed {
            first = last_bytes_before(&file, END_BYTES as u64).0;
            short_text = (first.len() < END_BYTES).then(|| (first.len() as u64, TextHash::of(&first)));
        }
        let heads = prefix_hashes(&first);
        Ok(Self { heads, file: Some(file), id, size, written, packed, first: seen, short_text })
    }

    fn file(&self) -> io::Result<&Arc<File>> {
        self.file.as_ref().ok_or_else(|| io::Error::other("it was closed"))
    }

    /// The same with the file open, if it was closed. An error if another one has the name now.
    pub(crate) fn reopened(&self, path: &Path) -> io::Result<Self> {
        let mut same = self.clone();
        if same.file.is_none() {
            let file = open_regular(path)?;
            if FileId::of(&file.metadata()?) != self.id {
                return Err(io::ErrorKind::NotFound.into());
            }
            same.file = Some(Arc::new(file));
        }
        Ok(same)
    }

    /// Whether the uncompressed file begins with the bytes that it began with when it was opened. One that was empty may have
    /// become a compressed file.
    pub(crate) fn begins_as_before(&self) -> io::Result<bool> {
        let (length, hash) = self.first;
        if is_packed(self.file()?) {
            return Ok(false);
        }
        let mut first = vec![0; length];
        self.read_exact(&mut first, 0)?;
        Ok(TextHash::of(&first) == hash)
    }

    /// Whether as much of both texts as is hashed is the same. `false` too if one is too short to tell.
    pub(crate) fn begins_like(&self, mark: &Checkpoint) -> bool {
        let last = self.heads.len().min(mark.heads.len()).checked_sub(1);
        last.is_some_and(|last| self.heads.get(last) == mark.heads.get(last))
    }

    /// Where to read on in a log that was cut or edited, and how many lines lie before: behind the last line that was read.
    /// `None`: it does not begin like the text.
    pub(crate) fn cut_of(&self, mark: &Checkpoint) -> io::Result<Option<(u64, u64)>> {
        if self.packed || !self.begins_like(mark) {
            return Ok(None);
        }
        let read = |room: &mut [u8], at: u64| self.read_exact(room, at);
        if mark.known_lines.is_empty() {
            // Written by an earlier version. Its own file is cut where it ends now; of another one nothing is known.
            let end = self.last_line_end(0, true)?;
            let is_own = mark.id() == self.id && mark.offset.is_some_and(|offset| self.size < offset);
            return Ok(is_own.then_some((end, mark.lines)));
        }
        let found = mark.known_lines.find_last(read, self.size)?;
        let alike = self.heads.iter().zip(&mark.heads).take_while(|(own, known)| own == known).count();
        let alike = prefix_length(alike).min(self.size);
        if let Some(found) = found.filter(|&(at, _)| at >= alike) {
            return Ok(Some(found));
        }
        // The lines in the part that is alike were read too.
        let mut begin = vec![0; alike as usize];
        self.read_exact(&mut begin, 0)?;
        let end = memrchr(b'\n', &begin).map_or(0, |newline| newline + 1);
        let lines = memchr_iter(b'\n', &begin).count();
        Ok(Some(found.filter(|&(at, _)| at >= end as u64).unwrap_or((end as u64, lines as u64))))
    }

    /// Whether the uncompressed text is the beginning of another one: a copy, from before more was written to the other.
    pub(crate) fn is_beginning_of(&self, other: &Self) -> io::Result<bool> {
        let is_shorter = self.size > 0 && self.size <= other.size;
        if self.packed || other.packed || !is_shorter || self.id == other.id {
            return Ok(false);
        }
        let mut rooms = [vec![0; PIECE], vec![0; PIECE]];
        let mut at = 0;
        while at < self.size {
            let length = (self.size - at).min(PIECE as u64) as usize;
            let [own, others] = &mut rooms;
            let own = own.get_mut(..length).unwrap_or_default();
            let others = others.get_mut(..length).unwrap_or_default();
            self.read_exact(own, at)?;
            other.read_exact(others, at)?;
            if own != others {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }

    /// The known lines of the text up to `end`.
    pub(crate) fn known_lines(&self, end: u64) -> io::Result<KnownLines> {
        KnownLines::of(|room: &mut [u8], at: u64| self.read_exact(room, at), end)
    }

    /// Reads these bytes of an uncompressed file. An error if it is too short: it was cut since it was opened.
    fn read_exact(&self, room: &mut [u8], at: u64) -> io::Result<()> {
        stop_point();
        let file = self.file()?;
        let count = fill(|room, further| file.read_at(room, at + further), room)?;
        if count < room.len() { Err(was_cut()) } else { Ok(()) }
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

    /// Whether a compressed file is incomplete and was written less than a minute ago: it is probably being compressed, and
    /// the uncompressed file still lies beside it.
    pub(crate) fn is_being_compressed(&self) -> io::Result<bool> {
        Ok(self.packed && !self.is_settled(false) && !is_complete(self.file()?))
    }

    /// Whether a compressed file has another size than when it was opened.
    pub(crate) fn is_resized(&self) -> io::Result<bool> {
        Ok(self.file()?.metadata()?.len() != self.size)
    }

    /// The hash of the text of a compressed file that was read up to `end`, if it is short: it has few beginnings.
    pub(crate) fn short_tail(&self, end: u64) -> Option<TextHash> {
        self.short_text.filter(|&(length, _)| length == end).map(|(_, hash)| hash)
    }

    /// The hash of the bytes before `end`, for an uncompressed file.
    pub(crate) fn tail(&self, end: u64) -> io::Result<TextHash> {
        let mut room = vec![0; end.min(END_BYTES as u64) as usize];
        let begin = end - room.len() as u64;
        self.read_exact(&mut room, begin)?;
        Ok(TextHash::of(&room))
    }

    /// The hashes of beginnings that end before `end`.
    pub(crate) fn heads_until(&self, end: u64) -> Vec<TextHash> {
        self.heads.iter().copied().take(prefix_hashes_of(end)).collect()
    }

    /// Where the last complete line of an uncompressed file ends, or `from` if there is none behind it. An incomplete last
    /// line counts only when no process can complete it any more.
    pub(crate) fn last_line_end(&self, from: u64, current: bool) -> io::Result<u64> {
        let mut room = vec![0; PIECE];
        let mut end = self.size;
        while end > from {
            let begin = end.saturating_sub(PIECE as u64).max(from);
            let room = room.get_mut(..(end - begin) as usize).unwrap_or_default();
            self.read_exact(room, begin)?;
            if let Some(newline) = memrchr(b'\n', room) {
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

/// The error of a file that is shorter than it was a moment ago.
fn was_cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it was truncated while it was read")
}

/// The last bytes of a compressed text up to `end`, and the offset that was reached: damage ends the text.
fn last_bytes_before(file: &Arc<File>, end: u64) -> (Vec<u8>, u64) {
    stop_point();
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

/// Whether a compressed file can be decompressed to its end.
fn is_complete(file: &Arc<File>) -> bool {
    stop_point();
    let mut reader = file.as_ref();
    let mut text = Decoder::new(Box::new(file.clone()));
    reader.rewind().is_ok() && io::copy(&mut text, &mut io::sink()).is_ok()
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
