//! argv → command → exit status. Nothing else prints errors.

use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

use smtplog::cli::command;
use smtplog::cli::config::{ConfigPaths, Invocation, resolve};
use smtplog::cli::error::CliError;
use smtplog::cli::exit::Completion;
use smtplog::render::sanitize::printable;

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var_os(name);
    let argv: Vec<_> = std::env::args_os().collect();
    let settled = resolve(&argv, &variable, &ConfigPaths::usual(&variable));
    match settled.and_then(|settled| run(&settled)) {
        Ok(done) => {
            for problem in &done.problems {
                eprintln!("smtplog: {}", said(problem));
            }
            for remark in done.complaint.iter().chain(&done.remarks) {
                eprintln!("smtplog: {}", said(remark));
            }
            ExitCode::from(done.status())
        }
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(CliError::Usage(error)) => error.exit(),
        Err(error) => {
            eprintln!("smtplog: {}", said(&error));
            ExitCode::from(2)
        }
    }
}

/// What stands in a log or in the name of a file may be part of it.
fn said(what: &impl ToString) -> String {
    what.to_string().lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn run(settled: &Invocation) -> Result<Completion, CliError> {
    let mut out = BufWriter::with_capacity(64 << 10, stdout());
    let done = match settled {
        Invocation::Run(cli) => command::run(cli, &mut out)?,
        Invocation::Print(text) => {
            out.write_all(text.as_bytes())?;
            Completion::looked_up(true)
        }
    };
    out.flush()?;
    Ok(done)
}
