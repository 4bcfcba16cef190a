//! Judges a report without conditions and without a baseline: alarm limits, faults that only this server's administrator can
//! fix, and what is unusual for the log itself.

use indicatif::HumanCount;

use super::condition::Condition;
use super::evaluate::met;
use crate::catalog::Action;
use crate::report::{DirectionTotals, FaultRow, FaultTotals, Report, Row, VerdictFinding, VerdictState};
use crate::smtp::event::Direction;

/// Percentages of fewer messages mean nothing.
const MESSAGES_NEEDED: u64 = 50;

/// A share of the messages of one direction, the same messages in a row, and the limits in percent for watch and bad. Watch: look
/// during office hours. Bad: look now.
type ShareRule = (&'static str, fn(&DirectionTotals) -> u64, fn(&FaultTotals) -> u64, u64, u64);

const SHARES: [ShareRule; 3] = [
    ("bounced", |flow| flow.bounced, |row| row.bounced, 5, 20),
    ("waiting", |flow| flow.waiting, |row| row.waiting, 20, 50),
    ("expired", |flow| flow.expired, |row| row.expired, 2, 10),
];

/// A fault that needs fixing here is bad from this share of the messages of its direction on, in percent.
const BAD_SHARE: u64 = 5;
/// Refusals because of this server's name, address or reputation are bad together from this share of the outgoing messages on, in
/// percent, and from this number.
const JUDGED_SHARE: u64 = 10;
const FEWEST_JUDGED: u64 = 20;
/// It is watch from this share of messages, in tenths of a percent.
const WATCH_TENTHS: u64 = 5;
/// It is watch from this share of messages that were only late, in percent.
const LATE_SHARE: u64 = 2;
/// Fewer messages, or refusals of clients, are no finding.
const FEWEST: u64 = 3;
const FEWEST_REFUSALS: u64 = 5;
/// Fewer messages or refusals are not bad.
const FEWEST_BAD: u64 = 10;

/// Alarm limits on the messages of each direction. A filter by results leaves no other results to compare with.
pub(crate) fn shares(report: &Report) -> Vec<VerdictFinding> {
    if report.input.selects_results() {
        return Vec::new();
    }
    let messages = &report.totals.messages;
    let flows =
        [("outgoing", Direction::Outbound, &messages.outgoing), ("local", Direction::Local, &messages.local)];
    let of_flow = |(name, direction, flow): (&str, Direction, &DirectionTotals)| -> Vec<VerdictFinding> {
        let finding = |&(state, count, in_row, watch, bad): &ShareRule| {
            let count = count(flow);
            let (limit, level) = if count * 100 > flow.messages * bad {
                (bad, VerdictState::Bad)
            } else if count * 100 > flow.messages * watch {
                (watch, VerdictState::Watch)
            } else {
                return None;
            };
            let share = count as f64 * 100.0 / flow.messages as f64;
            let share = if share < 9.95 { format!("{share:.1}%") } else { format!("{share:.0}%") };
            Some(VerdictFinding {
                state: level,
                what: format!("{state}>{limit}%"),
                value: share.clone(),
                usual: None,
                text: Some(format!(
                    "{share} of {name} messages {} (alarm at {limit}%){}",
                    verb(state),
                    main_reason(report, direction, in_row)
                )),
                row: None,
            })
        };
        if flow.messages < MESSAGES_NEEDED { Vec::new() } else { SHARES.iter().filter_map(finding).collect() }
    };
    flows.into_iter().flat_map(of_flow).collect()
}

/// `: no connection`: what most of these messages failed for. Empty: no reason has half of them.
fn main_reason(report: &Report, direction: Direction, count: fn(&FaultTotals) -> u64) -> String {
    let count = |row: &FaultRow| count(&row.totals);
    let rows = || {
        let all = report.sections.iter().flat_map(|section| &section.rows);
        all.filter(|row| row.direction == direction)
    };
    let whole: u64 = rows().map(count).sum();
    let most = rows().max_by_key(|row| count(row)).filter(|row| count(row) * 2 >= whole && count(row) > 0);
    most.map(|row| format!(": {}", row.title)).unwrap_or_default()
}

fn verb(state: &str) -> String {
    if state == "waiting" { "are waiting".to_owned() } else { state.to_owned() }
}

/// Too many mail lines that were not understood.
pub(crate) fn unread(report: &Report) -> Option<VerdictFinding> {
    let condition: Condition = "unread>1%".parse().ok()?;
    let met = met(report, &condition)?;
    Some(VerdictFinding {
        state: VerdictState::Watch,
        what: met.condition,
        value: met.shown.clone(),
        usual: None,
        text: Some(format!("{} of the mail lines were not understood", met.shown)),
        row: None,
    })
}

/// Faults that only this server's administrator can fix, the most frequent first; where there is a baseline, those that are more
/// frequent than usual.
pub(crate) fn faults(report: &Report) -> Vec<VerdictFinding> {
    let messages = &report.totals.messages;
    let clients = report.totals.inbound.refused + messages.received;
    let rows = report.sections.iter().filter(|section| section.action == Action::FixHere);
    let is_news =
        |row: &&FaultRow| report.baseline.is_none() || report.rows.iter().any(|of| is_unusual_part(of, row));
    let rows: Vec<&FaultRow> = rows.flat_map(|section| &section.rows).filter(is_news).collect();
    let judged = rows.iter().filter(|row| row.direction == Direction::Outbound && row.reason.is_judgement());
    let judged: u64 = judged.map(|row| stuck(&row.totals)).sum();
    let of_messages = |row: &FaultRow, whole: u64| {
        let state = message_state(&row.totals, whole)?;
        // Each provider says in other words that it does not trust this server.
        let is_bad = row.reason.is_judgement()
            && stuck(&row.totals) >= FEWEST
            && judged >= FEWEST_JUDGED
            && judged * 100 >= whole * JUDGED_SHARE;
        Some(if is_bad { VerdictState::Bad } else { state })
    };
    let finding = |row: &&FaultRow| {
        let state = match row.direction {
            Direction::Inbound => rejection_state(row.totals.rejected, clients),
            Direction::Outbound => of_messages(row, messages.outgoing.messages),
            Direction::Local => of_messages(row, messages.local.messages),
        };
        Some(fault(row, state?, report))
    };
    rows.iter().filter_map(finding).collect()
}

/// Messages that are lost, or stay in the queue until the fault is fixed.
fn stuck(totals: &FaultTotals) -> u64 {
    totals.lost() + totals.waiting + totals.held
}

fn is_bad_share(stuck: u64, whole: u64) -> bool {
    stuck >= FEWEST_BAD && stuck * 100 >= whole * BAD_SHARE
}

/// A row of the table of replies that is more frequent than usual, and belongs to this fault.
fn is_unusual_part(of: &Row, fault: &FaultRow) -> bool {
    of.change.is_some_and(|change| change.unusual)
        && of.direction == fault.direction
        && of.reason == Some(fault.reason)
}

fn message_state(totals: &FaultTotals, whole: u64) -> Option<VerdictState> {
    let stuck = stuck(totals);
    if is_bad_share(stuck, whole) {
        Some(VerdictState::Bad)
    } else if stuck >= FEWEST && stuck * 1000 >= whole * WATCH_TENTHS
        || totals.delayed >= FEWEST_BAD && totals.delayed * 100 >= whole * LATE_SHARE
    {
        Some(VerdictState::Watch)
    } else {
        None
    }
}

fn rejection_state(rejected: u64, clients: u64) -> Option<VerdictState> {
    if rejected >= FEWEST_BAD && rejected * 100 >= clients * BAD_SHARE {
        Some(VerdictState::Bad)
    } else {
        (rejected >= FEWEST_REFUSALS).then_some(VerdictState::Watch)
    }
}

/// `SPF, DKIM or DMARC failed (google 96%): 120 messages since Sat 21 Nov 14:02`
fn fault(row: &FaultRow, state: VerdictState, report: &Report) -> VerdictFinding {
    let place = row.place.as_ref().filter(|place| place.percent >= 50);
    let place = place.map(|place| format!(" ({} {}%)", place.name, place.percent)).unwrap_or_default();
    let (count, unit) = match row.direction {
        Direction::Inbound => (row.totals.rejected, ["refusal", "refusals"]),
        Direction::Outbound | Direction::Local => (row.totals.failed(), ["message", "messages"]),
    };
    let here = if row.direction == Direction::Local { " here" } else { "" };
    let counted = format!("{} {}", HumanCount(count), if count == 1 { unit[0] } else { unit[1] });
    let since = row.since.as_deref().and_then(|text| {
        let zone = report.range.as_ref()?.first.time_zone().clone();
        let at = text.parse::<jiff::Timestamp>().ok()?.to_zoned(zone);
        Some(format!(" since {}", at.strftime("%a %-d %b %H:%M")))
    });
    VerdictFinding {
        state,
        what: format!("{}{here}", row.title),
        value: HumanCount(count).to_string(),
        usual: None,
        text: Some(format!("{}{here}{place}: {counted}{}", row.title, since.unwrap_or_default())),
        row: None,
    }
}

/// Rows with many more messages in the last day of the log than on the days before.
pub(crate) fn unusual(report: &Report) -> Vec<VerdictFinding> {
    let rows = report.sections.iter().flat_map(|section| &section.rows);
    rows.filter_map(|row| {
        let change = row.last_day.filter(|last_day| last_day.change.unusual)?;
        let (count, usual) = (HumanCount(change.messages), HumanCount(change.change.usual.round() as u64));
        Some(VerdictFinding {
            state: VerdictState::Watch,
            what: row.title.clone(),
            value: count.to_string(),
            usual: Some(usual.to_string()),
            text: Some(format!("{}: {count} messages in the last day (usual {usual})", row.title)),
            row: None,
        })
    })
    .collect()
}

/// The servers' own warnings that need somebody.
pub(crate) fn warnings(report: &Report) -> Option<VerdictFinding> {
    let row = report.warnings.iter().find(|row| row.needs_attention())?;
    let title = row.title.as_ref().unwrap_or(&row.text);
    let lines = format!("{} {}", HumanCount(row.lines), if row.lines == 1 { "line" } else { "lines" });
    Some(VerdictFinding {
        state: VerdictState::Watch,
        what: title.clone(),
        value: HumanCount(row.lines).to_string(),
        usual: None,
        text: Some(format!("server warning: {title} ({lines})")),
        row: None,
    })
}
