//! Prints the options in force as a configuration file, with the place where each was set.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};

use super::keys::{ValueKind, is_list, options};
use super::precedence::{Setting, SettingSource, exclude};
use crate::render::sanitize::printable;

/// The text is a valid configuration file with the same settings. Hidden options are shown only if they were set.
pub(crate) fn shown(subcommand: &Command, matches: &ArgMatches, choices: &[Setting]) -> String {
    let mut page = format!("[{}]\n", subcommand.get_name());
    for (key, option) in options(subcommand) {
        let choice = choices.iter().find(|choice| choice.key == key);
        if option.is_hide_set() && choice.is_none() {
            continue;
        }
        let line = match matches.get_raw(option.get_id().as_str()) {
            None => format!("# {key} is not set"),
            Some(raw) => {
                let raw: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
                let setting = format!("{key} = {}", value(option, &raw));
                match (choice, gives_way(subcommand, option, choices)) {
                    (Some(choice), _) => format!("{setting}  # {}", origin(&choice.origin)),
                    // As a setting it would conflict with the other option.
                    (None, Some(rival)) => format!("# {setting} gives way to {}", rival.key),
                    (None, None) => format!("{setting}  # default"),
                }
            }
        };
        let _ = writeln!(page, "{line}");
    }
    page
}

/// The stronger option that excludes this one, if there is one.
fn gives_way<'a>(subcommand: &Command, option: &Arg, choices: &'a [Setting]) -> Option<&'a Setting> {
    choices.iter().find(|choice| choice.is_active() && exclude(subcommand, &choice.id, option.get_id()))
}

fn origin(origin: &SettingSource) -> String {
    match origin {
        SettingSource::File { path, line, .. } => {
            format!("{}, line {line}", printable(&path.to_string_lossy()))
        }
        SettingSource::Environment { name } => format!("environment, {name}"),
        SettingSource::CommandLine => "command line".to_owned(),
    }
}

fn value(option: &Arg, raw: &[String]) -> String {
    let one = |text: &String| match ValueKind::of(option) {
        ValueKind::Switch | ValueKind::Number => text.clone(),
        ValueKind::Text | ValueKind::Word => toml::Value::from(text.as_str()).to_string(),
    };
    match raw {
        [single] if !is_list(option) => one(single),
        _ => format!("[{}]", raw.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}
