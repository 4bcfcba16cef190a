//! Defines the hash by which a text is recognised in a later run.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// XXH3 with 64 bits, the same on every machine; serialized as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
#[serde(try_from = "String", into = "String")]
pub struct TextHash(u64);

impl TextHash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxh3_64(bytes))
    }
}

impl From<TextHash> for String {
    fn from(hash: TextHash) -> Self {
        format!("{:016x}", hash.0)
    }
}

impl TryFrom<String> for TextHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl TextHash {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or("a hash has 16 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_the_same_on_every_machine_and_reads_back() {
        // Of nothing, as xxHash's own tests have it.
        let hash = TextHash::of(b"");
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(text, "\"2d06800538d394c2\"");
        assert_eq!(serde_json::from_str::<TextHash>(&text).unwrap(), hash);
        for wrong in ["\"\"", "\"2d06800538d394c\"", "\"+d06800538d394c2\"", "\"éd06800538d394c\"", "7"] {
            assert!(serde_json::from_str::<TextHash>(wrong).is_err(), "{wrong}");
        }
    }
}
