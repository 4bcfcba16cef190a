//! Who a message is of: names of senders, clients and logins come in, what befell the mail of each goes out.
//!
//! A message counts for its names once, when it ends. The tables are bounded: one that is full lets go of the names
//! with the least in it, and says how much any name may lack since. A sweep takes from a name what it had and no more
//! than the cut, so the cuts together are the bound (as in Manku and Motwani, "Approximate Frequency Counts over Data
//! Streams", 2002).

use hashbrown::HashTable;

use super::act::Act;
use super::key::Keys;
use super::message::Message;
use crate::event::Event;
use crate::mta::fact::Context;
use crate::names::in_small;

/// Names kept of one kind; some 6 MiB for each thread at worst.
const LIMIT: usize = 1 << 15;

/// More names are not near: 80 KiB. A block of 256 KiB has a few hundred of each kind.
const NEAR: usize = 1 << 10;

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
    /// Those met lately: few, and so at hand. In a table of all names each has to be fetched from far memory, several
    /// times for each message: now and then, all after one another, it is soon done.
    near: Names,
    names: Names,
    /// What befell names that were let go of.
    pub dropped: Fared,
    /// Any count of any name may be so much too low.
    pub may_lack: u64,
    limit: usize,
}

#[derive(Clone, Default, Debug)]
struct Names {
    /// In small letters, one behind the other.
    text: Vec<u8>,
    all: Vec<Named>,
    /// Which of them has a hash; with the hash, so that no other memory has to be fetched to find it.
    table: HashTable<(u64, u32)>,
}

/// Where its name stands in the text. Empty: only its hash came here.
#[derive(Clone, Copy, Default, Debug)]
struct Named {
    hash: u64,
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
            near: Names::default(),
            names: Names::default(),
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
            (hash, self.near(hash, name))
        })
    }

    /// `name` is in small letters, and empty where only its hash is known.
    fn near(&mut self, hash: u64, name: &[u8]) -> &mut Fared {
        if self.near.all.len() >= NEAR {
            self.settle_near();
        }
        let at = self.near.place(hash, name);
        self.near.fared(at)
    }

    fn add(&mut self, hash: u64, fared: &Fared) {
        if hash != 0 {
            self.near(hash, b"").add(fared);
        }
    }

    /// Puts what is near among all.
    fn settle_near(&mut self) {
        let mut near = std::mem::take(&mut self.near);
        self.take_in(&near);
        near.clear();
        self.near = near;
    }

    fn take_in(&mut self, names: &Names) {
        for some in names.all.chunks(NEAR.min(self.limit / 4).max(1)) {
            // Some of them may be there already, but to find out takes longer than to make room too early.
            if self.names.all.len() + some.len() > self.limit {
                self.make_room();
            }
            // All are found before the first is counted: so the processor need not wait for one to fetch the next.
            let place = |named: &Named| self.names.place(named.hash, named.name(&names.text));
            let places: Vec<u32> = some.iter().map(place).collect();
            some.iter().zip(places).for_each(|(named, at)| self.names.fared(at).add(&named.fared));
        }
    }

    /// Lets go of the half with the least in it; of all that have as much as the cut, so that what stays does not hang
    /// on the order of the table.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.names.all.iter().map(|named| named.fared.weight()).collect();
        let half = weights.len() / 2;
        if half == 0 {
            return;
        }
        let (_, &mut cut, _) = weights.select_nth_unstable(half);
        let dropped = &mut self.dropped;
        self.names.retain(|named| named.fared.weight() > cut, |named| dropped.add(&named.fared));
        self.may_lack += cut;
    }

    fn merge(&mut self, mut other: Self) {
        self.settle_near();
        other.settle_near();
        // The fewer into the more.
        if self.names.all.len() < other.names.all.len() {
            std::mem::swap(self, &mut other);
        }
        self.dropped.add(&other.dropped);
        self.may_lack += other.may_lack;
        self.take_in(&other.names);
    }

    /// Lets go of what has no name, and of names that nothing befell.
    fn settle(&mut self) {
        self.settle_near();
        let dropped = &mut self.dropped;
        let mut most = 0;
        self.names.all.retain(|named| {
            if named.length == 0 {
                dropped.add(&named.fared);
                most = most.max(named.fared.weight());
            }
            named.length > 0 && named.fared != Fared::default()
        });
        self.names.table = HashTable::new();
        self.may_lack += most;
    }

    /// In no order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], &Fared)> + Clone {
        self.names.all.iter().map(|named| (named.name(&self.names.text), &named.fared))
    }
}

impl Names {
    /// Which of them has this hash; a new one if none has. Its text is kept if it is told one.
    fn place(&mut self, hash: u64, name: &[u8]) -> u32 {
        let found = self.table.find(hash, |&(known, _)| known == hash);
        let at = match found {
            Some(&(_, at)) => at,
            None => self.insert(Named { hash, ..Named::default() }),
        };
        if !name.is_empty()
            && let Some(named) = self.all.get_mut(at as usize).filter(|named| named.length == 0)
        {
            (named.start, named.length) = (self.text.len() as u32, name.len() as u8);
            self.text.extend_from_slice(name);
        }
        at
    }

    fn insert(&mut self, named: Named) -> u32 {
        let at = self.all.len() as u32;
        self.table.insert_unique(named.hash, (named.hash, at), |&(hash, _)| hash);
        self.all.push(named);
        at
    }

    fn fared(&mut self, at: u32) -> &mut Fared {
        &mut self.all.get_mut(at as usize).expect("a place is told of names that are there").fared
    }

    fn clear(&mut self) {
        self.text.clear();
        self.all.clear();
        self.table.clear();
    }

    /// Tells `gone` of each that does not stay.
    fn retain(&mut self, stays: impl Fn(&Named) -> bool, gone: impl FnMut(&Named)) {
        let Self { text, all, .. } = std::mem::take(self);
        let (stay, go): (Vec<Named>, Vec<Named>) = all.into_iter().partition(stays);
        go.iter().for_each(gone);
        for named in stay {
            let start = self.text.len() as u32;
            self.text.extend_from_slice(named.name(&text));
            self.insert(Named { start, ..named });
        }
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
        assert!(kept.names.all.len() <= 100, "{}", kept.names.all.len());
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
        kept.settle_near();
        kept.add(early, &Fared { messages: 7, ..Fared::default() });
        kept.settle();
        assert_eq!(messages(&kept, "early@example.org"), 0);
        assert!(kept.may_lack >= 7 && kept.dropped.messages >= 7);
    }
}
