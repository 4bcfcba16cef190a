//! Renders the report for a customer of the mail service (`--for customer`): plain words, without addresses, settings and
//! commands.
//!
//! Promises: no address, host, log line or parameter is shown, and no domain unless the filter selects the customer's mail.
//! May use: what render may use.

pub(crate) mod formats;
pub(crate) mod wording;

use clap::ValueEnum;

use self::wording::{heading, state_word, what_to_do, what_went_wrong};
use crate::catalog::Action;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::first_screen::span;
use crate::render::text::page::fit;
use crate::render::words::fault::{counted, percent, states};
use crate::report::{ActionSection, DirectionTotals, PlaceKind, Report};

/// The reader of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Audience {
    Admin,
    Customer,
}

/// Number of domains.
const DOMAINS: usize = 20;

/// Width of the text of a mail in columns.
pub(crate) const MAIL_WIDTH: usize = 76;

/// Filters that select the mail of one customer, so that its domains may be shown.
const OWN_MAIL: [&str; 2] = ["--from ", "--domain "];

/// A report in plain words. All texts are translated and printable.
pub(crate) struct CustomerReport {
    pub title: String,
    /// Empty: no line has a valid timestamp.
    pub period: String,
    pub headline: String,
    pub flows: Vec<CustomerFlow>,
    /// Mail from outside, in one sentence. `None`: there is none.
    pub incoming: Option<String>,
    pub groups: Vec<CustomerGroup>,
    /// Empty: the mail may be that of several customers.
    pub domains: Vec<CustomerDomain>,
}

/// The messages of one direction.
pub(crate) struct CustomerFlow {
    pub title: String,
    /// The state in words, its messages, and their share.
    pub states: Vec<(String, u64, String)>,
}

/// Failed messages that the same person must act on.
pub(crate) struct CustomerGroup {
    pub title: String,
    pub meaning: String,
    pub rows: Vec<CustomerRow>,
}

pub(crate) struct CustomerRow {
    pub what: String,
    pub messages: u64,
    /// The share of the messages of its direction.
    pub share: String,
    /// The provider of most of them; empty: none has most.
    pub provider: String,
    /// Empty: nothing.
    pub advice: String,
}

pub(crate) struct CustomerDomain {
    pub name: String,
    pub failed: u64,
    /// Deliveries with a result.
    pub finished: u64,
    pub share: String,
}

impl CustomerReport {
    pub(crate) fn new(report: &Report, words: &Translations) -> Self {
        let messages = &report.totals.messages;
        let flows =
            [("Mail to other servers", &messages.outgoing), ("Mail within this server", &messages.local)];
        let flows = flows.into_iter().filter(|(_, flow)| flow.messages > 0);
        Self {
            title: words.translate("Mail delivery report").to_owned(),
            period: report.range.as_ref().map(span).unwrap_or_default(),
            headline: headline(report, words),
            flows: flows.map(|(title, totals)| flow(title, totals, words)).collect(),
            incoming: incoming(report, words),
            groups: report.sections.iter().filter_map(|section| group(section, report, words)).collect(),
            domains: domains(report),
        }
    }
}

/// The subject of a mail, at most 78 characters long.
pub(crate) fn subject(report: &Report, words: &Translations) -> String {
    let title = words.translate("Mail delivery report");
    fit(&format!("{title}: {}", headline(report, words)), 78, false)
}

fn headline(report: &Report, words: &Translations) -> String {
    let messages = &report.totals.messages;
    let mut all = messages.outgoing;
    all.add(&messages.local);
    if all.messages == 0 {
        return words.translate("No mail was sent in this time.").to_owned();
    }
    let share = percent(all.delivered, all.messages);
    let (of, delivered) = (words.translate("of"), words.translate("delivered"));
    format!("{share} {of} {} {delivered}", counted(all.messages, ["message", "messages"], words))
}

fn flow(title: &'static str, flow: &DirectionTotals, words: &Translations) -> CustomerFlow {
    let title =
        format!("{}: {}", words.translate(title), counted(flow.messages, ["message", "messages"], words));
    let states = states(flow).into_iter().map(|(state, count)| {
        (words.translate(state_word(state)).to_owned(), count, percent(count, flow.messages))
    });
    CustomerFlow { title, states: states.collect() }
}

fn incoming(report: &Report, words: &Translations) -> Option<String> {
    let (accepted, refused) = (report.totals.messages.received, report.totals.inbound.refused);
    let accepted = counted(accepted, ["message was accepted", "messages were accepted"], words);
    match (report.totals.messages.received, refused) {
        (0, 0) => None,
        (_, 0) => Some(accepted),
        _ => {
            let refused = counted(
                refused,
                [
                    "attempt to send mail here was refused, probably unwanted mail",
                    "attempts to send mail here were refused, mostly unwanted mail",
                ],
                words,
            );
            Some(format!("{accepted}; {refused}"))
        }
    }
}

/// `None`: the section is about other people's mail, or about no message.
fn group(section: &ActionSection, report: &Report, words: &Translations) -> Option<CustomerGroup> {
    let (title, meaning) = heading(section.action)?;
    let is_theirs = matches!(section.action, Action::CleanLists | Action::AskOrChange);
    let mut rows: Vec<CustomerRow> = Vec::new();
    for row in section.rows.iter().filter(|row| row.totals.failed() > 0) {
        let what = words.translate(what_went_wrong(row.reason)).to_owned();
        let messages = row.totals.failed();
        let provider = row.place.as_ref().filter(|place| place.kind == PlaceKind::Provider);
        let provider = provider.map(|place| printable(&place.name)).unwrap_or_default();
        let advice = what_to_do(row.reason).filter(|_| is_theirs);
        let advice = advice.map(|advice| words.translate(advice).to_owned()).unwrap_or_default();
        // Causes and directions are details of the server.
        match rows.iter_mut().find(|known| known.what == what) {
            Some(known) => {
                known.messages += messages;
                known.provider.clear();
            }
            None => rows.push(CustomerRow { what, messages, share: String::new(), provider, advice }),
        }
    }
    let totals = &report.totals.messages;
    let whole = totals.outgoing.messages + totals.local.messages;
    for row in &mut rows {
        row.share = percent(row.messages, whole);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.messages));
    let [title, meaning] = [title, meaning].map(|text| words.translate(text).to_owned());
    (!rows.is_empty()).then_some(CustomerGroup { title, meaning, rows })
}

/// The domains that the customer wrote to. Without a filter for one customer, they may be those of others.
fn domains(report: &Report) -> Vec<CustomerDomain> {
    let is_one = report.input.filter.iter().any(|filter| OWN_MAIL.iter().any(|own| filter.starts_with(own)));
    let is_outgoing = report.totals.messages.outgoing.messages > 0;
    let failing = report.domains.iter().filter(|row| is_one && is_outgoing && row.bounced + row.expired > 0);
    let shown = failing.take(DOMAINS).map(|row| {
        let failed = row.bounced + row.expired;
        let finished = failed + row.delivered;
        CustomerDomain { name: printable(&row.name), failed, finished, share: percent(failed, finished) }
    });
    shown.collect()
}
