//! Fills a storm's values into the catalogue's commands, every value quoted for the shell.

use crate::catalog::{CommandRow, StormRow};
use crate::report::storm::StormCommand;
use crate::smtp::event::Mta;

/// The quoted values that a command may contain, by name: `sender`, `files`.
#[derive(Clone, Default, Debug)]
pub(crate) struct QuotedValues(Vec<(&'static str, String)>);

impl QuotedValues {
    /// Adds one shell word. A value with control or invisible characters is left out: the user could not see what they
    /// paste.
    pub(crate) fn word(&mut self, name: &'static str, value: &str) {
        let is_plain =
            |character: char| character.is_ascii_graphic() || character == ' ' || character.is_alphanumeric();
        if value.is_empty() || !value.chars().all(is_plain) {
            return;
        }
        self.0.extend(quoted(value).map(|quoted| (name, quoted)));
    }

    /// Adds several shell words, separated by spaces; without those that [`Self::word`] leaves out, or that begin with `-`.
    pub(crate) fn words(&mut self, name: &'static str, values: &[String]) {
        let mut each = Self::default();
        for value in values.iter().filter(|value| !value.starts_with('-')) {
            each.word(name, value);
        }
        let words: Vec<String> = each.0.into_iter().map(|(_, word)| word).collect();
        self.0.extend((!words.is_empty()).then(|| (name, words.join(" "))));
    }

    /// Adds file names, separated by spaces. A name that begins with `-` gets a `./`, so that it is no option.
    pub(crate) fn files(&mut self, name: &'static str, files: &[String]) {
        let guarded = |file: &String| if file.starts_with('-') { format!("./{file}") } else { file.clone() };
        let words: Option<Vec<String>> = files.iter().map(|file| quoted(&guarded(file))).collect();
        let plain = files.iter().all(|file| !file.chars().any(char::is_control));
        self.0.extend(words.filter(|words| plain && !words.is_empty()).map(|words| (name, words.join(" "))));
    }

    /// Adds a regular expression that matches only the value between `prefix` and `suffix`.
    pub(crate) fn expression(&mut self, name: &'static str, prefix: &str, value: &str, suffix: &str) {
        if !value.is_empty() {
            self.word(name, &format!("^{prefix}{}{suffix}$", regex::escape(value)));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// `None`: no shell word can hold it, since it contains a NUL.
fn quoted(value: &str) -> Option<String> {
    shlex::try_quote(value).ok().map(std::borrow::Cow::into_owned)
}

/// The commands of a pattern for this mail server, those that change nothing first.
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

/// The template with its `{name}`s replaced. `None`: a value that it needs is not known.
fn fill(template: &str, values: &QuotedValues) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((front, back)) = rest.split_once('{') {
        filled.push_str(front);
        let end = back
            .find(|character: char| !(character.is_ascii_lowercase() || character == '_'))
            .unwrap_or(back.len());
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
