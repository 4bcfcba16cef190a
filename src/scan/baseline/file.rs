//! Reads the baseline file, locks it against other runs, and replaces it atomically.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::BaselineError;
use super::history::{History, HistoryHour};
use crate::catalog::classify::Reason;
use crate::input::atomic_file::{AtomicFile, StagedFile, USUAL_MODE};
use crate::input::file_lock::FileLock;
use crate::input::planted::safe_target;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};
use crate::tally::event_kind::EventKind;

const SCHEMA: &str = "smtplog.baseline/1";

/// The part of the file that every version has.
#[derive(Deserialize)]
struct BaselineHead {
    schema: String,
}

#[derive(Serialize, Deserialize)]
struct BaselineDocument {
    schema: String,
    /// The filter options of the runs.
    filter: Vec<String>,
    /// The kinds of events; the hours refer to them by index.
    kinds: Vec<WrittenKind>,
    hours: Vec<WrittenHour>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKind {
    direction: Direction,
    outcome: Outcome,
    class: Option<Class>,
    code: Option<u16>,
    enhanced: Option<String>,
    reason: Option<Reason>,
}

#[derive(Serialize, Deserialize)]
struct WrittenHour {
    /// The beginning of the hour, as RFC 3339.
    start: Timestamp,
    /// The minutes that were read, half-open.
    from: u8,
    until: u8,
    /// Pairs of the index of a kind and its count.
    counts: Vec<(usize, u64)>,
}

/// A history. Its file is locked as long as this value lives, unless it is read-only.
#[derive(Debug)]
pub struct OpenBaseline {
    pub history: History,
    path: PathBuf,
    filter: Vec<String>,
    /// `None`: the file is read-only.
    lock: Option<FileLock>,
}

/// Reads the history in a file; a missing file is an empty history. A file that is damaged, written by a later version
/// or made with other filters is an error, and stays as it is.
pub fn open(path: &Path, filter: &[String], only_read: bool) -> Result<OpenBaseline, BaselineError> {
    safe_target(path).map_err(|source| BaselineError::Open { path: path.to_owned(), source })?;
    let lock = if only_read { None } else { Some(lock(path)?) };
    let wrong = |what: &str| BaselineError::Unusable { path: path.to_owned(), what: what.to_owned() };
    let opened = |history| OpenBaseline { history, path: path.to_owned(), filter: filter.to_vec(), lock };
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !only_read => {
            return Ok(opened(History::default()));
        }
        Err(source) => return Err(BaselineError::Open { path: path.to_owned(), source }),
        Ok(text) => text,
    };
    let head: BaselineHead = serde_json::from_slice(&text)
        .map_err(|_| wrong("not a baseline of smtplog, or damaged; move it away to start a new one"))?;
    if head.schema != SCHEMA {
        let newer = head.schema.starts_with("smtplog.baseline/");
        return Err(wrong(if newer {
            "it was written by a later version of smtplog"
        } else {
            "not a baseline of smtplog; choose another file"
        }));
    }
    let damaged =
        || wrong("damaged, or written by a later version of smtplog; move it away to start a new one");
    let written: BaselineDocument = serde_json::from_slice(&text).map_err(|_| damaged())?;
    if written.filter != filter {
        let shown = |filter: &[String]| {
            if filter.is_empty() { "no filter".to_owned() } else { filter.join(" ") }
        };
        let what = format!(
            "it was made with {}, and this run uses {}; use a separate file for each",
            shown(&written.filter),
            shown(filter)
        );
        return Err(wrong(&what));
    }
    Ok(opened(history(&written).ok_or_else(damaged)?))
}

/// The file that is locked: `FILE.lock`.
pub(crate) fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Locks `FILE.lock` beside the baseline, which itself may not exist yet.
fn lock(path: &Path) -> Result<FileLock, BaselineError> {
    let place = lock_path(path);
    let failed = |source| BaselineError::Lock { path: place.clone(), source };
    let in_use = || BaselineError::InUse { path: path.to_owned() };
    safe_target(&place).map_err(&failed)?;
    FileLock::acquire(&place, USUAL_MODE).map_err(failed)?.ok_or_else(in_use)
}

fn history(written: &BaselineDocument) -> Option<History> {
    let kinds: Vec<EventKind> = written.kinds.iter().map(kind).collect::<Option<_>>()?;
    let mut hours = BTreeMap::new();
    for WrittenHour { start, from, until, counts } in &written.hours {
        let second = start.as_second();
        if second.rem_euclid(3600) != 0 || from > until || *until > 60 {
            return None;
        }
        let counts = counts.iter().map(|&(at, count)| Some((*kinds.get(at)?, count)));
        let hour = HistoryHour { from: *from, until: *until, counts: counts.collect::<Option<_>>()? };
        hours.insert(second.div_euclid(3600), hour);
    }
    Some(History { hours })
}

fn kind(written: &WrittenKind) -> Option<EventKind> {
    let code = written.code.map(|number| Code::new(number).ok_or(())).transpose().ok()?;
    let enhanced = |text: &String| {
        EnhancedCode::read(text.as_bytes())
            .filter(|(_, rest)| rest.is_empty())
            .map(|(code, _)| code)
            .ok_or(())
    };
    let enhanced = written.enhanced.as_ref().map(enhanced).transpose().ok()?;
    let &WrittenKind { direction, outcome, class, reason, .. } = written;
    Some(EventKind { direction, outcome, class, code, enhanced, reason })
}

impl OpenBaseline {
    /// Replaces the file in one step; does nothing if it is read-only.
    pub fn save(&self) -> Result<(), BaselineError> {
        let failed = |source| BaselineError::Save { path: self.path.clone(), source };
        self.stage()?.map_or(Ok(()), |file| file.commit().map_err(failed))
    }

    /// Writes the new content, which must still be put into its place. `None`: the file is read-only.
    pub(crate) fn stage(&self) -> Result<Option<StagedFile>, BaselineError> {
        if self.lock.is_none() {
            return Ok(None);
        }
        let failed = |source| BaselineError::Save { path: self.path.clone(), source };
        let mut text = serde_json::to_vec(&self.written()).expect("plain data, memory takes it");
        text.push(b'\n');
        let mut file = AtomicFile::create(&self.path, USUAL_MODE).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.stage()).map(Some).map_err(failed)
    }

    fn written(&self) -> BaselineDocument {
        let mut places = BTreeMap::new();
        for kind in self.history.hours.values().flat_map(|hour| hour.counts.keys()) {
            places.insert(*kind, 0);
        }
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let kinds = places.keys().map(|kind| WrittenKind {
            direction: kind.direction,
            outcome: kind.outcome,
            class: kind.class,
            code: kind.code.map(Code::number),
            enhanced: kind.enhanced.map(|enhanced| enhanced.to_string()),
            reason: kind.reason,
        });
        let hours = self.history.hours.iter().filter_map(|(hour, kept)| {
            let counts = kept.counts.iter().filter_map(|(kind, &count)| Some((*places.get(kind)?, count)));
            let start = Timestamp::from_second(hour * 3600).ok()?;
            Some(WrittenHour { start, from: kept.from, until: kept.until, counts: counts.collect() })
        });
        BaselineDocument {
            schema: SCHEMA.to_owned(),
            filter: self.filter.clone(),
            kinds: kinds.collect(),
            hours: hours.collect(),
        }
    }
}
