//! Matches the parts of a log with the checkpoints of earlier runs.

use std::io;
use std::path::{Path, PathBuf};

use super::fingerprint::{FingerprintedFile, MatchKind};
use super::known_lines::KnownLines;
use crate::input::checkpoint::Checkpoint;
use crate::input::discover::LogListing;
use crate::input::error::{InputError, shown};
use crate::input::source::{FileId, Source, SourceOrigin};

/// A part of a log, and the checkpoint it matches.
pub(crate) struct MatchedFile<'a> {
    pub source: &'a Source,
    pub text: FingerprintedFile,
    /// The number of the checkpoint, and how it matches. `None`: the part is new.
    pub fit: Option<(usize, MatchKind)>,
}

/// Opens a part. `None`: it cannot be opened, and the listing's problems say so.
pub(crate) fn open_part(
    source: &Source,
    listing: &mut LogListing,
) -> Result<Option<FingerprintedFile>, InputError> {
    let same = |text: &FingerprintedFile| source.origin == SourceOrigin::File(text.id);
    match FingerprintedFile::open(&source.path) {
        Ok(text) if same(&text) => Ok(Some(text)),
        // It was rotated since it was listed.
        Ok(_) => Err(source.cannot_open(io::ErrorKind::NotFound.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(source.cannot_open(error)),
        Err(error) => {
            listing.problems.push(source.cannot_open(error));
            Ok(None)
        }
    }
}

/// Whether an older part has no new lines behind `from`.
pub(crate) fn ends_at(source: &Source, text: &FingerprintedFile, from: u64) -> Result<bool, InputError> {
    text.last_line_end(from, false).map(|end| end == from).map_err(|error| source.cannot_open(error))
}

/// The checkpoint that covers most of the text; of its own file, if there is a choice.
fn best(text: &FingerprintedFile, marks: &[Checkpoint]) -> io::Result<Option<(usize, MatchKind)>> {
    let mut best = None;
    for (at, mark) in marks.iter().enumerate() {
        let Some(fit) = text.compare(mark)? else { continue };
        let rank = (fit == MatchKind::Unchanged, mark.offset.unwrap_or(u64::MAX), fit, mark.id() == text.id);
        if best.is_none_or(|(_, _, highest)| rank > highest) {
            best = Some((at, fit, rank));
        }
    }
    Ok(best.map(|(at, fit, _)| (at, fit)))
}

/// The checkpoint of a part that is not read. `None`: the part is empty.
pub(crate) fn checkpoint_unread(text: &FingerprintedFile) -> io::Result<Option<Checkpoint>> {
    let offset = if text.packed { None } else { Some(text.last_line_end(0, false)?) };
    let tail = offset.map(|offset| text.tail(offset)).transpose()?;
    Ok((offset != Some(0)).then(|| Checkpoint {
        device: text.id.device,
        inode: text.id.inode,
        size: text.size,
        written: text.written,
        offset,
        lines: 0,
        heads: text.heads_until(offset.unwrap_or(u64::MAX)),
        tail,
        current: false,
        known_lines: KnownLines::default(),
    }))
}

/// Opens the parts of a log that was read before and matches each with its checkpoint. `patient`: one that is just being
/// compressed is an error; otherwise it is left out, and the next run reads it.
pub(crate) fn matched<'a>(
    series: &'a [Source],
    marks: &[Checkpoint],
    patient: bool,
    listing: &mut LogListing,
) -> Result<Vec<MatchedFile<'a>>, InputError> {
    let mut found: Vec<MatchedFile> = Vec::new();
    for source in series {
        let Some(mut text) = open_part(source, listing)? else { continue };
        let mut fit = best(&text, marks).map_err(|error| source.cannot_open(error))?;
        let is_known = matches!(fit, Some((_, MatchKind::Unchanged)));
        if !is_known && text.is_being_compressed().map_err(|error| source.cannot_open(error))? {
            if patient {
                return Err(source.cannot_open(io::ErrorKind::NotFound.into()));
            }
            let path = shown(&source.path);
            listing.notes.push(format!("{path} is left out: it is incomplete, as it is being compressed"));
            continue;
        }
        if source.current && !matches!(fit, Some((_, MatchKind::Whole | MatchKind::Unchanged))) {
            let shorter = fit.map(|(at, _)| at);
            let cut =
                shorter.or_else(|| marks.iter().position(|mark| mark.current && text.begins_like(mark)));
            fit = cut.map(|at| (at, MatchKind::Cut));
        }
        if matches!(fit, Some((_, MatchKind::Unchanged | MatchKind::Shorter))) {
            text.file = None;
        }
        found.push(MatchedFile { source, text, fit });
    }
    // If another file holds the whole text, the log was begun anew with lines like those of before.
    let is_held = |known: usize| {
        let holds = |one: &MatchedFile| matches!(one.fit, Some((at, MatchKind::Whole | MatchKind::Unchanged)) if at == known);
        found.iter().any(holds)
    };
    let begun_anew: Vec<bool> =
        found.iter().map(|one| matches!(one.fit, Some((at, MatchKind::Cut)) if is_held(at))).collect();
    for (one, is_new) in found.iter_mut().zip(begun_anew) {
        one.fit = one.fit.filter(|_| !is_new);
    }
    Ok(found)
}

/// Takes out the new parts that hold nothing but the beginning of the log: it is being copied, and will be truncated.
/// `known` is the file that was being written at the last run. If it still is, no part is that file renamed.
pub(crate) fn without_copies<'a>(
    found: Vec<MatchedFile<'a>>,
    known: Option<FileId>,
    listing: &mut LogListing,
) -> Result<Vec<MatchedFile<'a>>, InputError> {
    let mut is_copy = vec![false; found.len()];
    let is_same = |one: &&MatchedFile| one.source.current && Some(one.text.id) == known;
    if let Some(current) = found.iter().find(is_same) {
        for (one, is_copy) in found.iter().zip(&mut is_copy) {
            let is_new = one.fit.is_none() && !one.source.current;
            if is_new
                && one.text.is_beginning_of(&current.text).map_err(|error| one.source.cannot_open(error))?
            {
                *is_copy = true;
                let [copy, log] = [one, current].map(|one| shown(&one.source.path));
                listing.notes.push(format!("{copy} is left out: it is a copy of the beginning of {log}"));
            }
        }
    }
    let kept = found.into_iter().zip(is_copy).filter(|(_, is_copy)| !is_copy);
    Ok(kept.map(|(one, _)| one).collect())
}

/// The note on a log that was cut or edited, and is read on from `from`.
pub(crate) fn cut_note(path: &Path, offset: u64, from: u64, size: u64) -> String {
    let what = if size < offset { "became shorter" } else { "was edited" };
    format!(
        "{} {what}: it was read up to byte {offset}, and its text is the same only up to about byte {from}; it is read on from \
         there, so lines may be missing or counted twice",
        shown(path)
    )
}

/// The file that continues each checkpoint. If copies match too, it is the file itself, else the newest copy.
pub(crate) fn owners(found: &[MatchedFile], marks: &[Checkpoint]) -> Vec<Option<PathBuf>> {
    let owner = |known: usize| {
        let whole = |one: &&MatchedFile| one.fit == Some((known, MatchKind::Whole));
        let same = |one: &&MatchedFile| marks.get(known).is_some_and(|mark| mark.id() == one.text.id);
        let owner = found.iter().filter(whole).find(same).or_else(|| found.iter().rev().find(whole));
        owner.map(|one| one.source.path.clone())
    };
    (0..marks.len()).map(owner).collect()
}

/// The note on a log whose text, read up to `offset`, is no longer in any file.
pub(crate) fn lost_text_note(log: &str, offset: u64, saved: &str) -> String {
    format!(
        "{} was read up to byte {offset}, and no file holds that text any more: what was written to it after {saved} \
         and before it was rotated, cut short or edited is missing, and what holds other text is read from its beginning",
        shown(Path::new(log))
    )
}
