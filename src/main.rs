//! argv → command → exit status. Nothing else prints errors.

use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

use smtplog::cli::{Cli, Command};
use smtplog::cmd;
use smtplog::cmd::done::Done;
use smtplog::config::{Places, Settled, settle};
use smtplog::error::Error;
use smtplog::output::printable::printable;

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var_os(name);
    let argv: Vec<_> = std::env::args_os().collect();
    let settled = settle(&argv, &variable, &Places::usual(&variable));
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
        Err(Error::Usage(error)) => error.exit(),
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

fn run(settled: &Settled) -> Result<Done, Error> {
    let mut out = BufWriter::with_capacity(64 << 10, stdout());
    let done = match settled {
        Settled::Run(cli) => answer(cli, &mut out)?,
        Settled::Print(text) => {
            out.write_all(text.as_bytes())?;
            Done::looked_up(true)
        }
    };
    out.flush()?;
    Ok(done)
}

fn answer(cli: &Cli, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    match &cli.command {
        Some(Command::Codes(args)) => cmd::codes::run(args, out),
        Some(Command::Compare(args)) => cmd::compare::run(args, out),
        Some(Command::Completions(args)) => cmd::completions::run(args, out),
        Some(Command::Explain(args)) => cmd::explain::run(args, out),
        Some(Command::Events(args)) => cmd::events::run(args, out),
        Some(Command::Man(args)) => cmd::man::run(args, out),
        Some(Command::Schema(args)) => cmd::schema::run(args, out),
        Some(Command::Scan(args)) => cmd::scan::run(args, out),
        Some(Command::Trace(args)) => cmd::trace::run(args, out),
        Some(Command::Storm(args)) => cmd::storm::run(args, out),
        Some(Command::Watch(args)) => cmd::watch::run(args, out),
        None => cmd::scan::run(&cli.scan, out),
    }
}
