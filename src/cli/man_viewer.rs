//! Shows a manual page on a terminal: through man, else as plain help through the pager.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write, stdout};
use std::process::{Command, ExitStatus, Stdio};

use super::error::CliError;
use super::help::{command_line, with_help};

/// Whether somebody reads standard output: it is a terminal, so roff would be no use.
pub(crate) fn is_for_reading() -> bool {
    stdout().is_terminal()
}

/// Shows the page, which is roff, and waits until the reader ends it. Where there is no man, the help of the subcommand is
/// shown. False: neither man nor a pager could be started.
pub(crate) fn view(page: &[u8], subcommand: Option<&str>) -> Result<bool, CliError> {
    // man-db reads the page from standard input; mandoc's man does so too.
    if fed("man", &["-l", "-"], page)?.is_some_and(|status| status.success()) {
        return Ok(true);
    }
    let argv: Vec<OsString> =
        ["smtplog"].into_iter().chain(subcommand).chain(["--help"]).map(OsString::from).collect();
    let help = with_help(command_line(), &argv).try_get_matches_from(&argv);
    let text = help.err().map(|help| help.to_string()).unwrap_or_default();
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let words = pager.and_then(|pager| shlex::split(&pager)).unwrap_or_else(|| vec!["less".to_owned()]);
    let Some((program, options)) = words.split_first() else { return Ok(false) };
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    if fed(program, &options, text.as_bytes())?.is_none() {
        stdout().write_all(text.as_bytes())?;
    }
    Ok(true)
}

/// Starts a program with a text on its standard input, and waits for its end. `None`: there is no such program.
fn fed(program: &str, options: &[&str], text: &[u8]) -> Result<Option<ExitStatus>, CliError> {
    let child = Command::new(program).args(options).stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CliError::Terminal(error)),
    };
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(text) {
            // The reader has seen enough, or the program ended at once.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(CliError::Terminal(error)),
            _ => {}
        }
    }
    Ok(Some(child.wait().map_err(CliError::Terminal)?))
}
