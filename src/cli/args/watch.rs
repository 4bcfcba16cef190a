//! Declares the options of `watch`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::RulesArgs;
use super::output::{OUTPUT, StyleArgs};
use crate::input::host_pattern::{HostName, HostPattern};
use crate::pipeline::filter::FilterArgs;

#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Log files to follow, across rotations; a directory stands for the mail logs in it; - is standard input.
    ///
    /// Without a file: standard input if something is piped in, else the first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Follow mail messages of the systemd journal, besides any FILE.
    #[arg(long)]
    pub journal: bool,
    /// Host of lines that name none, such as those of an Exim mainlog.
    #[arg(long, value_name = "NAME", conflicts_with = "host_from")]
    pub host: Option<HostName>,
    /// Take that host from the path of each log: 'logs/{host}/*'; * matches anything.
    ///
    /// The pattern describes the end of the path.
    #[arg(long, value_name = "PATTERN")]
    pub host_from: Option<HostPattern>,
    /// Begin with lines of this time: 2h, today, 02:30.
    ///
    /// [default: the last six hours of the log] Takes the same as --since of scan. The screen shows one hour. Storms are found by comparing with earlier lines; 1d gives more to compare with.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub since: Option<String>,
    /// Time zone of timestamps without one, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub tz: Option<String>,
    /// The same as --tz UTC.
    #[arg(long, conflicts_with = "tz", help_heading = "Time")]
    pub utc: bool,
    /// Year of the last line whose timestamp has no year. [default: the latest in which it is not later than now]
    #[arg(long, hide = true, value_name = "YYYY", value_parser = clap::value_parser!(i16).range(1970..=9998))]
    pub year: Option<i16>,
    /// The current time. [default: now]
    #[arg(long, hide = true, value_name = "WHEN")]
    pub now: Option<jiff::Timestamp>,
    /// Exit when no more lines come.
    #[arg(long, hide = true)]
    pub until_idle: bool,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Print a line for each storm: text or ndjson.
    ///
    /// One line when a storm begins, and one when it ends. [default: a screen; text where there is no terminal]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<WatchFormat>,
    #[command(flatten)]
    pub style: StyleArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum WatchFormat {
    Text,
    Ndjson,
}
