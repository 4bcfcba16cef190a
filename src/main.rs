//! argv → command → exit status. Nothing else prints errors.

use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

use clap::Parser;
use smtplog::cli::{Cli, Command};
use smtplog::cmd;
use smtplog::cmd::done::Done;
use smtplog::error::Error;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(done) => {
            for problem in &done.problems {
                eprintln!("smtplog: {problem}");
            }
            if let Some(complaint) = &done.nothing_understood {
                eprintln!("smtplog: {complaint}");
            }
            ExitCode::from(done.status())
        }
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtplog: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<Done, Error> {
    let mut out = BufWriter::with_capacity(64 << 10, stdout());
    let done = match &cli.command {
        Some(Command::Codes(args)) => cmd::codes::run(args, &mut out)?,
        Some(Command::Compare(args)) => cmd::compare::run(args, &mut out)?,
        Some(Command::Explain(args)) => cmd::explain::run(args, &mut out)?,
        Some(Command::Events(args)) => cmd::events::run(args, &mut out)?,
        Some(Command::Schema(args)) => cmd::schema::run(args, &mut out)?,
        Some(Command::Scan(args)) => cmd::scan::run(args, &mut out)?,
        None => cmd::scan::run(&cli.scan, &mut out)?,
    };
    out.flush()?;
    Ok(done)
}
