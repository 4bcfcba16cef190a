//! Every option, once. The doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Read Postfix and Exim logs, tally every SMTP reply code, and say what to do about it.
///
/// `smtplog FILE` is short for `smtplog scan FILE`.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub scan: ScanArgs,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Report every reply code in the logs, by class, with what it means and what to do.
    Scan(ScanArgs),
    /// List the single events: one line, or one JSON object, for each delivery result and each refusal.
    Events(EventsArgs),
}

#[derive(Args, Debug)]
pub struct ScanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Show so many rows in each section; 0 shows all.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// Leave out the line of advice under each row.
    #[arg(long)]
    pub no_advice: bool,
    /// Print the report in this form.
    #[arg(long, value_enum, default_value_t = ScanFormat::Text)]
    pub format: ScanFormat,
    /// Colour the report: auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
}

#[derive(Args, Debug)]
pub struct EventsArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Print the events in this form.
    #[arg(long, value_enum, default_value_t = EventsFormat::Ndjson)]
    pub format: EventsFormat,
}

#[derive(Args, Debug)]
pub struct InputArgs {
    /// Log files, in any order; - is standard input. Gzip is told by its first bytes. Without a file: standard
    /// input if something is piped in, else the first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Use so many threads. [default: one for each core]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,
    /// The year of stamps that show none. [default: the latest that is not after the file's last change]
    #[arg(long, value_name = "YYYY")]
    pub year: Option<i16>,
    /// The time zone of stamps that show none, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Read blocks of so many bytes. The answer is the same for any size; tests see to it.
    #[arg(long, hide = true, default_value_t = 256 << 10, value_name = "BYTES")]
    pub block_size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ScanFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum EventsFormat {
    Ndjson,
    Text,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}
