//! Declares the command line; the doc comments are the help texts.
//!
//! Promises: data only, and no file is opened here. May use: the enums that options name, from any folder below cli.

pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod input;
pub(crate) mod merge;
pub(crate) mod output;
pub(crate) mod scan;
pub(crate) mod storm;
pub(crate) mod trace;
pub(crate) mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::events::EventsArgs;
pub(crate) use self::explain::{AnswerFormat, CodesArgs, CompareArgs, ExplainArgs};
pub(crate) use self::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs, StateArgs};
pub(crate) use self::merge::MergeArgs;
pub(crate) use self::output::{ColorChoice, DocumentFormat};
pub(crate) use self::scan::{AdviceChoice, ScanArgs};
pub(crate) use self::storm::StormArgs;
pub(crate) use self::trace::TraceArgs;
pub(crate) use self::watch::{WatchArgs, WatchFormat};

/// Reads mail server logs and says which mail fails, why, and what to do.
///
/// `smtplog FILE` is short for `smtplog scan FILE`.
#[derive(Parser, Debug)]
#[command(
    version,
    max_term_width = 100,
    override_usage = "smtplog [OPTIONS] [FILE]...\n       smtplog <COMMAND> [OPTIONS] ..."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub scan: ScanArgs,
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl Cli {
    /// The options about rules of the subcommand. `None`: it has none.
    pub(crate) fn rules_mut(&mut self) -> Option<&mut RulesArgs> {
        match &mut self.command {
            Some(Command::Scan(args)) => Some(&mut args.rules),
            Some(Command::Merge(args)) => Some(&mut args.rules),
            Some(Command::Storm(args)) => Some(&mut args.rules),
            Some(Command::Watch(args)) => Some(&mut args.rules),
            Some(Command::Events(args)) => Some(&mut args.rules),
            Some(Command::Trace(args)) => Some(&mut args.rules),
            Some(
                Command::Explain(_)
                | Command::Compare(_)
                | Command::Codes(_)
                | Command::Completions(_)
                | Command::Man(_)
                | Command::Schema(_),
            ) => None,
            None => Some(&mut self.scan.rules),
        }
    }
}

// There is one command a run, and clap wants the arguments as they are.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Report what failed, why, and what to do.
    Scan(ScanArgs),
    /// Combine the parts of several hosts or times into one report.
    Merge(MergeArgs),
    /// Find bursts of failures and silences, and say what to do.
    Storm(StormArgs),
    /// Follow logs live, on a screen or with a line for each storm.
    Watch(WatchArgs),
    /// List single events: every delivery attempt and every rejection.
    Events(EventsArgs),
    /// Show what happened to a message.
    ///
    /// Messages are found by queue id, message-id, address, or the address, network or name of the client.
    Trace(TraceArgs),
    /// Explain a code, a reason, a reply or a log line, and how to fix it.
    Explain(ExplainArgs),
    /// Compare two codes, enhanced codes or reasons side by side.
    Compare(CompareArgs),
    /// List all known reply codes, each with its source.
    Codes(CodesArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Show a manual page, or write all pages.
    ///
    /// On a terminal, the page is opened with man; in a pipe, it is printed as roff.
    Man(ManArgs),
    /// Print the JSON Schema of a report, an event, a trace, storms or alerts.
    Schema(SchemaArgs),
}

/// Options about configuration files, accepted by every subcommand.
#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Read options from FILE.
    ///
    /// Replaces /etc/smtplog/config.toml and ~/.config/smtplog/config.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, global = true, conflicts_with = "config")]
    pub no_config: bool,
    /// Show every option's value and where it was set, then exit.
    ///
    /// The output is a valid configuration file.
    #[arg(long, global = true)]
    pub print_config: bool,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell to generate completions for.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// The subcommands that have a page.
const SUBCOMMANDS: [&str; 12] = [
    "scan",
    "merge",
    "storm",
    "watch",
    "events",
    "trace",
    "explain",
    "compare",
    "codes",
    "completions",
    "man",
    "schema",
];

#[derive(Args, Debug)]
pub struct ManArgs {
    /// The subcommand whose page is shown. [default: the page of smtplog]
    #[arg(value_name = "COMMAND", value_parser = SUBCOMMANDS, hide_possible_values = true)]
    pub page: Option<String>,
    /// Write all pages into DIR, which is created if needed.
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Which schema: report, as `scan --format json` prints it; event, a line of `events --format ndjson`; trace, as
    /// `trace --format json` prints it; storms, as `storm --format json` prints them; watch, a line of
    /// `watch --format ndjson`.
    #[arg(value_enum, value_name = "report|event|trace|storms|watch", hide_possible_values = true)]
    pub of: SchemaChoice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SchemaChoice {
    Report,
    Event,
    Trace,
    Storms,
    Watch,
}
