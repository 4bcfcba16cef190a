//! What every command that reads logs does first: which files, how many threads, which calendar.

use std::path::{Path, PathBuf};

use crate::cli::InputArgs;
use crate::cmd::times::{calendar, window};
use crate::error::Error;
use crate::input::set::{Manner, Progress, Source, look};
use crate::turn::Calendar;
use crate::when::Window;

/// What to read and how.
pub struct Inputs {
    pub sources: Vec<Source>,
    pub manner: Manner,
    pub calendar: Calendar,
    pub window: Window,
    pub progress: Progress,
    /// Files that are not there; the others are read all the same.
    pub problems: Vec<Error>,
}

/// Where mail servers write when nobody told them otherwise: Debian, Red Hat and the BSDs, Exim of Debian and of
/// its own makefile.
const USUAL: [&str; 5] = [
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/log/exim4/mainlog",
    "/var/log/exim/main.log",
    "/var/log/exim/mainlog",
];

impl Inputs {
    pub fn new(args: &InputArgs) -> Result<Self, Error> {
        let progress = Progress::default();
        let mut problems = Vec::new();
        let mut sources = Vec::new();
        let named = files(&args.files)?;
        for path in named.iter().filter(|path| !repeats_mainlog(path, &named)) {
            match look(path, &progress) {
                Ok(source) => sources.push(Source { series: sources.len(), ..source }),
                Err(error) => problems.push(error),
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let manner =
            Manner { threads: args.threads.unwrap_or(cores).max(1), block_size: args.block_size.max(1) };
        let calendar = calendar(args)?;
        let window = window(args, &calendar)?;
        Ok(Self { sources, manner, calendar, window, progress, problems })
    }
}

/// Exim's rejectlog has each refusal of its mainlog once more; beside it, it is left out.
fn repeats_mainlog(path: &Path, named: &[PathBuf]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(rest) = name.strip_prefix("reject") else { return false };
    named.contains(&path.with_file_name(format!("main{rest}")))
}

/// The named files; without names, standard input when something is piped in, else the first usual place.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    if piped() {
        return Ok(vec![PathBuf::from("-")]);
    }
    let found = USUAL.iter().map(Path::new).find(|path| path.exists());
    let looked_at = || USUAL.iter().map(ToString::to_string).collect();
    found.map(|path| vec![path.to_owned()]).ok_or_else(|| Error::NoLog { looked_at: looked_at() })
}

/// A pipe or a file stands at standard input. A terminal does not count, nor what cron gives, /dev/null.
fn piped() -> bool {
    use std::os::unix::fs::FileTypeExt;
    let stdin = std::fs::metadata("/dev/stdin");
    stdin.is_ok_and(|metadata| {
        metadata.is_file() || metadata.file_type().is_fifo() || metadata.file_type().is_socket()
    })
}
