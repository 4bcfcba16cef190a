//! Compares the content of two files, and stops at the first difference.

use std::cmp::Ordering;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::read::decompress::Decoder;
use super::regular_file::open_regular;

/// How many bytes are read at a time, and first of all at each end.
const PIECE: usize = 64 << 10;

/// How many bytes of each end are hashed.
const END: usize = 1024;

/// A hash of the first and the last bytes of a file of this size.
pub(crate) fn hash_of_ends(path: &Path, size: u64) -> io::Result<u64> {
    let file = open_regular(path)?;
    let mut ends = [0; 2 * END];
    let (first, last) = ends.split_at_mut(END);
    file.read_exact_at(first, 0)?;
    file.read_exact_at(last, size.saturating_sub(END as u64))?;
    Ok(xxh3_64(&ends))
}

/// Compares the bytes on disk. Files of equal size that differ mostly do so at an end, so both ends are compared first.
pub(crate) fn same_bytes(a: &Path, b: &Path, size: u64) -> io::Result<bool> {
    let (a, b) = (open_regular(a)?, open_regular(b)?);
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
    Ok(compared(Decoder::new(Box::new(open_regular(a)?)), Decoder::new(Box::new(open_regular(b)?))))
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
