//! Draws the own server: its host name, domains, users and destinations.

use super::arrivals::rank;
use super::place::{Destination, places};
use super::plan::Style;
use super::rhythm::HOUR;
use crate::log::rng::{Rng, mix};

const FIRST: [&str; 40] = [
    "anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ida", "jan", "karl", "lena", "max",
    "nora", "otto", "paula", "quirin", "rosa", "sven", "tilda", "udo", "vera", "willi", "xenia", "yuri",
    "zoe", "info", "office", "sales", "support", "billing", "jobs", "press", "hello", "team", "shop",
    "service", "order", "admin", "contact",
];
const LAST: [&str; 16] = [
    "", ".adler", ".berg", ".conti", ".dorn", ".ehlers", ".faber", ".gruen", ".hain", ".ilg", ".jung",
    ".kern", ".lang", ".moor", ".nagel", ".ohm",
];

pub(crate) struct Site {
    pub host: String,
    pub ip: String,
    /// The local domains, the main one first.
    pub domains: Vec<String>,
    pub users: usize,
    pub places: Vec<Destination>,
    /// Whether postscreen checks clients first.
    pub has_postscreen: bool,
    /// Whether mailboxes are behind LMTP; otherwise the server writes them itself.
    pub has_lmtp: bool,
    pub long_ids: bool,
}

impl Site {
    pub(crate) fn draw(rng: &mut Rng, messages_per_day: u64, style: Style) -> Self {
        let (host, ip, main, tails): (&str, &str, &str, &[&str]) = match style {
            Style::Usual => {
                ("mail.example.org", "192.0.2.25", "example.org", &["example.com", "example.net"])
            }
            Style::Other => {
                ("mx2.haus.example.com", "198.51.100.9", "haus.example.com", &["example.net", "example.org"])
            }
        };
        let mut domains = vec![main.to_owned()];
        domains.extend((0..rng.below(9)).map(|number| format!("firma{number}.{main}")));
        let users = (messages_per_day as usize / 25).clamp(12, 1200);
        let count = (messages_per_day as usize / 8).clamp(60, 900);
        Self {
            host: host.to_owned(),
            ip: ip.to_owned(),
            domains,
            users,
            places: places(rng, count, tails),
            has_postscreen: rng.chance(500),
            has_lmtp: rng.chance(650),
            long_ids: rng.chance(500),
        }
    }

    pub(crate) fn user(&self, number: usize) -> String {
        let first = FIRST[number % FIRST.len()];
        let last = LAST[number / FIRST.len() % LAST.len()];
        let more = number / (FIRST.len() * LAST.len());
        let digits = if more > 0 { more.to_string() } else { String::new() };
        let domain = &self.domains[(number * 7 / 3) % self.domains.len()];
        format!("{first}{last}{digits}@{domain}")
    }

    /// Draws a user; busy users are more likely.
    pub(crate) fn some_user(&self, rng: &mut Rng) -> usize {
        rank(rng, self.users)
    }

    /// The end of the half day in which this mailbox is full, if it is. The mailboxes of busy users are never full.
    pub(crate) fn is_full(&self, address: &str, at: u64) -> Option<u64> {
        let part = at / (12 * HOUR);
        let name = address.bytes().fold(part, |sum, byte| mix(sum ^ u64::from(byte)));
        let is_busy = || (0..self.users / 5).any(|number| self.user(number) == address);
        (name % 1000 < 5 && !is_busy()).then_some((part + 1) * 12 * HOUR)
    }

    /// An address at a destination.
    pub(crate) fn correspondent(&self, place: usize, number: u64) -> String {
        let first = FIRST[(number % 40) as usize];
        let last = LAST[(number / 40 % 16) as usize];
        format!("{first}{last}{}@{}", number / 640 % 90, self.places[place].domain)
    }

    pub(crate) fn some_place(&self, rng: &mut Rng) -> usize {
        rank(rng, self.places.len())
    }

    /// An address that belongs to nobody.
    pub(crate) fn nobody(&self, rng: &mut Rng) -> String {
        let domain = &self.domains[rng.early(self.domains.len())];
        let first = FIRST[rng.below(40) as usize];
        format!("{first}{}{:x}@{domain}", LAST[rng.below(16) as usize], rng.below(0xff_ffff))
    }
}
