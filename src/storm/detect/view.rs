//! Defines the views of a log: the events that share a value, in which storms are searched.

use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::catalog::ReasonKin;
use crate::report::storm::Dimension;
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

    /// The dimension with the same values and without the kin of the reason, if there is one.
    pub(crate) fn without_kin(self) -> Self {
        match self {
            Self::Kin => Self::All,
            Self::ProviderKin => Self::Provider,
            Self::DomainKin => Self::Domain,
            Self::All
            | Self::Provider
            | Self::Domain
            | Self::Relay
            | Self::Recipient
            | Self::Sender
            | Self::User
            | Self::Client
            | Self::InstanceKin
            | Self::Reason
            | Self::Network
            | Self::NullSender
            | Self::Bounces
            | Self::Exchange => self,
        }
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

    /// The events are deliveries too, of which only a sample is kept.
    pub(crate) fn is_of_deliveries(self) -> bool {
        matches!(self, Self::Bounces | Self::Exchange)
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
        let value = dimension.value_of(point, networks, null_sender);
        let kin = if dimension.has_kin() { Some(point.kin?) } else { None };
        (value > 0).then_some(Self { flow: point.flow, dimension, value, kin })
    }
}

impl ViewDimension {
    /// The value of an event as an index: its value, or for networks the place of its network. 0: it has none.
    #[inline]
    pub(crate) fn index_of(
        self,
        point: &WeightedEvent,
        networks: &Networks,
        null_sender: FactorValue,
    ) -> u32 {
        if matches!(self, Self::Network) {
            return networks.place(point);
        }
        self.value_of(point, networks, null_sender) as u32
    }

    /// The value of an event. 0: it has none.
    #[inline]
    fn value_of(self, point: &WeightedEvent, networks: &Networks, null_sender: FactorValue) -> FactorValue {
        match self {
            Self::All | Self::Kin => 1,
            Self::Network => networks.value(networks.place(point)),
            Self::NullSender => {
                let sender = point.value(Dimension::Sender);
                if sender == null_sender { sender } else { 0 }
            }
            Self::Bounces | Self::Exchange => 0,
            Self::Provider
            | Self::Domain
            | Self::Relay
            | Self::Recipient
            | Self::Sender
            | Self::User
            | Self::Client
            | Self::ProviderKin
            | Self::DomainKin
            | Self::InstanceKin
            | Self::Reason => self.of_values().map_or(0, |values| point.value(values)),
        }
    }
}

/// The network of each client, as a number.
pub(crate) struct Networks {
    /// By client: the place of its network in `values`.
    places: HashMap<FactorValue, u32, FixedState>,
    /// The networks in ascending order. The first one is 0, which is none.
    values: Vec<FactorValue>,
}

impl Networks {
    pub(crate) fn new(points: &[WeightedEvent], names: &NumberedNames) -> Self {
        let mut networks: HashMap<FactorValue, FactorValue, FixedState> = HashMap::default();
        for point in points.iter().filter(|point| point.flow == MailFlow::In && point.is_unit) {
            let client = point.value(Dimension::Client);
            networks.entry(client).or_insert_with(|| network(names.name(point.sample.peer)));
        }
        let mut values: Vec<FactorValue> = networks.values().copied().chain([0]).collect();
        values.sort_unstable();
        values.dedup();
        let place = |network: FactorValue| values.partition_point(|other| *other < network) as u32;
        let places = networks.into_iter().map(|(client, network)| (client, place(network))).collect();
        Self { places, values }
    }

    /// The place of an event's network in the order of networks. 0: it has none.
    pub(crate) fn place(&self, point: &WeightedEvent) -> u32 {
        self.places.get(&point.value(Dimension::Client)).copied().unwrap_or_default()
    }

    /// The network with this place.
    pub(crate) fn value(&self, place: u32) -> FactorValue {
        self.values.get(place as usize).copied().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_one_network_share_a_number() {
        assert_eq!(network(b"192.0.2.1"), network(b"192.0.2.200"));
        assert_ne!(network(b"192.0.2.1"), network(b"192.0.3.1"));
        assert_eq!(network(b"2001:db8::1"), network(b"2001:db8::2"));
        assert_ne!(network(b"2001:db8::1"), network(b"2001:db8:1::1"));
        assert_eq!(network(b"mx.example.org"), 0);
    }
}
