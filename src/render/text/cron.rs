//! Renders the text of a daily mail, 72 columns wide: the verdict, what changed, what to do first, and what was read.

use indicatif::HumanCount;

use super::page::{fit, pad, word, wrap};
use super::scan::span;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::words::row;
use crate::render::words::sections::sections;
use crate::render::words::totals::state;
use crate::report::{Change, Report, Row, Verdict, VerdictFinding, VerdictState};

/// Width in columns: a quoted mail still fits into 80.
const WIDTH: usize = 72;
/// Width in columns of `WATCH `.
const MARGIN: usize = 6;
/// Number of findings shown.
const SHOWN: usize = 10;
/// Number of rows in the list of the most frequent failures.
const MOST_SHOWN: usize = 5;
/// Width in columns of the subject. RFC 5322 §2.1.1 recommends 78 for a header line; a longer subject is folded.
const SUBJECT_WIDTH: usize = 120;

/// `[mx1] mail BAD: 421 4.7.28 rate limited 18,204 (usual 0), bounced>2%: 3.1%`. It has no line end.
pub(crate) fn subject(report: &Report) -> String {
    let host = report.hosts.first().map_or("-", String::as_str);
    let verdict = report.verdict.as_ref().map_or(VerdictState::Ok, |verdict| verdict.state);
    let findings: Vec<String> = findings(report).iter().take(2).map(finding_text).collect();
    let summary = if findings.is_empty() { sums(report, false) } else { findings.join(", ") };
    let subject = format!("[{}] mail {}: {summary}", fit(&printable(host), 40, false), state(verdict));
    fit(&printable(&subject), SUBJECT_WIDTH, false)
}

/// `input` are the options and files that select the logs, for the command to type.
pub(crate) fn text(report: &Report, input: &str) -> String {
    let mut lines = Vec::new();
    for finding in findings(report).iter().take(SHOWN) {
        show_finding(&mut lines, report, finding);
    }
    let more = findings(report).len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("      and {more} more"));
    }
    well(&mut lines, report);
    most(&mut lines, report);
    lines.push(String::new());
    wrapped(&mut lines, &format!("{}.", sums(report, true)), 0);
    if let Some(command) = command(report, input) {
        // Not wrapped: a command is there to be copied.
        lines.push(format!("Do first: {command}"));
    }
    wrapped(&mut lines, &read(report), 2);
    for note in &report.notes {
        wrapped(&mut lines, &format!("Note: {}", printable(note)), 2);
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n") + "\n"
}

fn findings(report: &Report) -> &[VerdictFinding] {
    report.verdict.as_ref().map(|verdict: &Verdict| verdict.findings.as_slice()).unwrap_or_default()
}

/// `421 4.7.28 rate limited 18,204 (usual 0)`
fn finding_text(finding: &VerdictFinding) -> String {
    let mut text = finding.what.clone();
    if !finding.value.is_empty() {
        text.push_str(if finding.row.is_some() { " " } else { ": " });
        text.push_str(&finding.value);
    }
    if let Some(usual) = &finding.usual {
        text = format!("{text} (usual {usual})");
    }
    text
}

/// `BAD   421 4.7.28 rate limited (google)          18,204   usual 0`, when it was, and its advice.
fn show_finding(lines: &mut Vec<String>, report: &Report, finding: &VerdictFinding) {
    let usual = finding.usual.as_ref().map(|usual| format!("usual {usual}")).unwrap_or_default();
    let back = format!("  {:>9}  {}", finding.value, pad(&usual, 13));
    let what = printable(&finding.what);
    let label = pad(state(finding.state), MARGIN);
    let room = WIDTH - MARGIN - back.len();
    if finding.value.is_empty() {
        wrapped(lines, &format!("{label}{what}"), MARGIN);
    } else {
        lines.push(format!("{label}{}{back}", pad(&fit(&what, room, false), room)));
    }
    let Some(row) = finding.row.and_then(|at| report.rows.get(at)) else { return };
    detail(lines, row, report);
}

/// When and where it happened, and what to do.
fn detail(lines: &mut Vec<String>, row: &Row, report: &Report) {
    let place = row::place(&Translations::default(), row);
    let parts = [since(row, report), Some(place).filter(|place| !place.is_empty())];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        wrapped(lines, &format!("      {}", parts.join(", ")), MARGIN);
    }
    if let Some(advice) = &row.advice {
        wrapped(lines, &format!("      -> {}", printable(advice)), MARGIN + 3);
    }
}

/// `Sat 02:41 to 23:58`, with the day if the report has several.
fn since(row: &Row, report: &Report) -> Option<String> {
    let zone = report.range.as_ref()?.first.time_zone().clone();
    let moment = |text: &str| Some(text.parse::<jiff::Timestamp>().ok()?.to_zoned(zone.clone()));
    let (first, last) = (moment(row.first.as_deref()?)?, moment(row.last.as_deref()?)?);
    let end = if first.date() == last.date() { "%H:%M" } else { "%a %d %b %H:%M" };
    let from = first.strftime("%a %d %b %H:%M").to_string();
    let whole = last.strftime("%a %d %b %H:%M").to_string();
    Some(if from == whole { from } else { format!("{from} to {}", last.strftime(end)) })
}

/// `ok    17 other kinds of failure are within their usual range`
fn well(lines: &mut Vec<String>, report: &Report) {
    let others = failures(report).into_iter().filter(|row| row.change.is_some_and(|change| !change.unusual));
    let (count, found) = (others.count(), !findings(report).is_empty());
    let other = if found { "other " } else { "" };
    if count > 0 {
        lines.push(format!("ok    {count} {other}kinds of failure are within their usual range"));
    } else if !found {
        lines.push("ok    nothing is as it should not be".to_owned());
    }
    for gone in report.baseline.iter().flat_map(|baseline| &baseline.gone) {
        let number = [gone.code.map(|code| code.to_string()), gone.enhanced.map(|code| code.to_string())];
        let number: Vec<String> = number.into_iter().flatten().collect();
        let reason = gone.reason.map(|reason| word(&reason)).unwrap_or_default();
        lines.push(format!(
            "gone  {} {reason}, usual {}",
            number.join(" "),
            HumanCount(gone.usual.round() as u64)
        ));
    }
}

/// In the order of the sections of a report.
fn failures(report: &Report) -> Vec<&Row> {
    let own = sections(&report.rows, 0, false).into_iter().filter(|section| section.title != "NOT REFUSED");
    own.flat_map(|section| section.rows).collect()
}

/// The most frequent failures, if there is no baseline to compare with.
fn most(lines: &mut Vec<String>, report: &Report) {
    if report.baseline.is_some() {
        return;
    }
    let mut rows = failures(report);
    rows.sort_by_key(|row| std::cmp::Reverse(row.attempts));
    let rows: Vec<&Row> = rows.into_iter().take(MOST_SHOWN).collect();
    if !rows.is_empty() {
        lines.extend([String::new(), "Most frequent:".to_owned()]);
    }
    for row in rows {
        let words = Translations::default();
        let side = if row.direction == crate::smtp::event::Direction::Inbound { "refused by us" } else { "" };
        let side = if side.is_empty() { word(&row.outcome) } else { side.to_owned() };
        let what = format!("{} {}", row::code(&words, row), row::title(&words, row));
        let back = format!("  {:>9}  {}", HumanCount(row.attempts).to_string(), pad(&side, 13));
        let room = WIDTH - MARGIN - back.len();
        lines.push(format!("      {}{back}", pad(&fit(&printable(&what), room, false), room)));
        detail(lines, row, report);
    }
}

/// `Sent 171,044 (-3%), deferred 29,876 (+410%), bounced 3,991 (+9%), refused by us 12,480 (+1%)`; `all`: also those that are 0.
fn sums(report: &Report, all: bool) -> String {
    let (out, local) = (&report.totals.outbound, &report.totals.local);
    let change = |of: fn(&crate::report::Compared) -> Change| report.baseline.as_ref().map(of);
    let sums = [
        ("sent", out.delivered + local.delivered, change(|baseline| baseline.delivered)),
        ("deferred", out.deferred + local.deferred, change(|baseline| baseline.deferred)),
        ("bounced", out.bounced + local.bounced, change(|baseline| baseline.bounced)),
        ("expired", out.expired + local.expired, change(|baseline| baseline.expired)),
        ("refused by us", report.totals.inbound.refused, change(|baseline| baseline.refused)),
    ];
    let shown =
        sums.iter().enumerate().filter(|(at, (_, count, _))| all && *at != 3 || *at == 0 || *count > 0);
    let shown = shown.map(|(at, (name, count, change))| {
        let name = if at == 0 && all { "Sent" } else { name };
        let changed = change.map(|change| row::change(&Translations::default(), Some(change)));
        match changed.filter(|_| *count > 0 || change.is_some_and(|change| change.usual > 0.0)) {
            Some(changed) => format!("{name} {} ({changed})", HumanCount(*count)),
            None => format!("{name} {}", HumanCount(*count)),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// A command that shows the senders, domains or clients behind the worst finding. It changes nothing.
fn command(report: &Report, input: &str) -> Option<String> {
    let finding = findings(report).first()?;
    let row = finding.row.and_then(|at| report.rows.get(at));
    let chosen = match row {
        Some(row) => {
            let number = row.enhanced.map(|code| code.to_string()).or_else(|| Some(row.code?.to_string()));
            let code = number.map(|number| format!(" --code {number}")).unwrap_or_default();
            let reason = row.reason.map(|reason| format!(" --reason {}", word(&reason))).unwrap_or_default();
            let by = if row.direction == crate::smtp::event::Direction::Inbound {
                "client"
            } else {
                "domain,sender"
            };
            format!("{code}{reason} --by {by}")
        }
        None => {
            let outcome = ["deferred", "bounced", "expired", "refused"].into_iter();
            let outcome = outcome.into_iter().find(|word| finding.what.starts_with(word))?;
            let outcome = if outcome == "refused" { "rejected" } else { outcome };
            format!(" --outcome {outcome} --by code,reason")
        }
    };
    Some(format!("smtplog scan{chosen} {input}").trim_end().to_owned())
}

/// `Read: 3 files, 9,412,077 lines, 212 not understood. Baseline: 7 weeks.`
fn read(report: &Report) -> String {
    let input = &report.input;
    let files = match input.files.len() {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let range = report.range.as_ref().map(|range| format!(" Log: {}.", span(range))).unwrap_or_default();
    let baseline = match &report.baseline {
        None => String::new(),
        Some(baseline) if baseline.same_weekday => {
            format!(" Baseline: median of {} weeks, same weekday and hours.", baseline.samples)
        }
        Some(baseline) => format!(" Baseline: median of {} days, same hours.", baseline.samples),
    };
    format!(
        "Read: {files}, {} lines, {} not understood.{range}{baseline} smtplog {}.",
        HumanCount(input.lines),
        HumanCount(input.not_understood),
        env!("CARGO_PKG_VERSION")
    )
}

/// Wraps the text; lines after the first are indented by `indent` columns.
fn wrapped(lines: &mut Vec<String>, text: &str, indent: usize) {
    let lead = text.len() - text.trim_start().len();
    let broken = wrap(text.trim_start(), WIDTH - indent.max(lead));
    for (at, line) in broken.iter().enumerate() {
        let lead = if at == 0 { lead } else { indent };
        lines.push(format!("{}{line}", " ".repeat(lead)));
    }
}
