//! Decides whether all is well: `ok`, `watch` or `bad`, with the findings that say why.
//!
//! Promises: the worst finding is the state. May use: what scan may use, of reports and filters alone.

pub(crate) mod condition;
pub(crate) mod evaluate;
pub(crate) mod hosts;
pub(crate) mod rows;
pub(crate) mod rules;
pub(crate) mod silence;
pub(crate) mod suspects;

use indicatif::HumanCount;
use jiff::Zoned;

pub(crate) use self::evaluate::met;

use self::silence::AskedPeriod;
use crate::report::{Change, MetCondition, Report, StormLine, Verdict, VerdictFinding, VerdictState};

/// Decides the verdict. With `--fail-on` (`failed`) only its conditions are bad, and a silence. Conditions of `--warn-on`
/// (`warned`), unusual values and lines that were not understood are watch. None: the option was not given.
pub(crate) fn verdict(
    report: &Report,
    failed: Option<&[MetCondition]>,
    warned: Option<&[MetCondition]>,
    asked: &AskedPeriod,
) -> Verdict {
    // What names a cause comes before single replies.
    let asked_for_none = failed.is_none() && warned.is_none();
    let mut findings: Vec<VerdictFinding> = storms(report).collect();
    findings.extend(silence::hole(report));
    findings.extend(hosts::findings(report));
    let unusual = rows::unusual(report);
    if asked_for_none {
        let is_news = report.baseline.is_none() || !unusual.is_empty();
        findings.extend(suspects::login(report).filter(|_| is_news));
        findings.extend(rules::faults(report));
    }
    findings.extend(unusual);
    findings.extend(sums(report));
    // A general limit says little where a baseline knows what is usual.
    if asked_for_none && report.baseline.is_none() {
        findings.extend(rules::shares(report));
        findings.extend(rules::unusual(report));
    }
    if asked_for_none {
        // The baseline does not count them.
        findings.extend(rules::warnings(report));
    }
    findings.extend(rules::unread(report));
    if failed.is_some() {
        // The user defined what is bad, so nothing else is.
        for finding in &mut findings {
            finding.state = VerdictState::Watch;
        }
    }
    let conditions = failed.unwrap_or_default().iter().map(|met| (VerdictState::Bad, met));
    let conditions =
        conditions.chain(warned.unwrap_or_default().iter().map(|met| (VerdictState::Watch, met)));
    findings.extend(conditions.map(|(state, met)| VerdictFinding {
        state,
        what: met.condition.clone(),
        value: met.shown.clone(),
        usual: None,
        text: None,
        row: None,
    }));
    let silence = silence::finding(report, asked);
    let is_silent = silence.is_some();
    let is_bad = |silence: &VerdictFinding| silence.state == VerdictState::Bad;
    let at = if asked.is_scheduled || silence.as_ref().is_some_and(is_bad) { 0 } else { findings.len() };
    findings.splice(at..at, silence);
    // The sort is stable: the most frequent rows stay in front.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let state = findings.iter().map(|finding| finding.state).max().unwrap_or(VerdictState::Ok);
    Verdict { state, silent: is_silent, findings }
}

/// Findings for unusual totals.
fn sums(report: &Report) -> Vec<VerdictFinding> {
    let Some(baseline) = &report.baseline else { return Vec::new() };
    let (out, local) = (&report.totals.outbound, &report.totals.local);
    let sums = [
        ("sent", out.delivered + local.delivered, baseline.delivered),
        ("deferred", out.deferred + local.deferred, baseline.deferred),
        ("bounced", out.bounced + local.bounced, baseline.bounced),
        ("expired", out.expired + local.expired, baseline.expired),
        ("refused by us", report.totals.inbound.refused, baseline.refused),
    ];
    let unusual = sums.into_iter().filter(|(_, _, change)| change.unusual);
    unusual
        .map(|(what, count, change)| VerdictFinding {
            state: if is_silence(what, count, change) { VerdictState::Bad } else { VerdictState::Watch },
            what: what.to_owned(),
            value: HumanCount(count).to_string(),
            usual: Some(usual(change)),
            text: None,
            row: None,
        })
        .collect()
}

/// Findings for storms: bad while a storm lasts and for a day after that of a stolen account, watch afterwards.
fn storms(report: &Report) -> impl Iterator<Item = VerdictFinding> {
    report.storms.iter().flatten().map(|storm| VerdictFinding {
        state: if storm.end.is_none() && !is_pause(report, storm) && !storm.is_doubtful
            || suspects::is_open_account(report, storm)
        {
            VerdictState::Bad
        } else {
            VerdictState::Watch
        },
        what: match (storm.title_of_part(), &storm.factor) {
            (Some(title), _) => format!("storm: {title}"),
            (None, Some(factor)) => format!("storm: {}, {factor}", storm.title),
            (None, None) => format!("storm: {}", storm.title),
        },
        value: HumanCount(storm.attempts).to_string(),
        usual: None,
        text: storm.is_silence().then(|| missing_mail(report, storm)),
        row: None,
    })
}

/// Mail goes on elsewhere while one instance has none: it may be out of use, like submission in the evening. A host that stops
/// where there are several is down.
fn is_pause(report: &Report, storm: &StormLine) -> bool {
    let is_of = |part: &str| storm.factor.as_ref().is_some_and(|factor| factor.starts_with(part));
    storm.is_silence() && (is_of("instance ") || is_of("host ") && report.by_host.len() < 2)
}

/// `no mail taken or delivered from 17:57 to 23:51`, with the date if the log has several days.
fn missing_mail(report: &Report, storm: &StormLine) -> String {
    let is_one_day = report.range.as_ref().is_some_and(|range| range.first.date() == range.last.date());
    let shown = |at: &Zoned, is_plain: bool| {
        at.strftime(if is_plain { "%H:%M" } else { "%a %-d %b %H:%M" }).to_string()
    };
    let start = shown(&storm.start, is_one_day);
    let when = match &storm.end {
        None => format!("since {start}"),
        Some(end) => format!("from {start} to {}", shown(end, end.date() == storm.start.date())),
    };
    format!("{} {when}", storm.title_of_part().unwrap_or_else(|| storm.title.clone()))
}

/// Outgoing mail has stopped.
fn is_silence(what: &str, count: u64, change: Change) -> bool {
    what == "sent" && (count as f64) < change.usual
}

fn usual(change: Change) -> String {
    HumanCount(change.usual.round() as u64).to_string()
}
