//! Lists the options that a configuration may set, with the values that clap accepts for each.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::render::sanitize::printable;

/// The TOML type of an option's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ValueKind {
    Switch,
    Number,
    /// Any text; a number is an error.
    Text,
    /// Text that the option's own parser checks; a number may be valid, such as 452.
    Word,
}

/// Subcommands that read no configuration: their output is the same for everyone.
const WITHOUT: [&str; 2] = ["completions", "man"];

/// The subcommands whose options may be set.
pub fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|subcommand| !WITHOUT.contains(&subcommand.get_name()))
}

/// The options that may be set, under their long names; the hidden ones too.
pub fn options(subcommand: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    subcommand.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)))
}

pub(crate) fn option<'a>(subcommand: &'a Command, key: &str) -> Option<&'a Arg> {
    options(subcommand).find(|(name, _)| *name == key).map(|(_, arg)| arg)
}

/// `no-advice` → `SMTPLOG_NO_ADVICE`.
pub fn variable(key: &str) -> String {
    format!("SMTPLOG_{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// Parses the usual words for true and false.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("must be true or false, not {text:?}")),
    }
}

/// The name most similar to `word`. `None`: no name is similar.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = word.to_ascii_lowercase().replace('_', "-");
    let alike = |name: &'a str| (strsim::jaro_winkler(&plain, name), name);
    names
        .map(alike)
        .filter(|(alike, _)| *alike > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

impl ValueKind {
    pub(crate) fn of(option: &Arg) -> Self {
        let kind = option.get_value_parser().type_id();
        let is = |kinds: &[TypeId]| kinds.iter().any(|known| kind == *known);
        if is(&[TypeId::of::<bool>()]) {
            Self::Switch
        } else if is(&[
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<i16>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<f64>(),
        ]) {
            Self::Number
        } else if is(&[TypeId::of::<String>(), TypeId::of::<OsString>(), TypeId::of::<PathBuf>()]) {
            Self::Text
        } else {
            Self::Word
        }
    }
}

/// Whether the option takes more than one value.
pub(crate) fn is_list(option: &Arg) -> bool {
    let several = option.get_num_args().is_some_and(|range| range.max_values() > 1);
    several || matches!(option.get_action(), ArgAction::Append) || option.get_value_delimiter().is_some()
}

/// `text or json`, `true or false`, `a number`.
pub(crate) fn takes(option: &Arg) -> String {
    let names: Vec<String> = option
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(PossibleValue::get_name)
        .map(str::to_owned)
        .collect();
    match (ValueKind::of(option), names.split_last()) {
        (ValueKind::Switch, _) => "true or false".to_owned(),
        (ValueKind::Number, _) => "a number".to_owned(),
        (ValueKind::Text | ValueKind::Word, Some((last, []))) => last.clone(),
        (ValueKind::Text | ValueKind::Word, Some((last, before))) => {
            format!("{} or {last}", before.join(", "))
        }
        (ValueKind::Text | ValueKind::Word, None) => "text in quotes".to_owned(),
    }
}

/// Lets clap check the values as if they were on the command line. The error continues a sentence that begins with the key.
pub(crate) fn validate(subcommand: &Command, option: &Arg, values: &[String]) -> Result<(), String> {
    let Some(key) = option.get_long() else { return Ok(()) };
    if !option.get_action().takes_values() {
        // A switch has no value on the command line.
        let fits = |value: &String| match ValueKind::of(option) {
            ValueKind::Switch => value.parse::<bool>().is_ok(),
            ValueKind::Number | ValueKind::Text | ValueKind::Word => value.parse::<u8>().is_ok(),
        };
        let wrong = values.iter().find(|value| !fits(value));
        return wrong.map_or(Ok(()), |value| Err(format!("takes {}, not {value:?}", takes(option))));
    }
    let mut argv = vec![subcommand.get_name().to_owned()];
    if matches!(option.get_action(), ArgAction::Append) {
        argv.extend(values.iter().map(|value| format!("--{key}={value}")));
    } else if let Some((first, more)) = values.split_first() {
        argv.push(format!("--{key}={first}"));
        argv.extend(more.iter().cloned());
    }
    let Err(error) = subcommand.clone().try_get_matches_from(argv) else { return Ok(()) };
    match error.kind() {
        ErrorKind::InvalidValue => {
            let wrong = error.get(ContextKind::InvalidValue).map(ToString::to_string).unwrap_or_default();
            Err(format!("takes {}, not {wrong:?}", takes(option)))
        }
        ErrorKind::ValueValidation => {
            let wrong = error.get(ContextKind::InvalidValue).map(ToString::to_string).unwrap_or_default();
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if ValueKind::of(option) == ValueKind::Number && wrong.parse::<f64>().is_err() {
                return Err(format!("takes a number, not {wrong:?}"));
            }
            Err(format!("cannot be {wrong:?}: {}", printable(&why)))
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            Err("takes another number of values".to_owned())
        }
        // Other errors, such as a missing argument, do not concern this option.
        _ => Ok(()),
    }
}
