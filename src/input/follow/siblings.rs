//! Finds the rotated parts of a log that lie beside it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::input::atomic_file::folder_of;
use crate::input::read::compression::is_packed;
use crate::input::rotation::{RotatedName, RotationAge};
use crate::input::source::FileId;

/// The uncompressed parts of a log but the one that is being written, oldest first.
pub(crate) fn older_parts(log: &Path) -> Vec<PathBuf> {
    let part = |path: &Path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let part = RotatedName::read(&name);
        Some((part.log(), part.age))
    };
    let Some((name, _)) = part(log) else { return Vec::new() };
    let entries = fs::read_dir(folder_of(log)).into_iter().flatten();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut parts: Vec<(RotationAge, PathBuf)> = paths
        .filter_map(|path| {
            let (other, age) = part(&path)?;
            (other == name && age != RotationAge::Current && path.is_file()).then_some((age, path))
        })
        .filter(|(_, path)| !is_packed(path))
        .collect();
    parts.sort();
    parts.into_iter().map(|(_, path)| path).collect()
}

/// The older parts of a log that are newer than the file with this id: the log was rotated more than once since.
pub(crate) fn newer_parts(log: &Path, id: FileId) -> Vec<PathBuf> {
    let mut parts = older_parts(log);
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| FileId::of(&metadata) == id);
    match parts.iter().position(is_it) {
        Some(at) => parts.split_off(at + 1),
        None => Vec::new(),
    }
}
