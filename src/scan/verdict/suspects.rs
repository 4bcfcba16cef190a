//! Names the sender behind most failures: a login that may be in the wrong hands, or a list with dead addresses.

use indicatif::HumanCount;
use jiff::SignedDuration;

use crate::catalog::Action;
use crate::report::{FaultRow, NameRow, Report, StormLine, VerdictFinding, VerdictState};
use crate::smtp::event::Direction;

/// Fewer failures say nothing about a login.
const FAILURES_NEEDED: u64 = 50;
/// From this share of dead addresses among the failed messages, in percent, the list is the fault.
const DEAD_SHARE: u64 = 60;
/// From this share of refusals, limits and dead addresses among the failed messages, in percent, a login may be to blame.
const TYPICAL_SHARE: u64 = 50;
/// The id of the storm whose fault is an account's.
const STOLEN: &str = "stolen-account";
/// A stolen account is still news this long after its last message.
const STILL_OPEN: SignedDuration = SignedDuration::from_hours(24);

/// An account that was in the wrong hands within the last day of the log: its password is still known, even if its mail has
/// stopped.
pub(crate) fn is_open_account(report: &Report, storm: &StormLine) -> bool {
    let last = report.range.as_ref().map(|range| &range.last);
    let is_recent =
        last.zip(storm.end.as_ref()).is_some_and(|(last, end)| last.duration_since(end) < STILL_OPEN);
    storm.pattern == STOLEN && !storm.is_unsure && is_recent
}

/// A login with most of the failing mail, much of which fails.
pub(crate) fn login(report: &Report) -> Option<VerdictFinding> {
    let (row, whole) = outstanding(report)?;
    let failed = HumanCount(row.failures());
    let text = if has_dead_list(report) {
        format!(
            "a list with dead addresses: login {} has {failed} of {} failed attempts; clean that list",
            row.name,
            HumanCount(whole)
        )
    } else {
        format!(
            "login {}: stolen? It has {failed} of {} failed attempts; if that mail is not theirs, change its password",
            row.name,
            HumanCount(whole)
        )
    };
    Some(VerdictFinding {
        state: VerdictState::Bad,
        what: format!("login {}", row.name),
        value: failed.to_string(),
        usual: None,
        text: Some(text),
        row: None,
    })
}

/// The login with most of the failing mail, and all failures. `None`: no login stands out, or what fails is nothing that spam or a
/// bad list brings.
fn outstanding(report: &Report) -> Option<(&NameRow, u64)> {
    let totals = &report.totals;
    let whole: u64 = [&totals.outbound, &totals.local]
        .iter()
        .map(|sent| sent.deferred + sent.bounced + sent.expired)
        .sum();
    let row = report.users.iter().max_by_key(|row| row.failures())?;
    let (failed, sent) = (row.failures(), row.delivered + row.failures());
    // A few messages that are tried again and again are no flood.
    let mail = row.bounced + row.expired + row.deferred.min(row.messages.unwrap_or_default());
    let others = report.users.len() as u64 + report.rest.users.names;
    let stands_out = mail >= FAILURES_NEEDED && failed * 2 >= whole && failed * 5 >= sent && others >= 3;
    let is_typical = has_share(report, TYPICAL_SHARE, |action, row| {
        action == Action::CleanLists || row.reason.is_judgement() || row.reason.is_limit()
    });
    (stands_out && is_typical).then_some((row, whole))
}

/// Most of the failed messages went to dead addresses.
fn has_dead_list(report: &Report) -> bool {
    has_share(report, DEAD_SHARE, |action, _| action == Action::CleanLists)
}

/// Whether rows of this kind have at least this share, in percent, of the failed messages.
fn has_share(report: &Report, share: u64, is_of_kind: impl Fn(Action, &FaultRow) -> bool) -> bool {
    let (mut some, mut all) = (0, 0);
    for section in &report.sections {
        for row in &section.rows {
            let failed = row.totals.failed();
            all += failed;
            some += if is_of_kind(section.action, row) { failed } else { 0 };
        }
    }
    some * 100 >= all * share && all > 0
}

/// Where an account seems to be in the wrong hands, puts that before the advice on what follows from its mail: the limits, the
/// blocks and the refusals of other servers.
pub(crate) fn put_first(report: &mut Report) {
    let Some((account, command)) = suspect(report) else { return };
    let sections = report.sections.iter_mut().filter(|section| section.action == Action::FixHere);
    let follows = |row: &&mut FaultRow| {
        row.direction == Direction::Outbound && (row.reason.is_judgement() || row.reason.is_limit())
    };
    for (at, row) in sections.flat_map(|section| &mut section.rows).filter(follows).enumerate() {
        row.advice = (at == 0).then(|| {
            format!(
                "First look at {account}: if this mail is not their own, hold it and change the password ({command})"
            )
        });
    }
}

/// The account that seems to be in the wrong hands, and the command that shows its mail.
fn suspect(report: &Report) -> Option<(String, &'static str)> {
    let storm = report.storms.iter().flatten().find(|storm| storm.pattern == STOLEN);
    match storm.and_then(|storm| storm.factor.clone()) {
        Some(factor) => Some((factor, "smtplog storm")),
        None if has_dead_list(report) => None,
        None => outstanding(report)
            .map(|(row, _)| (format!("login {}", row.name), "smtplog scan --by user,reason")),
    }
}
