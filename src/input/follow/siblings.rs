//! Finds the rotated parts of a log that lie beside it, and reads them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::input::atomic_file::folder_of;
use crate::input::read::decompress::Decoder;
use crate::input::regular_file::open_regular;
use crate::input::rotation::{RotatedName, RotationAge};
use crate::input::source::FileId;

/// The parts of a log but the one that is being written, oldest first. A part that is there both plain and compressed, as
/// while it is being compressed, is the plain file.
pub(crate) fn older_parts(log: &Path) -> Vec<PathBuf> {
    let Some(name) = log.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let own = RotatedName::read(name);
    let entries = fs::read_dir(folder_of(log)).into_iter().flatten();
    let part = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_str()?;
        if !name.starts_with(own.stem.0) {
            return None;
        }
        let part = RotatedName::read(name);
        let is_part = part.log() == own.log() && part.age != RotationAge::Current;
        is_part.then(|| (part.age, part.is_packed, entry.path()))
    };
    let mut parts: Vec<(RotationAge, bool, PathBuf)> =
        entries.filter_map(Result::ok).filter_map(part).collect();
    parts.retain(|(.., path)| path.is_file());
    parts.sort();
    parts.dedup_by(|(age, ..), (before, ..)| age == before);
    parts.into_iter().map(|(.., path)| path).collect()
}

/// Those of the older parts of a log that are newer than the file that begins with `head`, of which `at` bytes were read: the log
/// was rotated more than once since. The file itself has the id, or a new one if it was compressed.
pub(crate) fn newer_parts<'a>(parts: &'a [PathBuf], id: FileId, head: &[u8], at: u64) -> &'a [PathBuf] {
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| FileId::of(&metadata) == id);
    let is_its_text = |path: &PathBuf| begins_with(path, head, at);
    let found = parts.iter().position(is_it).or_else(|| parts.iter().rposition(is_its_text));
    found.and_then(|found| parts.get(found + 1..)).unwrap_or_default()
}

/// Whether the text of a part begins with `head` and has at least `length` bytes. `false` too if it cannot be read.
pub(crate) fn begins_with(path: &Path, head: &[u8], length: u64) -> bool {
    let Ok(mut part) = open_part(path) else { return false };
    let mut first = vec![0; head.len()];
    if head.is_empty() || part.read_exact(&mut first).is_err() || first != head {
        return false;
    }
    let rest = length.saturating_sub(head.len() as u64);
    io::copy(&mut part.take(rest), &mut io::sink()).is_ok_and(|count| count == rest)
}

/// The text of a part, decompressed if it is compressed.
pub(crate) fn open_part(path: &Path) -> io::Result<impl Read + use<>> {
    let file: File = open_regular(path)?;
    Ok(Decoder::new(Box::new(file)))
}
