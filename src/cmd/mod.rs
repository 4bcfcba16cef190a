//! The subcommands, one file each.

mod bar;
mod codes;
mod compare;
mod completions;
pub mod done;
mod events;
mod explain;
mod followed;
mod inputs;
mod judging;
mod kept;
mod look;
mod mailing;
mod man;
mod own_book;
mod place;
mod redaction;
mod scan;
mod schema;
mod session;
mod spool;
mod storm;
mod terminal;
mod times;
mod trace;
mod unparsed;
mod wanted;
mod watch;

use std::io::Write;

use crate::cli::error::CliError;
use crate::cli::{Cli, Command};
use crate::cmd::done::Done;

/// Runs the subcommand that was asked for, `scan` where none was named, and writes its answer to `out`.
///
/// `out` is a trait object so that the subcommands are compiled once, in this crate, and not again for each binary.
pub fn run(cli: &Cli, mut out: &mut (dyn Write + Send)) -> Result<Done, CliError> {
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
