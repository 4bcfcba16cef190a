//! Resolves the options in force from the command line, the environment and the configuration files.
//!
//! Promises: the command line wins over the environment, the environment over the files; every value knows where it was
//! set. May use: cli/args, cli/help, cli/words, cli/error and render/sanitize.

pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod paths;
pub(crate) mod precedence;
pub(crate) mod print;

use std::ffi::OsString;

use clap::{Command, FromArgMatches};

use self::file::read;
pub(crate) use self::keys::commands;
pub(crate) use self::paths::{ConfigPaths, Variables};
use self::precedence::{Setting, by_precedence};
use super::args::Cli;
use super::error::CliError;
use super::help::tips::with_tips;
use super::help::{command_line, with_help};
use super::words::arrange;

/// What the program was asked to do.
pub enum Invocation {
    Run(Box<Cli>),
    /// The text that `--print-config` prints.
    Print(String),
}

/// The subcommand that a bare `smtplog FILE` stands for.
const BARE: &str = "scan";

/// The command line wins over the environment, the environment over the user's file, and that over the system's file.
///
/// A value from elsewhere becomes the default of its option, and clap parses the command line a second time. So every
/// value is parsed and checked by clap, wherever it was set.
pub fn resolve(argv: &[OsString], variables: Variables, paths: &ConfigPaths) -> Result<Invocation, CliError> {
    let mut command = command_line();
    let argv = &arrange(argv, &command)?;
    let print = argv.iter().take_while(|word| *word != "--").any(|word| word == "--print-config");
    command = with_help(command, argv);
    if print {
        command = with_nothing_required(command);
    }
    let first = command.clone().try_get_matches_from(argv);
    let first = first.map_err(|error| with_tips(error, argv, &command_line()))?;
    let name = first.subcommand_name().unwrap_or(BARE).to_owned();
    let Some(subcommand) = commands(&command).find(|subcommand| subcommand.get_name() == name).cloned()
    else {
        // `completions` reads no configuration, so that a broken file cannot break the start of a shell.
        let cli = Cli::from_arg_matches(&first)?;
        return Ok(Invocation::Run(Box::new(cli)));
    };
    let mut entries = Vec::new();
    let files = paths.files(&first, variables)?;
    for (at, file) in files.iter().enumerate() {
        entries.extend(read(file, at, &command, &entries)?);
    }
    let given = first.subcommand_matches(&name).unwrap_or(&first);
    let choices = by_precedence(&command, &subcommand, given, variables, &entries)?;
    let bare = first.subcommand().is_none();
    let command = if bare {
        as_defaults(command, &choices)
    } else {
        command.mut_subcommand(&name, |subcommand| as_defaults(subcommand, &choices))
    };
    let matches = command.try_get_matches_from(argv)?;
    if print {
        let matches = matches.subcommand_matches(&name).unwrap_or(&matches);
        return Ok(Invocation::Print(print::shown(&subcommand, matches, &choices)));
    }
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Some(rules) = cli.rules_mut() {
        rules.config_files = files.into_iter().map(|file| file.path).collect();
    }
    Ok(Invocation::Run(Box::new(cli)))
}

fn as_defaults(command: Command, choices: &[Setting]) -> Command {
    choices.iter().filter(|choice| !choice.is_on_command_line()).fold(command, |command, choice| {
        command.mut_arg(&choice.id, |arg| arg.default_values(&choice.values))
    })
}

/// The same command with nothing required: `--print-config` needs no arguments.
fn with_nothing_required(command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| arg.required(false));
    names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| subcommand.mut_args(|arg| arg.required(false)))
    })
}
