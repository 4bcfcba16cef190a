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

/// What is asked of every report of which nobody asks anything, and which is compared with no other. Watch is for a look by day, bad for one now.
const RULES: [(&str, VerdictState); 5] = [
    ("unread>1%", VerdictState::Watch),
    ("bounced>5%", VerdictState::Watch),
    ("deferred>20%", VerdictState::Watch),
    ("bounced>20%", VerdictState::Bad),
    ("deferred>50%", VerdictState::Bad),
];

/// Percentages of fewer attempts are no sign of anything.
const ATTEMPTS_NEEDED: u64 = 100;

/// Where there is a `--fail-on`, bad is what fails one, and nothing else is. `--warn-on`, what is unusual, and mail lines
/// that were not understood are for watch. None: nobody said what is bad, or what is for watch.
pub(crate) fn verdict(
    report: &Report,
    failed: Option<&[MetCondition]>,
    warned: Option<&[MetCondition]>,
) -> Verdict {
    let mut findings = rows::unusual(report);
    findings.extend(sums(report));
    findings.extend(storms(report));
    if failed.is_some() {
        // Whoever says what is bad does not want to hear it from us.
        for finding in &mut findings {
            finding.state = VerdictState::Watch;
        }
    }
    // What is much somewhere else may be usual here.
    let asked_for_none = failed.is_none() && warned.is_none() && report.baseline.is_none();
    let rules = RULES.iter().filter(|(rule, _)| asked_for_none || word(rule) == "unread");
    let mut ruled: Vec<(VerdictState, MetCondition)> =
        rules.filter_map(|(rule, state)| Some((*state, rule_met(report, rule)?))).collect();
    // Of two that say the same of one thing, the worse.
    ruled.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
    ruled.dedup_by(|next, kept| word(&next.1.condition) == word(&kept.1.condition));
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
    // Stable: the most frequent rows stay in front.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let state = findings.iter().map(|finding| finding.state).max().unwrap_or(VerdictState::Ok);
    Verdict { state, findings }
}

fn word(condition: &str) -> &str {
    condition.split('>').next().unwrap_or_default()
}

fn rule_met(report: &Report, rule: &str) -> Option<MetCondition> {
    let condition: Condition = rule.parse().ok()?;
    let totals = &report.totals;
    let enough =
        word(rule) == "unread" || totals.outbound.attempts + totals.local.attempts >= ATTEMPTS_NEEDED;
    met(report, &condition).filter(|_| enough)
}

/// Sums that are far from what is usual.
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

/// One that is not over is for now.
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

/// Mail has stopped going out.
fn is_silence(what: &str, count: u64, change: Change) -> bool {
    what == "sent" && (count as f64) < change.usual
}

fn usual(change: Change) -> String {
    HumanCount(change.usual.round() as u64).to_string()
}
