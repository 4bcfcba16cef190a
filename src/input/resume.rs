//! What there is to read and what is known come in; what is new goes out, and, once it was read, what is known then.
//!
//! A part of a log is told by its text, not by its name. What fits nothing that is known is new and is read whole: so a
//! mistake has lines read again, never left out.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::found::{Found, best, ends_at, left_alone, opened};
use super::journal::Cursor;
use super::listing::Listing;
use super::mark::{Hash, Known, Log, Mark};
use super::source::{Origin, Source};
use super::text::{Fit, Text};
use crate::error::{InputError, shown};

/// A run that goes on where another stopped.
#[derive(Default)]
pub struct Resumed {
    /// Those of the sources, by their numbers.
    parts: Vec<Part>,
    /// What is known and not read now.
    rest: Vec<Log>,
    journal: Option<String>,
    /// When the earlier run ended, as it is shown. None: there was none.
    pub since: Option<String>,
}

enum Part {
    File(Box<Begun>),
    Journal(Cursor),
}

/// A file, and from where it is read.
struct Begun {
    log: String,
    text: Text,
    current: bool,
    from: u64,
    /// What was known of it. None: it is new.
    before: Option<Mark>,
    plain: Option<Plain>,
}

/// What only a plain file tells before it is read.
struct Plain {
    end: u64,
    tail: Hash,
}

/// What was read of one source.
#[derive(Clone, Copy, Default, Debug)]
pub struct Reached {
    pub lines: u64,
    /// Where it ended, in bytes of its text.
    pub end: u64,
}

/// More files are not kept open; they are opened when their turn comes.
const OPEN: usize = 200;

/// So many texts of one log are remembered that no file has any more.
const GONE: usize = 256;

impl Resumed {
    /// Leaves in the listing what is new. `all`: parts that nobody named are wanted too, when the log is read first.
    /// `patient`: a log that is not to be found may just be rotated; an error of that kind is worth another try.
    pub fn new(listing: &mut Listing, known: &Known, all: bool, patient: bool) -> Result<Self, InputError> {
        let since = (!known.saved.is_empty()).then(|| known.saved.clone());
        let (rest, journal) = (known.logs.clone(), known.journal.clone());
        let mut resumed = Self { rest, journal, since, parts: Vec::new() };
        let sources = std::mem::take(&mut listing.sources);
        listing.bytes = 0;
        for series in sources.chunk_by(|a, b| a.series == b.series) {
            let Some(first) = series.first() else { continue };
            match first.origin {
                Origin::Stdin | Origin::Pipe => {
                    return Err(InputError::NotResumable { path: first.path.clone() });
                }
                Origin::Journal(_) => {
                    let cursor = Cursor::after(known.journal.clone());
                    listing.sources.push(Source { cursor: Some(cursor.clone()), ..first.clone() });
                    resumed.parts.push(Part::Journal(cursor));
                }
                Origin::File(_) => {
                    let key = first.log.to_string_lossy().into_owned();
                    match resumed.rest.iter().position(|log| log.log == key) {
                        None => resumed.begin(series, key, all, listing)?,
                        Some(at) => {
                            let Log { parts, .. } = resumed.rest.remove(at);
                            resumed.go_on(series, Log { log: key, parts }, &known.saved, patient, listing)?;
                        }
                    }
                }
            }
        }
        Ok(resumed)
    }

    /// A log that was never read. What lies beside it is taken down, so that nobody takes it for new later.
    fn begin(
        &mut self,
        series: &[Source],
        log: String,
        all: bool,
        listing: &mut Listing,
    ) -> Result<(), InputError> {
        if let Some(first) = series.first().filter(|_| !all && series.iter().all(|source| source.beside)) {
            let name = first.log.file_name().unwrap_or_default();
            let missing = InputError::open(&first.path.with_file_name(name));
            listing.problems.push(missing(io::ErrorKind::NotFound.into()));
            return Ok(());
        }
        let mut marks = Vec::new();
        for source in series {
            let Some(text) = opened(source, listing)? else { continue };
            if source.beside && !all {
                marks.extend(left_alone(&text).map_err(|error| source.cannot_open(error))?);
            } else {
                self.read(source, text, &log, 0, None, listing)?;
            }
        }
        self.rest.push(Log { log, parts: marks });
        Ok(())
    }

    fn go_on(
        &mut self,
        series: &[Source],
        mut log: Log,
        saved: &str,
        patient: bool,
        listing: &mut Listing,
    ) -> Result<(), InputError> {
        let troubles = listing.problems.len();
        let mut found: Vec<Found> = Vec::new();
        for source in series {
            let Some(mut text) = opened(source, listing)? else { continue };
            let fit = best(&text, &log.parts).map_err(|error| source.cannot_open(error))?;
            if matches!(fit, Some((_, Fit::Unchanged | Fit::Shorter))) {
                text.file = None;
            }
            found.push(Found { source, text, fit });
        }
        let is_gone = |at: usize, mark: &Mark| {
            mark.current && !found.iter().any(|one| one.fit.is_some_and(|(known, _)| known == at))
        };
        let gone = log.parts.iter().enumerate().find(|&(at, mark)| is_gone(at, mark)).map(|(at, _)| at);
        if gone.is_some() && patient {
            return Err(InputError::open(Path::new(&log.log))(io::ErrorKind::NotFound.into()));
        }
        // What could not be opened may be it.
        if let Some(mark) = gone.and_then(|at| log.parts.get_mut(at))
            && listing.problems.len() == troubles
        {
            mark.current = false;
            listing.notes.push(lost(&log.log, mark.offset.unwrap_or(0), saved));
        }
        // Of a file and its copies one goes on: the file itself, or what was written last.
        let owner = |known: usize| {
            let whole = |one: &&Found| one.fit == Some((known, Fit::Whole));
            let same = |one: &&Found| log.parts.get(known).is_some_and(|mark| mark.id() == one.text.id);
            let owner = found.iter().filter(whole).find(same).or_else(|| found.iter().rev().find(whole));
            owner.map(|one| one.source.path.clone())
        };
        let owners: Vec<Option<PathBuf>> = (0..log.parts.len()).map(owner).collect();
        let met: HashSet<usize> = found.iter().filter_map(|one| Some(one.fit?.0)).collect();
        let mut taken = HashSet::new();
        for Found { source, text, fit } in found {
            let Some((at, fit)) = fit else {
                self.read(source, text, &log.log, 0, None, listing)?;
                continue;
            };
            let Some(mark) = log.parts.get_mut(at) else { continue };
            let is_owner = owners.get(at).and_then(Option::as_ref) == Some(&source.path);
            match fit {
                Fit::Unchanged | Fit::Shorter => mark.current &= source.current,
                Fit::Whole if !is_owner => {
                    let path = shown(&source.path);
                    listing.notes.push(format!("{path} is left out: it is a copy of what was read before"));
                }
                Fit::Whole => match mark.offset {
                    Some(from) if !source.current && !text.packed && ends_at(source, &text, from)? => {
                        (mark.device, mark.inode, mark.current) = (text.id.device, text.id.inode, false);
                    }
                    Some(from) => {
                        taken.insert(at);
                        self.read(source, text, &log.log, from, Some(mark.clone()), listing)?;
                    }
                    None => {
                        // It has only moved.
                        (mark.device, mark.inode) = (text.id.device, text.id.inode);
                        (mark.size, mark.written) = (text.size, text.written);
                    }
                },
            }
        }
        let Log { log, parts } = log;
        let rest = parts.into_iter().enumerate().filter(|(at, _)| !taken.contains(at));
        let (there, gone): (Vec<_>, Vec<_>) = rest.partition(|(at, _)| met.contains(at));
        // The latest first.
        let rest = there.into_iter().chain(gone.into_iter().take(GONE)).map(|(_, mark)| mark);
        self.rest.push(Log { log, parts: rest.collect() });
        Ok(())
    }

    /// To be read from there on.
    fn read(
        &mut self,
        source: &Source,
        mut text: Text,
        log: &str,
        from: u64,
        before: Option<Mark>,
        listing: &mut Listing,
    ) -> Result<(), InputError> {
        let current = source.current;
        let plain = if text.packed {
            None
        } else {
            let found = text.end(from, current).and_then(|end| Ok(Plain { end, tail: text.tail(end)? }));
            Some(found.map_err(|error| source.cannot_open(error))?)
        };
        let within = match &plain {
            Some(plain) => Some((from, plain.end)),
            None => (from > 0).then_some((from, u64::MAX)),
        };
        listing.bytes += plain.as_ref().map_or(text.size, |plain| plain.end - from);
        if listing.sources.len() >= OPEN {
            text.file = None;
        }
        listing.sources.push(Source {
            within,
            lines_before: before.as_ref().map_or(0, |mark| mark.lines),
            file: text.file.clone(),
            ..source.clone()
        });
        let log = log.to_owned();
        self.parts.push(Part::File(Box::new(Begun { log, text, current, from, before, plain })));
        Ok(())
    }

    /// The numbers of plain files whose text is not the one any more that was to be read: they were cut short meanwhile.
    pub fn changed(&self) -> Vec<usize> {
        let is_changed = |part: &Part| match part {
            Part::File(begun) => begun.plain.as_ref().is_some_and(|plain| {
                let text = &begun.text;
                text.file.is_some() && !text.tail(plain.end).is_ok_and(|tail| tail == plain.tail)
            }),
            Part::Journal(_) => false,
        };
        self.parts.iter().enumerate().filter(|(_, part)| is_changed(part)).map(|(at, _)| at).collect()
    }

    /// What is known when it was read. `reached` and `sources` are those of the listing, `problems` what befell them: what
    /// could not be read whole is to be read again, from where it was to be read now. `saved` is the time.
    pub fn settle(
        self,
        sources: &[Source],
        reached: &[Reached],
        problems: &[InputError],
        saved: String,
    ) -> Known {
        let mut again: HashSet<&Path> = problems.iter().filter_map(InputError::unread).collect();
        let paths = sources.iter().map(|source| source.path.as_path());
        let changed: HashSet<usize> = self.changed().into_iter().collect();
        again.extend(paths.clone().enumerate().filter(|(at, _)| changed.contains(at)).map(|(_, path)| path));
        let mut known = Known { saved, logs: Vec::new(), journal: self.journal };
        let mut fresh: Vec<(String, Option<Mark>)> = Vec::new();
        for ((part, path), reached) in self.parts.into_iter().zip(paths).zip(reached) {
            let is_again = again.contains(path);
            match part {
                Part::Journal(cursor) if !is_again => {
                    known.journal = cursor.reached().or(known.journal);
                }
                Part::Journal(_) => {}
                Part::File(begun) if is_again => fresh.push((begun.log, begun.before)),
                Part::File(begun) => {
                    let damaged = problems.iter().any(|problem| problem.damaged() == Some(path));
                    fresh.push(begun.mark(*reached, damaged));
                }
            }
        }
        for Log { log, parts } in self.rest {
            let mut marks: Vec<Mark> = Vec::new();
            marks.extend(fresh.extract_if(.., |(name, _)| *name == log).filter_map(|(_, mark)| mark));
            marks.extend(parts);
            known.logs.push(Log { log, parts: marks });
        }
        known.logs.sort_by(|a, b| a.log.cmp(&b.log));
        known
    }
}

impl Begun {
    /// Its log, and what is known of it when it was read so far. None: nothing of it was; whatever it will be, it is new.
    fn mark(self, reached: Reached, damaged: bool) -> (String, Option<Mark>) {
        let Self { log, text, current, from, before, plain } = self;
        let offset = plain.as_ref().map_or(from.max(reached.end), |plain| plain.end);
        let mark = Mark {
            device: text.id.device,
            inode: text.id.inode,
            // So it is looked at again.
            size: if damaged { 0 } else { text.size },
            written: text.written,
            offset: Some(offset),
            lines: before.map_or(0, |mark| mark.lines) + reached.lines,
            heads: text.heads_until(offset),
            tail: plain.map(|plain| plain.tail),
            current,
        };
        (log, (offset > 0).then_some(mark))
    }
}

fn lost(log: &str, offset: u64, saved: &str) -> String {
    format!(
        "{} was read up to byte {offset}, and no file holds that text any more: what was written to it after {saved} \
         and before it was rotated, cut short or edited is missing, and what holds other text is read from its beginning",
        shown(Path::new(log))
    )
}
