//! Renders the text of a daily mail, 72 columns wide: the verdict with its reasons, the mail in messages, and the faults by
//! who must act, one line each.

use indicatif::HumanCount;

use super::fault_table::{self, RowBudget};
use super::first_screen::{self, span};
use super::page::{TextPage, TextStyle, fit, word, wrap};
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::words::row;
use crate::render::words::verdict;
use crate::report::{Change, Compared, Report, VerdictFinding, VerdictState};

/// Width in columns: a quoted mail still fits into 80.
const WIDTH: usize = 72;
/// Width in columns of `WATCH `.
const MARGIN: usize = 6;
/// Number of findings shown.
const SHOWN: usize = 10;
/// Lines of the faults by who must act.
const FAULT_LINES: usize = 26;
/// Width in columns of the header line `Subject: …`. RFC 5322 §2.1.1 recommends 78.
const SUBJECT_WIDTH: usize = 78 - "Subject: ".len();
/// Width in columns of the host in it.
const HOST_WIDTH: usize = 24;

/// `[mx1] mail BAD: 38% of outgoing messages bounced (alarm at 20%)`. It has no line end.
pub(crate) fn subject(report: &Report) -> String {
    let host = report.hosts.first().map(|host| format!("[{}] ", fit(&printable(host), HOST_WIDTH, false)));
    let state = report.verdict.as_ref().map_or(VerdictState::Ok, |verdict| verdict.state);
    let head = format!("{}mail {}: ", host.unwrap_or_default(), verdict::word(state));
    let room = SUBJECT_WIDTH.saturating_sub(head.len());
    let summary = match findings(report).split_first() {
        None => summary(report),
        Some((first, others)) => {
            let first = printable(&verdict::finding(first));
            let second =
                others.first().map(|next| format!("{first}; {}", printable(&verdict::finding(next))));
            second.filter(|both| both.len() <= room).unwrap_or(first)
        }
    };
    format!("{head}{}", fit(&summary, room, false))
}

/// `input` are the options and files that select the logs, for the command to type.
pub(crate) fn text(report: &Report, input: &str) -> String {
    let style = TextStyle {
        width: WIDTH,
        color: false,
        unicode: false,
        words: Translations::default(),
        tag: "en".to_owned(),
        top: 0,
        rows: None,
        codes: false,
        input: input.to_owned(),
        reverse: false,
        who: false,
        took: None,
    };
    let mut page = TextPage { text: String::new(), style: &style };
    if let Some(range) = &report.range {
        page.wrapped(&[&format!("Mail of {}", span(range))], " ");
        page.blank();
    }
    for finding in findings(report).iter().take(SHOWN) {
        show_finding(&mut page, finding);
    }
    let more = findings(report).len().saturating_sub(SHOWN);
    if more > 0 {
        page.line(&format!("      and {more} more"));
    }
    well(&mut page, report);
    first_screen::totals(&mut page, report);
    if let Some(changes) = changes(report) {
        page.indented(&changes, 2);
    }
    fault_table::show(
        &mut page,
        report,
        RowBudget::Lines(FAULT_LINES),
        &first_screen::warned(report, &style, true),
    );
    page.blank();
    if let Some(command) = command(report, input) {
        // Not wrapped: a command is there to be copied.
        page.line(&format!("Do first: {command}"));
    }
    page.indented(&read(report), 2);
    for note in report.notes.iter().skip(report.table_notes) {
        page.indented(&format!("Note: {}", printable(note)), 2);
    }
    page.text
}

fn findings(report: &Report) -> &[VerdictFinding] {
    report.verdict.as_ref().map(|verdict| verdict.findings.as_slice()).unwrap_or_default()
}

/// `BAD   38% of outgoing messages bounced (alarm at 20%)`
fn show_finding(page: &mut TextPage, finding: &VerdictFinding) {
    let label = verdict::word(finding.state);
    let text = printable(&verdict::finding(finding));
    for (at, line) in wrap(&text, WIDTH - MARGIN).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        page.line(&format!("{label:MARGIN$}{line}"));
    }
}

/// What is not wrong, and what is missing that is usually there.
fn well(page: &mut TextPage, report: &Report) {
    let rows = report.rows.iter().filter(|row| row.reason.is_some());
    let usual = rows.filter(|row| row.change.is_some_and(|change| !change.unusual)).count();
    let found = !findings(report).is_empty();
    if usual > 0 {
        let kinds = if usual == 1 { "kind of failure is" } else { "kinds of failure are" };
        let other = if found { "other " } else { "" };
        page.line(&format!("OK    {usual} {other}{kinds} within the usual range"));
    } else if !found {
        page.line("OK    no alarm limit is reached, and nothing is unusual");
    }
    for gone in report.baseline.iter().flat_map(|baseline| &baseline.gone) {
        let number = [gone.code.map(|code| code.to_string()), gone.enhanced.map(|code| code.to_string())];
        let number: Vec<String> = number.into_iter().flatten().collect();
        let reason = gone.reason.map(|reason| word(&reason)).unwrap_or_default();
        let usual = HumanCount(gone.usual.round() as u64);
        page.line(&format!("gone  {} {reason}, usual {usual}", number.join(" ")));
    }
}

/// `125 messages: 28 delivered, 50 waiting`, for the subject of a day on which all is well.
fn summary(report: &Report) -> String {
    let messages = &report.totals.messages;
    let mut all = messages.outgoing;
    all.add(&messages.local);
    let states = [
        ("delivered", all.delivered),
        ("waiting", all.waiting),
        ("bounced", all.bounced),
        ("expired", all.expired),
    ];
    let states = states.iter().enumerate().filter(|(at, (_, count))| *at == 0 || *count > 0);
    let mut parts: Vec<String> =
        states.map(|(_, (state, count))| format!("{} {state}", HumanCount(*count))).collect();
    let refused = report.totals.inbound.refused;
    if refused > 0 {
        parts.push(format!("{} refused", HumanCount(refused)));
    }
    parts.join(", ")
}

/// A sum of attempts with its name, and how to find its change in a comparison.
type SumChange = (&'static str, u64, fn(&Compared) -> Change);

/// `Against the usual: sent 240 (+0%), deferred 960 (+1900% !)`. `None`: nothing to compare with.
fn changes(report: &Report) -> Option<String> {
    let baseline = report.baseline.as_ref()?;
    let (out, local) = (&report.totals.outbound, &report.totals.local);
    let sums: [SumChange; 5] = [
        ("sent", out.delivered + local.delivered, |baseline| baseline.delivered),
        ("deferred", out.deferred + local.deferred, |baseline| baseline.deferred),
        ("bounced", out.bounced + local.bounced, |baseline| baseline.bounced),
        ("expired", out.expired + local.expired, |baseline| baseline.expired),
        ("refused", report.totals.inbound.refused, |baseline| baseline.refused),
    ];
    let parts = sums.into_iter().filter_map(|(name, count, change)| {
        let change = change(baseline);
        let changed = row::change(&Translations::default(), Some(change));
        (count > 0 || change.usual > 0.0).then(|| format!("{name} {} ({changed})", HumanCount(count)))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| format!("Attempts against the usual: {}", parts.join(", ")))
}

/// A command that shows the senders, domains or clients behind the worst fault. It changes nothing.
fn command(report: &Report, input: &str) -> Option<String> {
    let finding = findings(report).first()?;
    let row = finding.row.and_then(|at| report.rows.get(at));
    let chosen = match row {
        Some(row) => {
            let number = row.enhanced.map(|code| code.to_string()).or_else(|| Some(row.code?.to_string()));
            let code = number.map(|number| format!(" --code {number}")).unwrap_or_default();
            let reason = row.reason.map(|reason| format!(" --reason {}", word(&reason))).unwrap_or_default();
            format!("{code}{reason} --by {}", keys(row.direction))
        }
        None if finding.what.starts_with("storm: ") => {
            return Some(printable(format!("smtplog storm {input}").trim_end()));
        }
        // A log says nothing about why it has no lines: whether the services run and have room does.
        None if finding.what.starts_with("no mail ") => {
            return Some("systemctl --failed; df -h".to_owned());
        }
        None if finding.what.starts_with("login ") => " --by user,reason".to_owned(),
        None => {
            let fault = fault_table::main_row(report)?;
            format!(" --reason {} --by {}", word(&fault.reason), keys(fault.direction))
        }
    };
    Some(printable(format!("smtplog scan{chosen} {input}").trim_end()))
}

fn keys(direction: crate::smtp::event::Direction) -> &'static str {
    if direction == crate::smtp::event::Direction::Inbound { "client" } else { "domain,sender" }
}

/// `Read: 3 files, 9,412,077 lines, 212 not understood. Compared with the median of 7 earlier weeks.`
fn read(report: &Report) -> String {
    let input = &report.input;
    let files = match input.files.len() {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let baseline = match &report.baseline {
        None => String::new(),
        Some(baseline) if baseline.same_weekday => {
            format!(
                " Compared with the median of {} earlier weeks, same weekday and hours.",
                baseline.samples
            )
        }
        Some(baseline) => {
            format!(" Compared with the median of {} earlier days, same hours.", baseline.samples)
        }
    };
    let lines = if input.lines == 1 { "line" } else { "lines" };
    format!(
        "Read: {files}, {} {lines}, {} not understood.{baseline} smtplog {}.",
        HumanCount(input.lines),
        HumanCount(input.not_understood),
        env!("CARGO_PKG_VERSION")
    )
}
