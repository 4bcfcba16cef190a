//! Declares the options of `trace`.

use clap::Args;

use super::input::{InputArgs, RedactArgs, RulesArgs};
use super::output::{DocumentFormat, OutputArgs, REPORT, StyleArgs};
use crate::pipeline::filter::FilterArgs;

#[derive(Args, Debug)]
pub struct TraceArgs {
    /// A queue id, a message-id, an address, @example.org for every address there, *@*.example.org, or a client's address,
    /// network or name.
    ///
    /// An address matches a sender, a recipient before or after rewriting, or a login name.
    #[arg(value_name = "WHAT")]
    pub what: String,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show the latest N messages (0: all).
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Print the log lines of each message, not its story.
    ///
    /// Includes the lines that begin and end the SMTP session in which it arrived, if Postfix logged them.
    #[arg(long, conflicts_with = "format", help_heading = REPORT)]
    pub raw: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<DocumentFormat>,
    #[command(flatten)]
    pub style: StyleArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}
