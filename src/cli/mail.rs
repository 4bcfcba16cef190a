//! Builds the mail of `--mail-headers`: its recipients, and the options that name the logs.

use std::path::Path;

use jiff::Timestamp;

use super::args::ScanArgs;
use super::error::CliError;
use crate::render::mail::{self, Envelope};
use crate::render::text::page::TextStyle;
use crate::render::{Format, InMail, json};
use crate::report::Report;

/// Whom cron would have sent it to.
const USUAL: &str = "root";

pub(crate) fn show(
    args: &ScanArgs,
    format: Format,
    report: &Report,
    style: &TextStyle,
) -> Result<String, CliError> {
    let page = check(format)?.then(|| (format.show)(report, style));
    let now = args.input.now.unwrap_or_else(Timestamp::now);
    // A message of another run, or about other logs, has another id.
    let said = format!("{now} {}", json::pretty(report));
    let id = blake3::hash(said.as_bytes()).to_hex().chars().take(32).collect();
    let from = args.mail.mail_from.clone().unwrap_or_else(|| USUAL.to_owned());
    let envelope = Envelope { to: to(args), from, now, id, input: input(args) };
    Ok(mail::show(report, page.as_deref(), &envelope)?)
}

/// Whether the page is attached to the text.
pub(crate) fn check(format: Format) -> Result<bool, CliError> {
    match format.in_mail {
        InMail::Text => Ok(false),
        InMail::Page => Ok(true),
        InMail::No => Err(CliError::MailFormat),
    }
}

/// The option, else MAILTO as cron takes it: several with commas, and none if it is empty.
fn to(args: &ScanArgs) -> Vec<String> {
    if !args.mail.mail_to.is_empty() {
        return args.mail.mail_to.clone();
    }
    let told = std::env::var("MAILTO").unwrap_or_default();
    let fits = |sign: char| sign.is_ascii_graphic() && !"<>();:\\\"[]".contains(sign);
    let told: Vec<String> = told
        .split(',')
        .map(str::trim)
        .filter(|address| !address.is_empty() && address.chars().all(fits))
        .map(str::to_owned)
        .collect();
    if told.is_empty() { vec![USUAL.to_owned()] } else { told }
}

/// `--rotated --since yesterday /var/log/mail.log`, to be typed into a shell.
fn input(args: &ScanArgs) -> String {
    let asked = &args.input;
    let switches = [(asked.rotated, "--rotated"), (asked.journal, "--journal")];
    let switches = switches.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned());
    let times = [("--since", &asked.since), ("--until", &asked.until), ("--tz", &asked.tz)];
    let times =
        times.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", quoted(value.as_deref()?))));
    let files = asked.files.iter().filter(|file| *file != Path::new("-"));
    let files = files.map(|file| quoted(&file.to_string_lossy()));
    switches.chain(times).chain(files).collect::<Vec<_>>().join(" ")
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+:=@%,".contains(sign);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''").replace(char::is_control, "?"))
    }
}
