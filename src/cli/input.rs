//! Determines what a command reads: the files, the number of threads, the calendar and the time range.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::args::InputArgs;
use super::error::CliError;
use super::time::{calendar, window};
use crate::input::checkpoint::resume::ResumePlan;
use crate::input::checkpoint::resumed_listing::resumed_listing;
use crate::input::checkpoint::state_file::StateFile;
use crate::input::discover::{LogListing, list};
use crate::input::error::InputError;
use crate::input::host_pattern::HostPattern;
use crate::input::journal::{self, JournalBounds};
use crate::input::read::{Progress, ReadOptions, Source};
use crate::parse::mta::log_places;
use crate::parse::mta::writer::main_writer;
use crate::pipeline::calendar::Calendar;
use crate::pipeline::logs::LOG_NAMES;
use crate::pipeline::time_range::TimeRange;
use crate::smtp::event::Mta;

/// What a command reads, and how.
pub(crate) struct Inputs {
    pub sources: Vec<Source>,
    /// The files as named and as found, so that no output overwrites them.
    pub paths: Vec<PathBuf>,
    pub manner: ReadOptions,
    pub calendar: Calendar,
    pub window: TimeRange,
    pub progress: Progress,
    /// Errors about missing files; the others are read anyway.
    pub problems: Vec<InputError>,
    /// Notes about files that were skipped because they would be read twice.
    pub notes: Vec<String>,
    /// Where an earlier run stopped. `None`: no state is kept.
    pub resumed: Option<ResumePlan>,
}

/// Default logs of syslog's facility mail: Debian, Red Hat and the BSDs.
const SYSLOG_PATHS: [&str; 2] = ["/var/log/mail.log", "/var/log/maillog"];

/// Default paths of mail logs, the likeliest first.
fn usual_paths() -> impl Iterator<Item = &'static str> {
    SYSLOG_PATHS.into_iter().chain(log_places::LOG_PLACES.paths.into_iter().flatten().copied())
}

/// The mail server that wrote the default log of this host, by its first lines. `None`: there is no such log, or it is not
/// readable.
pub(crate) fn installed_server() -> Option<Mta> {
    const LOOKED_AT: u64 = 64 << 10;
    usual_paths().find_map(|path| {
        let mut lines = Vec::new();
        File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut lines).ok()?;
        main_writer(&lines)
    })
}

impl Inputs {
    /// With a `state`, only lines that are new since it was saved are read.
    pub(crate) fn new(args: &InputArgs, state: Option<&StateFile>) -> Result<Self, CliError> {
        let calendar = calendar(args)?;
        let mut window = window(args, &calendar)?;
        if state.is_some_and(|state| !state.is_new()) {
            // The state tells where to begin; new lines are wanted, however old they are.
            window.since = None;
        }
        let named = files(args)?;
        let bounds = JournalBounds {
            since: window.since.map(Timestamp::as_second),
            until: window.until.map(Timestamp::as_second),
            units: &log_places::LOG_PLACES.units,
        };
        let bounds = args.journal.then_some(bounds);
        let (listing, resumed) = match state {
            None => (list(&named, args.rotated, bounds, &LOG_NAMES), None),
            Some(state) => {
                let (listing, resumed) =
                    resumed_listing(&state.known, &named, args.rotated, bounds, &LOG_NAMES)?;
                (listing, Some(resumed))
            }
        };
        let LogListing { mut sources, notes, problems, bytes, found } = listing;
        name_hosts(&mut sources, args);
        let paths: Vec<PathBuf> =
            named.into_iter().chain(found).chain(sources.iter().map(|source| source.path.clone())).collect();
        let progress = Progress::default();
        progress.total.store(bytes, Ordering::Relaxed);
        let manner = ReadOptions::for_sources(&sources, bytes, args.threads, args.block_size);
        Ok(Self { sources, paths, manner, calendar, window, progress, problems, notes, resumed })
    }
}

/// Sets the hosts of the options `--host` and `--host-from`.
pub(crate) fn name_hosts(sources: &mut [Source], args: &InputArgs) {
    for source in sources {
        let by_path = |pattern: &HostPattern| {
            let whole = || source.path.canonicalize().ok().and_then(|path| pattern.host_of(&path));
            pattern.host_of(&source.path).or_else(whole)
        };
        let host = args.host.clone().or_else(|| args.host_from.as_ref().and_then(by_path));
        source.host = host.map(|host| host.0);
    }
}

/// The named files; without names, standard input when something is piped in, else the first usual place.
pub(crate) fn files(args: &InputArgs) -> Result<Vec<PathBuf>, CliError> {
    if !args.files.is_empty() || args.journal {
        return Ok(args.files.clone());
    }
    if piped() {
        return Ok(vec![PathBuf::from("-")]);
    }
    let found = usual_paths().map(Path::new).find(|path| path.exists());
    let looked_at = || usual_paths().map(str::to_owned).collect();
    let journal = journal::FOLDERS.iter().any(|folder| Path::new(folder).is_dir());
    found.map(|path| vec![path.to_owned()]).ok_or_else(|| CliError::NoLog { looked_at: looked_at(), journal })
}

/// Whether standard input is a pipe, a socket or a file, and not a terminal or /dev/null (under cron).
fn piped() -> bool {
    use std::os::unix::fs::FileTypeExt;
    let stdin = std::fs::metadata("/dev/stdin");
    stdin.is_ok_and(|metadata| {
        metadata.is_file() || metadata.file_type().is_fifo() || metadata.file_type().is_socket()
    })
}
