//! Defines the views of a log: the events that share a value, in which storms are searched.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
use crate::storm::sample::line_minutes::DAY;
use crate::storm::sample::points::{FactorValue, MailFlow, NumberedNames, WeightedEvent};

/// What the events of a view share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum ViewDimension {
    /// All failures of a direction.
    All,
    /// The kin of the reason.
    Kin,
    Provider,
    Domain,
    Relay,
    Recipient,
    Sender,
    User,
    Client,
    /// A value and the kin of the reason.
    ProviderKin,
    DomainKin,
    InstanceKin,
    /// One reason of rejections.
    Reason,
    /// The clients of one /24 network, or of one /64 of IPv6.
    Network,
    /// Rejected bounces.
    NullSender,
    /// Bounces, delivered or not.
    Bounces,
    /// Two addresses that answer each other.
    Exchange,
}

/// One view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ViewKey {
    pub flow: MailFlow,
    pub dimension: ViewDimension,
    pub value: FactorValue,
    pub kin: Option<ReasonKin>,
}

/// The dimensions of failed deliveries.
pub(crate) const OUTBOUND: [ViewDimension; 12] = [
    ViewDimension::All,
    ViewDimension::Kin,
    ViewDimension::Provider,
    ViewDimension::Domain,
    ViewDimension::Relay,
    ViewDimension::Recipient,
    ViewDimension::Sender,
    ViewDimension::User,
    ViewDimension::Client,
    ViewDimension::ProviderKin,
    ViewDimension::DomainKin,
    ViewDimension::InstanceKin,
];
/// The dimensions of rejections.
pub(crate) const INBOUND: [ViewDimension; 6] = [
    ViewDimension::Reason,
    ViewDimension::Client,
    ViewDimension::Network,
    ViewDimension::User,
    ViewDimension::Domain,
    ViewDimension::NullSender,
];

/// Mail arrives at most this many minutes before it fails, in most views.
const LEAD: i32 = 15;
/// The same for a mailing: connections to dead sites time out slowly.
const MAILING_LEAD: i32 = 120;

impl ViewDimension {
    /// The dimension of a profile with the values of this view.
    pub(crate) fn of_values(self) -> Option<Dimension> {
        match self {
            Self::Provider | Self::ProviderKin => Some(Dimension::Provider),
            Self::Domain | Self::DomainKin => Some(Dimension::Domain),
            Self::Relay => Some(Dimension::Relay),
            Self::Recipient => Some(Dimension::Recipient),
            Self::Sender => Some(Dimension::Sender),
            Self::User => Some(Dimension::User),
            Self::Client => Some(Dimension::Client),
            Self::InstanceKin => Some(Dimension::Instance),
            Self::Reason => Some(Dimension::Reason),
            Self::All | Self::Kin | Self::Network | Self::NullSender | Self::Bounces | Self::Exchange => None,
        }
    }

    /// Its views are told apart by the kin of the reason too.
    pub(crate) fn has_kin(self) -> bool {
        matches!(self, Self::Kin | Self::ProviderKin | Self::DomainKin | Self::InstanceKin)
    }

    /// The values are authors of mail: what they send is a mailing.
    pub(crate) fn is_author(self) -> bool {
        matches!(self, Self::Sender | Self::User | Self::Client)
    }

    /// The minutes before a window in which the mail that fails in it arrived.
    pub(crate) fn lead(self) -> i32 {
        if self.is_author() { MAILING_LEAD } else { LEAD }
    }

    /// The counts of these views are those of kinds, which are exact if the sample is by the minute; the others come from a
    /// sample.
    pub(crate) fn is_counted(self) -> bool {
        matches!(self, Self::All | Self::Kin | Self::Provider | Self::ProviderKin | Self::Reason)
    }

    /// The clumps of the views with few and large values are those of the domains.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Self::All | Self::Kin | Self::Provider | Self::ProviderKin | Self::InstanceKin)
    }
}

impl ViewKey {
    /// The view of a dimension to which an event belongs. `None`: it has no value.
    pub(crate) fn of(
        point: &WeightedEvent,
        dimension: ViewDimension,
        networks: &Networks,
        null_sender: FactorValue,
    ) -> Option<Self> {
        let value = match dimension {
            ViewDimension::All | ViewDimension::Kin => 1,
            ViewDimension::Network => networks.of(point),
            ViewDimension::NullSender => {
                let sender = point.value(Dimension::Sender);
                if sender == null_sender { sender } else { 0 }
            }
            ViewDimension::Bounces | ViewDimension::Exchange => 0,
            ViewDimension::Provider
            | ViewDimension::Domain
            | ViewDimension::Relay
            | ViewDimension::Recipient
            | ViewDimension::Sender
            | ViewDimension::User
            | ViewDimension::Client
            | ViewDimension::ProviderKin
            | ViewDimension::DomainKin
            | ViewDimension::InstanceKin
            | ViewDimension::Reason => dimension.of_values().map_or(0, |values| point.value(values)),
        };
        let kin = if dimension.has_kin() { Some(point.kin?) } else { None };
        (value > 0).then_some(Self { flow: point.flow, dimension, value, kin })
    }
}

/// The network of each client, as a number.
pub(crate) struct Networks(HashMap<FactorValue, FactorValue, FixedState>);

impl Networks {
    pub(crate) fn new(points: &[WeightedEvent], names: &NumberedNames) -> Self {
        let mut networks = HashMap::default();
        for point in points.iter().filter(|point| point.flow == MailFlow::In && point.is_unit) {
            let client = point.value(Dimension::Client);
            networks.entry(client).or_insert_with(|| network(names.name(point.sample.peer)));
        }
        Self(networks)
    }

    fn of(&self, point: &WeightedEvent) -> FactorValue {
        self.0.get(&point.value(Dimension::Client)).copied().unwrap_or_default()
    }
}

/// A number for the /24 network of an IPv4 address or the /64 of an IPv6 address. 0: the name is no address.
fn network(name: &[u8]) -> FactorValue {
    match std::str::from_utf8(name).ok().and_then(|text| text.parse().ok()) {
        Some(IpAddr::V4(address)) => u64::from(u32::from(address) >> 8) + (1 << 32),
        Some(IpAddr::V6(address)) => ((u128::from(address) >> 64) as u64) | 1 << 63,
        None => 0,
    }
}

/// The weight of the first `count` units of one group, of which each further one tells less: the k-th weighs θ / (θ + k - 1)
/// with θ = 2. One message with forty dead recipients is a handful of evidence. This is the harmonic sum as a continuous
/// function, so that a unit may stand for several.
fn group_weight(count: f64) -> f64 {
    2.0 * ((count + 1.5) / 1.5).ln() / 1.021_651
}

/// What is no independent evidence: the recipients of one message, or a client's rejections in one minute.
#[derive(Clone, Copy, PartialEq, Eq)]
struct EvidenceGroup(MailFlow, u64, i32);

impl Hash for EvidenceGroup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.1 ^ (self.2 as u64) << 40 ^ (self.0 as u64) << 62);
    }
}

/// A unit of a view.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct EvidenceUnit {
    pub minute: i32,
    /// The independent evidence that it stands for.
    pub weight: f64,
    /// The number of events that it stands for.
    pub events: f64,
    /// Index of its event.
    pub at: u32,
}

/// The group of an event. `None`: it stands alone.
fn group(point: &WeightedEvent) -> Option<EvidenceGroup> {
    let group = match point.flow {
        // A fault of this server is one piece of evidence a minute, however many lines tell of it.
        MailFlow::In if point.sample.marks.is_own_fault => {
            let reason = point.value(Dimension::Reason) | 1 << 40;
            EvidenceGroup(MailFlow::In, reason, point.sample.minute)
        }
        MailFlow::Out => EvidenceGroup(MailFlow::Out, point.sample.message, 0),
        MailFlow::In => EvidenceGroup(MailFlow::In, point.value(Dimension::Client), point.sample.minute),
    };
    (group.1 != 0).then_some(group)
}

/// A client, a sender, a recipient and a day: the same again is hardly new evidence.
type Repeat = (u64, u64, u64, i32);

fn repeat(point: &WeightedEvent) -> Option<Repeat> {
    let recipient = point.value(Dimension::Recipient);
    let client = point.value(Dimension::Client);
    (point.flow == MailFlow::In && recipient != 0 && client != 0).then(|| {
        let day = point.sample.minute.div_euclid(DAY);
        (client, point.value(Dimension::Sender), recipient, day)
    })
}

/// Which events share their group with others, in any view. Most do not, and need no table in a view.
pub(crate) struct Groups {
    is_shared: Vec<bool>,
}

impl Groups {
    pub(crate) fn new(points: &[WeightedEvent]) -> Self {
        let mut first: HashMap<EvidenceGroup, usize, FixedState> =
            HashMap::with_capacity_and_hasher(points.len(), FixedState::default());
        let mut first_repeat: HashMap<Repeat, usize, FixedState> = HashMap::default();
        let mut is_shared = vec![false; points.len()];
        let mut share = |at: usize, other: usize| {
            for at in [at, other] {
                if let Some(is_shared) = is_shared.get_mut(at) {
                    *is_shared = true;
                }
            }
        };
        let is_member = |point: &WeightedEvent| point.is_unit || point.flow == MailFlow::Out;
        for (at, point) in points.iter().enumerate().filter(|(_, point)| is_member(point)) {
            if let Some(group) = group(point) {
                let other = *first.entry(group).or_insert(at);
                if other != at {
                    share(at, other);
                }
            }
            if let Some(repeat) = repeat(point) {
                let other = *first_repeat.entry(repeat).or_insert(at);
                if other != at {
                    share(at, other);
                }
            }
        }
        Self { is_shared }
    }

    fn stands_alone(&self, at: u32) -> bool {
        self.is_shared.get(at as usize) == Some(&false)
    }
}

/// The units of a view whose events have these indices, in the order of time.
pub(crate) fn units(points: &[WeightedEvent], groups: &Groups, members: &[u32]) -> Vec<EvidenceUnit> {
    let mut sizes: HashMap<EvidenceGroup, (u32, f64), FixedState> = HashMap::default();
    let mut repeats: HashMap<Repeat, f64, FixedState> = HashMap::default();
    let found = || members.iter().filter_map(|&at| Some((at, points.get(at as usize)?)));
    for (_, point) in found().filter(|(at, _)| !groups.stands_alone(*at)) {
        if let Some(group) = group(point) {
            sizes.entry(group).or_default().0 += 1;
        }
    }
    let mut added = |at: u32, point: &WeightedEvent| -> f64 {
        if groups.stands_alone(at) {
            return point.weight;
        }
        let Some(group) = group(point) else { return point.weight };
        let Some((count, sum)) = sizes.get_mut(&group) else { return point.weight };
        // A single event of the sample that stands for many is taken for many groups.
        let own = if *count == 1 { point.weight } else { step(sum, point.weight) };
        let Some(repeat) = repeat(point) else { return own };
        own.min(step(repeats.entry(repeat).or_default(), 1.0) * point.weight)
    };
    found()
        .map(|(at, point)| EvidenceUnit {
            minute: point.sample.minute,
            weight: added(at, point),
            events: point.weight,
            at,
        })
        .collect()
}

/// Adds events to a group, and returns the weight that they add.
fn step(sum: &mut f64, events: f64) -> f64 {
    let before = group_weight(*sum);
    *sum += events;
    group_weight(*sum) - before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_many_recipients_is_a_handful_of_evidence() {
        let mut sum = 0.0;
        assert!((step(&mut sum, 1.0) - 1.0).abs() < 1e-6);
        let all: f64 = (1..40).map(|_| step(&mut sum, 1.0)).sum();
        assert!((5.0..7.0).contains(&(all + 1.0)), "{all}");
        assert!(group_weight(0.0).abs() < 1e-9);
    }

    #[test]
    fn clients_of_one_network_share_a_number() {
        assert_eq!(network(b"192.0.2.1"), network(b"192.0.2.200"));
        assert_ne!(network(b"192.0.2.1"), network(b"192.0.3.1"));
        assert_eq!(network(b"2001:db8::1"), network(b"2001:db8::2"));
        assert_ne!(network(b"2001:db8::1"), network(b"2001:db8:1::1"));
        assert_eq!(network(b"mx.example.org"), 0);
    }
}
