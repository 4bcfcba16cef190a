//! Runs `smtplog man`, which prints the manual page or writes a page for each subcommand.

use std::fs;
use std::io::Write;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::ManArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::help::command_line;
use crate::cli::help::pages::{HelpPage, ROOT, page_of};
use crate::cli::man_viewer::{is_for_reading, view};

const FILES: [(&str, &str); 2] = [
    (
        "/etc/smtplog/config.toml",
        "Options for all users of this machine, in TOML. A key is the long name of an option; a table named after a \
         subcommand applies only to it.",
    ),
    (
        "$XDG_CONFIG_HOME/smtplog/config.toml",
        "The same for one user; without XDG_CONFIG_HOME, in ~/.config. This file overrides the file above.",
    ),
];

const ENVIRONMENT: [(&str, &str); 5] = [
    (
        "SMTPLOG_<OPTION>",
        "Sets any option by its long name, such as SMTPLOG_TOP=20 or SMTPLOG_NO_ADVICE=true. The environment overrides the \
         files, and the command line overrides both.",
    ),
    ("SMTPLOG_CONFIG, SMTPLOG_NO_CONFIG", "The file to read instead of the two below; true to read none."),
    ("NO_COLOR", "If set, output is not coloured without --color always."),
    ("LC_ALL, LC_MESSAGES, LANG", "The language of output for people."),
    ("TZ", "The time zone of timestamps without one."),
];

pub(crate) fn run(args: &ManArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let mut command = list_values(command_line().disable_help_subcommand(true));
    command.build();
    let subcommand = args.page.as_deref().and_then(|name| command.find_subcommand(name));
    match (&args.out, subcommand) {
        (None, subcommand) => {
            let page = subcommand.map_or_else(|| main_page(&command), sub_page)?;
            if !is_for_reading() || !view(&page, args.page.as_deref())? {
                out.write_all(&page)?;
            }
        }
        (Some(folder), _) => {
            fs::create_dir_all(folder).map_err(CliError::write_file(folder))?;
            for (name, page) in pages(&command)? {
                let path = folder.join(name);
                fs::write(&path, page).map_err(CliError::write_file(&path))?;
            }
        }
    }
    Ok(Completion::looked_up(true))
}

/// Lists the possible values of each option in its help text, because a list with one line per value would fill the page.
fn list_values(command: Command) -> Command {
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
    names.iter().fold(command, |command, name| command.mut_subcommand(name, list_values))
}

/// The file name and the text of each page.
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
    text.extend(own_sections(&ROOT));
    text.extend(section("ENVIRONMENT", &ENVIRONMENT));
    text.extend(section("FILES", &FILES));
    Ok(text)
}

/// The sections that every page begins with.
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
    // `[OPTIONS]` instead of the names of all options.
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let man = page(&subcommand.clone().override_usage(usage));
    let mut text = front(&man)?;
    text.extend(own_sections(page_of(subcommand.get_name())));
    let mut more = Roff::new();
    more.control("SH", ["SEE ALSO"]);
    more.text([bold("smtplog"), roman("(1), for the environment and the configuration files")]);
    more.to_writer(&mut text)?;
    Ok(text)
}

/// The sections EXAMPLES and EXIT STATUS.
fn own_sections(page: &HelpPage) -> Vec<u8> {
    let mut text = section("EXAMPLES", page.examples);
    text.extend(section("EXIT STATUS", page.exit));
    text
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
        // A row may be the name alone.
        if !text.is_empty() {
            roff.text([roman(*text)]);
        }
    }
    roff.render().into_bytes()
}
