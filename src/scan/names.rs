//! Builds the tables of names in a report, and sums up the names that have no row.

use std::collections::HashMap;

use super::options::ReportOptions;
use crate::collections::interner::Symbol;
use crate::messages::MessageSummary;
use crate::messages::mail_counts::MailCounts;
use crate::messages::names::FinishedHeavyHitters;
use crate::parse::log_text::LogText;
use crate::report::{NameRow, NameTotals, Remainder, Remainders, ReportExtent, Totals};
use crate::smtp::delivery_result::DeliveryResult;
use crate::smtp::event::{ByOutcome, Outcome};
use crate::tally::{FinishedTally, OutcomesByName, TallyCount, TallyKey, refused_clients};

/// A table shows this number of names with most failures, and as many with most mail.
const SHOWN: usize = 50;

/// One table of a report.
#[derive(Default)]
pub(crate) struct NameTable {
    pub rows: Vec<NameRow>,
    pub rest: Remainder,
}

/// All tables of names in a report.
#[derive(Default)]
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
        (tally, rows): (&FinishedTally, &[(TallyKey, TallyCount)]),
        messages: &MessageSummary,
        totals: &Totals,
        options: &ReportOptions,
    ) -> Self {
        let by_role = &messages.names;
        let whole = whole_log(totals);
        // Rejections by this server have no recipient domain and no relay.
        let sent = NameTotals { messages: None, rejected: 0, ..whole };
        let seen = NameTotals { messages: None, ..whole };
        let of = |table: &OutcomesByName, whole| name_table(of_tally(tally, table), 0, whole);
        let of_messages = |table: &FinishedHeavyHitters, mut refused: Refusals| {
            let dropped = mail_counts(&table.dropped);
            let rows = table.all().map(|(name, counts)| {
                let counts = mail_counts(&counts);
                (
                    name,
                    NameTotals {
                        rejected: counts.rejected + refused.remove(name).unwrap_or_default(),
                        ..counts
                    },
                )
            });
            let mut rows: Vec<CountedName> = rows.collect();
            rows.extend(refused.iter().map(|(name, count)| {
                (*name, NameTotals { messages: Some(0), rejected: *count, ..NameTotals::default() })
            }));
            let mut shown = name_table(rows.into_iter(), table.max_undercount, whole.without([dropped]));
            shown.rest.others.add(&dropped);
            shown.rest.few = table.few();
            shown
        };
        // Where all mail of a client was counted, its rejections are in its table.
        let refused = by_role.clients.few().map(|_| refusals(tally, rows)).unwrap_or_default();
        let counts = tally.providers.counts.iter().enumerate().skip(1);
        let by_provider = counts.filter_map(|(at, outcomes)| {
            let (_, known) = options.providers.all().nth(at - 1)?;
            Some((known.id.as_bytes(), outcome_counts(outcomes)))
        });
        let own = Self {
            senders: of_messages(&by_role.senders, Refusals::default()),
            users: of_messages(&by_role.users, Refusals::default()),
            clients: of_messages(&by_role.clients, refused),
            ..Self::default()
        };
        if options.extent == ReportExtent::FirstScreen {
            return own;
        }
        Self {
            domains: of(&tally.domains, sent),
            providers: name_table(by_provider, 0, seen),
            relays: of(&tally.relays, sent),
            instances: of(&tally.instances, seen),
            ..own
        }
    }

    /// The remainder of each table: names without a row.
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

/// The totals that the rows of a table and its remainder add up to.
fn whole_log(totals: &Totals) -> NameTotals {
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

/// Rejections by client.
type Refusals<'a> = HashMap<&'a [u8], u64>;

fn refusals<'a>(tally: &'a FinishedTally, rows: &[(TallyKey, TallyCount)]) -> Refusals<'a> {
    let clients = refused_clients(rows).into_iter();
    clients
        .filter(|(id, _)| *id != Symbol::OVERFLOW)
        .map(|(id, count)| (tally.names.name(id), count))
        .collect()
}

fn of_tally<'a>(
    tally: &'a FinishedTally,
    table: &'a OutcomesByName,
) -> impl Iterator<Item = CountedName<'a>> {
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

fn mail_counts(counts: &MailCounts) -> NameTotals {
    NameTotals {
        messages: Some(counts.messages),
        delivered: counts.attempts[DeliveryResult::Delivered],
        deferred: counts.attempts[DeliveryResult::Deferred],
        bounced: counts.attempts[DeliveryResult::Bounced],
        expired: counts.attempts[DeliveryResult::Expired],
        rejected: counts.rejected,
    }
}

/// Selects the rows of a table in one pass over the names. Only names with a row are converted to text, since there may be
/// many.
fn name_table<'a>(all: impl Iterator<Item = CountedName<'a>>, may_lack: u64, whole: NameTotals) -> NameTable {
    let (mut sum, mut names) =
        (NameTotals { messages: whole.messages.map(|_| 0), ..NameTotals::default() }, 0);
    let (mut failing, mut large) = (TopNames::default(), TopNames::default());
    for entry in all {
        let (failures, volume) = (entry.1.failures(), entry.1.volume());
        if volume > 0 {
            sum.add(&entry.1);
            names += 1;
            failing.offer((failures, volume), &entry);
            large.offer((volume, failures), &entry);
        }
    }
    let mut shown = failing.in_order();
    let is_new = |entry: &CountedName| shown.iter().all(|other| other.0 != entry.0);
    let large: Vec<CountedName> = large.in_order().into_iter().filter(is_new).collect();
    shown.extend(large);
    let failures = |counts: &NameTotals| (counts.failures(), counts.volume());
    shown.sort_by(|a, b| failures(&b.1).cmp(&failures(&a.1)).then_with(|| a.0.cmp(b.0)));
    let unnamed = whole.without([sum]);
    let others = sum.without(shown.iter().map(|(_, counts)| *counts));
    let names = names - shown.len() as u64;
    let rows = shown.into_iter().map(|(name, counts)| NameRow::new(LogText(name).into(), counts)).collect();
    NameTable { rows, rest: Remainder { names, may_lack, others, unnamed, few: None } }
}

type CountedName<'a> = (&'a [u8], NameTotals);

/// The [`SHOWN`] names with the highest counts, in order; equal counts are sorted by name. To sort all names took a tenth of
/// the scan of a short log.
#[derive(Default)]
struct TopNames<'a>(Vec<((u64, u64), CountedName<'a>)>);

impl<'a> TopNames<'a> {
    /// Most names have too few counts, which the first comparison tells.
    #[inline]
    fn offer(&mut self, count: (u64, u64), entry: &CountedName<'a>) {
        if self.0.len() < SHOWN || self.0.last().is_some_and(|least| least.0 <= count) {
            self.insert(count, entry);
        }
    }

    #[inline(never)]
    fn insert(&mut self, count: (u64, u64), entry: &CountedName<'a>) {
        let stands_before =
            |other: &((u64, u64), CountedName)| other.0 > count || other.0 == count && other.1.0 < entry.0;
        let at = self.0.partition_point(stands_before);
        if at < SHOWN {
            self.0.truncate(SHOWN - 1);
            self.0.insert(at, (count, *entry));
        }
    }

    fn in_order(self) -> Vec<CountedName<'a>> {
        self.0.into_iter().map(|(_, entry)| entry).collect()
    }
}
