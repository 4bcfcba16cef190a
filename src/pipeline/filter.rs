//! Defines the filter options, and selects events by them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use strsim::jaro_winkler;
use wildmatch::WildMatch;

use crate::catalog::classify::{Classification, Reason, find_provider};
use crate::catalog::provider::Provider;
use crate::catalog::{Catalog, value_name};
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta::parsed::domain;
use crate::smtp::event::{By, Direction, Event, Mta, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// The options that select events: an event must match one value of each option that is used.
#[derive(Args, Clone, Default, Debug)]
#[command(
    next_help_heading = "Which events (repeat an option for OR; combine options for AND)"
)]
pub struct FilterArgs {
    /// Only this code: 552, 4xx, 5.7.1, 5.7.* or none.
    ///
    /// *.2.2 matches 4.2.2 and 5.2.2; none matches events without a reply code.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub code: Vec<CodePattern>,
    /// Only this class: 4xx or transient, 5xx or permanent.
    ///
    /// Also positive and intermediate.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub class: Vec<Class>,
    /// Only this reason, such as mailbox-full.
    ///
    /// `smtplog scan --by reason` lists the reasons in a log; `smtplog explain REASON` explains one.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub reason: Vec<Reason>,
    /// Only this direction: outbound, inbound or local.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub direction: Vec<Direction>,
    /// Only this outcome: delivered, deferred, bounced, rejected, ...
    ///
    /// delivered, deferred, bounced, expired, rejected, warned, held, discarded or probe.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub outcome: Vec<Outcome>,
    /// Only lines of this mail server: postfix, exim, sendmail, ...
    ///
    /// postfix, exim, sendmail, opensmtpd or kumomta.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub mta: Vec<Mta>,
    /// Only this recipient; @example.org is every one there.
    ///
    /// * matches anything, ? one character.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Vec<TextPattern>,
    /// Only messages from this sender; "" is the null sender.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Vec<TextPattern>,
    /// Only recipients in this domain.
    ///
    /// *.example.org matches its subdomains.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Vec<TextPattern>,
    /// Only this provider, such as google.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub provider: Vec<String>,
    /// Only replies of this remote server.
    ///
    /// A name, an address, or a network such as 192.0.2.0/24; * matches anything.
    #[arg(long, value_name = "HOST")]
    pub relay: Vec<TextPattern>,
    /// Only replies to this client.
    ///
    /// A name, an address, or a network such as 192.0.2.0/24; * matches anything.
    #[arg(long, value_name = "HOST")]
    pub client: Vec<TextPattern>,
    /// Only this instance, such as postfix-out or postfix/submission.
    #[arg(long, value_name = "NAME")]
    pub instance: Vec<TextPattern>,
}

/// One option of a filter as it was used.
struct Criterion {
    option: &'static str,
    /// The properties of an event that the values ask about.
    asks: Vec<By>,
    values: Vec<String>,
}

/// The error of a `--provider` that is not in the catalogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownProvider {
    pub name: String,
    /// The most similar names, best first (Jaro-Winkler similarity).
    pub similar: Vec<String>,
}

/// Greatest number of similar names that are suggested.
const SUGGESTIONS: usize = 6;

impl FilterArgs {
    /// The filter that the options ask for.
    pub fn resolve(&self, book: &Catalog) -> Result<Filter, UnknownProvider> {
        let provider = |name: &String| {
            let id = name.to_ascii_lowercase();
            book.providers.find(&id).ok_or_else(|| {
                let mut similar: Vec<String> = book.providers.all().map(|(_, row)| row.id.clone()).collect();
                similar.sort_by(|a, b| jaro_winkler(b, &id).total_cmp(&jaro_winkler(a, &id)));
                similar.truncate(SUGGESTIONS);
                UnknownProvider { name: name.clone(), similar }
            })
        };
        let providers = self.provider.iter().map(provider).collect::<Result<_, _>>()?;
        let words = self.criteria().iter().flat_map(Criterion::words).collect();
        Ok(Filter { args: self.clone(), providers, words })
    }

    /// Every option, in the order of the help.
    fn criteria(&self) -> [Criterion; 13] {
        // Destructured, so that a new option does not compile until it is in this table.
        let Self {
            code,
            class,
            reason,
            direction,
            outcome,
            mta,
            to,
            from,
            domain,
            provider,
            relay,
            client,
            instance,
        } = self;
        let enhanced = |pattern: &CodePattern| matches!(pattern, CodePattern::Enhanced(_));
        let code_asks = [(By::Code, !code.iter().all(enhanced)), (By::Enhanced, code.iter().any(enhanced))];
        let code_asks = code_asks.into_iter().filter(|&(_, asked)| asked).map(|(by, _)| by).collect();
        let code = Criterion { option: "code", asks: code_asks, values: texts(code) };
        let row = |option, by, values| Criterion { option, asks: vec![by], values };
        [
            code,
            row("class", By::Class, names(class)),
            row("reason", By::Reason, names(reason)),
            row("direction", By::Direction, names(direction)),
            row("outcome", By::Outcome, names(outcome)),
            row("mta", By::Mta, names(mta)),
            row("provider", By::Provider, provider.clone()),
            row("to", By::Recipient, texts(to)),
            row("from", By::Sender, texts(from)),
            row("domain", By::Domain, texts(domain)),
            row("relay", By::Relay, texts(relay)),
            row("client", By::Client, texts(client)),
            row("instance", By::Instance, texts(instance)),
        ]
    }
}

impl Criterion {
    /// `--code 4xx`, once for each value.
    fn words(&self) -> impl Iterator<Item = String> {
        let quoted = |value: &String| if value.is_empty() { "\"\"".to_owned() } else { value.clone() };
        self.values.iter().map(move |value| format!("--{} {}", self.option, quoted(value)))
    }
}

fn texts<T: fmt::Display>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn names<T: ValueEnum + Copy>(values: &[T]) -> Vec<String> {
    values.iter().copied().map(value_name).collect()
}

/// Whether the value of an option in `Filter::words` is an address of a person.
pub(crate) fn takes_address(option: &str) -> bool {
    matches!(option, "--to" | "--from")
}

/// Selects events. The default admits every event.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    args: FilterArgs,
    /// The providers of `args.provider`.
    providers: Vec<Provider>,
    /// The options as they were typed: `--code 4xx`.
    pub words: Vec<String>,
}

/// A filter without `--from`: the part that one line decides. A line without a sender may belong to a message whose other
/// lines show one, so a walk applies only this part, and a sink applies `--from` when the sender is known.
#[derive(Clone, Default, Debug)]
pub struct LineFilter(Filter);

impl LineFilter {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn admits(
        &self,
        event: &Event,
        verdict: Option<Classification>,
        line: &LogLine,
        book: &Catalog,
    ) -> bool {
        self.0.admits(event, verdict, line, book)
    }
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The properties that the filter asks about, each once.
    pub fn kinds(&self) -> Vec<By> {
        let used = self.args.criteria().into_iter().filter(|criterion| !criterion.values.is_empty());
        used.flat_map(|criterion| criterion.asks).collect()
    }

    /// The part of the filter that one line decides.
    pub fn without_sender(&self) -> LineFilter {
        let args = FilterArgs { from: Vec::new(), ..self.args.clone() };
        LineFilter(Self { args, ..self.clone() })
    }

    /// The part of the filter that selects recipients: by address, domain, provider or relay. `None`: it has no such part.
    pub fn of_recipients(&self) -> Option<Self> {
        let FilterArgs { to, domain, provider, relay, .. } = self.args.clone();
        let args = FilterArgs { to, domain, provider, relay, ..FilterArgs::default() };
        let selects = args.criteria().iter().any(|criterion| !criterion.values.is_empty());
        selects.then(|| Self { args, ..self.clone() })
    }

    /// Whether `--from` is set.
    pub fn asks_for_sender(&self) -> bool {
        !self.args.from.is_empty()
    }

    /// `None`: the sender is unknown.
    pub fn admits_sender(&self, sender: Option<&[u8]>) -> bool {
        matches_any(&self.args.from, sender)
    }

    pub fn admits(
        &self,
        event: &Event,
        verdict: Option<Classification>,
        line: &LogLine,
        book: &Catalog,
    ) -> bool {
        let args = &self.args;
        let inbound = event.direction == Direction::Inbound;
        let is_peer = |wanted: &[TextPattern], applies: bool| {
            wanted.is_empty()
                || applies && [event.peer.host, event.peer.ip].iter().any(|name| matches_any(wanted, *name))
        };
        one_of(&args.direction, Some(event.direction))
            && one_of(&args.outcome, Some(event.outcome))
            && one_of(&args.mta, Some(event.mta))
            && one_of(&args.class, event.class())
            && (args.code.is_empty() || args.code.iter().any(|pattern| pattern.fits(event)))
            && one_of(&args.reason, verdict.map(|verdict| verdict.reason))
            && (self.providers.is_empty()
                || one_of(
                    &self.providers,
                    verdict.and_then(|v| v.provider).or_else(|| find_provider(event, book)),
                ))
            && matches_any(&args.to, event.recipient)
            && self.admits_sender(event.sender)
            && matches_any(&args.domain, event.recipient.and_then(domain))
            && is_peer(&args.relay, !inbound)
            && is_peer(&args.client, inbound)
            && matches_any(&args.instance, Some(line.instance()))
    }
}

fn matches_any(wanted: &[TextPattern], value: Option<&[u8]>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|pattern| pattern.fits(value)))
}

fn one_of<T: PartialEq>(wanted: &[T], value: Option<T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
}

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
    fn fits(self, event: &Event) -> bool {
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
        for text in
            ["192.0.2.0/99", "192.0.2.0/", "192.0.2.0/x", "2001:db8::/129", "192.0.2.300", "192.0.2.999/24", "192.0.02.1"]
        {
            assert!(text.parse::<TextPattern>().is_err(), "{text}");
        }
        for text in ["192.0.2.*", "postfix/smtp", "a/b@example.org", "1.2.3", "mx.192.0.2.example.org", "*/24"] {
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
