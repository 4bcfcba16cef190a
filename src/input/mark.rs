//! How far a text was read, and what tells it again under another name, grown, cut short, copied or compressed.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::source::FileId;

/// One text of a log, as a run leaves it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub device: u64,
    pub inode: u64,
    /// As it lies on disk, in bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub written: i64,
    /// How much of its text was read, in bytes; behind a newline but for what is written no more. None: it lay there
    /// compressed before the first run, and was not asked for.
    pub offset: Option<u64>,
    /// How many lines that was.
    pub lines: u64,
    /// Of the first 64, 128, … 4096 bytes, as far as it was read.
    pub heads: Vec<Hash>,
    /// Of the 4096 bytes before the offset, or of all. None: it was compressed.
    pub tail: Option<Hash>,
    /// It was the part that was being written.
    pub current: bool,
}

/// A log, and the parts of it that are known. Every other part is new.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Where it lies.
    pub log: String,
    pub parts: Vec<Mark>,
}

/// What earlier runs read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Known {
    /// When the last of them ended, as it is shown. Empty: there was none.
    pub saved: String,
    pub logs: Vec<Log>,
    /// Where in systemd's journal they stopped.
    pub journal: Option<String>,
}

impl Mark {
    pub fn id(&self) -> FileId {
        FileId { device: self.device, inode: self.inode }
    }
}

/// In bytes: what is hashed at either end.
pub const END: usize = 4096;

/// In bytes: a shorter beginning tells nothing.
const LEAST: usize = 64;

/// XXH3 with 64 bits, which is the same on every machine; written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(u64);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_64::oneshot(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        format!("{:016x}", hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        number.map(Self).ok_or("a hash has 16 hexadecimal digits")
    }
}

/// Of a text's first bytes: one for each of 64, 128, … 4096 that there are.
pub fn heads(first: &[u8]) -> Vec<Hash> {
    let lengths = std::iter::successors(Some(LEAST), |length| Some(length * 2)).take_while(|&one| one <= END);
    lengths.map_while(|length| first.get(..length)).map(Hash::of).collect()
}

/// How many of its heads a text of so many bytes has.
pub fn heads_of(length: u64) -> usize {
    let lengths = std::iter::successors(Some(LEAST), |length| Some(length * 2)).take_while(|&one| one <= END);
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
            assert_eq!(heads(&text[..length]).len(), wanted, "{length}");
            assert_eq!(heads_of(length as u64), wanted, "{length}");
        }
        assert_eq!(heads(&text)[..3], heads(&text[..300])[..]);
        assert_ne!(heads(&text)[0], heads(&text)[1]);
    }

    #[test]
    fn a_hash_is_written_the_same_on_every_machine_and_reads_back() {
        // Of nothing, as xxHash's own tests have it.
        let hash = Hash::of(b"");
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(text, "\"2d06800538d394c2\"");
        assert_eq!(serde_json::from_str::<Hash>(&text).unwrap(), hash);
        for wrong in ["\"\"", "\"2d06800538d394c\"", "\"+d06800538d394c2\"", "\"éd06800538d394c\"", "7"] {
            assert!(serde_json::from_str::<Hash>(wrong).is_err(), "{wrong}");
        }
    }
}
