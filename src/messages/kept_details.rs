//! The failed messages by sender and by domain as a part keeps them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure::FailureKind;
use super::failure_tables::{DomainFailures, FailuresByDomain, SenderCounts, SendersByKind};
use crate::catalog::Action;
use crate::collections::wire::{ByteText, PackedBytes, PackedOrArray, push_number, push_signed};

/// The tables, sorted.
#[derive(PartialEq, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub(crate) struct KeptDetails {
    /// The senders of each kind.
    by_kind: Vec<KindSenders>,
    /// For each domain the distance of its hash from the one before it, its messages, the number of its hours, each hour as its
    /// distance from the one before it with its messages, the number of its senders, and these.
    by_domain: PackedOrArray<EarlyDomain>,
}

/// What to do, the kind, and the senders, each as the distance of its hash from the one before it, and its messages.
type KindSenders = (Action, FailureKind, PackedOrArray<(u64, u64)>);

/// The hash of the domain, its messages, its hours and its senders.
type EarlyDomain = (u64, u64, BTreeMap<i64, u64>, Vec<(u64, u64)>);

/// Appends each sender as the distance of its hash from the one before it, and its messages.
fn push_senders(packed: &mut Vec<u8>, senders: SenderCounts) {
    let mut all: Vec<(u64, u64)> = senders.into_iter().collect();
    all.sort_unstable();
    let mut before = 0;
    for (sender, count) in all {
        push_number(packed, sender.wrapping_sub(before));
        push_number(packed, count);
        before = sender;
    }
}

fn read_sender(rest: &mut PackedBytes, hash: &mut u64, senders: &mut SenderCounts) -> Option<()> {
    *hash = hash.wrapping_add(rest.number()?);
    *senders.entry(*hash).or_default() += rest.number()?;
    Some(())
}

impl KeptDetails {
    pub(super) fn of(by_kind: SendersByKind, by_domain: FailuresByDomain) -> Self {
        let by_kind = by_kind.into_iter().map(|((action, kind), senders)| {
            let mut packed = Vec::with_capacity(senders.len() * 9);
            push_senders(&mut packed, senders);
            (action, kind, PackedOrArray::Packed(ByteText(packed)))
        });
        let mut by_domain: Vec<_> = by_domain.into_iter().collect();
        by_domain.sort_unstable_by_key(|(domain, ..)| *domain);
        let (mut packed, mut before) = (Vec::new(), 0);
        for (domain, DomainFailures { messages, hours, senders }) in by_domain {
            push_number(&mut packed, domain.wrapping_sub(before));
            push_number(&mut packed, messages);
            push_number(&mut packed, hours.len() as u64);
            let mut last = 0_i64;
            for (hour, count) in hours {
                push_signed(&mut packed, hour.wrapping_sub(last));
                push_number(&mut packed, count);
                last = hour;
            }
            push_number(&mut packed, senders.len() as u64);
            push_senders(&mut packed, senders);
            before = domain;
        }
        Self { by_kind: by_kind.collect(), by_domain: PackedOrArray::Packed(ByteText(packed)) }
    }

    /// Adds the tables to others. `None`: they are damaged.
    pub(super) fn add_to(&self, by_kind: &mut SendersByKind, by_domain: &mut FailuresByDomain) -> Option<()> {
        for (action, kind, senders) in &self.by_kind {
            let table = by_kind.entry((*action, *kind)).or_default();
            match senders {
                PackedOrArray::Array(senders) => add_early(table, senders),
                PackedOrArray::Packed(packed) => {
                    let (mut rest, mut hash) = (PackedBytes(&packed.0), 0);
                    while !rest.is_empty() {
                        read_sender(&mut rest, &mut hash, table)?;
                    }
                }
            }
        }
        self.add_domains(by_domain)
    }

    fn add_domains(&self, by_domain: &mut FailuresByDomain) -> Option<()> {
        let packed = match &self.by_domain {
            PackedOrArray::Packed(packed) => packed,
            PackedOrArray::Array(early) => {
                for (domain, messages, hours, senders) in early {
                    let counts = by_domain.entry(*domain).or_default();
                    counts.messages += messages;
                    for (hour, count) in hours {
                        *counts.hours.entry(*hour).or_default() += count;
                    }
                    add_early(&mut counts.senders, senders);
                }
                return Some(());
            }
        };
        let (mut rest, mut domain) = (PackedBytes(&packed.0), 0_u64);
        while !rest.is_empty() {
            domain = domain.wrapping_add(rest.number()?);
            let counts = by_domain.entry(domain).or_default();
            counts.messages += rest.number()?;
            let mut hour = 0_i64;
            for _ in 0..rest.number()? {
                hour = hour.wrapping_add(rest.signed()?);
                *counts.hours.entry(hour).or_default() += rest.number()?;
            }
            let mut hash = 0;
            for _ in 0..rest.number()? {
                read_sender(&mut rest, &mut hash, &mut counts.senders)?;
            }
        }
        Some(())
    }
}

fn add_early(senders: &mut SenderCounts, kept: &[(u64, u64)]) {
    for (sender, count) in kept {
        *senders.entry(*sender).or_default() += count;
    }
}
