//! Reads the words of a command line before clap does: moves options behind the subcommand, and recognises a word that is
//! neither a file nor a subcommand.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, Command, ValueEnum};
use strsim::{jaro_winkler, osa_distance};

use super::error::CliError;
use crate::catalog::Reason;
use crate::pipeline::filter::CodePattern;

/// The places of words on a command line.
struct Scanned<'a> {
    /// The place of the subcommand and its name. `None`: there is none, as in `smtplog FILE`.
    subcommand: Option<(usize, &'a str)>,
    /// The words that are neither the subcommand nor options nor their values.
    bare: Vec<usize>,
    /// The help or the version is asked for before the subcommand.
    asks_for_help: bool,
}

/// Moves options behind the subcommand: `smtplog --format json explain 452` becomes `smtplog explain --format json 452`.
///
/// Error: a word is meant as something else, such as `552` for `explain 552`, and what to type is known.
pub(crate) fn arrange(argv: &[OsString], command: &Command) -> Result<Vec<OsString>, CliError> {
    let scanned = scan(argv, command);
    if !scanned.asks_for_help {
        check(argv, command, &scanned)?;
    }
    let Some((at, _)) = scanned.subcommand.filter(|(at, _)| *at > 1 && !scanned.asks_for_help) else {
        return Ok(argv.to_vec());
    };
    let mut arranged = argv.to_vec();
    if let Some(front) = arranged.get_mut(1..=at) {
        front.rotate_right(1);
    }
    Ok(arranged)
}

/// The subcommand that the words name, `None` for a bare `smtplog FILE`.
pub(crate) fn subcommand_of<'a>(argv: &[OsString], command: &'a Command) -> Option<&'a str> {
    scan(argv, command).subcommand.map(|(_, name)| name)
}

fn scan<'a>(argv: &[OsString], command: &'a Command) -> Scanned<'a> {
    let mut scanned = Scanned { subcommand: None, bare: Vec::new(), asks_for_help: false };
    let mut is_value = false;
    let mut only_bare = false;
    for (at, word) in argv.iter().enumerate().skip(1) {
        let text = word.to_string_lossy();
        if std::mem::take(&mut is_value) {
            continue;
        }
        if only_bare || text == "-" || !text.starts_with('-') {
            let named = command.get_subcommands().map(Command::get_name).chain(["help"]);
            let named = named.into_iter().find(|name| *name == text);
            match named.filter(|_| scanned.subcommand.is_none() && scanned.bare.is_empty() && !only_bare) {
                Some(name) => scanned.subcommand = Some((at, name)),
                None => scanned.bare.push(at),
            }
        } else if text == "--" {
            only_bare = true;
        } else {
            scanned.asks_for_help |=
                scanned.subcommand.is_none() && ["-h", "--help", "-V", "--version"].contains(&&*text);
            is_value = wants_next(&text, command, scanned.subcommand.map(|(_, name)| name));
        }
    }
    scanned
}

/// Whether the next word is the value of this option: `--since 2h`, `-n 3`, `-rn 3`, but not `--since=2h` or `-n3`.
fn wants_next(text: &str, command: &Command, subcommand: Option<&str>) -> bool {
    let commands = || {
        let named =
            command.get_subcommands().filter(move |own| subcommand.is_none_or(|name| own.get_name() == name));
        named.chain(std::iter::once(command))
    };
    let takes_value = |is_it: &dyn Fn(&Arg) -> bool| {
        let found = commands().find_map(|own| own.get_arguments().find(|arg| is_it(arg)));
        found.is_some_and(|arg| arg.get_action().takes_values())
    };
    if let Some(long) = text.strip_prefix("--") {
        return !long.contains('=') && takes_value(&|arg| arg.get_long() == Some(long));
    }
    let mut letters = text.chars().skip(1).peekable();
    while let Some(letter) = letters.next() {
        if takes_value(&|arg| arg.get_short() == Some(letter)) {
            return letters.peek().is_none();
        }
    }
    false
}

/// The subcommands whose bare words are log files.
const READERS: [&str; 4] = ["scan", "storm", "watch", "events"];

/// An error if a word stands where a file is expected, no file has this name, and the word makes sense elsewhere.
fn check(argv: &[OsString], command: &Command, scanned: &Scanned) -> Result<(), CliError> {
    if scanned.subcommand.is_some_and(|(_, name)| !READERS.contains(&name)) {
        return Ok(());
    }
    let missing = |at: &&usize| argv.get(**at).is_some_and(|word| !Path::new(word).exists() && word != "-");
    if scanned.subcommand.is_none()
        && let Some(first) = scanned.bare.first().filter(missing)
        && let Some(typed) = argv.get(*first)
        && let Some(name) = mistyped(typed, command)
    {
        let mut right = argv.to_vec();
        right.splice(*first..=*first, [OsString::from(name)]);
        return Err(CliError::Mistyped { word: shown(typed), right: name.to_owned(), line: line(&right) });
    }
    for at in scanned.bare.iter().filter(missing) {
        let Some(typed) = argv.get(*at) else { continue };
        let others = scanned.bare.iter().filter(|other| *other != at).filter_map(|other| argv.get(*other));
        let others: Vec<OsString> = others.cloned().collect();
        let (name, others) = match other_use(&typed.to_string_lossy()) {
            Some(OtherUse::Explain) => ("explain", Vec::new()),
            Some(OtherUse::Trace) => ("trace", others),
            None => continue,
        };
        let right: Vec<OsString> =
            ["smtplog".into(), name.into(), typed.clone()].into_iter().chain(others).collect();
        return Err(CliError::NotAFile { word: shown(typed), line: line(&right) });
    }
    Ok(())
}

/// The subcommand that a mistyped word is nearest to. `None`: the word is the name of a file, or is near none.
fn mistyped<'a>(word: &OsStr, command: &'a Command) -> Option<&'a str> {
    /// The edits that a typing error makes: two letters swapped are one (optimal string alignment).
    const EDITS: usize = 2;
    let typed = word.to_str()?;
    let word = typed.to_ascii_lowercase();
    if word.len() < 3 || !word.chars().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let names = command.get_subcommands().map(Command::get_name).chain(["help"]);
    let near = names.filter(|name| {
        *name != typed && osa_distance(name, &word) <= EDITS && jaro_winkler(name, &word) > 0.8
    });
    near.max_by(|a, b| jaro_winkler(a, &word).total_cmp(&jaro_winkler(b, &word)))
}

/// The subcommand for which a word makes sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OtherUse {
    Explain,
    Trace,
}

fn other_use(word: &str) -> Option<OtherUse> {
    if word.contains('/') {
        return None;
    }
    let first = word.split_whitespace().next()?;
    let is_code = |text: &str| text != "none" && text.parse::<CodePattern>().is_ok();
    if is_code(first) || Reason::from_str(word, true).is_ok() {
        return Some(OtherUse::Explain);
    }
    let is_address = word.contains('@') && !word.contains(char::is_whitespace);
    let is_client = word.parse::<std::net::IpAddr>().is_ok();
    // A queue id of Postfix or Sendmail: `4F1A2B3C4D`, `6AM5WRdX001234`.
    let letters = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    let is_queue_id = (8..=20).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        && letters(char::is_ascii_digit)
        && letters(char::is_ascii_uppercase);
    (is_address || is_client || is_queue_id).then_some(OtherUse::Trace)
}

fn shown(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

/// The words as they are typed in a shell.
pub(crate) fn line(words: &[OsString]) -> String {
    let quoted = |word: &OsString| {
        let word = word.to_string_lossy();
        shlex::try_quote(&word).map_or_else(|_| word.clone().into_owned(), std::borrow::Cow::into_owned)
    };
    let mut words: Vec<String> = words.iter().map(quoted).collect();
    if let Some(program) = words.first_mut() {
        "smtplog".clone_into(program);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[track_caller]
    fn arranges(typed: &str, wanted: &str) {
        assert_eq!(arrange(&words(typed), &Cli::command()).unwrap(), words(wanted), "{typed}");
    }

    #[track_caller]
    fn suggests(typed: &str, wanted: &str) {
        let error = arrange(&words(typed), &Cli::command()).unwrap_err().to_string();
        assert!(error.ends_with(wanted), "{typed}: {error}");
    }

    #[test]
    fn options_are_moved_behind_the_subcommand() {
        arranges("smtplog --format json explain 452", "smtplog explain --format json 452");
        arranges("smtplog -n 3 --rotated events a.log", "smtplog events -n 3 --rotated a.log");
        arranges("smtplog -rn 3 storm", "smtplog storm -rn 3");
        arranges("smtplog --full explain 452", "smtplog explain --full 452");
        arranges("smtplog --from=scan trace x", "smtplog trace --from=scan x");
        arranges("smtplog explain --format json 452", "smtplog explain --format json 452");
    }

    #[test]
    fn the_value_of_an_option_is_no_subcommand() {
        arranges("smtplog --domain events a.log", "smtplog --domain events a.log");
        arranges("smtplog a.log events", "smtplog a.log events");
        arranges("smtplog --rotated -- events", "smtplog --rotated -- events");
        arranges("smtplog --version scan", "smtplog --version scan");
    }

    #[test]
    fn a_mistyped_subcommand_is_named_with_the_nearest() {
        suggests("smtplog sacn mail.log", "did you mean scan? Type: smtplog scan mail.log");
        suggests("smtplog strom -n 3 mail.log", "did you mean storm? Type: smtplog storm -n 3 mail.log");
        suggests("smtplog explian 552", "did you mean explain? Type: smtplog explain 552");
        suggests("smtplog Events", "did you mean events? Type: smtplog events");
    }

    #[test]
    fn a_word_for_another_subcommand_is_named_with_it() {
        suggests("smtplog 552", "try: smtplog explain 552");
        suggests("smtplog 4xx", "try: smtplog explain 4xx");
        suggests("smtplog mailbox-full", "try: smtplog explain mailbox-full");
        suggests("smtplog a@b.c", "try: smtplog trace a@b.c");
        suggests("smtplog mail.log a@b.c", "try: smtplog trace a@b.c mail.log");
        suggests("smtplog scan 192.0.2.7", "try: smtplog trace 192.0.2.7");
        suggests("smtplog 4F1A2B3C4D", "try: smtplog trace 4F1A2B3C4D");
    }

    #[test]
    fn other_names_are_left_to_whoever_opens_them() {
        for typed in [
            "smtplog mail.log",
            "smtplog /var/log/552",
            "smtplog gone",
            "smtplog explain 552 a@b.c",
            "smtplog src",
        ] {
            assert!(arrange(&words(typed), &Cli::command()).is_ok(), "{typed}");
        }
    }
}
