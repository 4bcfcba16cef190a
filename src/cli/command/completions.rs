//! Runs `smtplog completions`, which prints a completion script for a shell.

use std::collections::HashSet;
use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::catalog::{Catalog, codes, enhanced_codes, reasons, value_name};
use crate::cli::args::CompletionsArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::help::command_line;

pub(crate) fn run(args: &CompletionsArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    // Written to memory first: the generator panics if the pipe is closed.
    let mut script = Vec::new();
    let command = command_line();
    let words = CompletedWords::new();
    let mut command = without_hidden(&command, &words).version(env!("CARGO_PKG_VERSION"));
    clap_complete::generate(args.shell, &mut command, "smtplog", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match args.shell {
        Shell::Bash => subcommands_first(&script),
        Shell::Zsh => with_files(&script),
        _ => script.into_owned(),
    };
    out.write_all(script.as_bytes())?;
    Ok(Completion::looked_up(true))
}

/// The values of the catalogue that shells complete.
struct CompletedWords {
    /// `none`, `4xx`, `552`, `5.2.2`.
    codes: Vec<String>,
    reasons: Vec<String>,
    providers: Vec<String>,
}

impl CompletedWords {
    fn new() -> Self {
        let classes = ["2xx", "4xx", "5xx"].map(str::to_owned);
        let basic = codes().iter().map(|row| row.code.to_string());
        let enhanced = enhanced_codes().iter().filter(|row| row.code.first == row.code.last);
        let enhanced = enhanced.flat_map(|row| {
            ["4", "5"].map(|class| format!("{class}.{}.{}", row.code.subject, row.code.first))
        });
        let reasons = reasons().iter().map(|row| value_name(row.id)).collect();
        let providers = Catalog::built_in().providers.all().map(|(_, row)| row.id.clone()).collect();
        Self { codes: classes.into_iter().chain(basic).chain(enhanced).collect(), reasons, providers }
    }

    /// Adds the values that an argument takes from the catalogue; clap knows only those of an enum.
    fn of(&self, arg: Arg) -> Arg {
        let values: Vec<String> = match arg.get_id().as_str() {
            "code" => self.codes.iter().cloned().chain(["none".to_owned()]).collect(),
            "provider" => self.providers.clone(),
            // Of explain and compare; the argument of trace is called so too, and takes addresses.
            "what" if arg.get_num_args().is_none_or(|range| range.max_values() <= 1) => return arg,
            "what" | "a" | "b" => self.codes.iter().chain(&self.reasons).cloned().collect(),
            _ => return arg,
        };
        arg.value_parser(PossibleValuesParser::new(values))
    }
}

/// The same command line as shells should complete it, without hidden options. The program itself has no positional argument:
/// its files would stand before the subcommands, and shells complete files anyway.
fn without_hidden(command: &Command, words: &CompletedWords) -> Command {
    let is_root = command.has_subcommands();
    let args = command.get_arguments().filter(|arg| !(arg.is_hide_set() || is_root && arg.is_positional()));
    let args = args.cloned().map(|arg| words.of(arg));
    let subcommands = command.get_subcommands().map(|own| without_hidden(own, words));
    let about = command.get_about().cloned().unwrap_or_default();
    Command::new(command.get_name().to_owned()).about(about).args(args).subcommands(subcommands)
}

/// In the script for bash, moves words such as subcommands before the options, and drops placeholders such as `[FILE]...`.
fn subcommands_first(script: &str) -> String {
    let ordered = |line: &str| {
        let words = line.trim_start().strip_prefix("opts=\"")?.strip_suffix('"')?;
        // Two arguments with the same values list them twice.
        let mut seen = HashSet::new();
        let words = words.split(' ').filter(|word| !word.starts_with(['[', '<']) && seen.insert(*word));
        let words: Vec<&str> = words.collect();
        let (options, others): (Vec<&str>, Vec<&str>) =
            words.into_iter().partition(|word| word.starts_with('-'));
        let indent = line.len() - line.trim_start().len();
        Some(format!("{}opts=\"{}\"", " ".repeat(indent), [others, options].concat().join(" ")))
    };
    script.lines().map(|line| ordered(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

/// In the script for zsh, completes files beside the subcommands, since `smtplog FILE` is a report.
fn with_files(script: &str) -> String {
    script.replacen("\":: :_smtplog_commands\"", "\":: :{_smtplog_commands; _files}\"", 1)
}
