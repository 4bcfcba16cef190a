//! Runs the program from its arguments to its exit status.

use std::ffi::OsString;
use std::io::{BufWriter, Write};

use crate::cli::command;
use crate::cli::config::{ConfigPaths, Invocation, resolve};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::render::nagios;
use crate::render::sanitize::printable;

/// How a run of the program ended.
#[derive(Debug)]
pub enum Exit {
    /// With an exit status and messages for standard error. Text from logs and file names in them is escaped.
    Status(u8, Vec<String>),
    /// With a message of clap: help, the version, or an error of the command line.
    Usage(clap::Error),
}

/// Runs the program with its arguments, the name of the program first, and writes its output to `out`.
pub fn run(arguments: &[OsString], mut out: impl Write + Send) -> Exit {
    let variable = |name: &str| std::env::var_os(name);
    let invocation = resolve(arguments, &variable, &ConfigPaths::usual(&variable));
    let is_plugin = arguments.iter().any(|word| word == "--nagios");
    match invocation.and_then(|invocation| run_invocation(&invocation, &mut out)) {
        Ok(completion) => {
            let problems = completion.problems.iter().map(sanitized);
            let remarks = completion.complaint.iter().chain(&completion.remarks).map(sanitized);
            Exit::Status(completion.status(), problems.chain(remarks).collect())
        }
        Err(error) if error.is_closed_pipe() => Exit::Status(0, Vec::new()),
        // Nagios shows what a plugin prints, and 2 would be an alarm about the mail.
        Err(CliError::Usage(error)) if is_plugin && error.use_stderr() => {
            let text = error.to_string();
            let why = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let is_written = out.write_all(nagios::unknown(&why).as_bytes()).is_ok();
            Exit::Status(if is_written { 3 } else { 2 }, vec![sanitized(&why)])
        }
        Err(CliError::Usage(error)) => Exit::Usage(error),
        Err(error) => Exit::Status(2, vec![sanitized(&error)]),
    }
}

/// A message may quote a log or the name of a file, so each of its lines is made printable.
fn sanitized(message: &impl ToString) -> String {
    message.to_string().lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn run_invocation(invocation: &Invocation, out: impl Write + Send) -> Result<Completion, CliError> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    let completion = match invocation {
        Invocation::Run(cli) => command::run(cli, &mut out)?,
        Invocation::Print(text) => {
            out.write_all(text.as_bytes())?;
            Completion::looked_up(true)
        }
    };
    out.flush()?;
    Ok(completion)
}
