//! Evaluates a condition on a report.

use indicatif::HumanCount;

use super::condition::{Condition, Subject, Unit};
use crate::report::{Hour, MetCondition, Report, Row, Sent};
use crate::smtp::event::Outcome;

/// None: the condition does not hold. A percentage of nothing and the age of nothing never hold.
pub(crate) fn met(report: &Report, condition: &Condition) -> Option<MetCondition> {
    let value = value(report, condition)?;
    condition.relation.holds(value, condition.limit).then(|| MetCondition {
        condition: condition.text.clone(),
        value: (value * 100.0).round() / 100.0,
        shown: shown(value, condition.unit),
    })
}

fn value(report: &Report, condition: &Condition) -> Option<f64> {
    let (out, local) = (&report.totals.outbound, &report.totals.local);
    let attempts = out.attempts + local.attempts;
    let ended = |count: fn(&Sent) -> u64| (count(out) + count(local), attempts);
    if condition.unit == Unit::Percent
        && let Some((count, whole)) = of_messages(report, condition.subject)
    {
        return share(count, whole, condition.floor);
    }
    let (refused, messages) = (report.totals.inbound.refused, &report.totals.messages);
    let input = &report.input;
    let (count, whole) = match condition.subject {
        Subject::Delivered => ended(|sent| sent.delivered),
        Subject::Deferred => ended(|sent| sent.deferred),
        Subject::Bounced => ended(|sent| sent.bounced),
        Subject::Expired => ended(|sent| sent.expired),
        Subject::Waiting => (messages.outgoing.waiting + messages.local.waiting, 0),
        // The share of all messages that clients tried to submit.
        Subject::Refused => (refused, refused + messages.received),
        Subject::Unread => (input.not_understood, input.mail),
        Subject::InQueue => (messages.in_queue, 0),
        Subject::Oldest => (messages.oldest_seconds?, 0),
        Subject::Code(pattern) => {
            (rows(report, |row| pattern.fits_numbers(row.code, row.enhanced)), attempts + refused)
        }
        Subject::Reason(pattern) => {
            (rows(report, |row| pattern.fits_both(row.reason, row.cause)), attempts + refused)
        }
        Subject::Unusual => (unusual(report), 0),
        Subject::Storm => (report.storms.as_ref()?.len() as u64, 0),
    };
    match condition.unit {
        Unit::Count | Unit::Seconds => Some(count as f64),
        Unit::Percent => share(count, whole, condition.floor),
        Unit::PerHour => {
            let most = report.timeline.iter().map(|hour| in_hour(hour, condition.subject)).max();
            Some(most.unwrap_or(0) as f64)
        }
    }
}

/// The messages in this state and all messages, without this server's own notices, as the head of a report counts them.
/// None: the subject is no state of messages, or the log shows no whole message.
fn of_messages(report: &Report, subject: Subject) -> Option<(u64, u64)> {
    let mut all = report.totals.messages.outgoing;
    all.add(&report.totals.messages.local);
    let count = match subject {
        Subject::Delivered => all.delivered,
        Subject::Deferred => all.waiting + all.delayed,
        Subject::Bounced => all.bounced,
        Subject::Expired => all.expired,
        Subject::Waiting => all.waiting,
        Subject::Refused
        | Subject::Unread
        | Subject::InQueue
        | Subject::Oldest
        | Subject::Code(_)
        | Subject::Reason(_)
        | Subject::Unusual
        | Subject::Storm => return None,
    };
    (all.messages > 0).then_some((count, all.messages))
}

/// In percent. None: there are fewer than `floor`, or none at all.
fn share(count: u64, whole: u64, floor: u64) -> Option<f64> {
    (whole >= floor.max(1)).then(|| count as f64 * 100.0 / whole as f64)
}

/// Number of attempts in matching rows whose outcome is part of a total.
fn rows(report: &Report, wanted: impl Fn(&Row) -> bool) -> u64 {
    let counted = |row: &&Row| !matches!(row.outcome, Outcome::Attempt | Outcome::Probe);
    report.rows.iter().filter(counted).filter(|row| wanted(row)).map(|row| row.attempts).sum()
}

/// Number of unusual failure rows and totals.
fn unusual(report: &Report) -> u64 {
    let sums = report.baseline.as_ref().map_or(0, |baseline| {
        let all =
            [baseline.delivered, baseline.deferred, baseline.bounced, baseline.expired, baseline.refused];
        all.iter().filter(|change| change.unusual).count()
    });
    (super::rows::unusual(report).len() + sums) as u64
}

fn in_hour(hour: &Hour, subject: Subject) -> u64 {
    let (out, local) = (&hour.outbound, &hour.local);
    match subject {
        Subject::Delivered => out.delivered + local.delivered,
        Subject::Deferred => out.deferred + local.deferred,
        Subject::Bounced => out.bounced + local.bounced,
        Subject::Expired => out.expired + local.expired,
        Subject::Refused => hour.inbound.transient + hour.inbound.permanent + hour.inbound.unspecified,
        // These have no unit per hour.
        Subject::Waiting
        | Subject::Unread
        | Subject::InQueue
        | Subject::Oldest
        | Subject::Code(_)
        | Subject::Reason(_)
        | Subject::Unusual
        | Subject::Storm => 0,
    }
}

/// The value for people: `37.6%`, `1,204`, `2 h 5 min`.
fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => HumanCount(value as u64).to_string(),
        Unit::PerHour => format!("{}/h", HumanCount(value as u64)),
        Unit::Percent => format!("{value:.1}%"),
        Unit::Seconds => {
            let seconds = value as u64;
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{seconds} s"),
                (0, minutes) => format!("{minutes} min"),
                (hours, 0) => format!("{hours} h"),
                (hours, minutes) => format!("{hours} h {minutes} min"),
            }
        }
    }
}
