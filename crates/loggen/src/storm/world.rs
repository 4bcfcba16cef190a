//! Holds the state of the simulated server: its log, its users and the conditions in force.

use super::condition::{FailureCondition, InboundTrouble, Trouble};
use super::flow::{Mail, Recipient};
use super::log::LogBuilder;
use super::place::Destination;
use super::plan::Style;
use super::reply::DeliveryFailure;
use super::rhythm::Rhythm;
use super::site::Site;
use crate::log::Mta;
use crate::log::id::Id;
use crate::log::rng::Rng;

pub(crate) struct World {
    pub mta: Mta,
    pub style: Style,
    pub rng: Rng,
    pub log: LogBuilder,
    pub site: Site,
    pub rhythm: Rhythm,
    pub conditions: Vec<FailureCondition>,
    pub troubles: Vec<InboundTrouble>,
    /// Spans without deliveries.
    pub stops: Vec<(u64, u64)>,
    /// Spans without inbound mail.
    pub lulls: Vec<(u64, u64)>,
    /// Spans in which no mail is taken, while strangers are still rejected.
    pub pauses: Vec<(u64, u64)>,
    /// Share of small destinations that greylist in addition to the usual ones, per thousand.
    pub grey: u64,
    /// Whether this server greylists.
    pub greets_grey: bool,
    pub count: u64,
}

impl World {
    pub(crate) fn id(&mut self, at: u64) -> String {
        self.count += 1;
        let second = self.log.second_of(at) as u64;
        match (self.mta, self.site.long_ids) {
            (Mta::Postfix, false) => Id::short(second, self.count),
            (Mta::Postfix, true) => Id::long(second, self.count),
            (Mta::Exim, true) => Id::exim(second, self.count),
            (Mta::Exim, false) => Id::exim_short(second, self.count),
        }
        .to_string()
    }

    pub(crate) fn place(&self, recipient: &Recipient) -> Option<(usize, &Destination)> {
        recipient.place.and_then(|number| self.site.places.get(number).map(|place| (number, place)))
    }

    /// The storm that makes this attempt fail, and how it fails.
    pub(crate) fn condition(&mut self, at: u64, recipient: &Recipient) -> Option<(usize, DeliveryFailure)> {
        let dice = self.rng.draw() >> 8;
        let place = self.place(recipient);
        self.conditions.iter().find_map(|it| {
            it.failure_for(at, place, &recipient.address, dice, self.style).map(|fail| (it.storm, fail))
        })
    }

    pub(crate) fn trouble_at(&mut self, at: u64) -> Option<(usize, Trouble)> {
        let dice = self.rng.below(1000);
        let shut = self.troubles.iter().find(|door| {
            let is_here = door.host.is_none_or(|host| host == self.log.host);
            is_here && (door.from..door.until).contains(&at) && dice < door.share
        })?;
        Some((shut.storm, shut.trouble))
    }

    pub(crate) fn is_lull(&self, at: u64) -> bool {
        self.lulls.iter().any(|&(from, until)| (from..until).contains(&at))
    }

    pub(crate) fn is_paused(&self, at: u64) -> bool {
        self.pauses.iter().any(|&(from, until)| (from..until).contains(&at))
    }

    /// The time of the next delivery: `at`, or shortly after the stop that includes it.
    pub(crate) fn resume_time(&mut self, at: u64) -> u64 {
        match self.stops.iter().find(|(from, until)| (*from..*until).contains(&at)) {
            Some(&(_, until)) => until + self.rng.below(120_000),
            None => at,
        }
    }

    pub(crate) fn end(&self) -> u64 {
        self.log.end()
    }

    /// A remote recipient; busy destinations are more likely.
    pub(crate) fn stranger_address(&mut self) -> Recipient {
        let place = self.site.some_place(&mut self.rng);
        let number = self.rng.below(25_000);
        Recipient { address: self.site.correspondent(place, number), place: Some(place) }
    }

    pub(crate) fn our_address(&mut self) -> Recipient {
        let user = self.site.some_user(&mut self.rng);
        Recipient { address: self.site.user(user), place: None }
    }

    pub(crate) fn salt(&mut self) -> u64 {
        self.rng.draw()
    }

    /// A message with the failure rates of normal mail.
    pub(crate) fn message(
        &mut self,
        at: u64,
        from: String,
        to: Vec<Recipient>,
        origin: super::flow::MailOrigin,
    ) -> Mail {
        let (id, salt) = (self.id(at), self.salt());
        let size = 1800
            + (salt >> 20 & 0xfff)
            + if salt.is_multiple_of(5) { salt >> 40 & 0xf_ffff } else { salt >> 44 & 0x3fff };
        Mail {
            id,
            from,
            to,
            origin,
            size,
            salt,
            storm: None,
            unknown: 9,
            spam: 3,
            listed: false,
            shows: false,
        }
    }
}
