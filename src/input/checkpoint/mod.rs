//! Defines the checkpoint of a text: how far it was read, and hashes that recognise it when it was renamed, appended to,
//! truncated, copied or compressed.
//!
//! Promises: what is saved reads back, and a damaged state file is an error. May use: the rest of input.

pub(crate) mod fingerprint;
pub(crate) mod known_lines;
pub(crate) mod lookup;
pub(crate) mod opened_file;
pub(crate) mod resume;
pub(crate) mod resumed_listing;
#[cfg(test)]
mod rotation_races;
pub(crate) mod state_file;
pub(crate) mod text_hash;

use serde::{Deserialize, Serialize};

use self::known_lines::KnownLines;
pub(crate) use self::text_hash::TextHash;
use super::source::FileId;

/// The checkpoint of one text of a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub device: u64,
    pub inode: u64,
    /// Size on disk, in bytes.
    pub size: u64,
    /// Modification time, in nanoseconds since 1970.
    pub written: i64,
    /// How many bytes of the text were read: up to a newline, or to the end of a file that is no longer written. `None`: the
    /// file was compressed before the first run, and was not to be read.
    pub offset: Option<u64>,
    /// How many lines were read.
    pub lines: u64,
    /// Hashes of the first 64, 128, … 4096 bytes, as far as the text was read.
    pub heads: Vec<TextHash>,
    /// Hash of the 4096 bytes before the offset, or of all bytes if there are fewer. `None`: the file was compressed, and its
    /// text is longer.
    pub tail: Option<TextHash>,
    /// The text was in the part that was being written.
    pub current: bool,
    /// Where lines ended in the text, for the part that was being written: the log may be cut at any of them.
    #[serde(default, skip_serializing_if = "KnownLines::is_empty")]
    pub known_lines: KnownLines,
}

/// A log, and the checkpoints of its parts. A part without one is new.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct LogCheckpoints {
    /// The path of the log.
    pub log: String,
    pub parts: Vec<Checkpoint>,
    /// The file that was being written, which has no part while it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<FileId>,
}

/// The checkpoints of all earlier runs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Checkpoints {
    /// When the last of them ended, as it is shown. Empty: there was no earlier run.
    pub saved: String,
    pub logs: Vec<LogCheckpoints>,
    /// The journal's cursor where they stopped.
    pub journal: Option<String>,
}

impl Checkpoint {
    pub fn id(&self) -> FileId {
        FileId { device: self.device, inode: self.inode }
    }
}

/// How many bytes are hashed at either end.
pub(crate) const END_BYTES: usize = 4096;

/// A shorter beginning, in bytes, identifies nothing.
const SHORTEST_PREFIX: usize = 64;

/// Hashes of the first 64, 128, … 4096 bytes, as far as the text is long enough.
pub(crate) fn prefix_hashes(first: &[u8]) -> Vec<TextHash> {
    let lengths = std::iter::successors(Some(SHORTEST_PREFIX), |length| Some(length * 2))
        .take_while(|&one| one <= END_BYTES);
    lengths.map_while(|length| first.get(..length)).map(TextHash::of).collect()
}

/// How long the text is of which this number of these hashes were made, in bytes; at least.
pub(crate) fn prefix_length(hashes: usize) -> u64 {
    hashes.checked_sub(1).map_or(0, |doublings| (SHORTEST_PREFIX as u64) << doublings.min(32))
}

/// How many of these hashes a text of `length` bytes has.
pub(crate) fn prefix_hashes_of(length: u64) -> usize {
    let lengths = std::iter::successors(Some(SHORTEST_PREFIX), |length| Some(length * 2))
        .take_while(|&one| one <= END_BYTES);
    lengths.take_while(|&one| one as u64 <= length).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_as_many_heads_as_its_length_allows() {
        let text = vec![b'x'; 5000];
        for (length, wanted) in
            [(0, 0), (63, 0), (64, 1), (127, 1), (128, 2), (4095, 6), (4096, 7), (5000, 7)]
        {
            assert_eq!(prefix_hashes(&text[..length]).len(), wanted, "{length}");
            assert_eq!(prefix_hashes_of(length as u64), wanted, "{length}");
        }
        assert_eq!(prefix_hashes(&text)[..3], prefix_hashes(&text[..300])[..]);
        assert_ne!(prefix_hashes(&text)[0], prefix_hashes(&text)[1]);
    }
}
