//! Continues where an earlier run stopped: reduces a listing to the new text, and makes the checkpoints for the next run.
//!
//! A part of a log is recognised by its text, not by its name. A file that matches no checkpoint is new and is read whole:
//! so a mistake makes lines count twice, and never leaves them out.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::fingerprint::{FingerprintedFile, MatchKind};
use super::known_lines::KnownLines;
use super::lookup::{
    MatchedFile, checkpoint_unread, cut_note, ends_at, lost_text_note, matched, open_part, owners,
    without_copies,
};
use super::opened_file::OpenedFile;
pub(crate) use super::opened_file::ReadPosition;
use crate::input::checkpoint::{Checkpoint, Checkpoints, LogCheckpoints};
use crate::input::discover::LogListing;
use crate::input::error::{InputError, shown};
use crate::input::journal::JournalCursor;
use crate::input::source::{FileId, Source, SourceOrigin};

/// A run that continues an earlier one.
#[derive(Default)]
pub(crate) struct ResumePlan {
    /// One for each source of the listing, in its order.
    parts: Vec<ResumePart>,
    /// Logs, and parts of logs, that are known and not read by this run.
    rest: Vec<LogCheckpoints>,
    journal: Option<String>,
    /// When the earlier run ended, as it is shown. `None`: there was none.
    pub since: Option<String>,
}

enum ResumePart {
    File(Box<OpenedFile>),
    Journal(JournalCursor),
}

/// How many files are kept open at most; further ones are opened when they are read.
const MAX_OPEN_FILES: usize = 200;

/// How many checkpoints are kept of each log for texts that no file holds any more.
const MAX_LOST_CHECKPOINTS: usize = 256;

impl ResumePlan {
    /// Reduces the listing to new text. `all`: when a log is read for the first time, parts that were not named are read
    /// too. `patient`: a log that is missing may be in the middle of a rotation, so it is an error, and the caller may retry.
    pub(crate) fn new(
        listing: &mut LogListing,
        known: &Checkpoints,
        all: bool,
        patient: bool,
    ) -> Result<Self, InputError> {
        let since = (!known.saved.is_empty()).then(|| known.saved.clone());
        let (rest, journal) = (known.logs.clone(), known.journal.clone());
        let mut resumed = Self { rest, journal, since, parts: Vec::new() };
        let sources = std::mem::take(&mut listing.sources);
        listing.bytes = 0;
        for series in sources.chunk_by(|a, b| a.series == b.series) {
            let Some(first) = series.first() else { continue };
            match first.origin {
                SourceOrigin::Stdin | SourceOrigin::Pipe => {
                    return Err(InputError::NotResumable { path: first.path.clone() });
                }
                SourceOrigin::Journal(_) => {
                    let cursor = JournalCursor::after(known.journal.clone());
                    listing.sources.push(Source { cursor: Some(cursor.clone()), ..first.clone() });
                    resumed.parts.push(ResumePart::Journal(cursor));
                }
                SourceOrigin::File(_) => {
                    let key = first.log.to_string_lossy().into_owned();
                    match resumed.rest.iter().position(|log| log.log == key) {
                        None => resumed.start_log(series, key, (all, patient), listing)?,
                        Some(at) => {
                            let known_log = resumed.rest.remove(at);
                            resumed.resume_log(series, known_log, &known.saved, patient, listing)?;
                        }
                    }
                }
            }
        }
        Ok(resumed)
    }

    /// Starts a log that was never read. Parts that are not read get checkpoints, so that later runs do not count them as new.
    fn start_log(
        &mut self,
        series: &[Source],
        log: String,
        (all, patient): (bool, bool),
        listing: &mut LogListing,
    ) -> Result<(), InputError> {
        if let Some(first) = series.first().filter(|_| !all && series.iter().all(|source| source.beside)) {
            let name = first.log.file_name().unwrap_or_default();
            let missing = InputError::open(&first.path.with_file_name(name));
            listing.problems.push(missing(io::ErrorKind::NotFound.into()));
            return Ok(());
        }
        let mut marks = Vec::new();
        for source in series {
            let Some(text) = open_part(source, listing)? else { continue };
            if patient && text.is_being_compressed().map_err(|error| source.cannot_open(error))? {
                return Err(source.cannot_open(io::ErrorKind::NotFound.into()));
            }
            if source.beside && !all {
                marks.extend(checkpoint_unread(&text).map_err(|error| source.cannot_open(error))?);
            } else {
                self.add_source(source, text, &log, 0, None, listing)?;
            }
        }
        self.rest.push(LogCheckpoints { log, parts: marks, current: None });
        Ok(())
    }

    /// Resumes a log that was read before.
    fn resume_log(
        &mut self,
        series: &[Source],
        mut log: LogCheckpoints,
        saved: &str,
        patient: bool,
        listing: &mut LogListing,
    ) -> Result<(), InputError> {
        let found = matched(series, &log.parts, patient, listing)?;
        let is_each_open = found.len() == series.len();
        let found = without_copies(found, log.current, listing)?;
        let is_gone = |at: usize, mark: &Checkpoint| {
            mark.current && !found.iter().any(|one| one.fit.is_some_and(|(known, _)| known == at))
        };
        let gone = log.parts.iter().enumerate().find(|&(at, mark)| is_gone(at, mark)).map(|(at, _)| at);
        let is_cut = found.iter().any(|one| matches!(one.fit, Some((_, MatchKind::Cut))));
        if (gone.is_some() || is_cut) && patient {
            return Err(InputError::open(Path::new(&log.log))(io::ErrorKind::NotFound.into()));
        }
        // A file that could not be opened may hold that text.
        if let Some(mark) = gone.and_then(|at| log.parts.get_mut(at))
            && is_each_open
        {
            mark.current = false;
            mark.known_lines = KnownLines::default();
            listing.notes.push(lost_text_note(&log.log, mark.offset.unwrap_or(0), saved));
        }
        let owners = owners(&found, &log.parts);
        let known_marks: HashSet<usize> = found.iter().filter_map(|one| Some(one.fit?.0)).collect();
        let mut taken = HashSet::new();
        for one in found {
            taken.extend(self.resume_part(one, &mut log, &owners, listing)?);
        }
        let LogCheckpoints { log, parts, current } = log;
        let rest = parts.into_iter().enumerate().filter(|(at, _)| !taken.contains(at));
        let (there, gone): (Vec<_>, Vec<_>) = rest.partition(|(at, _)| known_marks.contains(at));
        // The latest come first, so the oldest are dropped.
        let rest = there.into_iter().chain(gone.into_iter().take(MAX_LOST_CHECKPOINTS)).map(|(_, mark)| mark);
        self.rest.push(LogCheckpoints { log, parts: rest.collect(), current });
        Ok(())
    }

    /// Adds a part of a known log to the listing if it has new text; otherwise updates its checkpoint. Returns the index of
    /// the checkpoint that this run continues.
    fn resume_part(
        &mut self,
        found: MatchedFile,
        log: &mut LogCheckpoints,
        owners: &[Option<PathBuf>],
        listing: &mut LogListing,
    ) -> Result<Option<usize>, InputError> {
        let MatchedFile { source, text, fit } = found;
        let Some((at, fit)) = fit else {
            self.add_source(source, text, &log.log, 0, None, listing)?;
            return Ok(None);
        };
        let Some(mark) = log.parts.get_mut(at) else { return Ok(None) };
        let is_owner = owners.get(at).and_then(Option::as_ref) == Some(&source.path);
        match fit {
            MatchKind::Unchanged | MatchKind::Shorter => mark.current &= source.current,
            MatchKind::Cut => {
                let cut = text.cut_of(mark).map_err(|error| source.cannot_open(error))?;
                let Some((from, lines)) = cut else {
                    self.add_source(source, text, &log.log, 0, None, listing)?;
                    return Ok(None);
                };
                let offset = mark.offset.unwrap_or(0);
                listing.notes.push(cut_note(&source.path, offset, from, text.size));
                let before = Checkpoint { lines, ..mark.clone() };
                self.add_source(source, text, &log.log, from, Some(before), listing)?;
                return Ok(Some(at));
            }
            MatchKind::Whole if !is_owner => {
                let path = shown(&source.path);
                listing.notes.push(format!("{path} is left out: it is a copy of what was read before"));
            }
            MatchKind::Whole => match mark.offset {
                Some(from) if !source.current && !text.packed && ends_at(source, &text, from)? => {
                    (mark.device, mark.inode, mark.current) = (text.id.device, text.id.inode, false);
                    mark.known_lines = KnownLines::default();
                }
                Some(from) => {
                    self.add_source(source, text, &log.log, from, Some(mark.clone()), listing)?;
                    return Ok(Some(at));
                }
                None => {
                    // It was only renamed.
                    (mark.device, mark.inode) = (text.id.device, text.id.inode);
                    (mark.size, mark.written) = (text.size, text.written);
                }
            },
        }
        Ok(None)
    }

    /// Adds a source to the listing, to be read from the offset `from` on.
    fn add_source(
        &mut self,
        source: &Source,
        text: FingerprintedFile,
        log: &str,
        from: u64,
        before: Option<Checkpoint>,
        listing: &mut LogListing,
    ) -> Result<(), InputError> {
        let mut begun = OpenedFile::new(source, text, log, from, before)?;
        listing.bytes += begun.bytes();
        // The log that is being written may be truncated, so it stays open if at all possible.
        if listing.sources.len() >= if source.current { 2 * MAX_OPEN_FILES } else { MAX_OPEN_FILES } {
            begun.text.file = None;
        }
        listing.sources.push(Source {
            within: begun.within(),
            lines_before: begun.before.as_ref().map_or(0, |mark| mark.lines),
            file: begun.text.file.clone(),
            ..source.clone()
        });
        self.parts.push(ResumePart::File(Box::new(begun)));
        Ok(())
    }

    /// The sources that were truncated since they were compared with their checkpoints: what was read of them may be anything.
    /// To be asked once, after reading; if there are any, the run must begin again. `sources` are those of the listing.
    pub(crate) fn changed<'a>(&self, sources: &'a [Source]) -> Vec<&'a Path> {
        let is_changed = |(part, source): (&ResumePart, &'a Source)| match part {
            ResumePart::File(begun) => begun.is_changed(&source.path).then_some(source.path.as_path()),
            ResumePart::Journal(_) => None,
        };
        self.parts.iter().zip(sources).filter_map(is_changed).collect()
    }

    /// The checkpoints for the next run. `reached` and `sources` are those of the listing, `problems` those of the reading: what
    /// could not be read to its end is to be read again, from where this run began. `saved` is the time.
    pub(crate) fn finish(
        self,
        sources: &[Source],
        reached: &[ReadPosition],
        problems: &[InputError],
        saved: String,
    ) -> Checkpoints {
        let again: HashSet<&Path> = problems.iter().filter_map(InputError::unread).collect();
        let paths = sources.iter().map(|source| source.path.as_path());
        let mut known = Checkpoints { saved, logs: Vec::new(), journal: self.journal };
        let mut fresh: Vec<(String, Option<Checkpoint>)> = Vec::new();
        let mut written: HashMap<String, FileId> = HashMap::new();
        for ((part, path), reached) in self.parts.into_iter().zip(paths).zip(reached) {
            let is_again = again.contains(path);
            if let ResumePart::File(begun) = &part
                && begun.current
            {
                written.insert(begun.log.clone(), begun.text.id);
            }
            match part {
                ResumePart::Journal(cursor) if !is_again => {
                    known.journal = cursor.reached().or(known.journal);
                }
                ResumePart::Journal(_) => {}
                ResumePart::File(begun) if is_again => fresh.push((begun.log, begun.before)),
                ResumePart::File(begun) => {
                    let damaged = problems.iter().any(|problem| problem.damaged() == Some(path));
                    fresh.push(begun.checkpoint(*reached, damaged));
                }
            }
        }
        for LogCheckpoints { log, parts, current } in self.rest {
            let current = written.get(&log).copied().or(current);
            let mut marks: Vec<Checkpoint> = Vec::new();
            marks.extend(fresh.extract_if(.., |(name, _)| *name == log).filter_map(|(_, mark)| mark));
            marks.extend(parts);
            known.logs.push(LogCheckpoints { log, parts: marks, current });
        }
        known.logs.sort_by(|a, b| a.log.cmp(&b.log));
        known
    }
}
