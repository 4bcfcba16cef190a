//! Chooses the setting of each option that wins, if it is set in several places.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Id};

use super::file::ConfigEntry;
use super::keys::{ValueKind, commands, option, options, switch, takes, validate, variable};
use super::paths::Variables;
use crate::cli::error::CliError;

/// The value of an option, and where it was set.
pub(crate) struct Setting {
    pub id: Id,
    pub key: String,
    /// As they would be written on the command line.
    pub values: Vec<String>,
    pub origin: SettingSource,
}

/// Where an option was set; the later ones are stronger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SettingSource {
    File { path: PathBuf, line: usize, rank: usize },
    Environment { name: String },
    CommandLine,
}

impl Setting {
    pub(crate) fn is_on_command_line(&self) -> bool {
        self.origin == SettingSource::CommandLine
    }

    /// A switch that is off conflicts with nothing.
    pub(crate) fn is_active(&self) -> bool {
        self.values.iter().any(|value| value != "false")
    }

    fn rank(&self) -> usize {
        match self.origin {
            SettingSource::File { rank, .. } => rank,
            SettingSource::Environment { .. } => usize::MAX - 1,
            SettingSource::CommandLine => usize::MAX,
        }
    }
}

/// Returns the winning setting of each option that was set. Of two options that exclude each other, the one set in the
/// stronger place wins; set in the same place, they are an error. `entries` are those of all files, the weakest first.
pub(crate) fn by_precedence(
    root: &Command,
    subcommand: &Command,
    given: &ArgMatches,
    variables: Variables,
    entries: &[ConfigEntry],
) -> Result<Vec<Setting>, CliError> {
    // A positional argument may exclude an option too: a file excludes the journal.
    let bare =
        subcommand.get_positionals().filter_map(|arg| from_command_line(arg.get_id().as_str(), arg, given));
    let mut choices: Vec<Setting> = bare.collect();
    for (key, option) in options(subcommand) {
        let choice = match from_command_line(key, option, given) {
            Some(choice) => Some(choice),
            None => match from_environment(root, subcommand, key, option, variables)? {
                Some(choice) => Some(choice),
                None => from_files(subcommand, key, option, entries),
            },
        };
        choices.extend(choice);
    }
    // A stable sort: equally strong settings stay in the order of the options.
    choices.sort_by_key(|choice| std::cmp::Reverse(choice.rank()));
    let mut winners: Vec<Setting> = Vec::new();
    for choice in choices {
        // The name of an output file chooses the format; a weaker setting of --format does not override that.
        let named = |nearer: &Setting| nearer.key == "output" && nearer.rank() > choice.rank();
        if choice.key == "format" && winners.iter().any(named) {
            continue;
        }
        let rival = winners.iter().find(|rival| {
            choice.is_active() && rival.is_active() && exclude(subcommand, &choice.id, &rival.id)
        });
        match rival {
            None => winners.push(choice),
            Some(rival) if rival.rank() == choice.rank() => return Err(conflict(root, &choice, rival)),
            Some(_) => {}
        }
    }
    Ok(winners)
}

fn from_command_line(key: &str, option: &Arg, given: &ArgMatches) -> Option<Setting> {
    let id = option.get_id();
    let is_given = given.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let raw = given.get_raw(id.as_str()).filter(|_| is_given)?;
    let values = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    Some(Setting { id: id.clone(), key: key.to_owned(), values, origin: SettingSource::CommandLine })
}

/// An empty variable counts as unset. A value that only other subcommands accept is ignored, as at the top of a file.
fn from_environment(
    root: &Command,
    subcommand: &Command,
    key: &str,
    option: &Arg,
    variables: Variables,
) -> Result<Option<Setting>, CliError> {
    let name = variable(key);
    let Some(value) = variables(&name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let wrong = |what: String| CliError::environment(&name, what);
    let value = value.into_string().map_err(|_| wrong("not UTF-8".to_owned()))?;
    match parse_variable(subcommand, option, &value) {
        Ok(values) => {
            let origin = SettingSource::Environment { name };
            Ok(Some(Setting { id: option.get_id().clone(), key: key.to_owned(), values, origin }))
        }
        Err(_) if is_for_others(root, key, &value) => Ok(None),
        Err(what) => Err(wrong(format!("{key} {what}"))),
    }
}

/// The error continues a sentence that begins with the key.
fn parse_variable(subcommand: &Command, option: &Arg, value: &str) -> Result<Vec<String>, String> {
    let value = match ValueKind::of(option) {
        ValueKind::Switch => {
            switch(value).map_err(|_| format!("takes {}, not {value:?}", takes(option)))?.to_string()
        }
        ValueKind::Number | ValueKind::Text | ValueKind::Word => value.to_owned(),
    };
    let values = vec![value];
    validate(subcommand, option, &values).map(|()| values)
}

fn is_for_others(root: &Command, key: &str, value: &str) -> bool {
    commands(root)
        .any(|other| option(other, key).is_some_and(|option| parse_variable(other, option, value).is_ok()))
}

fn from_files(subcommand: &Command, key: &str, option: &Arg, entries: &[ConfigEntry]) -> Option<Setting> {
    let matching = entries.iter().filter(|entry| entry.key == key);
    let strongest = matching
        .filter_map(|entry| Some((entry, entry.values.get(subcommand.get_name())?)))
        .max_by_key(|(entry, _)| entry.rank);
    let (entry, values) = strongest?;
    let origin = SettingSource::File { path: entry.path.clone(), line: entry.line, rank: entry.rank };
    Some(Setting { id: option.get_id().clone(), key: key.to_owned(), values: values.clone(), origin })
}

/// Whether clap rejects the two options together on a command line.
pub(crate) fn exclude(subcommand: &Command, a: &Id, b: &Id) -> bool {
    let names = |from: &Id, to: &Id| {
        let from = subcommand.get_arguments().find(|arg| arg.get_id() == from);
        from.is_some_and(|from| subcommand.get_arg_conflicts_with(from).iter().any(|arg| arg.get_id() == to))
    };
    names(a, b) || names(b, a)
}

fn conflict(root: &Command, choice: &Setting, rival: &Setting) -> CliError {
    let what = format!("{} and {} exclude each other; keep one of them", rival.key, choice.key);
    match &choice.origin {
        SettingSource::File { path, line, .. } => CliError::Config { path: path.clone(), line: *line, what },
        SettingSource::Environment { name } => CliError::Environment { name: name.clone(), what },
        // Not reached: clap has checked the command line before.
        SettingSource::CommandLine => root.clone().error(ErrorKind::ArgumentConflict, what).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::ArgAction;

    use super::*;

    /// A program that reads files or the journal, and the journal by its configuration.
    fn keys_in_force(argv: &[&str]) -> Vec<String> {
        let journal = Arg::new("journal").long("journal").action(ArgAction::SetTrue).conflicts_with("files");
        let journal = journal.value_parser(clap::value_parser!(bool));
        let scan = Command::new("scan").arg(journal).arg(Arg::new("files").action(ArgAction::Append));
        let entry = ConfigEntry {
            path: PathBuf::from("config.toml"),
            line: 1,
            key: "journal".to_owned(),
            rank: 0,
            values: BTreeMap::from([("scan".to_owned(), vec!["true".to_owned()])]),
        };
        let given = scan.clone().try_get_matches_from(argv).unwrap();
        let root = Command::new("program").subcommand(scan.clone());
        let choices = by_precedence(&root, &scan, &given, &|_| None, &[entry]).unwrap();
        choices.into_iter().map(|choice| choice.key).collect()
    }

    #[test]
    fn a_file_on_the_command_line_pushes_out_what_excludes_files() {
        assert_eq!(keys_in_force(&["scan"]), ["journal"]);
        assert_eq!(keys_in_force(&["scan", "mail.log"]), ["files"]);
    }
}
