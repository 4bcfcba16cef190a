//! Finds and reads parts: files, the parts in a folder, and standard input.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::error::CliError;
use crate::input::error::shown;
use crate::part::LogPart;
use crate::part::error::PartError;
use crate::part::file::{Checksum, read_again, read_head};
use crate::part::order::NamedHead;

/// The ending of the files in a folder that are parts.
const SUFFIX: &str = "part";

/// Where a part is. A file may hold several, one behind another.
#[derive(Clone)]
pub(crate) struct PartPlace {
    held: HeldBytes,
    start: usize,
    end: usize,
    checksum: Checksum,
}

#[derive(Clone)]
enum HeldBytes {
    /// Read again when the part is merged, so that not all parts are in memory.
    File(PathBuf),
    Memory(Rc<Vec<u8>>),
}

/// A part whose checksum is right.
pub(crate) struct FoundPart {
    pub named: NamedHead,
    place: PartPlace,
}

/// The files of the arguments.
pub(crate) fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(CliError::open_file(path))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut parts: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|end| end == SUFFIX)).collect();
        parts.sort();
        files.append(&mut parts);
    }
    Ok(files)
}

/// The heads of all parts in the files.
pub(crate) fn find(files: &[PathBuf]) -> Result<Vec<FoundPart>, CliError> {
    let mut found = Vec::new();
    for path in files {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|source| CliError::ReadStdin { source })?;
            let bytes = Rc::new(bytes);
            find_in(&bytes, "standard input", &HeldBytes::Memory(bytes.clone()), &mut found)?;
        } else {
            let bytes = fs::read(path).map_err(CliError::open_file(path))?;
            find_in(&bytes, &shown(path), &HeldBytes::File(path.clone()), &mut found)?;
        }
    }
    Ok(found)
}

fn find_in(bytes: &[u8], name: &str, held: &HeldBytes, found: &mut Vec<FoundPart>) -> Result<(), CliError> {
    let mut rest = bytes;
    loop {
        let refused = |why| CliError::Part { name: name.to_owned(), why };
        let (head, _, behind) = read_head(rest).map_err(refused)?;
        let (start, end) = (bytes.len() - rest.len(), bytes.len() - behind.len());
        let checksum = bytes.get(..end).and_then(<[u8]>::last_chunk).copied().unwrap_or_default();
        let place = PartPlace { held: held.clone(), start, end, checksum };
        found.push(FoundPart { named: NamedHead { name: name.to_owned(), head }, place });
        if behind.is_empty() {
            return Ok(());
        }
        rest = behind;
    }
}

impl PartPlace {
    /// The whole part. `files_before` is the number of files of the parts before.
    pub(crate) fn read(&self, named: &NamedHead, files_before: usize) -> Result<LogPart, CliError> {
        let refused = |why| CliError::Part { name: named.name.clone(), why };
        let bytes = match &self.held {
            HeldBytes::Memory(bytes) => bytes.clone(),
            HeldBytes::File(path) => Rc::new(fs::read(path).map_err(CliError::open_file(path))?),
        };
        let bytes = bytes.get(self.start..self.end).ok_or_else(|| refused(PartError::Changed))?;
        let sections = read_again(bytes, self.checksum).ok_or_else(|| refused(PartError::Changed))?;
        sections.read(named.head.clone(), files_before).map_err(refused)
    }
}

impl FoundPart {
    pub(crate) fn into_parts(self) -> (NamedHead, PartPlace) {
        (self.named, self.place)
    }
}
