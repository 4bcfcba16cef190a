//! Shows a long report in a pager.

use std::io::Write;
use std::process::{Command, Stdio};

use super::error::CliError;

/// The pager: `$PAGER`, else `less -FRX`. Empty or `cat`: the user wants none.
fn pager(variable: Option<String>) -> Option<String> {
    let pager = variable.unwrap_or_else(|| "less -FRX".to_owned());
    let pager = pager.trim();
    (!pager.is_empty() && pager != "cat").then(|| pager.to_owned())
}

/// Whether the text has more lines than the terminal, where the prompt needs one. `height` is `None` if standard output is no
/// terminal.
fn is_too_long(text: &str, height: Option<u16>) -> bool {
    height.is_some_and(|height| text.lines().count() >= usize::from(height).max(2))
}

/// Shows the text in the pager. False: it fits, there is no pager, or standard output is no terminal, and the caller has to
/// print the text.
pub(crate) fn show(text: &str) -> Result<bool, CliError> {
    let height = terminal_size::terminal_size_of(std::io::stdout()).map(|(_, height)| height.0);
    let Some(pager) = pager(std::env::var("PAGER").ok()).filter(|_| is_too_long(text, height)) else {
        return Ok(false);
    };
    // The value is a command line, as for man and git. Nothing from a log is part of it.
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return Ok(false) };
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let status = child.wait()?;
    // A reader who quits early closes the pipe. 126 and 127: the shell could not start the pager.
    match written {
        _ if matches!(status.code(), Some(126 | 127)) => Ok(false),
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_used_only_where_a_text_does_not_fit() {
        let text = "a\n".repeat(30);
        assert!(is_too_long(&text, Some(24)) && is_too_long(&text, Some(30)));
        assert!(!is_too_long(&text, Some(31)) && !is_too_long(&text, None));
        assert!(!is_too_long("a\n", Some(0)));
    }

    #[test]
    fn the_user_chooses_the_pager() {
        assert_eq!(pager(None).as_deref(), Some("less -FRX"));
        assert_eq!(pager(Some("most -s ".to_owned())).as_deref(), Some("most -s"));
        assert_eq!([pager(Some(String::new())), pager(Some("cat".to_owned()))], [None, None]);
    }
}
