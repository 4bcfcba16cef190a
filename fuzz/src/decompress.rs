//! Any bytes as a compressed file: how it arrives changes nothing, and what was compressed comes back.

use std::io::{self, Cursor, Read, Write};

use smtplog::internals::input::read::Decoder;

/// Decompressed bytes that are looked at: a few bytes of input may stand for gigabytes.
const OUTPUT_LIMIT: u64 = 4 << 20;

/// Decodes the bytes at once and in pieces, and packs them and unpacks them.
pub fn check(bytes: &[u8]) {
    let whole = decoded(Cursor::new(bytes.to_vec()), 64 << 10);
    let pieces = decoded(Dribble { bytes: bytes.to_vec(), at: 0 }, 1000);
    let common = whole.text.len().min(pieces.text.len());
    assert!(whole.text[..common] == pieces.text[..common], "pieces change the text");
    if whole.text.len() < OUTPUT_LIMIT as usize && pieces.text.len() < OUTPUT_LIMIT as usize {
        assert_eq!(whole.is_complete, pieces.is_complete, "pieces change the result");
        assert!(!whole.is_complete || whole.text.len() == pieces.text.len(), "pieces change the length");
    }
    assert!(whole.taken <= bytes.len() as u64, "more was taken than there is");
    for packed in [gzip(bytes), bzip2(bytes)] {
        let packed = packed.expect("memory takes it");
        let twice = [packed.clone(), packed].concat();
        let text = decoded(Cursor::new(twice), 64 << 10);
        assert!(
            text.is_complete && text.text == [bytes, bytes].concat(),
            "what was packed does not come back"
        );
    }
}

struct DecodedText {
    text: Vec<u8>,
    /// No error ended it.
    is_complete: bool,
    taken: u64,
}

fn decoded(raw: impl Read + Send + 'static, room: usize) -> DecodedText {
    let mut decoder = Decoder::new(Box::new(raw));
    let (mut text, mut room) = (Vec::new(), vec![0; room]);
    let is_complete = loop {
        match decoder.read(&mut room) {
            Ok(0) => break true,
            Ok(count) => text.extend_from_slice(&room[..count]),
            Err(_) => break false,
        }
        if text.len() as u64 >= OUTPUT_LIMIT {
            break false;
        }
    };
    DecodedText { text, is_complete, taken: decoder.taken() }
}

/// Gives out one byte or seven at a time, as a pipe may.
struct Dribble {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Dribble {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(room.len()).min(if self.at.is_multiple_of(2) { 1 } else { 7 });
        room[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes)?;
    writer.finish()
}

fn bzip2(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(bytes)?;
    writer.finish()
}
