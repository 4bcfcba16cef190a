//! Parses and matches the patterns of the filter options: codes, addresses, names and networks.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use wildmatch::WildMatch;

use crate::parse::log_text::LogText;
use crate::smtp::event::Event;
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// `552`, `4xx`, `5.7.1`, `5.7.*`, `*.2.2`, or `none` for events without a reply code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodePattern {
    None,
    Class(Class),
    Code(Code),
    /// Class, subject and detail (RFC 3463 §2); `None` matches any.
    Enhanced([Option<u16>; 3]),
}

impl CodePattern {
    pub(crate) fn fits(self, event: &Event) -> bool {
        self.fits_numbers(event.code, event.enhanced)
    }

    /// `None`: the event has no such code.
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

/// Matches a whole address, host or name, ignoring case. `*` matches anything, `?` one character, `@example.org` every
/// address in that domain, and `192.0.2.0/24` the addresses of that network.
#[derive(Clone, Debug)]
pub enum TextPattern {
    Words(Box<WildMatch>),
    Net(IpNet),
}

impl TextPattern {
    /// Whether the pattern matches the whole value, as logged.
    pub fn fits(&self, value: &[u8]) -> bool {
        let value = LogText(value).to_str();
        match self {
            Self::Words(words) => words.matches(&value),
            Self::Net(net) => value.parse::<IpAddr>().is_ok_and(|ip| net.contains(&ip)),
        }
    }
}

impl FromStr for TextPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        if let Ok(net) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            return Ok(Self::Net(net));
        }
        if let Some(fault) = network_fault(text) {
            return Err(fault);
        }
        let whole = if text.starts_with('@') { format!("*{text}") } else { text.to_owned() };
        Ok(Self::Words(Box::new(WildMatch::new_case_insensitive(&whole))))
    }
}

/// The fault of a text that is meant as an IP address or a network and is none: `192.0.2.0/99`, `192.0.2.300`. `None`: it
/// may be a name.
fn network_fault(text: &str) -> Option<String> {
    if let Some((address, length)) = text.split_once('/')
        && let Ok(address) = address.parse::<IpAddr>()
    {
        let most = if address.is_ipv4() { 32 } else { 128 };
        return Some(format!("the length of the network, {length:?}, must be a number from 0 to {most}"));
    }
    let (address, _) = text.split_once('/').unwrap_or((text, ""));
    let parts: Vec<&str> = address.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (parts.len() == 4 && parts.iter().all(is_number)).then(|| {
        format!("{address:?} is not an IP address: each number must be from 0 to 255, without leading zeros")
    })
}

impl fmt::Display for TextPattern {
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
    use crate::smtp::event::{Direction, Mta, Outcome};
    use crate::smtp::reply::EnhancedCode;

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
        let read = pattern.parse::<TextPattern>().unwrap();
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
    fn a_network_that_is_none_is_refused() {
        for text in [
            "192.0.2.0/99",
            "192.0.2.0/",
            "192.0.2.0/x",
            "2001:db8::/129",
            "192.0.2.300",
            "192.0.2.999/24",
            "192.0.02.1",
        ] {
            assert!(text.parse::<TextPattern>().is_err(), "{text}");
        }
        for text in
            ["192.0.2.*", "postfix/smtp", "a/b@example.org", "1.2.3", "mx.192.0.2.example.org", "*/24"]
        {
            assert!(text.parse::<TextPattern>().is_ok(), "{text}");
        }
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
