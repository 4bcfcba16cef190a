//! The program `smtplog`: prints what the library answers, and ends with its exit status.

use std::process::ExitCode;

use smtplog::command_line::{Exit, run};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match run(&arguments, std::io::stdout()) {
        Exit::Status(status, messages) => {
            for message in messages {
                eprintln!("smtplog: {message}");
            }
            ExitCode::from(status)
        }
        Exit::Usage(error) => error.exit(),
    }
}
