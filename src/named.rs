//! What befell each name comes in, the tables of names that a report has go out, and what is in no row of theirs.

use hashbrown::{HashMap, HashSet};

use crate::event::Outcome;
use crate::ledger::Closed;
use crate::ledger::who::{Fared, Kept};
use crate::names::NameId;
use crate::provider::Providers;
use crate::report::{Counts, NameRow, Rest, Rests, Totals};
use crate::tally::{Outcomes, Tally};

/// So many names with most failures stand in a table, and so many with most mail.
const SHOWN: usize = 50;

/// One table of a report.
pub struct Named {
    pub rows: Vec<NameRow>,
    pub rest: Rest,
}

/// All of them.
pub struct Tables {
    pub senders: Named,
    pub users: Named,
    pub clients: Named,
    pub domains: Named,
    pub providers: Named,
    pub relays: Named,
    pub instances: Named,
}

impl Tables {
    pub fn new(tally: &Tally, ledger: &Closed, totals: &Totals, providers: &Providers) -> Self {
        let who = &ledger.sums.who;
        let whole = whole(totals);
        // What this server refused is in neither of these.
        let sent = Counts { messages: None, rejected: 0, ..whole };
        let seen = Counts { messages: None, ..whole };
        let of = |table: &HashMap<NameId, Outcomes, _>, whole| named(of_tally(tally, table), 0, whole);
        let of_ledger = |kept: &Kept| {
            let rows = kept.named().map(|(name, fared)| row(text(name), fared_counts(fared)));
            let mut table = named(rows.collect(), kept.may_lack, whole);
            table.rest.others.add(&fared_counts(&kept.dropped));
            table.rest.unnamed =
                whole.without(table.rows.iter().map(NameRow::counts)).without([table.rest.others]);
            table
        };
        let counts = tally.providers.counts.iter().enumerate().skip(1);
        let served = counts.filter_map(|(at, outcomes)| {
            let (_, known) = providers.all().nth(at - 1)?;
            Some(row(known.id.clone(), outcome_counts(outcomes)))
        });
        Self {
            senders: of_ledger(&who.senders),
            users: of_ledger(&who.users),
            clients: of_ledger(&who.clients),
            domains: of(&tally.domains, sent),
            providers: named(served.collect(), 0, seen),
            relays: of(&tally.relays, sent),
            instances: of(&tally.instances, seen),
        }
    }

    /// What is in no row of each.
    pub fn rests(&self) -> Rests {
        Rests {
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
fn whole(totals: &Totals) -> Counts {
    let (out, local) = (&totals.outbound, &totals.local);
    Counts {
        messages: Some(totals.messages.messages),
        delivered: out.delivered + local.delivered,
        deferred: out.deferred + local.deferred,
        bounced: out.bounced + local.bounced,
        expired: out.expired + local.expired,
        rejected: totals.inbound.refused,
    }
}

fn of_tally(tally: &Tally, table: &HashMap<NameId, Outcomes, impl Sized>) -> Vec<NameRow> {
    let name = |id: NameId| match id {
        NameId::OTHERS => "(others)".to_owned(),
        id => text(tally.names.name(id)),
    };
    let rows = table.iter().map(|(&id, outcomes)| row(name(id), outcome_counts(outcomes)));
    rows.filter(|row| !row.name.is_empty()).collect()
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn row(name: String, counts: Counts) -> NameRow {
    let Counts { messages, delivered, deferred, bounced, expired, rejected } = counts;
    NameRow { name, messages, delivered, deferred, bounced, expired, rejected }
}

fn outcome_counts(outcomes: &Outcomes) -> Counts {
    let count = |outcome: Outcome| outcomes.get(outcome as usize).copied().unwrap_or_default();
    Counts {
        messages: None,
        delivered: count(Outcome::Delivered),
        deferred: count(Outcome::Deferred),
        bounced: count(Outcome::Bounced),
        expired: count(Outcome::Expired),
        rejected: count(Outcome::Rejected),
    }
}

fn fared_counts(fared: &Fared) -> Counts {
    let [delivered, deferred, bounced, expired] = fared.attempts;
    Counts { messages: Some(fared.messages), delivered, deferred, bounced, expired, rejected: fared.rejected }
}

/// Rows of names that are alike but for bytes that are no text are joined.
fn named(mut rows: Vec<NameRow>, may_lack: u64, whole: Counts) -> Named {
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows.dedup_by(|next, row| {
        let same = next.name == row.name;
        if same {
            let mut sum = row.counts();
            sum.add(&next.counts());
            *row = self::row(std::mem::take(&mut row.name), sum);
        }
        same
    });
    let unnamed = whole.without(rows.iter().map(NameRow::counts));
    // Stable: names with as much stand by name.
    rows.sort_by_key(|row| std::cmp::Reverse((row.failures(), row.volume())));
    let mut volumes: Vec<usize> = (0..rows.len()).collect();
    volumes.sort_by_key(|&at| std::cmp::Reverse(rows.get(at).map(NameRow::volume)));
    let large: HashSet<usize> = volumes.into_iter().take(SHOWN).collect();
    let count = rows.len();
    let mut others = Counts { messages: whole.messages.map(|_| 0), ..Counts::default() };
    let shown = rows.into_iter().enumerate().filter_map(|(at, row)| {
        let stays = at < SHOWN || large.contains(&at);
        if !stays {
            others.add(&row.counts());
        }
        stays.then_some(row)
    });
    let rows: Vec<NameRow> = shown.collect();
    let names = (count - rows.len()) as u64;
    Named { rows, rest: Rest { names, may_lack, others, unnamed } }
}
