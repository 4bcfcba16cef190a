//! Finds the logs that a caller of the library names, and settles how they are read.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calendar::{Calendar, TimeResolution, local_zone};
use super::error::Error;
use super::filter::LineFilter;
use super::time_range::TimeRange;
use super::walk::WalkTask;
use crate::catalog::Catalog;
use crate::input::discover::{LogListing, list};
use crate::input::read::{Progress, ReadOptions, Source};
use crate::input::rotation::LogNames;
use crate::parse::mta::log_places;

/// Names of mail logs in a folder.
pub(crate) const LOG_NAMES: LogNames =
    LogNames { by_server: &log_places::LOG_PLACES.names, repeated: log_places::repeated_log };

/// Block size in bytes; it does not change any answer.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;

/// Which lines of the logs are read, and how their timestamps are understood.
///
/// The default reads every line of the named files, with this machine's time zone.
#[derive(Clone, Default, Debug)]
pub struct LogOptions {
    /// Also read the rotated parts of each file: `mail.log.1`, `mail.log.2.gz`.
    pub rotated: bool,
    /// The zone of timestamps that show none. `None`: this machine's zone.
    pub time_zone: Option<TimeZone>,
    /// The year of the last line whose timestamp shows none; earlier lines are dated backwards. `None`: the latest year in
    /// which no line is later than its file was written, or later than now if the log comes from a reader.
    pub year: Option<i16>,
    /// Only lines from this time on. `None`: from the first line on. If there is a bound, lines without a valid timestamp
    /// are left out.
    pub since: Option<Timestamp>,
    /// Only lines before this time. `None`: up to the last line.
    pub until: Option<Timestamp>,
    /// The number of threads that count, 1 to 64 or the number of cores. `None`: one for each core, and one alone for
    /// files of 2 MiB or less. It changes no answer.
    pub threads: Option<usize>,
}

/// Logs that were found, and how they are read.
pub(crate) struct FoundLogs {
    pub sources: Vec<Source>,
    pub manner: ReadOptions,
    pub calendar: Calendar,
    pub window: TimeRange,
    pub progress: Progress,
    /// About files that are left out because they would be read twice.
    pub notes: Vec<String>,
}

impl FoundLogs {
    /// Fails if any of the paths cannot be read.
    pub(crate) fn find(paths: &[impl AsRef<Path>], options: &LogOptions) -> Result<Self, Error> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        let LogListing { sources, notes, problems, bytes, .. } =
            list(&paths, options.rotated, None, &LOG_NAMES);
        match problems.into_iter().next() {
            Some(problem) => Err(problem.into()),
            None => Ok(Self::of(sources, notes, bytes, options)),
        }
    }

    /// `bytes` is the size of all sources on disk.
    pub(crate) fn of(sources: Vec<Source>, notes: Vec<String>, bytes: u64, options: &LogOptions) -> Self {
        let manner = ReadOptions::for_sources(&sources, bytes, options.threads, BLOCK_BYTES);
        let calendar = Calendar {
            zone: options.time_zone.clone().unwrap_or_else(local_zone),
            year: options.year,
            now: Timestamp::now(),
            resolution: TimeResolution::default(),
        };
        let window = TimeRange { since: options.since, until: options.until };
        Self { sources, manner, calendar, window, progress: Progress::default(), notes }
    }

    /// A walk of all of the logs.
    pub(crate) fn task<'a>(&'a self, book: &'a Catalog, filter: &'a LineFilter) -> WalkTask<'a> {
        let Self { sources, manner, calendar, window, progress, .. } = self;
        WalkTask { sources, options: *manner, calendar, book, window: *window, filter, progress }
    }
}
