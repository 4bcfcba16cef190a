//! Remembers where lines ended in a text that was read, and finds the last of them again in a log that was cut or edited.

use std::collections::HashSet;
use std::io;

use memchr::{memchr_iter, memrchr};
use serde::{Deserialize, Serialize};

use super::text_hash::TextHash;

/// Hashes of the text before some ends of lines: all of the last 16 KiB, and fewer the farther they lie before the end of
/// what was read. Serialized as one string of hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(try_from = "String", into = "String")]
pub struct KnownLines(Vec<TextHash>);

/// How many bytes before the end of a line are hashed: about two lines, as one alone may repeat.
const HASHED: usize = 256;

/// All ends of lines are known in this part before the end of what was read, in bytes.
const NEAR: u64 = 16 << 10;

/// Before it they are looked for this far apart at first, in bytes.
const STEP: u64 = 128;

/// After so many steps they become twice as long.
const STEPS: u64 = 128;

/// How far an end of a line is looked for before a step, in bytes.
const REACH: usize = 4096;

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// Reads exactly the bytes at an offset.
pub(crate) trait ReadExact: Fn(&mut [u8], u64) -> io::Result<()> {}

impl<F: Fn(&mut [u8], u64) -> io::Result<()>> ReadExact for F {}

/// The hash of the last bytes before the end of a line.
fn hash_before(text: &[u8], line_end: usize) -> TextHash {
    TextHash::of(text.get(line_end.saturating_sub(HASHED)..line_end).unwrap_or_default())
}

impl KnownLines {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of a text that was read up to `end`.
    pub(crate) fn of(read: impl ReadExact, end: u64) -> io::Result<Self> {
        let near = end.saturating_sub(NEAR);
        let begin = near.saturating_sub(HASHED as u64);
        let mut room = vec![0; (end - begin) as usize];
        read(&mut room, begin)?;
        let mut known: Vec<TextHash> = memchr_iter(b'\n', &room)
            .map(|newline| newline + 1)
            .filter(|&line_end| begin == 0 || line_end > HASHED)
            .map(|line_end| hash_before(&room, line_end))
            .collect();
        let (mut at, mut step, mut last) = (near, STEP, near);
        let mut room = vec![0; REACH + HASHED];
        while at > 0 {
            for _ in 0..STEPS {
                let begin = at.saturating_sub(room.len() as u64);
                let room = room.get_mut(..(at - begin) as usize).unwrap_or_default();
                read(room, begin)?;
                let line_end = memrchr(b'\n', room).map(|newline| newline + 1);
                let whole = line_end.filter(|&line_end| begin == 0 || line_end >= HASHED);
                if let Some(line_end) = whole.filter(|&line_end| begin + (line_end as u64) < last) {
                    last = begin + line_end as u64;
                    known.push(hash_before(room, line_end));
                }
                at = at.saturating_sub(step);
                if at == 0 {
                    break;
                }
            }
            step *= 2;
        }
        Ok(Self(known))
    }

    /// The last known end of a line in a text of `size` bytes, and how many lines lie before it. `None`: the text has none.
    pub(crate) fn find_last(&self, read: impl ReadExact, size: u64) -> io::Result<Option<(u64, u64)>> {
        let known: HashSet<TextHash> = self.0.iter().copied().collect();
        let (mut found, mut lines) = (None, 0);
        let mut room = vec![0; HASHED + PIECE];
        let mut begin = 0;
        while begin < size {
            let before = begin.min(HASHED as u64);
            let length = (before + (size - begin).min(PIECE as u64)) as usize;
            let room = room.get_mut(..length).unwrap_or_default();
            read(room, begin - before)?;
            for newline in memchr_iter(b'\n', room.get(before as usize..).unwrap_or_default()) {
                lines += 1;
                let end = before as usize + newline + 1;
                if known.contains(&hash_before(room, end)) {
                    found = Some((begin - before + end as u64, lines));
                }
            }
            begin += length as u64 - before;
        }
        Ok(found)
    }
}

impl From<KnownLines> for String {
    fn from(known: KnownLines) -> Self {
        known.0.into_iter().map(Self::from).collect()
    }
}

impl TryFrom<String> for KnownLines {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hashes = text.as_bytes().chunks(16);
        let hash = |hash: &[u8]| TextHash::parse(std::str::from_utf8(hash).unwrap_or_default());
        hashes.map(hash).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(text: &[u8]) -> impl ReadExact {
        |room: &mut [u8], at: u64| {
            let from = text.get(at as usize..at as usize + room.len());
            room.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }
    }

    fn text(lines: std::ops::Range<u32>) -> Vec<u8> {
        lines.flat_map(|line| format!("Nov 22 03:04:05 mx1 postfix/smtp[{line}]: {line:08}: status=sent (250 2.0.0 Ok: queued as {line:09X})\n").into_bytes()).collect()
    }

    #[test]
    fn finds_the_line_at_which_a_log_was_cut() {
        let whole = text(0..5000);
        let known = KnownLines::of(reader(&whole), whole.len() as u64).unwrap();
        let cut_at = |line: u32| text(0..line).len() as u64;
        for (cut, precision) in [(5000, 0), (4999, 0), (4900, 0), (4500, 40), (3000, 120), (300, 300), (1, 1)]
        {
            for new in [text(9000..9000), text(9000..9050)] {
                let now = [text(0..cut), new].concat();
                let found = known.find_last(reader(&now), now.len() as u64).unwrap();
                let (at, lines) = found.unwrap_or_default();
                assert_eq!(at, cut_at(lines as u32));
                assert!((cut.saturating_sub(precision)..=cut).contains(&(lines as u32)), "{cut}: {lines}");
            }
        }
        // A line that was taken out of the middle.
        let edited = [text(0..2000), text(2001..5000), text(9000..9001)].concat();
        let found = known.find_last(reader(&edited), edited.len() as u64).unwrap();
        assert_eq!(found.map(|(_, lines)| lines), Some(4999));
    }

    #[test]
    fn another_text_has_none_of_its_lines() {
        let (whole, other) = (text(0..3000), text(7000..9000));
        let known = KnownLines::of(reader(&whole), whole.len() as u64).unwrap();
        assert_eq!(known.find_last(reader(&other), other.len() as u64).unwrap(), None);
        assert_eq!(known.find_last(reader(b""), 0).unwrap(), None);
        assert!(KnownLines::of(reader(b""), 0).unwrap().is_empty());
    }

    #[test]
    fn stays_small_and_reads_back() {
        let known = KnownLines::of(reader(&text(0..50_000)), text(0..50_000).len() as u64).unwrap();
        assert!((200..1500).contains(&known.0.len()), "{}", known.0.len());
        let written = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<KnownLines>(&written).unwrap(), known);
        for wrong in ["\"1\"", "\"2d06800538d394c2f\"", "\"éd06800538d394c2\"", "7"] {
            assert!(serde_json::from_str::<KnownLines>(wrong).is_err(), "{wrong}");
        }
    }
}
