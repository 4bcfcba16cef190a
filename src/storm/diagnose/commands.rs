//! What to type: the book's commands and what is known of a storm come in; lines for a shell go out, with every value quoted.

use crate::catalog::{CommandRow, StormRow};
use crate::report::storm::StormCommand;
use crate::smtp::event::Mta;

/// What may stand in a command, by its name: `sender`, `files`. A value is put in as it is, so it comes quoted.
#[derive(Clone, Default, Debug)]
pub(crate) struct QuotedValues(Vec<(&'static str, String)>);

impl QuotedValues {
    /// A word of the log. One with signs that a terminal obeys or hides is left out: nobody could see what he pastes.
    pub(crate) fn word(&mut self, name: &'static str, value: &str) {
        let is_plain = |sign: char| sign.is_ascii_graphic() || sign == ' ' || sign.is_alphanumeric();
        if value.is_empty() || !value.chars().all(is_plain) {
            return;
        }
        self.0.extend(quoted(value).map(|quoted| (name, quoted)));
    }

    /// Words behind each other; none of them is taken for an option.
    pub(crate) fn files(&mut self, name: &'static str, files: &[String]) {
        let guarded = |file: &String| if file.starts_with('-') { format!("./{file}") } else { file.clone() };
        let words: Option<Vec<String>> = files.iter().map(|file| quoted(&guarded(file))).collect();
        let plain = files.iter().all(|file| !file.chars().any(char::is_control));
        self.0.extend(words.filter(|words| plain && !words.is_empty()).map(|words| (name, words.join(" "))));
    }

    /// An expression that fits the value and nothing else, between `front` and `back`.
    pub(crate) fn expression(&mut self, name: &'static str, front: &str, value: &str, back: &str) {
        if !value.is_empty() {
            self.word(name, &format!("^{front}{}{back}$", regex::escape(value)));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// None: no shell takes it.
fn quoted(value: &str) -> Option<String> {
    shlex::try_quote(value).ok().map(std::borrow::Cow::into_owned)
}

/// Commands for the mail server, those that change nothing first.
pub(crate) fn commands(row: &StormRow, mta: Mta, values: &QuotedValues) -> Vec<StormCommand> {
    let own = row.own.get(mta).map_or(&[][..], Vec::as_slice);
    let mut commands: Vec<StormCommand> =
        row.all.iter().chain(own).filter_map(|command| filled(command, values)).collect();
    commands.sort_by_key(|command| command.changes);
    commands
}

fn filled(row: &CommandRow, values: &QuotedValues) -> Option<StormCommand> {
    let undo = match &row.undo {
        Some(undo) => Some(fill(undo, values)?),
        None => None,
    };
    Some(StormCommand { shell: fill(&row.shell, values)?, why: row.why.clone(), changes: row.changes, undo })
}

/// None: a value that it asks for is not known.
fn fill(template: &str, values: &QuotedValues) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((front, back)) = rest.split_once('{') {
        filled.push_str(front);
        let end = back.find(|sign: char| !(sign.is_ascii_lowercase() || sign == '_')).unwrap_or(back.len());
        let (name, after) = back.split_at_checked(end)?;
        match after.strip_prefix('}').filter(|_| !name.is_empty()) {
            Some(after) => {
                filled.push_str(values.get(name)?);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = back;
            }
        }
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(shell: &str) -> CommandRow {
        CommandRow { shell: shell.to_owned(), why: String::new(), changes: false, undo: None }
    }

    #[test]
    fn a_value_is_one_word_of_the_shell() {
        let mut values = QuotedValues::default();
        values.word("sender", "a'b $(reboot)@example.org");
        let command = filled(&row("x --from={sender} '{ a b }'"), &values).unwrap();
        let words = shlex::split(&command.shell).unwrap();
        assert_eq!(words, ["x", "--from=a'b $(reboot)@example.org", "{ a b }"]);
    }

    #[test]
    fn a_command_without_its_value_is_left_out() {
        let mut values = QuotedValues::default();
        values.word("sender", "a\nb@example.org");
        values.word("user", "");
        for shell in ["x {sender}", "x {user}", "x {other}"] {
            assert_eq!(filled(&row(shell), &values), None, "{shell}");
        }
    }

    #[test]
    fn a_file_is_no_option() {
        let mut values = QuotedValues::default();
        values.files("files", &["-rf".to_owned(), "a b.log".to_owned()]);
        let command = filled(&row("cat {files}"), &values).unwrap();
        assert_eq!(shlex::split(&command.shell).unwrap(), ["cat", "./-rf", "a b.log"]);
    }
}
