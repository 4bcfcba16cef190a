//! Runs the subcommands.
//!
//! Promises: each takes its arguments and a writer, and returns how it ended. May use: the rest of cli, and every folder
//! below it.

pub(crate) mod completions;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod man;
pub(crate) mod merge;
pub(crate) mod scan;
pub(crate) mod schema;
pub(crate) mod storm;
pub(crate) mod trace;
pub(crate) mod watch;

use std::io::Write;

use super::args::{Cli, Command};
use super::error::CliError;
use super::exit::Completion;

/// Runs the subcommand, `scan` if there is none, and writes its output to `out`.
///
/// `out` is a trait object so that the subcommands are compiled once, in the library, and not again for each binary.
pub fn run(cli: &Cli, mut out: &mut (dyn Write + Send)) -> Result<Completion, CliError> {
    let out = &mut out;
    match &cli.command {
        Some(Command::Codes(args)) => explain::codes(args, out),
        Some(Command::Compare(args)) => explain::compare(args, out),
        Some(Command::Completions(args)) => completions::run(args, out),
        Some(Command::Explain(args)) => explain::explain(args, out),
        Some(Command::Events(args)) => events::run(args, out),
        Some(Command::Merge(args)) => merge::run(args, out),
        Some(Command::Man(args)) => man::run(args, out),
        Some(Command::Schema(args)) => schema::run(args, out),
        Some(Command::Scan(args)) => scan::run(args, out),
        Some(Command::Trace(args)) => trace::run(args, out),
        Some(Command::Storm(args)) => storm::run(args, out),
        Some(Command::Watch(args)) => watch::run(args, out),
        None => scan::run(&cli.scan, out),
    }
}
