//! Decides whether all is well: `ok`, `watch` or `bad`, with the findings that say why.
//!
//! Promises: the worst finding is the state. May use: what scan may use, of reports and filters alone.

pub(crate) mod condition;
pub(crate) mod evaluate;
pub(crate) mod rows;

use indicatif::HumanCount;

pub(crate) use self::evaluate::met;

use self::condition::Condition;
use crate::report::{Change, MetCondition, Report, Verdict, VerdictFinding, VerdictState};

/// Rules for reports without conditions and without a baseline. Watch: look during office hours. Bad: look now.
const RULES: [(&str, VerdictState); 5] = [
    ("unread>1%", VerdictState::Watch),
    ("bounced>5%", VerdictState::Watch),
    ("deferred>20%", VerdictState::Watch),
    ("bounced>20%", VerdictState::Bad),
    ("deferred>50%", VerdictState::Bad),
];

/// Percentages of fewer attempts mean nothing.
const ATTEMPTS_NEEDED: u64 = 100;

/// Decides the verdict. With `--fail-on` (`failed`) only its conditions are bad. Conditions of `--warn-on` (`warned`),
/// unusual values and lines that were not understood are watch. None: the option was not given.
pub(crate) fn verdict(
    report: &Report,
    failed: Option<&[MetCondition]>,
    warned: Option<&[MetCondition]>,
) -> Verdict {
    let mut findings = rows::unusual(report);
    findings.extend(sums(report));
    findings.extend(storms(report));
    if failed.is_some() {
        // The user defined what is bad, so nothing else is.
        for finding in &mut findings {
            finding.state = VerdictState::Watch;
        }
    }
    // A general limit says little where the user's conditions or a baseline exist.
    let asked_for_none = failed.is_none() && warned.is_none() && report.baseline.is_none();
    let rules = RULES.iter().filter(|(rule, _)| asked_for_none || subject_of(rule) == "unread");
    let mut ruled: Vec<(VerdictState, MetCondition)> =
        rules.filter_map(|(rule, state)| Some((*state, rule_met(report, rule)?))).collect();
    // Of two rules on the same subject the worse stays.
    ruled.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
    ruled.dedup_by(|next, kept| subject_of(&next.1.condition) == subject_of(&kept.1.condition));
    let asked = failed.unwrap_or_default().iter().map(|met| (VerdictState::Bad, met));
    let asked = asked.chain(warned.unwrap_or_default().iter().map(|met| (VerdictState::Watch, met)));
    let all = asked.chain(ruled.iter().map(|(state, met)| (*state, met)));
    findings.extend(all.map(|(state, met)| VerdictFinding {
        state,
        what: met.condition.clone(),
        value: met.shown.clone(),
        usual: None,
        row: None,
    }));
    // The sort is stable: the most frequent rows stay in front.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let state = findings.iter().map(|finding| finding.state).max().unwrap_or(VerdictState::Ok);
    Verdict { state, findings }
}

fn subject_of(condition: &str) -> &str {
    condition.split('>').next().unwrap_or_default()
}

fn rule_met(report: &Report, rule: &str) -> Option<MetCondition> {
    let condition: Condition = rule.parse().ok()?;
    let totals = &report.totals;
    let enough =
        subject_of(rule) == "unread" || totals.outbound.attempts + totals.local.attempts >= ATTEMPTS_NEEDED;
    met(report, &condition).filter(|_| enough)
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
            row: None,
        })
        .collect()
}

/// Findings for storms: bad while a storm lasts, watch afterwards.
fn storms(report: &Report) -> impl Iterator<Item = VerdictFinding> {
    report.storms.iter().flatten().map(|storm| VerdictFinding {
        state: if storm.end.is_none() { VerdictState::Bad } else { VerdictState::Watch },
        what: match &storm.factor {
            Some(factor) => format!("storm: {}, {factor}", storm.title),
            None => format!("storm: {}", storm.title),
        },
        value: HumanCount(storm.attempts).to_string(),
        usual: None,
        row: None,
    })
}

/// Outgoing mail has stopped.
fn is_silence(what: &str, count: u64, change: Change) -> bool {
    what == "sent" && (count as f64) < change.usual
}

fn usual(change: Change) -> String {
    HumanCount(change.usual.round() as u64).to_string()
}
