//! `smtplog completions`: print what a shell needs to complete the command line.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;

pub(crate) fn run(args: &CompletionsArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    // Written to memory first: the generator panics where a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "smtplog", &mut script);
    out.write_all(&script)?;
    Ok(Completion::looked_up(true))
}
