//! `smtplog man`: print the manual page, or write a page for each subcommand.

use std::fs;
use std::io::Write;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::{Cli, ManArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;

const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "The report was made; what was asked for is known."),
    ("1", "The answer to a question is no: explain and compare do not know the code or the reason."),
    (
        "2",
        "Wrong usage or configuration, or an input could not be read. What could be read is reported all the same.",
    ),
    ("3", "The input was read, and nothing in it was understood, or less than --strict wants."),
];

const FILES: [(&str, &str); 2] = [
    (
        "/etc/smtplog/config.toml",
        "Options for everyone on this machine, in TOML. A key is the long name of an option; a table that is named for a \
         subcommand holds for it alone.",
    ),
    (
        "$XDG_CONFIG_HOME/smtplog/config.toml",
        "The same for one user; ~/.config stands for XDG_CONFIG_HOME where that is not set. What stands here wins over \
         the file above.",
    ),
];

const ENVIRONMENT: [(&str, &str); 5] = [
    (
        "SMTPLOG_<OPTION>",
        "Sets any option by its long name, as SMTPLOG_TOP=20 or SMTPLOG_NO_ADVICE=true. The environment wins over the \
         files, the command line over both.",
    ),
    (
        "SMTPLOG_CONFIG, SMTPLOG_NO_CONFIG",
        "Which file to read instead of the two below, and whether to read any.",
    ),
    ("NO_COLOR", "Where it is set, nothing is coloured unless asked for."),
    ("LC_ALL, LC_MESSAGES, LANG", "The language of what people read."),
    ("TZ", "The time zone of stamps that show none."),
];

pub(crate) fn run(args: &ManArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let mut command = listed(Cli::command().disable_help_subcommand(true));
    command.build();
    match &args.out {
        None => out.write_all(&main_page(&command)?)?,
        Some(folder) => {
            fs::create_dir_all(folder).map_err(CliError::write_file(folder))?;
            for (name, page) in pages(&command)? {
                let path = folder.join(name);
                fs::write(&path, page).map_err(CliError::write_file(&path))?;
            }
        }
    }
    Ok(Completion::looked_up(true))
}

/// The values of an option stand in its sentence; a list of points would fill the page.
fn listed(command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let command = command.mut_args(|option| {
        let values: Vec<String> = option
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| value.get_name().to_owned())
            .collect();
        if values.is_empty() || !option.get_action().takes_values() || option.is_hide_possible_values_set() {
            return option;
        }
        let help = option.get_long_help().or_else(|| option.get_help()).map(ToString::to_string);
        let help = format!("{} [possible values: {}]", help.unwrap_or_default(), values.join(", "));
        option.hide_possible_values(true).help(help.clone()).long_help(help)
    });
    names.iter().fold(command, |command, name| command.mut_subcommand(name, listed))
}

/// File names and pages.
fn pages(command: &Command) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let mut pages = vec![("smtplog.1".to_owned(), main_page(command)?)];
    for subcommand in command.get_subcommands() {
        pages.push((format!("smtplog-{}.1", subcommand.get_name()), sub_page(subcommand)?));
    }
    Ok(pages)
}

fn main_page(command: &Command) -> Result<Vec<u8>, CliError> {
    let man = page(command);
    let mut text = front(&man)?;
    man.render_subcommands_section(&mut text)?;
    text.extend(section("EXIT STATUS", &EXIT_STATUS));
    text.extend(section("ENVIRONMENT", &ENVIRONMENT));
    text.extend(section("FILES", &FILES));
    Ok(text)
}

/// What every page begins with.
fn front(man: &Man) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    Ok(text)
}

fn sub_page(subcommand: &Command) -> Result<Vec<u8>, CliError> {
    let usage = subcommand.clone().render_usage().to_string();
    // The words [OPTIONS] say it in less room than all their names.
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let man = page(&subcommand.clone().override_usage(usage));
    let mut text = front(&man)?;
    let mut more = Roff::new();
    more.control("SH", ["SEE ALSO"]);
    more.text([
        bold("smtplog"),
        roman("(1), for the exit status, the environment and the configuration files"),
    ]);
    more.to_writer(&mut text)?;
    Ok(text)
}

fn page(command: &Command) -> Man {
    // No date: the same program gives the same page.
    Man::new(command.clone()).manual("smtplog").source(concat!("smtplog ", env!("CARGO_PKG_VERSION")))
}

fn section(title: &str, rows: &[(&str, &str)]) -> Vec<u8> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (name, text) in rows {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*text)]);
    }
    roff.render().into_bytes()
}
