//! Which events are wanted: an event comes in, yes or no goes out.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use wildmatch::WildMatch;

use crate::book::Book;
use crate::event::{By, Direction, Event, Mta, Outcome, Peer};
use crate::line::Line;
use crate::mta::reading::domain;
use crate::provider::Provider;
use crate::reason::{Reason, Verdict, provider};
use crate::reply::{Class, Code, EnhancedCode};

/// Of each kind any one must fit, and of all kinds that are not empty, each. Empty: every event is wanted.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    pub codes: Vec<CodePattern>,
    pub classes: Vec<Class>,
    pub reasons: Vec<Reason>,
    pub directions: Vec<Direction>,
    pub outcomes: Vec<Outcome>,
    pub mtas: Vec<Mta>,
    pub providers: Vec<Provider>,
    pub recipients: Vec<Pattern>,
    pub senders: Vec<Pattern>,
    /// Of the recipient.
    pub domains: Vec<Pattern>,
    pub relays: Vec<Pattern>,
    pub clients: Vec<Pattern>,
    pub instances: Vec<Pattern>,
    /// As they were asked for: `--code 4xx`.
    pub words: Vec<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What is asked of an event, each kind once.
    pub fn kinds(&self) -> Vec<By> {
        let enhanced = |pattern: &CodePattern| matches!(pattern, CodePattern::Enhanced(_));
        let kinds = [
            (By::Code, !self.codes.iter().all(enhanced)),
            (By::Enhanced, self.codes.iter().any(enhanced)),
            (By::Class, !self.classes.is_empty()),
            (By::Reason, !self.reasons.is_empty()),
            (By::Direction, !self.directions.is_empty()),
            (By::Outcome, !self.outcomes.is_empty()),
            (By::Mta, !self.mtas.is_empty()),
            (By::Provider, !self.providers.is_empty()),
            (By::Recipient, !self.recipients.is_empty()),
            (By::Sender, !self.senders.is_empty()),
            (By::Domain, !self.domains.is_empty()),
            (By::Relay, !self.relays.is_empty()),
            (By::Client, !self.clients.is_empty()),
            (By::Instance, !self.instances.is_empty()),
        ];
        kinds.into_iter().filter(|&(_, asked)| asked).map(|(by, _)| by).collect()
    }

    /// The same, with nothing asked of the sender: for who learns it only later.
    #[must_use]
    pub fn of_any_sender(&self) -> Self {
        Self { senders: Vec::new(), ..self.clone() }
    }

    /// None: nobody knows who sent it.
    pub fn admits_sender(&self, sender: Option<&[u8]>) -> bool {
        let fits = |sender| self.senders.iter().any(|pattern| pattern.fits(sender));
        self.senders.is_empty() || sender.is_some_and(fits)
    }

    pub fn admits(&self, event: &Event, verdict: Option<Verdict>, line: &Line, book: &Book) -> bool {
        let peer = |direction: bool| Some(event.peer).filter(|_| direction);
        let inbound = event.direction == Direction::Inbound;
        let of = |wanted: &[Pattern], value: Option<&[u8]>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|pattern| pattern.fits(value)))
        };
        let at = |wanted: &[Pattern], peer: Option<Peer>| {
            let fits = |value: Option<&[u8]>| value.is_some_and(|value| wanted.iter().any(|p| p.fits(value)));
            wanted.is_empty() || peer.is_some_and(|peer| fits(peer.host) || fits(peer.ip))
        };
        one_of(&self.directions, Some(event.direction))
            && one_of(&self.outcomes, Some(event.outcome))
            && one_of(&self.mtas, Some(event.mta))
            && one_of(&self.classes, event.class())
            && (self.codes.is_empty() || self.codes.iter().any(|pattern| pattern.fits(event)))
            && one_of(&self.reasons, verdict.map(|verdict| verdict.reason))
            && (self.providers.is_empty()
                || one_of(
                    &self.providers,
                    verdict.and_then(|v| v.provider).or_else(|| provider(event, book)),
                ))
            && of(&self.recipients, event.recipient)
            && self.admits_sender(event.sender)
            && of(&self.domains, event.recipient.and_then(domain))
            && at(&self.relays, peer(!inbound))
            && at(&self.clients, peer(inbound))
            && of(&self.instances, Some(line.instance()))
    }
}

fn one_of<T: PartialEq>(wanted: &[T], value: Option<T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
}

/// `552`, `4xx`, `5.7.1`, `5.7.*`, `*.2.2`, or `none` for what has no code at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodePattern {
    None,
    Class(Class),
    Code(Code),
    /// Class, subject and detail (RFC 3463 §2); None: any.
    Enhanced([Option<u16>; 3]),
}

impl CodePattern {
    fn fits(self, event: &Event) -> bool {
        self.fits_numbers(event.code, event.enhanced)
    }

    /// None: there is no such number.
    pub fn fits_numbers(self, code: Option<Code>, enhanced: Option<EnhancedCode>) -> bool {
        match self {
            Self::None => code.is_none(),
            Self::Code(wanted) => code == Some(wanted),
            Self::Class(class) => code.is_some_and(|code| code.class() == class),
            Self::Enhanced(parts) => enhanced.is_some_and(|code| {
                let own = [code.class() as u16 + 2, code.subject, code.detail];
                parts.iter().zip(own).all(|(wanted, part)| wanted.is_none_or(|wanted| wanted == part))
            }),
        }
    }
}

impl FromStr for CodePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let small = text.trim().to_ascii_lowercase();
        let wrong = || format!("{text:?} is no code; write 552, 4xx, 5.7.1, 5.7.*, or none");
        if small == "none" {
            return Ok(Self::None);
        }
        if let Some(digit) = small.strip_suffix("xx").or_else(|| small.strip_suffix("**")) {
            let any = digit.parse::<u16>().ok().and_then(|digit| Code::new(digit.checked_mul(100)?));
            return any.filter(|_| digit.len() == 1).map(|code| Self::Class(code.class())).ok_or_else(wrong);
        }
        if let Ok(number) = small.parse() {
            return Code::new(number).map(Self::Code).ok_or_else(wrong);
        }
        let part = |text: &str| match text {
            "*" | "x" => Some(None),
            digits => digits.parse::<u16>().ok().filter(|number| *number <= 999).map(Some),
        };
        let parts: Option<Vec<_>> = small.split('.').map(part).collect();
        match parts.as_deref() {
            Some([class @ (None | Some(2 | 4 | 5)), subject, detail]) => {
                Ok(Self::Enhanced([*class, *subject, *detail]))
            }
            Some([class @ (None | Some(2 | 4 | 5)), None]) => Ok(Self::Enhanced([*class, None, None])),
            _ => Err(wrong()),
        }
    }
}

/// An address, a host or a name: whole, letters' case aside, `*` for any signs and `?` for one; `@example.org` is
/// everyone there; `192.0.2.0/24` is a network.
#[derive(Clone, Debug)]
pub enum Pattern {
    Words(Box<WildMatch>),
    Net(IpNet),
}

impl Pattern {
    /// The whole value, as it stands in a log.
    pub fn fits(&self, value: &[u8]) -> bool {
        let value = String::from_utf8_lossy(value);
        match self {
            Self::Words(words) => words.matches(&value),
            Self::Net(net) => value.parse::<IpAddr>().is_ok_and(|ip| net.contains(&ip)),
        }
    }
}

impl FromStr for Pattern {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        if let Ok(net) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            return Ok(Self::Net(net));
        }
        let whole = if text.starts_with('@') { format!("*{text}") } else { text.to_owned() };
        Ok(Self::Words(Box::new(WildMatch::new_case_insensitive(&whole))))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Words(words) => words.fmt(f),
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().fmt(f),
            Self::Net(net) => net.fmt(f),
        }
    }
}

impl fmt::Display for CodePattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let part = |part: &Option<u16>| part.map_or_else(|| "*".to_owned(), |number| number.to_string());
        match self {
            Self::None => f.write_str("none"),
            Self::Class(class) => write!(f, "{}xx", *class as u16 + 2),
            Self::Code(code) => code.fmt(f),
            Self::Enhanced(parts) => f.write_str(&parts.iter().map(part).collect::<Vec<_>>().join(".")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::EnhancedCode;

    fn event(code: u16, enhanced: &'static str) -> Event<'static> {
        Event {
            code: Code::new(code),
            enhanced: EnhancedCode::read(enhanced.as_bytes()).map(|(code, _)| code),
            ..Event::new(Mta::Postfix, Direction::Outbound, Outcome::Bounced)
        }
    }

    #[track_caller]
    fn fits(pattern: &str, code: u16, enhanced: &'static str, wanted: bool) {
        let pattern: CodePattern = pattern.parse().unwrap();
        assert_eq!(pattern.fits(&event(code, enhanced)), wanted, "{pattern} and {code} {enhanced}");
    }

    #[test]
    fn codes_fit_by_number_by_class_and_by_part() {
        fits("552", 552, "5.2.2", true);
        fits("552", 550, "5.2.2", false);
        fits("4XX", 452, "4.2.2", true);
        fits("4xx", 552, "4.2.2", false);
        fits("5.7.*", 550, "5.7.26", true);
        fits("5.7.x", 550, "5.1.1", false);
        fits("*.2.2", 452, "4.2.2", true);
        fits("5.*", 550, "5.1.1", true);
        fits("5.7.1", 550, "", false);
        fits("none", 0, "", true);
        fits("none", 250, "", false);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in
            ["", "199", "600", "6xx", "45x", "4x", "3.7.1", "5", "5.7", "5.7.1.1", "5.7.1000", "55xx", "x"]
        {
            assert!(text.parse::<CodePattern>().is_err(), "{text}");
        }
    }

    #[track_caller]
    fn matches(pattern: &str, value: &str, wanted: bool) {
        let Ok(read) = pattern.parse::<Pattern>();
        assert_eq!(read.fits(value.as_bytes()), wanted, "{pattern} and {value}");
    }

    #[test]
    fn names_fit_whole() {
        matches("anna@example.org", "Anna@Example.ORG", true);
        matches("anna@example.org", "joanna@example.org", false);
        matches("@example.org", "anna@example.org", true);
        matches("@example.org", "anna@mail.example.org", false);
        matches("*.example.org", "mx1.example.org", true);
        matches("*.example.org", "example.org", false);
        matches("mx?.example.org", "mx1.example.org", true);
        matches("<anna@example.org>", "anna@example.org", true);
        matches("", "", true);
        matches("a.c", "abc", false);
    }

    #[test]
    fn networks_fit_addresses() {
        matches("192.0.2.0/24", "192.0.2.77", true);
        matches("192.0.2.0/24", "198.51.100.7", false);
        matches("2001:db8::/32", "2001:db8::1", true);
        matches("2001:DB8:0::1", "2001:db8::1", true);
        matches("192.0.2.1", "192.0.2.10", false);
        matches("192.0.2.0/24", "mx.example.org", false);
    }
}
