//! Packs the updates of messages that began before a part, which a part keeps until it is written.
//!
//! An [`Update`] takes 96 bytes of memory. In a Postfix log most of them are about bounce notices, whose beginning no line
//! shows: 15 MB for a log of 1 GiB. Packed, an update takes ten to twenty bytes.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::failure::FailureKind;
use super::origin::SenderIds;
use super::placed_id::IdHash;
use super::transition::{Transition, Update};
use crate::catalog::{Cause, Reason, Retry};
use crate::collections::wire::{PackedBytes, push_number, push_signed};
use crate::smtp::event::Direction;
use crate::smtp::reply::Class;
use crate::smtp::side::Side;

/// Updates of one message, in the order of their lines. Each is the kind of its transition, the bits of
/// [`presence`], and the numbers that are there.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(into = "Vec<Update>", from = "Vec<Update>")]
pub(crate) struct PackedUpdates {
    bytes: Box<[u8]>,
    count: u32,
}

/// Which parts of an update are there, and its flags, as bits.
mod presence {
    pub(super) const RECIPIENT: u16 = 1;
    pub(super) const AT: u16 = 1 << 1;
    pub(super) const FAILURE: u16 = 1 << 2;
    pub(super) const DOMAIN: u16 = 1 << 3;
    pub(super) const DIRECTION: u16 = 1 << 4;
    pub(super) const WANTED: u16 = 1 << 5;
    pub(super) const CONCERNS: u16 = 1 << 6;
    pub(super) const COUNTS: u16 = 1 << 7;
    pub(super) const SENDER: u16 = 1 << 8;
    pub(super) const CLIENT: u16 = 1 << 9;
    pub(super) const USER: u16 = 1 << 10;
    /// The host is another one than that of the update before.
    pub(super) const HOST: u16 = 1 << 11;
    /// The transition has a number, or its flag is set.
    pub(super) const NUMBER: u16 = 1 << 12;
    pub(super) const FLAG: u16 = 1 << 13;
}

impl PackedUpdates {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Update> {
        let (mut rest, mut before) = (PackedBytes(&self.bytes), Before::default());
        (0..self.count).map_while(move |_| unpack(&mut rest, &mut before))
    }
}

impl From<Vec<Update>> for PackedUpdates {
    fn from(updates: Vec<Update>) -> Self {
        let (mut bytes, mut before) = (Vec::new(), Before::default());
        for update in &updates {
            pack(&mut bytes, update, &mut before);
        }
        Self { bytes: bytes.into_boxed_slice(), count: updates.len() as u32 }
    }
}

impl From<PackedUpdates> for Vec<Update> {
    fn from(packed: PackedUpdates) -> Self {
        packed.iter().collect()
    }
}

/// What an update shares with the one before it.
#[derive(Default)]
struct Before {
    at: i64,
    host: u64,
}

fn pack(bytes: &mut Vec<u8>, update: &Update, before: &mut Before) {
    use presence::{
        AT, CLIENT, CONCERNS, COUNTS, DIRECTION, DOMAIN, FAILURE, FLAG, HOST, NUMBER, RECIPIENT, SENDER,
        USER, WANTED,
    };
    let &Update {
        transition,
        recipient,
        at,
        failure,
        domain,
        direction,
        wanted,
        concerns,
        counts,
        origin,
        host,
    } = update;
    let (tag, flag, number) = transition_parts(transition);
    let bits = [
        (RECIPIENT, recipient != 0),
        (AT, at.is_some()),
        (FAILURE, failure.is_some()),
        (DOMAIN, domain != 0),
        (DIRECTION, direction.is_some()),
        (WANTED, wanted),
        (CONCERNS, concerns),
        (COUNTS, counts),
        (SENDER, origin.sender != 0),
        (CLIENT, origin.client != 0),
        (USER, origin.user != 0),
        (HOST, host != before.host),
        (NUMBER, number.is_some()),
        (FLAG, flag),
    ];
    let bits = bits.into_iter().filter(|(_, is_set)| *is_set).fold(0, |bits, (bit, _)| bits | bit);
    bytes.push(tag);
    bytes.extend_from_slice(&bits.to_le_bytes());
    if let Some(at) = at {
        push_signed(bytes, at.wrapping_sub(before.at));
        before.at = at;
    }
    if let Some(FailureKind { direction, reason, cause, class, retry, side }) = failure {
        let cause = cause.map_or(0, |cause| cause as u16 + 1);
        let [low, high] = cause.to_le_bytes();
        let class = class.map_or(0, |class| class as u8 + 1);
        let retry = retry.map_or(0, |retry| retry as u8 + 1);
        bytes.extend_from_slice(&[direction as u8, reason as u8, low, high, class, retry, side as u8]);
    }
    bytes.extend(direction.map(|direction| direction as u8));
    for hash in [recipient, domain, origin.sender, origin.client, origin.user] {
        push_hash(bytes, hash);
    }
    if host != before.host {
        bytes.extend_from_slice(&host.to_le_bytes());
        before.host = host;
    }
    if let Some(number) = number {
        push_number(bytes, number);
    }
}

/// `None`: the bytes end too early, which bytes from [`pack`] never do.
fn unpack(rest: &mut PackedBytes, before: &mut Before) -> Option<Update> {
    use presence::{
        AT, CLIENT, CONCERNS, COUNTS, DIRECTION, DOMAIN, FAILURE, FLAG, HOST, NUMBER, RECIPIENT, SENDER,
        USER, WANTED,
    };
    let tag = rest.byte()?;
    let bits = u16::from_le_bytes([rest.byte()?, rest.byte()?]);
    let has = |bit: u16| bits & bit != 0;
    if has(AT) {
        before.at = before.at.wrapping_add(rest.signed()?);
    }
    let at = has(AT).then_some(before.at);
    let failure = if has(FAILURE) { Some(failure_kind(rest)?) } else { None };
    let direction = if has(DIRECTION) { Some(variant(rest.byte()?)?) } else { None };
    let mut hash = |bit: u16| if has(bit) { rest.hash() } else { Some(0) };
    let (recipient, domain) = (hash(RECIPIENT)?, hash(DOMAIN)?);
    let origin = SenderIds { sender: hash(SENDER)?, client: hash(CLIENT)?, user: hash(USER)? };
    if has(HOST) {
        before.host = hash(HOST)?;
    }
    let number = if has(NUMBER) { Some(rest.number()?) } else { None };
    Some(Update {
        transition: transition_of(tag, has(FLAG), number)?,
        recipient,
        at,
        failure,
        domain,
        direction,
        wanted: has(WANTED),
        concerns: has(CONCERNS),
        counts: has(COUNTS),
        origin,
        host: before.host,
    })
}

/// A number for the kind of the transition, its flag and its number.
fn transition_parts(transition: Transition) -> (u8, bool, Option<u64>) {
    let plain = |tag| (tag, false, None);
    match transition {
        Transition::Received => plain(0),
        Transition::Arrived(recipients) => (1, false, recipients.map(u64::from)),
        Transition::HeaderRead => plain(2),
        Transition::Notice { arrived, recipients } => (3, arrived, recipients.map(u64::from)),
        Transition::Queued { left, null } => (4, null, left.map(u64::from)),
        Transition::Held => plain(5),
        Transition::Released => plain(6),
        Transition::Deleted => plain(7),
        Transition::Returned => plain(8),
        Transition::Renamed => plain(9),
        Transition::Continued => plain(10),
        Transition::Removed => plain(11),
        Transition::Deferred => plain(12),
        Transition::Delivered => plain(13),
        Transition::HandedOn(copy) => (14, false, copy.map(IdHash::get)),
        Transition::Bounced => plain(15),
        Transition::BouncedUnqueued => plain(16),
        Transition::Expired { all } => (17, all, None),
        Transition::Discarded => plain(18),
        Transition::Rejected => plain(19),
        Transition::Withdrawn => plain(20),
        Transition::WholeDiscarded => plain(21),
        Transition::Dropped => plain(22),
        Transition::Named => plain(23),
        Transition::Probe => plain(24),
    }
}

/// The transition with these [`transition_parts`]. `None`: there is none.
fn transition_of(tag: u8, flag: bool, number: Option<u64>) -> Option<Transition> {
    let count = number.and_then(|number| u32::try_from(number).ok());
    Some(match tag {
        0 => Transition::Received,
        1 => Transition::Arrived(count),
        2 => Transition::HeaderRead,
        3 => Transition::Notice { arrived: flag, recipients: count },
        4 => Transition::Queued { left: count, null: flag },
        5 => Transition::Held,
        6 => Transition::Released,
        7 => Transition::Deleted,
        8 => Transition::Returned,
        9 => Transition::Renamed,
        10 => Transition::Continued,
        11 => Transition::Removed,
        12 => Transition::Deferred,
        13 => Transition::Delivered,
        14 => Transition::HandedOn(number.and_then(IdHash::new)),
        15 => Transition::Bounced,
        16 => Transition::BouncedUnqueued,
        17 => Transition::Expired { all: flag },
        18 => Transition::Discarded,
        19 => Transition::Rejected,
        20 => Transition::Withdrawn,
        21 => Transition::WholeDiscarded,
        22 => Transition::Dropped,
        23 => Transition::Named,
        24 => Transition::Probe,
        _ => return None,
    })
}

/// A hash; nothing for 0.
fn push_hash(bytes: &mut Vec<u8>, hash: u64) {
    if hash != 0 {
        bytes.extend_from_slice(&hash.to_le_bytes());
    }
}

fn variant<T: ValueEnum + Copy>(number: u8) -> Option<T> {
    T::value_variants().get(usize::from(number)).copied()
}

fn failure_kind(rest: &mut PackedBytes) -> Option<FailureKind> {
    let (direction, reason) = (variant::<Direction>(rest.byte()?)?, variant::<Reason>(rest.byte()?)?);
    let cause = usize::from(u16::from_le_bytes([rest.byte()?, rest.byte()?]));
    let cause = cause.checked_sub(1).and_then(|at| Cause::value_variants().get(at).copied());
    let class = rest.byte()?.checked_sub(1).and_then(variant::<Class>);
    let retry = rest.byte()?.checked_sub(1).and_then(variant::<Retry>);
    let side = variant::<Side>(rest.byte()?)?;
    Some(FailureKind { direction, reason, cause, class, retry, side })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_transitions() -> Vec<Transition> {
        let mut all: Vec<Transition> =
            (0..=u8::MAX).filter_map(|tag| transition_of(tag, false, None)).collect();
        let id = IdHash::new(u64::MAX);
        all.extend([
            Transition::Arrived(Some(u32::MAX)),
            Transition::Notice { arrived: true, recipients: Some(3) },
            Transition::Queued { left: Some(0), null: true },
            Transition::HandedOn(id),
            Transition::Expired { all: true },
        ]);
        all
    }

    /// Each kind of failure that a test needs: every variant of every field, once.
    fn failures() -> impl Iterator<Item = FailureKind> {
        let directions = Direction::value_variants().iter().copied().cycle();
        let sides = Side::value_variants().iter().copied().cycle();
        let or_none = |at: usize| at.checked_sub(1);
        let causes = (0..=Cause::value_variants().len()).map(move |at| {
            let reason = Reason::value_variants()[at % Reason::value_variants().len()];
            let cause = or_none(at).map(|at| Cause::value_variants()[at]);
            let class =
                or_none(at % (Class::value_variants().len() + 1)).map(|at| Class::value_variants()[at]);
            let retry =
                or_none(at % (Retry::value_variants().len() + 1)).map(|at| Retry::value_variants()[at]);
            (reason, cause, class, retry)
        });
        causes.zip(directions).zip(sides).map(|(((reason, cause, class, retry), direction), side)| {
            FailureKind { direction, reason, cause, class, retry, side }
        })
    }

    #[test]
    fn every_update_comes_back_as_it_was() {
        let hashes = [0, 1, 0x8000_0000_0000_0000, u64::MAX, 77];
        let times = [None, Some(0), Some(i64::MAX), Some(i64::MIN), Some(1_763_000_000), Some(-1)];
        let failures: Vec<Option<FailureKind>> = failures().map(Some).chain([None]).collect();
        let transitions = all_transitions();
        let updates: Vec<Update> = (0..failures.len().max(transitions.len()) * 7)
            .map(|number| {
                let hash = |step: usize| hashes[number / step % hashes.len()];
                Update {
                    transition: transitions[number % transitions.len()],
                    recipient: hash(1),
                    at: times[number % times.len()],
                    failure: failures[number % failures.len()],
                    domain: hash(2),
                    direction: [None, Some(Direction::Inbound), Some(Direction::Local)][number % 3],
                    wanted: number % 2 == 0,
                    concerns: number % 3 == 0,
                    counts: number % 5 == 0,
                    origin: SenderIds { sender: hash(3), client: hash(4), user: hash(5) },
                    host: hash(6),
                }
            })
            .collect();
        let packed = PackedUpdates::from(updates.clone());
        assert_eq!(Vec::from(packed.clone()), updates);
        let mut cut = packed;
        cut.bytes = cut.bytes[..cut.bytes.len() / 2].into();
        assert!(Vec::from(cut).len() < updates.len());
    }

    #[test]
    fn the_life_of_a_notice_takes_few_bytes() {
        let update = Update {
            transition: Transition::Removed,
            recipient: 0,
            at: Some(1_763_000_000),
            failure: None,
            domain: 0,
            direction: None,
            wanted: false,
            concerns: true,
            counts: false,
            origin: SenderIds::default(),
            host: 99,
        };
        let packed = PackedUpdates::from(vec![update; 5]);
        assert!(packed.bytes.len() < 40, "{}", packed.bytes.len());
        assert!(!packed.is_empty());
    }
}
