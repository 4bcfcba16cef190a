//! Names the phases of a delivery, and parses the durations that mail servers log.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the time that mail takes on this host.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ValueEnum, JsonSchema, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// From its arrival to this delivery: Postfix's `delay=`, Exim's `QT=`.
    Total,
    /// Up to its last entry into the active queue: the first of Postfix's `delays=` (postconf(5),
    /// delay_logging_resolution_limit).
    BeforeActive,
    /// In the active queue: the second.
    Active,
    /// Setting up the connection, with DNS, EHLO and STARTTLS: the third.
    Connect,
    /// Sending the message: the fourth.
    Transmit,
    /// Exim's `QT=` without `DT=`: receiving it, and waiting.
    Queued,
    /// Exim's `DT=`: connecting and sending together.
    Deliver,
    /// Exim's `RT=` of a message that came in.
    Receive,
}

/// Phases of one delivery with their durations, in milliseconds; at most five, so that none is on the heap.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Phases {
    times: [Option<(Phase, u64)>; 5],
    count: usize,
}

impl FromIterator<(Phase, u64)> for Phases {
    fn from_iter<I: IntoIterator<Item = (Phase, u64)>>(times: I) -> Self {
        let mut phases = Self::default();
        times.into_iter().for_each(|(phase, time)| phases.push(phase, time));
        phases
    }
}

impl Phases {
    pub(crate) fn of(times: [(Phase, u64); 5]) -> Self {
        Self { times: times.map(Some), count: times.len() }
    }

    /// A sixth phase is ignored.
    pub(crate) fn push(&mut self, phase: Phase, time: u64) {
        if let Some(place) = self.times.get_mut(self.count) {
            *place = Some((phase, time));
            self.count += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Phase, u64)> {
        self.times.iter().copied().flatten()
    }
}

/// Parses seconds, such as `0.01` or `345678`, into milliseconds; finer digits are cut off. `None`: not such a number.
pub(crate) fn seconds(text: &[u8]) -> Option<u64> {
    leading_seconds(text).and_then(|(time, behind)| behind.is_empty().then_some(time))
}

/// Parses the [`seconds`] at the front of a text, and returns what follows them.
#[inline]
pub(crate) fn leading_seconds(text: &[u8]) -> Option<(u64, &[u8])> {
    let (whole, behind) = digits(text)?;
    let [b'.', fraction @ ..] = behind else { return Some((whole * 1000, behind)) };
    let (value, behind) = digits(fraction)?;
    let thousandths = match fraction.len() - behind.len() {
        1 => value * 100,
        2 => value * 10,
        3 => value,
        finer => value / 10_u64.pow(finer as u32 - 3),
    };
    Some((whole * 1000 + thousandths, behind))
}

/// The number at the front, and what follows it. `None`: it has no digit, or more than nine.
#[inline]
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut rest) = (0, text);
    while let Some((byte, behind)) = rest.split_first()
        && byte.is_ascii_digit()
    {
        number = number * 10 + u64::from(byte - b'0');
        rest = behind;
        if text.len() - rest.len() > 9 {
            return None;
        }
    }
    (rest.len() < text.len()).then_some((number, rest))
}

/// Parses a duration of Exim into milliseconds: `1w2d3h4m5s`, `0.304s` or `0.304` (readconf.c, readconf_printtime).
/// `None`: not a duration.
pub(crate) fn units(text: &[u8]) -> Option<u64> {
    let (mut rest, mut sum, mut last) = (text, 0_u64, u64::MAX);
    while !rest.is_empty() {
        let end = rest.iter().position(u8::is_ascii_alphabetic).unwrap_or(rest.len());
        let unit = match rest.get(end) {
            Some(b'w') => 604_800,
            Some(b'd') => 86_400,
            Some(b'h') => 3600,
            Some(b'm') => 60,
            Some(b's') | None => 1,
            Some(_) => return None,
        };
        // Each unit occurs once, the largest first.
        if unit >= last {
            return None;
        }
        last = unit;
        sum += seconds(rest.get(..end)?)? * unit;
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    (!text.is_empty()).then_some(sum)
}

/// What to do when mail spends most of its time in this phase. `None`: the phase says too little.
///
/// Sources: Postfix QSHAPE_README, "Postfix queue directories", and postconf(5); Exim spec ch. 20 and 53.
pub(crate) fn advice(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Total => None,
        Phase::BeforeActive => Some(
            "Most waited in the deferred or incoming queue: look at what was deferred, and at qshape deferred",
        ),
        Phase::Active => {
            Some("Most waited in the active queue for a slow or busy next hop: look at qshape active")
        }
        Phase::Connect => {
            Some("Look at DNS and at port 25 of the next hop: each dead address costs a time-out")
        }
        Phase::Transmit => {
            Some("The next hop is slow to take the message: large mail, a slow line, or its filters")
        }
        Phase::Queued => {
            Some("Most waited for a queue run: look at what was deferred, at -q and at queue_run_max")
        }
        Phase::Deliver => {
            Some("The next hop is slow to connect or to take mail: watch one with exim -v -M ID")
        }
        Phase::Receive => Some(
            "Clients are slow to send, or the checks at the end of DATA take long: look at your scanners",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds() {
        for (text, wanted) in [
            ("0", 0),
            ("0.01", 10),
            ("1.5", 1500),
            ("0.0019", 1),
            ("432000", 432_000_000),
            ("7.123456789", 7123),
        ] {
            assert_eq!(seconds(text.as_bytes()), Some(wanted), "{text}");
        }
        for text in
            ["", ".", "1.", ".5", "-1", "1e5", "1,5", "99999999999", "1.5s", "1.1234567890", "1.5.1", "1."]
        {
            assert_eq!(seconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn reads_units() {
        for (text, wanted) in [
            ("1h2m3s", 3_723_000),
            ("0.123s", 123),
            ("3s", 3000),
            ("2d", 172_800_000),
            ("1w1d1h1m1s", 694_861_000),
            ("0.304", 304),
        ] {
            assert_eq!(units(text.as_bytes()), Some(wanted), "{text}");
        }
        for text in ["", "s", "1x", "3s2h", "1s1s", "1h-2m", "9999999999d", "1h 2m"] {
            assert_eq!(units(text.as_bytes()), None, "{text}");
        }
    }
}
