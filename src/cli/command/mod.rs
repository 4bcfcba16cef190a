//! The subcommands, one file each.

mod codes;
mod compare;
mod completions;
mod events;
mod explain;
mod man;
mod scan;
mod schema;
mod storm;
mod trace;
mod watch;

use std::io::Write;

use super::args::{Cli, Command};
use super::error::CliError;
use super::exit::Completion;

/// Runs the subcommand that was asked for, `scan` where none was named, and writes its answer to `out`.
///
/// `out` is a trait object so that the subcommands are compiled once, in this crate, and not again for each binary.
pub fn run(cli: &Cli, mut out: &mut (dyn Write + Send)) -> Result<Completion, CliError> {
    let out = &mut out;
    match &cli.command {
        Some(Command::Codes(args)) => codes::run(args, out),
        Some(Command::Compare(args)) => compare::run(args, out),
        Some(Command::Completions(args)) => completions::run(args, out),
        Some(Command::Explain(args)) => explain::run(args, out),
        Some(Command::Events(args)) => events::run(args, out),
        Some(Command::Man(args)) => man::run(args, out),
        Some(Command::Schema(args)) => schema::run(args, out),
        Some(Command::Scan(args)) => scan::run(args, out),
        Some(Command::Trace(args)) => trace::run(args, out),
        Some(Command::Storm(args)) => storm::run(args, out),
        Some(Command::Watch(args)) => watch::run(args, out),
        None => scan::run(&cli.scan, out),
    }
}
