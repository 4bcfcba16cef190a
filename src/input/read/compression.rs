//! Detects compression by the first bytes of a file, whatever its name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    /// A zstd frame without text; `pzstd` writes them.
    Skippable,
}

/// How many first bytes are needed.
pub(crate) const MAGIC: usize = 10;

impl Compression {
    /// `None`: plain text, or too few bytes to tell.
    pub(crate) fn of(first: &[u8]) -> Option<Self> {
        match first {
            // RFC 1952 §2.3.1; 8 is deflate, the only method there is.
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            // The size of its blocks, then the mark of a block, π, or of the end, √π.
            [b'B', b'Z', b'h', b'1'..=b'9', mark @ ..]
                if mark.starts_with(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
                    || mark.starts_with(&[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]) =>
            {
                Some(Self::Bzip2)
            }
            // The .xz file format, §2.1.1.1.
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // RFC 8878 §3.1.1 and §3.1.2.
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Skippable),
            _ => None,
        }
    }
}

/// The first bytes of a file: `length` of them, or fewer if it is shorter.
pub(crate) fn first_bytes(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(bytes.get_mut(filled..).unwrap_or_default(), filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// `false` too if the file cannot be read.
pub(crate) fn is_packed(file: &File) -> bool {
    first_bytes(file, MAGIC).is_ok_and(|first| Compression::of(&first).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_line_of_a_log_for_compressed() {
        for text in ["", "B", "BZh9 is a word", "BZh9", "Nov 22 03:04:05 mx1 postfix", "7zXZ", "(", "P*M"] {
            assert_eq!(Compression::of(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Compression::of(&[0; 10]), None);
        assert_eq!(Compression::of(&[0x1f, 0x8b]), None);
    }
}
