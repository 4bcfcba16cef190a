//! Builds the mail of `--mail-headers`: its recipients, and the options that name the logs.

use std::path::Path;

use jiff::Timestamp;

use super::args::ScanArgs;
use super::error::CliError;
use crate::render::mail::{self, Envelope};
use crate::render::text::cron;
use crate::render::text::page::{TextStyle, quoted};
use crate::render::{Audience, Format, InMail, customer, json};
use crate::report::Report;

/// The default recipient and sender, as with cron.
const DEFAULT_ADDRESS: &str = "root";

/// The bounds of the period as they were typed.
pub(crate) fn times(args: &ScanArgs) -> Vec<(&'static str, String)> {
    let bounds = [("--since", &args.input.since), ("--until", &args.input.until)];
    bounds.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

/// Renders the mail of `--mail-headers`.
pub(crate) fn show(
    args: &ScanArgs,
    format: Format,
    report: &Report,
    style: &TextStyle,
    dates: &[(&'static str, String)],
) -> Result<String, CliError> {
    let is_page = check(format)?;
    let input = input(args, dates);
    let (subject, text, show) = match (args.audience, format.show_customer) {
        (Audience::Customer, Some(show)) => {
            let style =
                TextStyle { width: customer::MAIL_WIDTH, color: false, unicode: false, ..style.clone() };
            (customer::subject(report, &style.words), customer::formats::text(report, &style), show)
        }
        (Audience::Customer, None) => return Err(CliError::CustomerFormat),
        (Audience::Admin, _) => (cron::subject(report), cron::text(report, &input), format.show),
    };
    let page = is_page.then(|| show(report, style));
    let now = args.input.now.unwrap_or_else(Timestamp::now);
    // The id depends on the time and the report, so that another run or another log gives another id.
    let content = format!("{now} {}", json::pretty(report));
    let id = blake3::hash(content.as_bytes()).to_hex().chars().take(32).collect();
    let from = args.mail.mail_from.clone().unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let envelope = Envelope { to: to(args), from, now, id, subject, text };
    Ok(mail::show(report, page.as_deref(), &envelope)?)
}

/// Whether the report is attached to the text. Error: the format cannot be mailed.
pub(crate) fn check(format: Format) -> Result<bool, CliError> {
    match format.in_mail {
        InMail::Text => Ok(false),
        InMail::Page => Ok(true),
        InMail::No => Err(CliError::MailFormat),
    }
}

/// The recipients: those of `--mail-to`, else those of MAILTO, separated by commas as for cron, else root.
fn to(args: &ScanArgs) -> Vec<String> {
    if !args.mail.mail_to.is_empty() {
        return args.mail.mail_to.clone();
    }
    let mailto = std::env::var("MAILTO").unwrap_or_default();
    let fits = |c: char| c.is_ascii_graphic() && !"<>();:\\\"[]".contains(c);
    let addresses: Vec<String> = mailto
        .split(',')
        .map(str::trim)
        .filter(|address| !address.is_empty() && address.chars().all(fits))
        .map(str::to_owned)
        .collect();
    if addresses.is_empty() { vec![DEFAULT_ADDRESS.to_owned()] } else { addresses }
}

/// A command names at most this number of files.
const FILES_SHOWN: usize = 5;

/// The options and files that select the logs, for a shell: `--rotated --since yesterday /var/log/mail.log`.
/// `times` are the bounds of the period.
pub(crate) fn input(args: &ScanArgs, times: &[(&'static str, String)]) -> String {
    let input = &args.input;
    let switches = [(input.rotated, "--rotated"), (input.journal, "--journal")];
    let switches = switches.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned());
    let times = times.iter().map(|(name, value)| format!("{name} {}", quoted(value)));
    let zone = input.tz.as_ref().map(|zone| format!("--tz {}", quoted(zone)));
    let times = times.chain(zone);
    let files = input.files.iter().filter(|file| *file != Path::new("-"));
    // A name that begins with a hyphen would be an option.
    let guarded = |file: &str| if file.starts_with('-') { format!("./{file}") } else { file.to_owned() };
    let files: Vec<String> = files.map(|file| quoted(&guarded(&file.to_string_lossy()))).collect();
    // The names of a whole folder would fill the screen.
    let files = if files.len() > FILES_SHOWN { vec!["FILES".to_owned()] } else { files };
    switches.chain(times).chain(files).collect::<Vec<_>>().join(" ")
}
