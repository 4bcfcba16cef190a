//! Runs `smtplog completions`, which prints a completion script for a shell.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;

pub(crate) fn run(args: &CompletionsArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    // Written to memory first: the generator panics if the pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "smtplog", &mut script);
    out.write_all(&script)?;
    Ok(Completion::looked_up(true))
}
