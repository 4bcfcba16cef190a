//! The program `smtplog`: prints what the library answers, and ends with its exit status.

use std::io::{ErrorKind, Write, stderr};
use std::process::ExitCode;

use smtplog::command_line::{Exit, run};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match run(&arguments, std::io::stdout()) {
        Exit::Status(status, messages) => {
            let written = messages.iter().try_for_each(|message| writeln!(stderr(), "smtplog: {message}"));
            // A message that nobody can read, because a disk is full, must not end in silence.
            let is_lost = written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe);
            ExitCode::from(if is_lost && status < 2 { 2 } else { status })
        }
        Exit::Usage(error) => error.exit(),
    }
}
