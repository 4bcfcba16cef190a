//! Replaces people in counts by their pseudonyms, before a report or a part is made of them.
//!
//! Names are replaced first and sorted and cut then, so that a report of parts whose people were replaced when the parts were
//! made is the same as one of a single scan.

use crate::collections::counter::SymbolCounts;
use crate::collections::interner::Symbol;
use crate::messages::block_names::PerRole;
use crate::messages::kept_names::KeptNames;
use crate::messages::names::FinishedNamesByRole;
use crate::parse::log_text::LogText;
use crate::pipeline::coverage::Coverage;
use crate::redact::Redactor;
use crate::tally::group_by::Examples;
use crate::tally::{FinishedTally, OutcomesByName, sum_by_name};

/// A log line without people.
fn line(raw: &[u8], redactor: Redactor) -> Vec<u8> {
    redactor.line(&LogText(raw).to_str()).into_bytes()
}

/// A host name, a domain or an address of a host.
pub(super) fn host(name: &[u8], redactor: Redactor) -> Vec<u8> {
    redactor.host(&LogText(name).to_str()).into_bytes()
}

/// The tally without people. The hosts and instances that wrote the lines are ours, and stay.
pub(crate) fn tally(tally: FinishedTally, redactor: Redactor) -> FinishedTally {
    let mut names = tally.names.empty();
    // Ours first, so that they are kept if there are too many names.
    let mut ours = |table: &OutcomesByName| {
        let renamed = table.iter().map(|(name, counts)| (names.copy(&tally.names, *name), *counts));
        sum_by_name(renamed)
    };
    let (instances, hosts) = (ours(&tally.instances), ours(&tally.hosts));
    let all = tally.names.names().map(|name| names.intern(&host(name, redactor)));
    let others: Vec<Symbol> = std::iter::once(Symbol::OVERFLOW).chain(all).collect();
    let renamed = |name: Symbol| others.get(name.index()).copied().unwrap_or(Symbol::OVERFLOW);
    let rename =
        |table: OutcomesByName| sum_by_name(table.into_iter().map(|(name, counts)| (renamed(name), counts)));
    let rows = tally.rows.into_iter().map(|(key, mut count)| {
        let mut places = SymbolCounts::default();
        places.merge(std::mem::take(&mut count.places), renamed);
        count.places = places;
        examples(&mut count.examples, redactor);
        (key, count)
    });
    FinishedTally {
        rows: rows.collect(),
        domains: rename(tally.domains),
        relays: rename(tally.relays),
        instances,
        hosts,
        groups: tally.groups.map(|groups| {
            let name = |by, name: &[u8]| redactor.key(by, &LogText(name).to_str()).into_bytes();
            groups.renamed(name, |lines| examples(lines, redactor))
        }),
        warnings: tally.warnings.rewritten(
            |text| redactor.text(&LogText(text).to_str()).into_bytes(),
            |example| line(example, redactor),
        ),
        names,
        ..tally
    }
}

/// The lines of the coverage without people.
pub(crate) fn coverage(mut coverage: Coverage, redactor: Redactor) -> Coverage {
    for (_, raw) in coverage.unread_lines.iter_mut().chain(&mut coverage.foreign_lines) {
        *raw = line(raw, redactor);
    }
    coverage
}

fn examples(examples: &mut Examples, redactor: Redactor) {
    for (_, raw) in &mut examples.lines {
        *raw = line(raw, redactor);
    }
}

/// The tables of senders, clients and users without people.
pub(crate) fn names(names: FinishedNamesByRole, redactor: Redactor) -> FinishedNamesByRole {
    let address = |name: &[u8]| address(name, redactor);
    PerRole {
        senders: names.senders.renamed(address),
        clients: names.clients.renamed(|name| host(name, redactor)),
        users: names.users.renamed(address),
    }
}

/// The same tables as a part keeps them. A name that no line of the part spells out stays empty.
pub(crate) fn kept_names(names: &PerRole<KeptNames>, redactor: Redactor) -> Option<PerRole<KeptNames>> {
    let change =
        |table: &KeptNames, name: fn(&[u8], Redactor) -> Vec<u8>| table.renamed(|text| name(text, redactor));
    let PerRole { senders, clients, users } = names;
    Some(PerRole {
        senders: change(senders, address)?,
        clients: change(clients, host)?,
        users: change(users, address)?,
    })
}

/// A sender or a login.
fn address(name: &[u8], redactor: Redactor) -> Vec<u8> {
    redactor.address(&LogText(name).to_str()).into_bytes()
}
