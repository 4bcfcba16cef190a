//! Defines the filter options, and selects events by them.

use std::fmt;

use clap::{Args, ValueEnum};
use strsim::jaro_winkler;

pub use super::pattern::{CodePattern, TextPattern};
use super::reason_pattern::{ReasonChoice, ReasonParser};
use crate::catalog::classify::{Classification, find_provider};
use crate::catalog::provider::Provider;
use crate::catalog::{Catalog, value_name};
use crate::parse::header::LogLine;
use crate::parse::mta::parsed::domain;
use crate::smtp::event::{By, Direction, Event, Mta, Outcome};
use crate::smtp::reply::Class;

/// The options that select events: an event must match one value of each option that is used.
#[derive(Args, Clone, Default, Debug)]
#[command(next_help_heading = "Which events (repeat an option for OR; combine options for AND)")]
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
    /// Only this reason or cause, by its id or as the report names it: mailbox-full, "no such user".
    ///
    /// `smtplog scan --by reason` lists the reasons in a log; `smtplog explain REASON` explains one.
    #[arg(long, value_parser = ReasonParser, hide_possible_values = true, value_name = "REASON")]
    pub reason: Vec<ReasonChoice>,
    /// Only this direction: outbound, inbound or local.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub direction: Vec<Direction>,
    /// Only this outcome: delivered, deferred, bounced, ...
    ///
    /// delivered, deferred, bounced, expired, rejected, warned, held, discarded or probe.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub outcome: Vec<Outcome>,
    /// Only lines of this mail server: postfix, exim, sendmail, ...
    ///
    /// postfix, exim, sendmail, opensmtpd or kumomta.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true, value_delimiter = ',')]
    pub mta: Vec<Mta>,
    /// Only this recipient; @example.org matches every address there.
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
            row("reason", By::Reason, reason.iter().flat_map(|choice| texts(&choice.0)).collect()),
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
            && (args.reason.is_empty()
                || args.reason.iter().flat_map(|choice| &choice.0).any(|pattern| pattern.fits(verdict)))
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
