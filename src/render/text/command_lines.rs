//! Breaks a shell command into lines that can be copied as they are.

use unicode_width::UnicodeWidthStr;

/// The lines of `command`, each at most `width` columns wide if its words allow it. All but the last end in ` \`. A line
/// ends between two words, where possible before `|`, `&&` and `||` or after `;`; what is quoted stays whole.
pub(crate) fn command_lines(command: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = command;
    while rest.width() > width {
        let fits = |at: &usize| rest.get(..*at).is_some_and(|line| line.width() + 2 <= width);
        let spaces: Vec<usize> = spaces(rest);
        let within = || spaces.iter().copied().filter(fits);
        let best = within()
            .rfind(|&at| at * 3 > width && is_between_commands(rest, at))
            .or_else(|| within().next_back())
            .or_else(|| spaces.first().copied());
        let Some((line, after)) = best.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) else {
            break;
        };
        lines.push(format!("{line} \\"));
        rest = after;
    }
    lines.push(rest.to_owned());
    lines
}

/// Whether the space at `at` stands before a pipe or a list operator, or after a semicolon.
fn is_between_commands(command: &str, at: usize) -> bool {
    let (before, after) = command.split_at_checked(at).unwrap_or((command, ""));
    before.ends_with(';') || after.starts_with(" |") || after.starts_with(" &&")
}

/// The byte positions of the spaces between words: not quoted, not escaped, not beside another space.
fn spaces(command: &str) -> Vec<usize> {
    let bytes = command.as_bytes();
    let (mut quote, mut is_escaped) = (None, false);
    let mut found = Vec::new();
    for (at, &byte) in bytes.iter().enumerate() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match (quote, byte) {
            (None | Some(b'"'), b'\\') => is_escaped = true,
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b' ') if bytes.get(at + 1).is_some_and(|&next| next != b' ') && at > 0 => found.push(at),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_command_is_one_line() {
        assert_eq!(command_lines("postqueue -p | tail -n 1", 40), ["postqueue -p | tail -n 1"]);
    }

    #[test]
    fn a_line_ends_between_commands() {
        let lines = command_lines("postqueue -p | tail -n +2 | from=x awk '{print $1}' | postsuper -h -", 40);
        assert_eq!(
            lines,
            ["postqueue -p | tail -n +2 \\", "| from=x awk '{print $1}' \\", "| postsuper -h -"]
        );
    }

    #[test]
    fn a_word_is_never_cut() {
        let long = "smtplog trace --from='a very long name with spaces and \\ and \"' \"b c 'd\" e\\ f g";
        for width in 1..90 {
            let lines = command_lines(long, width);
            let joined = lines.join("\n").replace(" \\\n", " ");
            assert_eq!(joined, long, "{width}");
            let words: Vec<String> = lines
                .iter()
                .flat_map(|line| shlex::split(line.strip_suffix(" \\").unwrap_or(line)).expect("whole words"))
                .collect();
            assert_eq!(words, shlex::split(long).unwrap(), "{width}");
        }
    }
}
