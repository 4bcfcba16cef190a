//! Declares the options that several subcommands share about what is read.

use std::path::PathBuf;

use clap::Args;

use super::output::{OUTPUT, REPORT};
use crate::input::host_pattern::{HostName, HostPattern};

#[derive(Clone, Args, Debug)]
pub struct InputArgs {
    /// Log files, in any order; a directory stands for the mail logs in it; - is standard input.
    ///
    /// Gzip, bzip2, xz and zstd are recognised by content. Without FILE: standard input if something is piped in, else the
    /// first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Also read rotated parts, such as mail.log.1.
    ///
    /// These are the files in the same folder whose names begin in the same way: mail.log.2.gz, mail.log-20261121.
    #[arg(long)]
    pub rotated: bool,
    /// Read mail messages of the systemd journal, besides any FILE.
    #[arg(long)]
    pub journal: bool,
    /// Host of lines that name none, such as those of an Exim mainlog.
    #[arg(long, value_name = "NAME", conflicts_with = "host_from")]
    pub host: Option<HostName>,
    /// Take that host from the path of each log: 'logs/{host}/*'; * matches anything.
    ///
    /// The pattern describes the end of the path. Without it, logs that name no host and overlap in time are taken for those of
    /// different hosts; the rotated parts of a log always belong together.
    #[arg(long, value_name = "PATTERN")]
    pub host_from: Option<HostPattern>,
    /// Number of threads, at most 64 or one per core. [default: one per core; 1 for files of 2 MiB or less]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,
    /// Only lines from this time on: 2h, yesterday, 21.11.2026.
    ///
    /// 2h, 1d12h or "3 days ago" count back from now. Days: today, yesterday, monday, "last monday", 2026-11-21, 21.11.2026,
    /// "Nov 21", each with a time if needed: "yesterday 22:00". A time alone is today's: 02:30. "last week", "last month" and
    /// "last year" are their first days; a week begins on Monday. Also @1795222800 and RFC 3339.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub since: Option<String>,
    /// Only lines before this time; takes the same as --since.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub until: Option<String>,
    /// Year of the last line whose timestamp has no year.
    ///
    /// Earlier lines are dated backwards across each New Year. [default: the latest in which no line is later than its file]
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i16).range(1970..=9998), help_heading = "Time")]
    pub year: Option<i16>,
    /// Time zone of timestamps without one, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub tz: Option<String>,
    /// The same as --tz UTC.
    #[arg(long, conflicts_with = "tz", help_heading = "Time")]
    pub utc: bool,
    /// The time that "-2h" and "today" count from. [default: now]
    #[arg(long, hide = true, value_name = "WHEN")]
    pub now: Option<jiff::Timestamp>,
    /// Block size in bytes; does not change the output.
    #[arg(long, hide = true, default_value_t = 256 << 10, value_name = "BYTES")]
    pub block_size: usize,
}

#[derive(Args, Debug)]
pub struct StateArgs {
    /// Read only what is new since the last run with this FILE.
    ///
    /// FILE stores how far each log was read. The first run creates it and reads everything, or from --since on. Logs are recognised after they were rotated,
    /// compressed, or copied and truncated. FILE is written together with the output; after a run that fails or is killed, the
    /// next one reads the same lines again.
    #[arg(long, value_name = "FILE", conflicts_with = "until")]
    pub state: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct CoverageArgs {
    /// Write the lines that were not understood to FILE; - is standard error.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub unparsed: Option<PathBuf>,
    /// Exit with status 3 if fewer than 99 % of mail lines were understood.
    #[arg(long, help_heading = OUTPUT)]
    pub strict: bool,
}

/// Options that hide who wrote to whom.
#[derive(Clone, Args, Debug)]
pub struct RedactArgs {
    /// Replace people by keyed hashes; domains stay.
    ///
    /// Local parts of addresses, logins, IP addresses and names that contain one are replaced. The key is the environment variable SMTPLOG_REDACT_KEY, or --redact-key-file; without either each run has
    /// a random key, and the hashes of two runs cannot be compared.
    #[arg(long, help_heading = OUTPUT)]
    pub redact: bool,
    /// Key for --redact: the contents of FILE, at least 16 bytes.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub redact_key_file: Option<PathBuf>,
}

#[derive(Clone, Args, Debug)]
pub struct RulesArgs {
    /// Apply the rules in FILE before the built-in ones; may be repeated.
    ///
    /// FILE is TOML with [[rule]] and [[provider]] tables.
    // The brackets are TOML, not a link.
    #[allow(rustdoc::broken_intra_doc_links)]
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub rules: Vec<PathBuf>,
    /// Apply the rules in this configuration file after those of --rules. Set by a configuration file that has rules.
    #[arg(long, hide = true, value_name = "FILE")]
    pub rules_of: Vec<PathBuf>,
    /// The configuration files that were read, so that no output replaces them.
    #[arg(skip)]
    pub config_files: Vec<PathBuf>,
}
