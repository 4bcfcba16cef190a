//! Derives domains, addresses and host names from numbers, so that a million clients need no memory.

use std::fmt;

use super::rng::{Rng, mix};

/// Number of local domains; they have the lowest domain numbers.
pub(crate) const LOCAL_DOMAINS: u16 = 24;
pub(crate) const REMOTE_DOMAINS: u16 = 5000;
/// Host name of the simulated server.
pub(crate) const HERE: &str = "mx1.example.org";
pub(crate) const HERE_IP: &str = "192.0.2.10";

const WORDS: [&str; 64] = [
    "anna", "ben", "clara", "david", "emma", "felix", "greta", "hugo", "ines", "jakob", "klara", "leon",
    "maria", "noah", "olga", "paul", "rosa", "simon", "tilda", "ulf", "vera", "willi", "xenia", "yusuf",
    "zoe", "info", "office", "sales", "support", "billing", "orders", "news", "jobs", "press", "team",
    "list", "weber", "schmidt", "moreau", "rossi", "novak", "kowalski", "jansen", "silva", "garcia", "smith",
    "brown", "jones", "taylor", "wilson", "evans", "walker", "hansen", "nielsen", "virtanen", "horvat",
    "popescu", "ivanova", "tanaka", "kim", "chen", "singh", "okafor", "haddad",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Domain(pub u16);

impl Domain {
    pub(crate) const fn is_local(self) -> bool {
        self.0 < LOCAL_DOMAINS
    }

    pub(crate) const fn local(rng: &mut Rng) -> Self {
        Self(rng.early(LOCAL_DOMAINS as usize) as u16)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_local() {
            write!(f, "l{:02}.example.org", self.0)
        } else {
            let tld = ["net", "com", "org"][usize::from(self.0 % 3)];
            write!(f, "d{:04}.example.{tld}", self.0 - LOCAL_DOMAINS)
        }
    }
}

/// The part of an address before the `@`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct User(u32);

impl User {
    /// Keeps only the bits that the name shows, so that different users have different names.
    pub(crate) const fn new(number: u32) -> Self {
        let shown = match number >> 12 & 3 {
            0 => 0x00_303f,
            1 => 0x00_3fff,
            2 => 0xff_f03f,
            _ => 0xff_ffff,
        };
        Self(number & shown)
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let word = WORDS[(self.0 & 63) as usize];
        let other = WORDS[(self.0 >> 6 & 63) as usize];
        let number = self.0 >> 14 & 1023;
        f.write_str(word)?;
        match self.0 >> 12 & 3 {
            0 => Ok(()),
            1 => write!(f, ".{other}"),
            2 => write!(f, "{number}"),
            _ => write!(f, ".{other}{number}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    pub user: User,
    pub domain: Domain,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.domain)
    }
}

/// The envelope sender as shown between angle brackets; `None` is the null sender.
pub(crate) struct EnvelopeSender(pub Option<Address>);

impl fmt::Display for EnvelopeSender {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.map_or(Ok(()), |address| address.fmt(f))
    }
}

/// An address of the documentation ranges (RFC 5737, RFC 3849); one in six is IPv6.
#[derive(Clone, Copy)]
pub(crate) struct Ip(pub u32);

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let seed = mix(u64::from(self.0));
        let last = seed >> 16 & 255;
        match seed % 6 {
            0 => write!(f, "2001:db8:{:x}:{:x}::{last:x}", seed >> 24 & 0xffff, seed >> 40 & 0xffff),
            1..=3 => write!(f, "192.0.2.{last}"),
            _ => write!(f, "198.51.100.{last}"),
        }
    }
}

/// One of a domain's mail exchangers.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub domain: Domain,
    pub number: u8,
}

impl Host {
    pub(crate) const fn ip(self) -> Ip {
        Ip((self.domain.0 as u32) << 4 | self.number as u32)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "mx{}.{}", self.number, self.domain)
    }
}

/// The kinds of client that connect to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// Another domain's outgoing server.
    Server,
    /// An internal machine that may relay.
    Inside,
    /// The device of a user, who logs in.
    Person,
    /// A host without a reverse DNS name.
    Nameless,
}

#[derive(Clone, Copy)]
pub(crate) struct ClientSeed {
    pub origin: ClientKind,
    pub domain: Domain,
    pub seed: u32,
}

impl ClientSeed {
    pub(crate) const fn ip(self) -> Ip {
        Ip(self.seed)
    }

    pub(crate) const fn port(self) -> u64 {
        1024 + mix(self.seed as u64 ^ 0x5eed) % 64000
    }
}

/// The client's reverse DNS name, or `unknown`, as Postfix logs it.
pub(crate) struct ClientName(pub ClientSeed);

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ClientSeed { origin, domain, seed } = self.0;
        match origin {
            ClientKind::Server => write!(f, "out{}.{domain}", seed % 5),
            ClientKind::Inside => write!(f, "app{}.example.org", seed % 12),
            ClientKind::Person => write!(f, "dyn-{:x}.{domain}", seed & 0xf_ffff),
            ClientKind::Nameless => f.write_str("unknown"),
        }
    }
}

/// The client's HELO name.
pub(crate) struct Helo(pub ClientSeed);

impl fmt::Display for Helo {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ClientSeed { origin, domain, seed } = self.0;
        match origin {
            ClientKind::Server | ClientKind::Inside => ClientName(self.0).fmt(f),
            ClientKind::Person => write!(f, "[192.0.2.{}]", seed & 255),
            ClientKind::Nameless if seed & 1 == 0 => write!(f, "host-{:x}", seed & 0xfff),
            ClientKind::Nameless => domain.fmt(f),
        }
    }
}

/// Cumulative Zipf distribution over the recipient domains.
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    pub(crate) fn new(exponent: f64) -> Self {
        let mut sum = 0.0;
        let steps = (1..=u32::from(REMOTE_DOMAINS)).map(|rank| {
            sum += f64::from(rank).powf(-exponent);
            sum
        });
        Self(steps.collect())
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> Domain {
        let all = self.0.last().copied().unwrap_or(1.0);
        let point = (rng.draw() >> 11) as f64 / (1_u64 << 53) as f64 * all;
        Domain(LOCAL_DOMAINS + self.0.partition_point(|&sum| sum <= point).min(self.0.len() - 1) as u16)
    }
}
