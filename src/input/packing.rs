//! The first bytes of a file come in; how it is compressed goes out, whatever its name.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    /// A frame of zstd that holds no text; `pzstd` writes them.
    Skippable,
}

/// So many bytes tell.
pub const MAGIC: usize = 10;

impl Packing {
    /// None: plain text, or too little to tell.
    pub fn of(first: &[u8]) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_line_of_a_log_for_compressed() {
        for text in ["", "B", "BZh9 is a word", "BZh9", "Nov 22 03:04:05 mx1 postfix", "7zXZ", "(", "P*M"] {
            assert_eq!(Packing::of(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Packing::of(&[0; 10]), None);
        assert_eq!(Packing::of(&[0x1f, 0x8b]), None);
    }
}
