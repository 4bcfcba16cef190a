//! Builds the command line that clap parses, with its help pages: `-h` fits one screen, `--help` has everything.
//!
//! Promises: the examples, the exit status and the groups of the subcommands stand in one table, for the help and the manual
//! pages. May use: cli/args.

pub(crate) mod pages;
pub(crate) mod tips;

use std::ffi::OsString;
use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use self::pages::{GROUPS, HelpExample, ROOT, page_of};
use super::args::Cli;

/// The command line. The last one of a repeated option wins.
pub(crate) fn command_line() -> Command {
    Cli::command().args_override_self(true)
}

/// The help pages, if the words ask for help; else the command as it is, so that an ordinary run builds no page.
pub(crate) fn with_help(command: Command, argv: &[OsString]) -> Command {
    let asks = |word: &OsString| ["-h", "--help", "help"].iter().any(|flag| word == *flag);
    if !argv.iter().skip(1).any(asks) {
        return command;
    }
    // The options about the configuration are those of every subcommand, and so is --help.
    let command = command.mut_args(|arg| arg.hide_short_help(true));
    let is_short = argv.iter().any(|word| word == "-h") && !argv.iter().any(|word| word == "--help");
    let names: Vec<String> = command.get_subcommands().map(|own| own.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |own| if is_short { short(own) } else { long(own) })
    });
    if is_short { command.override_help(short_root()) } else { long_root(command) }
}

/// The one screen of `smtplog -h`.
fn short_root() -> String {
    let mut text = format!("{}\n\n{}\n\n", ROOT.about, ROOT.usage);
    for (heading, _, lines) in GROUPS {
        for (at, line) in lines.iter().enumerate() {
            let heading = if at == 0 { heading } else { "" };
            let _ = writeln!(text, "{heading:<11}{line}");
        }
    }
    let _ = writeln!(text, "\n{}", listed(ROOT.examples));
    text.push_str("\nEvery option: smtplog --help      Of a subcommand: smtplog COMMAND --help");
    text
}

/// `smtplog --help`: the subcommands in groups, then all options of a report.
fn long_root(mut command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let mut groups = String::new();
    for (heading, names, _) in GROUPS {
        let _ = writeln!(groups, "{header}{heading}{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            let about = about.unwrap_or_else(|| "Print this page, or the help of a subcommand".to_owned());
            let pad = " ".repeat(13_usize.saturating_sub(name.len()));
            let _ = writeln!(groups, "  {literal}{name}{literal:#}{pad}{about}");
        }
        groups.push('\n');
    }
    groups.push_str(
        "The options below are those of scan; smtplog COMMAND --help lists those of another subcommand.",
    );
    let names: Vec<String> = command.get_subcommands().map(|own| own.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |own| own.hide(true));
    }
    command
        .disable_help_subcommand(false)
        .help_template("{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}")
        .before_long_help(StyledStr::from(groups))
        .after_long_help(headed(&header, ROOT.examples))
}

/// `-h` of a subcommand: the options that most people need, and examples.
fn short(command: Command) -> Command {
    let page = page_of(command.get_name());
    let name = command.get_name().to_owned();
    let command = command.mut_args(|arg| {
        let is_shown = arg.get_long().is_some_and(|long| page.short.contains(&long));
        if is_shown { arg } else { arg.hide_short_help(true) }
    });
    let after = format!("{}\n\nEvery option: smtplog {name} --help", listed(page.examples));
    let options = if page.short.is_empty() { "" } else { "\n\n{options}" };
    command
        .help_template(format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}{options}{{after-help}}"))
        .after_help(after)
}

fn long(command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let examples = headed(&header, page_of(command.get_name()).examples);
    command.after_long_help(examples)
}

fn listed(examples: &[HelpExample]) -> String {
    let width = examples.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let lines = examples.iter().map(|(command, what)| format!("  {command:<width$}   {what}"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn headed(header: &clap::builder::styling::Style, examples: &[HelpExample]) -> StyledStr {
    StyledStr::from(listed(examples).replacen("Examples:", &format!("{header}Examples:{header:#}"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    /// The help page at 80 columns.
    fn page(argv: &[&str]) -> String {
        let argv = words(argv);
        let command = with_help(command_line(), &argv).term_width(80);
        command.try_get_matches_from(&argv).unwrap_err().to_string()
    }

    #[test]
    fn short_help_fits_one_screen() {
        let command = command_line();
        let names = command.get_subcommands().map(|own| vec!["smtplog", own.get_name(), "-h"]);
        for argv in names.chain([vec!["smtplog", "-h"]]) {
            let page = page(&argv);
            assert!(page.lines().count() <= 24, "{argv:?} has {} lines:\n{page}", page.lines().count());
            for line in page.lines() {
                assert!(line.chars().count() <= 80, "{argv:?}: {line}");
            }
            assert!(page.contains("Examples:") && page.contains("--help"), "{argv:?}:\n{page}");
        }
        assert_eq!(ROOT.examples.len(), 6);
    }

    #[test]
    fn every_subcommand_is_in_one_group() {
        let command = command_line();
        let mut wanted: Vec<&str> =
            command.get_subcommands().map(Command::get_name).chain(["help"]).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names, _)| names.iter().copied()).collect();
        wanted.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, wanted);
        let long = page(&["smtplog", "--help"]);
        let short = page(&["smtplog", "-h"]);
        for name in wanted {
            assert!(long.contains(&format!("  {name} ")), "{name}:\n{long}");
            assert!(short.contains(name), "{name}:\n{short}");
        }
    }

    #[test]
    fn every_example_is_a_command_line() {
        let command = command_line();
        let named = command.get_subcommands().map(|own| (own.get_name(), page_of(own.get_name())));
        for (name, page) in named.chain([("smtplog", &ROOT)]) {
            assert!(!page.examples.is_empty(), "{name}");
            for (example, _) in page.examples {
                let example = example.split('>').next().unwrap().split('|').next_back().unwrap();
                let argv = shlex::split(example).unwrap();
                let parsed = command_line().try_get_matches_from(&argv);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
            for long in page.short {
                let own = command.find_subcommand(name).unwrap();
                assert!(own.get_arguments().any(|arg| arg.get_long() == Some(long)), "{name} --{long}");
            }
        }
    }
}
