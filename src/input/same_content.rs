//! Compares the content of two files, and stops at the first difference.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::read::decompress::Decoder;

/// How many bytes are read at a time, and first of all at each end.
const PIECE: usize = 64 << 10;

/// Compares the bytes on disk. Files of equal size that differ mostly do so at an end, so both ends are compared first.
pub(crate) fn same_bytes(a: &Path, b: &Path, size: u64) -> io::Result<bool> {
    let (a, b) = (File::open(a)?, File::open(b)?);
    let mut rooms = [vec![0; PIECE], vec![0; PIECE]];
    for offset in [0, size.saturating_sub(PIECE as u64)] {
        let [left, right] = &mut rooms;
        let counts = (a.read_at(left, offset)?, b.read_at(right, offset)?);
        if counts.0 != counts.1 || left.get(..counts.0) != right.get(..counts.1) {
            return Ok(false);
        }
    }
    Ok(compared(a, b) == Some(Ordering::Equal))
}

/// Compares the decompressed texts. `Less`: the first is the beginning of the second, as while a file is being compressed,
/// or when it is damaged; `Greater`: the other way round. `None`: they differ.
pub(crate) fn by_text(a: &Path, b: &Path) -> io::Result<Option<Ordering>> {
    Ok(compared(Decoder::new(Box::new(File::open(a)?)), Decoder::new(Box::new(File::open(b)?))))
}

fn compared(mut a: impl Read, mut b: impl Read) -> Option<Ordering> {
    let (mut left, mut right) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let counts = (fill(&mut a, &mut left), fill(&mut b, &mut right));
        let common = counts.0.min(counts.1);
        if left.get(..common) != right.get(..common) {
            return None;
        }
        if common < PIECE {
            return Some(counts.0.cmp(&counts.1));
        }
    }
}

/// Fills `room` as far as there is text; an error ends the text.
fn fill(reader: &mut impl Read, room: &mut [u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = room.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => at += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    at
}
