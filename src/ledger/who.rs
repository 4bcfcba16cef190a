//! Who a message is of: names of senders, clients and logins come in, what befell the mail of each goes out.
//!
//! A message counts for its names once, when it ends. The tables are bounded: one that is full lets go of the names
//! with the least in it, and says how much any name may lack since. A sweep takes from a name what it had and no more
//! than the cut, so the cuts together are the bound (as in Manku and Motwani, "Approximate Frequency Counts over Data
//! Streams", 2002).

use hashbrown::HashMap;

use super::act::Act;
use super::key::{Keys, Plain};
use super::message::Message;
use crate::event::Event;
use crate::mta::fact::Context;
use crate::names::in_small;

/// Names kept of one kind; some 15 MiB for each thread at worst.
const LIMIT: usize = 1 << 17;

/// Hashes of the names that a message is known by. 0: no line that was read says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Origin {
    pub sender: u64,
    pub client: u64,
    pub user: u64,
}

/// Attempts of one message, in the order of [`Fared::attempts`].
pub type Attempts = [u32; 4];

/// What befell the mail of one name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Fared {
    pub messages: u64,
    /// Delivered, deferred, bounced and expired.
    pub attempts: [u64; 4],
    /// Refused to a client.
    pub rejected: u64,
}

/// Adding up is in any order, as long as no table is full.
#[derive(Clone, Default, Debug)]
pub struct Who {
    pub senders: Kept,
    pub clients: Kept,
    pub users: Kept,
}

/// The names of one kind, by their hashes.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Names in small letters, one behind the other.
    text: Vec<u8>,
    names: HashMap<u64, Named, Plain>,
    /// What befell names that were let go of.
    pub dropped: Fared,
    /// Any count of any name may be so much too low.
    pub may_lack: u64,
    limit: usize,
}

/// Where its name stands in the text. Empty: only its hash came here.
#[derive(Clone, Copy, Default, Debug)]
struct Named {
    start: u32,
    length: u8,
    fared: Fared,
}

impl Origin {
    /// What the newer of the lines counts that say who it is of; a line of a delivery may say what none of them does.
    pub fn learn(&mut self, newer: Self, act: Act) {
        let tells = matches!(act, Act::Came | Act::Arrived(_) | Act::Notice { .. } | Act::Queued { .. });
        for (mine, theirs) in
            [(&mut self.sender, newer.sender), (&mut self.client, newer.client), (&mut self.user, newer.user)]
        {
            if theirs != 0 && (tells || *mine == 0) {
                *mine = theirs;
            }
        }
    }
}

/// Counts the attempt of an act.
pub fn attempted(attempts: &mut Attempts, act: Act) {
    let at = match act {
        Act::Delivered | Act::HandedOn(_) => 0,
        Act::Deferred => 1,
        Act::Bounced => 2,
        Act::Expired { .. } => 3,
        Act::Came
        | Act::Arrived(_)
        | Act::Named
        | Act::Notice { .. }
        | Act::Queued { .. }
        | Act::Held
        | Act::Released
        | Act::Deleted
        | Act::Returned
        | Act::Renamed
        | Act::Gone
        | Act::Discarded
        | Act::Refused
        | Act::ThrownAway
        | Act::Probe => return,
    };
    if let Some(count) = attempts.get_mut(at) {
        *count = count.saturating_add(1);
    }
}

/// The null sender has no letters to be shown by.
fn shown(sender: &[u8]) -> &[u8] {
    if sender.is_empty() { b"<>" } else { sender }
}

impl Fared {
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.attempts.iter_mut().zip(other.attempts).for_each(|(sum, count)| *sum += count);
        self.rejected += other.rejected;
    }

    /// No count of it is larger.
    fn weight(&self) -> u64 {
        self.messages.max(self.attempts.iter().sum::<u64>() + self.rejected)
    }
}

impl Who {
    /// Notes the names that a line says.
    pub fn learn(&mut self, said: &Context, keys: &Keys) -> Origin {
        Origin {
            sender: self.senders.sender(said.sender, keys),
            client: self.clients.note(said.client, keys),
            user: self.users.note(said.user, keys),
        }
    }

    /// A refusal, of a message that has not come yet or never will.
    pub fn refuse(&mut self, event: &Event, keys: &Keys) {
        if let Some(sender) = event.sender {
            self.senders.meet(shown(sender), keys).1.rejected += 1;
        }
        if let Some(client) = event.peer.ip.or(event.peer.host) {
            self.clients.meet(client, keys).1.rejected += 1;
        }
    }

    /// A message of which no more will be said. `messages`: 1 if it is in the sums of messages, else 0.
    pub fn add(&mut self, message: &Message, messages: u64) {
        let attempts = message.attempts.map(u64::from);
        let fared = Fared { messages, attempts, rejected: 0 };
        if fared != Fared::default() {
            self.give(message.origin, &fared);
        }
    }

    pub fn give(&mut self, origin: Origin, fared: &Fared) {
        let Origin { sender, client, user } = origin;
        self.senders.add(sender, fared);
        self.clients.add(client, fared);
        self.users.add(user, fared);
    }

    /// After it no more is to be counted.
    pub fn settle(&mut self) {
        [&mut self.senders, &mut self.clients, &mut self.users].into_iter().for_each(Kept::settle);
    }

    pub fn merge(&mut self, other: Self) {
        self.senders.merge(other.senders);
        self.clients.merge(other.clients);
        self.users.merge(other.users);
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            names: HashMap::default(),
            dropped: Fared::default(),
            may_lack: 0,
            limit: LIMIT,
        }
    }
}

impl Kept {
    /// The hash of a name, whose letters' case makes no difference; 0 for None.
    fn note(&mut self, name: Option<&[u8]>, keys: &Keys) -> u64 {
        name.map_or(0, |name| self.meet(name, keys).0)
    }

    /// The same for a sender.
    pub fn sender(&mut self, sender: Option<&[u8]>, keys: &Keys) -> u64 {
        self.note(sender.map(shown), keys)
    }

    fn meet(&mut self, name: &[u8], keys: &Keys) -> (u64, &mut Fared) {
        in_small(name, |name| {
            let hash = keys.name(name);
            (hash, self.named(hash, name))
        })
    }

    /// `name` is in small letters, and empty where only its hash is known.
    fn named(&mut self, hash: u64, name: &[u8]) -> &mut Fared {
        if self.names.len() >= self.limit && !self.names.contains_key(&hash) {
            self.make_room();
        }
        let named = self.names.entry(hash).or_default();
        if named.length == 0 && !name.is_empty() {
            (named.start, named.length) = (self.text.len() as u32, name.len() as u8);
            self.text.extend_from_slice(name);
        }
        &mut named.fared
    }

    fn add(&mut self, hash: u64, fared: &Fared) {
        if hash != 0 {
            self.named(hash, b"").add(fared);
        }
    }

    /// If it is full, lets go of the half with the least in it; of all that have as much as the cut, so that what
    /// stays does not hang on the order of the table.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.names.values().map(|named| named.fared.weight()).collect();
        let (_, &mut cut, _) = weights.select_nth_unstable(self.limit / 2);
        let dropped = &mut self.dropped;
        let mut text = Vec::new();
        self.names.retain(|_, named| {
            let stays = named.fared.weight() > cut;
            if stays {
                let start = text.len() as u32;
                text.extend_from_slice(named.name(&self.text));
                named.start = start;
            } else {
                dropped.add(&named.fared);
            }
            stays
        });
        self.text = text;
        self.may_lack += cut;
    }

    fn merge(&mut self, mut other: Self) {
        // The fewer into the more.
        if self.names.len() < other.names.len() {
            std::mem::swap(self, &mut other);
        }
        self.dropped.add(&other.dropped);
        self.may_lack += other.may_lack;
        for (&hash, theirs) in &other.names {
            self.named(hash, theirs.name(&other.text)).add(&theirs.fared);
        }
    }

    /// Lets go of what has no name, and of names that nothing befell.
    fn settle(&mut self) {
        let dropped = &mut self.dropped;
        let mut most = 0;
        self.names.retain(|_, named| {
            if named.length == 0 {
                dropped.add(&named.fared);
                most = most.max(named.fared.weight());
            }
            named.length > 0 && named.fared != Fared::default()
        });
        self.may_lack += most;
    }

    /// In no order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], &Fared)> {
        self.names.values().map(|named| (named.name(&self.text), &named.fared))
    }
}

impl Named {
    fn name<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        text.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;

    fn kept(limit: usize) -> Kept {
        Kept { limit, ..Kept::default() }
    }

    fn count(kept: &mut Kept, keys: &Keys, name: &str, times: u64) {
        let hash = kept.note(Some(name.as_bytes()), keys);
        kept.add(hash, &Fared { messages: times, ..Fared::default() });
    }

    fn messages(kept: &Kept, name: &str) -> u64 {
        kept.all().find(|(other, _)| *other == name.as_bytes()).map_or(0, |(_, fared)| fared.messages)
    }

    #[test]
    fn a_full_table_keeps_who_has_most_and_says_what_it_may_lack() {
        let keys = Keys::new(RandomState::default());
        let mut kept = kept(100);
        for round in 0..10_000 {
            count(&mut kept, &keys, "much@example.org", 1);
            count(&mut kept, &keys, &format!("{round}@example.org"), 1);
        }
        kept.settle();
        assert!(kept.names.len() <= 100, "{}", kept.names.len());
        let much = messages(&kept, "much@example.org");
        assert!(much <= 10_000 && much + kept.may_lack >= 10_000, "{much} and {}", kept.may_lack);
        assert!(kept.may_lack < 250, "{}", kept.may_lack);
        let all: u64 = kept.all().map(|(_, fared)| fared.messages).sum();
        assert_eq!(all + kept.dropped.messages, 20_000);
    }

    #[test]
    fn a_table_that_was_never_full_is_exact_in_any_order() {
        let keys = Keys::new(RandomState::default());
        let parts = || {
            let mut parts = [kept(100), kept(100), kept(100)];
            for number in 0..300 {
                count(
                    &mut parts[number % 3],
                    &keys,
                    &format!("{}@Example.org", number % 70),
                    1 + number as u64,
                );
            }
            parts
        };
        let sorted = |order: [usize; 3]| {
            let parts = parts();
            let mut sum = kept(100);
            for at in order {
                sum.merge(parts[at].clone());
            }
            sum.settle();
            assert_eq!((sum.may_lack, sum.dropped), (0, Fared::default()));
            let mut rows: Vec<_> = sum.all().map(|(name, fared)| (name.to_vec(), fared.messages)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted([0, 1, 2]), sorted([2, 0, 1]));
        assert_eq!(sorted([0, 1, 2]).len(), 70);
    }

    #[test]
    fn what_was_let_go_of_before_its_message_ended_is_with_the_others() {
        let keys = Keys::new(RandomState::default());
        let mut kept = kept(10);
        let early = kept.note(Some(b"early@example.org"), &keys);
        (0..20).for_each(|number| count(&mut kept, &keys, &format!("{number}@example.org"), 1));
        kept.add(early, &Fared { messages: 7, ..Fared::default() });
        kept.settle();
        assert_eq!(messages(&kept, "early@example.org"), 0);
        assert!(kept.may_lack >= 7 && kept.dropped.messages >= 7);
    }
}
