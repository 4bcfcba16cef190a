//! Lists the destinations of mail: known providers and small domains, with their hosts and kinds of server.

use crate::log::rng::{Rng, mix};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Flavor {
    Google,
    Microsoft,
    Yahoo,
    Apple,
    Gmx,
    Postfix,
    Exim,
    Plain,
}

pub(crate) struct Destination {
    pub domain: String,
    pub flavor: Flavor,
    /// Provider id as in the catalogue of smtplog; empty if none.
    pub provider: &'static str,
    /// Name and address of each host, in the order of preference.
    pub hosts: Vec<(String, String)>,
    /// Whether the destination greylists.
    pub is_grey: bool,
    /// Whether no host answers; true for a few destinations.
    pub is_dead: bool,
}

impl Destination {
    /// The host that receives a message: the first for four in five.
    pub(crate) fn host(&self, salt: u64) -> &(String, String) {
        let second = (salt >> 9).is_multiple_of(5);
        &self.hosts[usize::from(second)]
    }
}

type KnownProvider = (&'static str, Flavor, &'static str, [&'static str; 2]);

/// Large providers, with the hosts of their MX records.
const KNOWN: &[KnownProvider] = &[
    (
        "gmail.com",
        Flavor::Google,
        "google",
        ["gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"],
    ),
    (
        "outlook.com",
        Flavor::Microsoft,
        "microsoft",
        ["outlook-com.olc.protection.outlook.com", "outlook-com.olc.protection.outlook.com"],
    ),
    ("yahoo.com", Flavor::Yahoo, "yahoo", ["mta5.am0.yahoodns.net", "mta7.am0.yahoodns.net"]),
    ("gmx.net", Flavor::Gmx, "united-internet", ["mx00.emig.gmx.net", "mx01.emig.gmx.net"]),
    (
        "hotmail.com",
        Flavor::Microsoft,
        "microsoft",
        ["hotmail-com.olc.protection.outlook.com", "hotmail-com.olc.protection.outlook.com"],
    ),
    ("icloud.com", Flavor::Apple, "apple", ["mx01.mail.icloud.com", "mx02.mail.icloud.com"]),
    ("web.de", Flavor::Gmx, "united-internet", ["mx-ha02.web.de", "mx-ha03.web.de"]),
    ("t-online.de", Flavor::Plain, "t-online", ["mx00.t-online.de", "mx01.t-online.de"]),
    ("aol.com", Flavor::Yahoo, "yahoo", ["mx-aol.mail.gm0.yahoodns.net", "mx-aol.mail.gm0.yahoodns.net"]),
];

pub(crate) fn places(rng: &mut Rng, count: usize, tails: &[&str]) -> Vec<Destination> {
    let mut places: Vec<Destination> = KNOWN
        .iter()
        .enumerate()
        .map(|(number, &(domain, flavor, provider, hosts))| Destination {
            domain: domain.to_owned(),
            flavor,
            provider,
            hosts: hosts
                .iter()
                .enumerate()
                .map(|(at, host)| ((*host).to_owned(), address(number, at)))
                .collect(),
            is_grey: false,
            is_dead: false,
        })
        .collect();
    // The order differs from log to log, but the large providers stay near the top.
    let top = places.len() as u64;
    for at in (1..places.len()).rev() {
        let other = rng.below(at as u64 + 1) as usize;
        if rng.chance(400) {
            places.swap(at, other);
        }
    }
    for number in 0..count as u64 {
        let place = small(number, tails, rng);
        if number < 6 {
            places.insert(rng.below(top) as usize, place);
        } else {
            places.push(place);
        }
    }
    places
}

fn small(number: u64, tails: &[&str], rng: &mut Rng) -> Destination {
    let tail = tails[(mix(number) % tails.len() as u64) as usize];
    let domain = format!("d{number:03}.{tail}");
    let dashed = domain.replace('.', "-");
    let (flavor, provider, names) = match rng.weighted(&[17, 24, 29, 17, 13]) {
        0 => (
            Flavor::Google,
            "google",
            ["aspmx.l.google.com".to_owned(), "alt1.aspmx.l.google.com".to_owned()],
        ),
        1 => {
            let host = format!("{dashed}.mail.protection.outlook.com");
            (Flavor::Microsoft, "microsoft", [host.clone(), host])
        }
        2 => (Flavor::Postfix, "", [format!("mx1.{domain}"), format!("mx2.{domain}")]),
        3 => (Flavor::Exim, "", [format!("mail.{domain}"), format!("backup.{domain}")]),
        _ => (Flavor::Plain, "", [format!("mx.{domain}"), format!("mx20.{domain}")]),
    };
    let number = number as usize + 16;
    let hosts = names.into_iter().enumerate().map(|(at, name)| (name, address(number, at))).collect();
    let is_grey = provider.is_empty() && rng.chance(160);
    Destination {
        domain,
        flavor,
        provider,
        hosts,
        is_grey,
        is_dead: number > 60 && provider.is_empty() && rng.chance(14),
    }
}

/// An address of the benchmarking network 198.18.0.0/15 (RFC 2544), which is large enough for all hosts.
fn address(number: usize, host: usize) -> String {
    format!("198.18.{}.{}", number % 256, 10 + host * 7 + number / 256 * 50)
}
