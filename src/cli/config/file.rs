//! Parses a configuration file into settings for each subcommand, and reports its first error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{ValueKind, commands, is_list, nearest, option, options, takes, validate};
use super::paths::ConfigText;
use crate::cli::error::CliError;

/// A key of a file and its value.
pub(crate) struct ConfigEntry {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    pub key: String,
    /// Higher is stronger: a later file beats an earlier one, a subcommand's table the top of its file.
    pub rank: usize,
    /// The values as written on the command line, for each subcommand that accepts them.
    pub values: BTreeMap<String, Vec<String>>,
}

/// Tables that hold rows of the catalogue, not options.
const CATALOG_TABLES: [&str; 2] = ["rule", "provider"];
/// The hidden option that loads those rows from the file.
const RULES_OF: &str = "rules-of";

/// Returns the entries in the order of the file, which is number `at` of the files that are read; `weaker` are the entries of
/// the files before it. The whole file is checked, whatever the subcommand.
pub(crate) fn read(
    file: &ConfigText,
    at: usize,
    command: &Command,
    weaker: &[ConfigEntry],
) -> Result<Vec<ConfigEntry>, CliError> {
    let parsed = ParsedFile { path: &file.path, text: &file.text, at, command };
    let table = DeTable::parse(&file.text).map_err(|cause| {
        parsed.wrong(cause.span().map_or(0, |span| span.start), cause.message().to_owned())
    })?;
    let mut entries = Vec::new();
    let mut rules_line = None;
    for (key, value) in table.get_ref() {
        let subcommand = commands(command).find(|subcommand| subcommand.get_name() == key.get_ref().as_ref());
        if CATALOG_TABLES.contains(&key.get_ref().as_ref()) && holds_tables(value.get_ref()) {
            if value.get_ref().is_table() {
                let (at, name) = (key.span().start, key.get_ref());
                return Err(parsed.wrong(at, format!("write [[{name}]], not [{name}]")));
            }
            rules_line = Some(parsed.line(key.span().start));
        } else if let (DeValue::Table(inner), Some(subcommand)) = (value.get_ref(), subcommand) {
            for (key, value) in inner {
                entries.push(parsed.entry(key, value, Some(subcommand))?);
            }
        } else {
            entries.push(parsed.entry(key, value, None)?);
        }
    }
    entries.extend(rules_line.map(|line| parsed.rules(line, weaker)));
    // The parser sorts tables by key; errors and --print-config go by lines.
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// Tells rows of the catalogue from an option of the same name, whose values are not tables.
fn holds_tables(value: &DeValue) -> bool {
    value.is_table() || value.as_array().is_some_and(|all| all.iter().any(|one| one.get_ref().is_table()))
}

/// A file that is being parsed.
struct ParsedFile<'a> {
    path: &'a Path,
    text: &'a str,
    at: usize,
    command: &'a Command,
}

type SpannedKey<'a> = Spanned<std::borrow::Cow<'a, str>>;

impl ParsedFile<'_> {
    /// Checks a key. At the top of the file it applies to every subcommand that has the option, and must be valid for at least
    /// one of them: `format = "json"` is not valid for `events`.
    fn entry(
        &self,
        key: &SpannedKey,
        value: &Spanned<DeValue>,
        table: Option<&Command>,
    ) -> Result<ConfigEntry, CliError> {
        let name = key.get_ref().as_ref();
        let mut values = BTreeMap::new();
        let mut faults = Vec::new();
        for subcommand in commands(self.command)
            .filter(|sub| table.is_none_or(|table| *sub.get_name() == *table.get_name()))
        {
            let Some(option) = option(subcommand, name) else { continue };
            let arguments = as_arguments(value.get_ref(), option);
            match arguments.and_then(|given| validate(subcommand, option, &given).map(|()| given)) {
                Ok(given) => drop(values.insert(subcommand.get_name().to_owned(), given)),
                Err(fault) => faults.push((subcommand.get_name(), fault)),
            }
        }
        if values.is_empty() {
            let at = key.span().start;
            return Err(match faults.split_first() {
                Some(((_, fault), more)) if more.iter().all(|(_, other)| other == fault) => {
                    self.wrong(value.span().start, format!("{name} {fault}"))
                }
                Some(((of, fault), _)) => {
                    self.wrong(value.span().start, format!("{name} of smtplog {of} {fault}"))
                }
                None => self.wrong(at, self.unknown(name, value.get_ref().is_table(), table)),
            });
        }
        let line = self.line(key.span().start);
        let rank = self.at * 2 + usize::from(table.is_some());
        Ok(ConfigEntry { path: self.path.to_owned(), line, key: name.to_owned(), rank, values })
    }

    /// The rules in this file come before those of weaker files, which stay in force.
    fn rules(&self, line: usize, weaker: &[ConfigEntry]) -> ConfigEntry {
        let before = weaker.iter().rev().find(|entry| entry.key == RULES_OF);
        let paths = |subcommand: &Command| {
            let mut paths = vec![self.path.to_string_lossy().into_owned()];
            paths.extend(
                before
                    .and_then(|entry| entry.values.get(subcommand.get_name()))
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            (subcommand.get_name().to_owned(), paths)
        };
        let takes = commands(self.command).filter(|subcommand| option(subcommand, RULES_OF).is_some());
        let values = takes.map(paths).collect();
        ConfigEntry { path: self.path.to_owned(), line, key: RULES_OF.to_owned(), rank: self.at * 2, values }
    }

    fn unknown(&self, name: &str, is_table: bool, table: Option<&Command>) -> String {
        let near =
            |found: Option<&str>| found.map(|name| format!("; the nearest is {name:?}")).unwrap_or_default();
        match table {
            Some(table) => {
                let found = near(nearest(name, options(table).map(|(key, _)| key)));
                format!("smtplog {} has no option {name:?}{found}", table.get_name())
            }
            None if is_table => {
                let found = near(nearest(name, commands(self.command).map(Command::get_name)));
                format!("no subcommand takes a table {name:?}{found}")
            }
            None => {
                let keys = commands(self.command).flat_map(options).map(|(key, _)| key);
                format!("no subcommand has an option {name:?}{}", near(nearest(name, keys)))
            }
        }
    }

    /// The error at the byte offset `at`.
    fn wrong(&self, at: usize, what: String) -> CliError {
        CliError::config(self.path, self.line(at), what)
    }

    /// The line number of the byte offset `at`, from 1.
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count()
    }
}

/// The value as it would be written on the command line. The error continues a sentence that begins with the key.
fn as_arguments(value: &DeValue, option: &Arg) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(all) if is_list(option) => {
            all.iter().map(|value| single(value.get_ref(), option)).collect()
        }
        DeValue::Array(_) => Err("takes a single value".to_owned()),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => Ok(vec![single(value, option)?]),
    }
}

fn single(value: &DeValue, option: &Arg) -> Result<String, String> {
    let kind = ValueKind::of(option);
    let wrong = |what: &str| Err(format!("takes {}, not {what}", takes(option)));
    match (value, kind) {
        (DeValue::Boolean(value), ValueKind::Switch) => Ok(value.to_string()),
        (DeValue::String(text), ValueKind::Number | ValueKind::Text | ValueKind::Word) => {
            Ok(text.clone().into_owned())
        }
        (DeValue::Integer(number), ValueKind::Number | ValueKind::Word) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map(|number| number.to_string()).map_err(|cause| format!("is not a valid number: {cause}"))
        }
        (DeValue::Float(number), ValueKind::Number | ValueKind::Word) => Ok(number.as_str().to_owned()),
        // TOML allows timestamps without quotes.
        (DeValue::Datetime(stamp), ValueKind::Text | ValueKind::Word) => Ok(stamp.to_string()),
        (DeValue::String(text), ValueKind::Switch) => wrong(&format!("{text:?}")),
        (DeValue::Integer(number), ValueKind::Switch | ValueKind::Text) => wrong(number.as_str()),
        (DeValue::Float(number), ValueKind::Switch | ValueKind::Text) => wrong(number.as_str()),
        (DeValue::Boolean(value), ValueKind::Number | ValueKind::Text | ValueKind::Word) => {
            wrong(&value.to_string())
        }
        (DeValue::Datetime(stamp), ValueKind::Switch | ValueKind::Number) => wrong(&stamp.to_string()),
        (DeValue::Array(_), _) => wrong("a list"),
        (DeValue::Table(_), _) => wrong("a table"),
    }
}
