//! Makes the tables of names in a report, and adds up what is in no row of theirs.

use crate::catalog::provider::Providers;
use crate::collections::interner::Symbol;
use crate::messages::MessageSummary;
use crate::messages::mail_counts::MailCounts;
use crate::messages::names::FinishedKept;
use crate::parse::log_text::LogText;
use crate::report::{NameRow, NameTotals, Remainder, Remainders, Totals};
use crate::smtp::event::{ByOutcome, Outcome};
use crate::tally::{FinishedTally, OutcomesByName};

/// So many names with most failures stand in a table, and so many with most mail.
const SHOWN: usize = 50;

/// One table of a report.
pub(crate) struct NameTable {
    pub rows: Vec<NameRow>,
    pub rest: Remainder,
}

/// All of them.
pub(crate) struct NameTables {
    pub senders: NameTable,
    pub users: NameTable,
    pub clients: NameTable,
    pub domains: NameTable,
    pub providers: NameTable,
    pub relays: NameTable,
    pub instances: NameTable,
}

impl NameTables {
    pub(crate) fn new(
        tally: &FinishedTally,
        ledger: &MessageSummary,
        totals: &Totals,
        providers: &Providers,
    ) -> Self {
        let who = &ledger.who;
        let whole = whole(totals);
        // What this server refused is in neither of these.
        let sent = NameTotals { messages: None, rejected: 0, ..whole };
        let seen = NameTotals { messages: None, ..whole };
        let of = |table: &OutcomesByName, whole| named(of_tally(tally, table), 0, whole);
        let of_ledger = |kept: &FinishedKept| {
            let dropped = fared_counts(&kept.dropped);
            let rows = kept.all().map(|(name, fared)| (name, fared_counts(&fared)));
            let mut table = named(rows, kept.may_lack, whole.without([dropped]));
            table.rest.others.add(&dropped);
            table
        };
        let counts = tally.providers.counts.iter().enumerate().skip(1);
        let served = counts.filter_map(|(at, outcomes)| {
            let (_, known) = providers.all().nth(at - 1)?;
            Some((known.id.as_bytes(), outcome_counts(outcomes)))
        });
        Self {
            senders: of_ledger(&who.senders),
            users: of_ledger(&who.users),
            clients: of_ledger(&who.clients),
            domains: of(&tally.domains, sent),
            providers: named(served, 0, seen),
            relays: of(&tally.relays, sent),
            instances: of(&tally.instances, seen),
        }
    }

    /// What is in no row of each.
    pub(crate) fn rests(&self) -> Remainders {
        Remainders {
            senders: self.senders.rest,
            users: self.users.rest,
            clients: self.clients.rest,
            domains: self.domains.rest,
            providers: self.providers.rest,
            relays: self.relays.rest,
            instances: self.instances.rest,
        }
    }
}

/// What the rows of a table and its rest add up to.
fn whole(totals: &Totals) -> NameTotals {
    let (out, local) = (&totals.outbound, &totals.local);
    NameTotals {
        messages: Some(totals.messages.messages),
        delivered: out.delivered + local.delivered,
        deferred: out.deferred + local.deferred,
        bounced: out.bounced + local.bounced,
        expired: out.expired + local.expired,
        rejected: totals.inbound.refused,
    }
}

fn of_tally<'a>(
    tally: &'a FinishedTally,
    table: &'a OutcomesByName,
) -> impl Iterator<Item = CountedName<'a>> + Clone {
    let name = |id: Symbol| match id {
        Symbol::OVERFLOW => b"(others)",
        id => tally.names.name(id),
    };
    let rows = table.iter().map(move |&(id, ref outcomes)| (name(id), outcome_counts(outcomes)));
    rows.filter(|(name, _)| !name.is_empty())
}

fn outcome_counts(outcomes: &ByOutcome<u64>) -> NameTotals {
    NameTotals {
        messages: None,
        delivered: outcomes[Outcome::Delivered],
        deferred: outcomes[Outcome::Deferred],
        bounced: outcomes[Outcome::Bounced],
        expired: outcomes[Outcome::Expired],
        rejected: outcomes[Outcome::Rejected],
    }
}

fn fared_counts(fared: &MailCounts) -> NameTotals {
    let [delivered, deferred, bounced, expired] = fared.attempts;
    NameTotals {
        messages: Some(fared.messages),
        delivered,
        deferred,
        bounced,
        expired,
        rejected: fared.rejected,
    }
}

/// The rows that are shown; names are made into text for these alone, since there may be many. All are gone through
/// several times, since to keep what is known of them elsewhere takes longer.
fn named<'a>(
    all: impl Iterator<Item = CountedName<'a>> + Clone,
    may_lack: u64,
    whole: NameTotals,
) -> NameTable {
    let (mut sum, mut names) =
        (NameTotals { messages: whole.messages.map(|_| 0), ..NameTotals::default() }, 0);
    let left = all.filter(|(_, counts)| counts.volume() > 0);
    for (_, counts) in left.clone() {
        sum.add(&counts);
        names += 1;
    }
    let failures = |counts: &NameTotals| (counts.failures(), counts.volume());
    let mut shown = most(left.clone(), failures);
    let large = most(left, |counts| (counts.volume(), counts.failures()));
    let is_new = |entry: &CountedName| shown.iter().all(|other| other.0 != entry.0);
    let large: Vec<CountedName> = large.into_iter().filter(is_new).collect();
    shown.extend(large);
    shown.sort_by(|a, b| failures(&b.1).cmp(&failures(&a.1)).then_with(|| a.0.cmp(b.0)));
    let unnamed = whole.without([sum]);
    let others = sum.without(shown.iter().map(|(_, counts)| *counts));
    let names = names - shown.len() as u64;
    let rows = shown.into_iter().map(|(name, counts)| NameRow::new(LogText(name).into(), counts)).collect();
    NameTable { rows, rest: Remainder { names, may_lack, others, unnamed } }
}

type CountedName<'a> = (&'a [u8], NameTotals);

/// Those with the most, in order; of as many, the first by name. Sorting all took a tenth of the scan of a short log.
fn most<'a>(
    all: impl Iterator<Item = CountedName<'a>>,
    of: impl Fn(&NameTotals) -> (u64, u64),
) -> Vec<CountedName<'a>> {
    let mut most: Vec<((u64, u64), CountedName)> = Vec::new();
    for entry in all {
        let count = of(&entry.1);
        let stands_before =
            |other: &((u64, u64), CountedName)| other.0 > count || other.0 == count && other.1.0 < entry.0;
        if most.len() >= SHOWN && most.last().is_some_and(stands_before) {
            continue;
        }
        let at = most.partition_point(stands_before);
        most.insert(at, (count, entry));
        most.truncate(SHOWN);
    }
    most.into_iter().map(|(_, entry)| entry).collect()
}
