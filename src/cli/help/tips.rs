//! Replaces the tips in clap's errors: only those stay that help.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use strsim::{jaro_winkler, osa_distance};

use crate::cli::words::subcommand_of;

/// An unknown option gets the option that was meant, if one is likely, and the plain usage. clap itself takes any option
/// with a few common letters for the one that was meant, and advises to pass the unknown one as a file.
pub(crate) fn with_tips(mut error: clap::Error, argv: &[OsString], command: &Command) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::SuggestedArg);
    let mut built = command.clone();
    built.build();
    let name = subcommand_of(argv, command);
    let subcommand = name.and_then(|name| built.find_subcommand(name)).unwrap_or(&built).clone();
    let usage = subcommand.clone().render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    let typed = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => return error,
    };
    if let Some(tip) = tip(&typed, &subcommand, &built) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

fn tip(typed: &str, subcommand: &Command, root: &Command) -> Option<String> {
    let name = typed.strip_prefix("--")?;
    let name = name.split_once('=').map_or(name, |(name, _)| name).to_ascii_lowercase().replace('_', "-");
    let visible = || subcommand.get_arguments().filter(|arg| !arg.is_hide_set());
    if let Some((option, value)) = visible().find_map(|arg| Some((arg.get_long()?, value_of(arg, &name)?))) {
        return Some(format!("use --{option} {value}"));
    }
    let elsewhere = root.get_subcommands().find(|other| {
        other.get_arguments().any(|arg| arg.get_long() == Some(name.as_str()) && !arg.is_hide_set())
    });
    if let Some(other) = elsewhere {
        return Some(format!("--{name} is an option of smtplog {}", other.get_name()));
    }
    let likeness = |long: &&str| jaro_winkler(long, &name);
    let near = visible().filter_map(Arg::get_long);
    let near = near.filter(|long| osa_distance(long, &name) <= 2 || likeness(long) > 0.9);
    let nearest =
        near.filter(|long| likeness(long) > 0.75).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    Some(format!("a similar option exists: --{nearest}"))
}

/// The value of this name, as in `--bounced` for `--outcome bounced`. Only filters: `--json` is asked below.
fn value_of(arg: &Arg, name: &str) -> Option<String> {
    /// The options whose values are mistaken for options.
    const MISTAKEN: [&str; 6] = ["outcome", "direction", "reason", "class", "mta", "format"];
    arg.get_long().filter(|long| MISTAKEN.contains(long))?;
    let values = arg.get_possible_values();
    values.iter().find(|value| value.matches(name, true)).map(|value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::command_line;

    fn error(typed: &str) -> String {
        let argv: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
        let command = command_line();
        let error = command.clone().try_get_matches_from(&argv).unwrap_err();
        with_tips(error, &argv, &command).to_string()
    }

    #[test]
    fn the_option_that_was_meant_is_named() {
        for (typed, tip) in [
            ("smtplog scan --colour always", "a similar option exists: --color"),
            ("smtplog --rotate a.log", "a similar option exists: --rotated"),
            ("smtplog scan --bounced a.log", "use --outcome bounced"),
            ("smtplog scan --json a.log", "use --format json"),
            ("smtplog trace --by code x", "--by is an option of smtplog scan"),
            ("smtplog explain --since 2h 552", "--since is an option of smtplog scan"),
        ] {
            let error = error(typed);
            assert!(error.contains(&format!("tip: {tip}\n")), "{typed}: {error}");
        }
    }

    #[test]
    fn no_tip_misleads() {
        for typed in ["smtplog scan --max 3", "smtplog -x", "smtplog scan --bounce", "smtplog compare 1 2 3"]
        {
            let error = error(typed);
            assert!(!error.contains("tip:") && !error.contains("--outcome"), "{typed}: {error}");
        }
    }
}
