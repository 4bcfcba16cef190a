//! Determines which logs `watch` follows, and from which line on.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::args::{InputArgs, WatchArgs};
use super::error::CliError;
use super::input::{files, name_hosts};
use super::time::{calendar, window};
use crate::input::discover::list;
use crate::input::error::InputError;
use crate::input::follow::FollowedSource;
use crate::input::journal::JournalBounds;
use crate::input::read::Source;
use crate::input::source::SourceOrigin;
use crate::parse::mta::log_places;
use crate::pipeline::calendar::Calendar;
use crate::pipeline::logs::LOG_NAMES;
use crate::pipeline::seek::{last_dated, seek_to_range};
use crate::pipeline::time_range::TimeRange;

/// What to follow, and how.
pub(crate) struct FollowSession {
    pub sources: Vec<Source>,
    /// One for each source.
    pub followed: Vec<FollowedSource>,
    pub calendar: Calendar,
    pub window: TimeRange,
}

/// How much of the log is read without `--since`: the screen shows one hour, and the rest shows what is usual.
const BEFORE: SignedDuration = SignedDuration::from_hours(6);

/// In seconds: added to the present for files that are followed, since lines may still be added to them.
const FAR: u64 = 100 * 366 * 24 * 3600;

impl FollowSession {
    pub(crate) fn new(args: &WatchArgs) -> Result<Self, CliError> {
        let input = InputArgs {
            files: args.files.clone(),
            rotated: false,
            journal: args.journal,
            host: args.host.clone(),
            host_from: args.host_from.clone(),
            threads: Some(1),
            since: args.since.clone(),
            until: None,
            year: args.year,
            tz: args.tz.clone(),
            utc: args.utc,
            now: args.now,
            block_size: 0,
        };
        let calendar = calendar(&input)?;
        let mut window = window(&input, &calendar)?;
        let mut sources = sources(files(&input)?)?;
        if window.is_unbounded() {
            let ends = sources.iter().enumerate().filter(|(_, source)| source.can_be_read_again());
            let ends = ends.filter_map(|(number, source)| last_dated(number, source, &calendar).ok()?);
            window.since = ends.max().and_then(|last| last.checked_sub(BEFORE).ok());
        }
        seek_to_range(&mut sources, window, &calendar);
        if args.journal {
            let since = window.since.or_else(|| calendar.now.checked_sub(BEFORE).ok());
            let bounds = JournalBounds {
                since: since.map(Timestamp::as_second),
                until: None,
                units: &log_places::LOG_PLACES.units,
            };
            let (path, newest) = (PathBuf::from("journal"), SystemTime::now());
            let (origin, series) = (SourceOrigin::Journal(bounds), sources.len());
            sources.push(Source { series, ..Source::new(path, origin, newest) });
        }
        name_hosts(&mut sources, &input);
        let followed =
            sources.iter().enumerate().map(|(number, source)| FollowedSource::open(number, source));
        let followed = followed.collect::<Result<_, _>>()?;
        Ok(Self { sources, followed, calendar, window })
    }
}

/// The newest part of each log, the one that is being written.
fn sources(named: Vec<PathBuf>) -> Result<Vec<Source>, InputError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut known: HashSet<PathBuf> = HashSet::new();
    for path in named {
        let listing = list(std::slice::from_ref(&path), false, None, &LOG_NAMES);
        if let Some(problem) = listing.problems.into_iter().next() {
            return Err(problem);
        }
        let parts = listing.sources;
        let latest = parts.chunk_by(|a, b| a.series == b.series).filter_map(|parts| parts.last());
        for source in latest {
            if known.insert(source.path.clone()) {
                sources.push(source.clone());
            }
        }
    }
    let newest = SystemTime::now() + Duration::from_secs(FAR);
    for (series, source) in sources.iter_mut().enumerate() {
        (source.series, source.newest) = (series, newest);
    }
    Ok(sources)
}
