//! Classifies an event: tells from the words and the numbers of its reply why its mail was not delivered.
//!
//! Promises: never fails; a failure that no rule matches has the reason `unknown`. May use: the rest of catalog, and what
//! it may use.

mod built_in;
pub(crate) mod byte_class;
pub(crate) mod guess;
pub(crate) mod normalize;
pub(crate) mod own_names;
pub(crate) mod phrases;
pub(crate) mod prefix_index;
pub(crate) mod rule;
pub(crate) mod rules;
mod trust;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use self::own_names::mask_names;
use self::rule::Rule;
use self::rules::RuleMarks;
use self::trust::Conclusion;
use super::cause::{Cause, cause_row};
use super::provider::Provider;
use crate::catalog::{Catalog, Features, normalize};
pub(crate) use crate::catalog::{MatchedOn, Reason, Retry, RuleId};
use crate::collections::direct_mapped::DirectMappedCache;
use crate::smtp::event::{Direction, Event, Outcome};
use crate::smtp::reply::{Class, EnhancedCode};

/// The reason of a failure, and the evidence for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classification {
    pub reason: Reason,
    /// Which one of the things that the reason stands for. `None`: not known.
    pub cause: Option<Cause>,
    /// None: the other side is no known provider.
    pub provider: Option<Provider>,
    /// None: no rule matched, and the reason is unknown.
    pub rule: Option<RuleId>,
    pub matched_on: MatchedOn,
    /// Whether a retry helps, if the rule says so; else the reason and the class decide.
    pub retry: Option<Retry>,
}

/// Classifies events, with two caches, as a log repeats few replies many times. Each thread has its own.
pub struct Classifier<'c> {
    catalog: &'c Catalog,
    normalized: Vec<u8>,
    masked: Vec<u8>,
    rule_marks: RuleMarks,
    /// Keyed by the text as logged: a text that is repeated word for word is not normalized again.
    by_raw_text: DirectMappedCache<Option<Classification>, RAW_SLOTS>,
    /// Keyed by the normalized text.
    by_normalized_text: HashMap<u64, Classification, RandomState>,
    hasher: RandomState,
}

/// The largest number of cached classifications; the next one clears the cache. About 2 MiB.
const NORMALIZED_LIMIT: usize = 65_536;
/// 12 KiB. A text is mostly repeated soon, so a small cache finds most repetitions: two of three rejections of an Exim
/// log. It saves 2.6 % of the instructions of an Exim scan. A growing table costs more than it saves where few texts are
/// repeated, as in Postfix logs.
const RAW_SLOTS: usize = 512;

impl<'c> Classifier<'c> {
    pub fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            normalized: Vec::new(),
            masked: Vec::new(),
            rule_marks: RuleMarks::default(),
            by_raw_text: DirectMappedCache::new(None),
            by_normalized_text: HashMap::with_hasher(RandomState::default()),
            hasher: RandomState::default(),
        }
    }

    /// None: the mail was delivered, or the reply is a 2xx or 3xx.
    #[inline]
    pub fn classify(&mut self, event: &Event) -> Option<Classification> {
        if event.outcome == Outcome::Delivered { None } else { self.classify_failure(event) }
    }

    fn classify_failure(&mut self, event: &Event) -> Option<Classification> {
        let class = event.class();
        if matches!(class, Some(Class::Positive | Class::Intermediate)) {
            return None;
        }
        let features = Features {
            text: event.text,
            code: event.code,
            enhanced: event.enhanced.or(event.dsn),
            class,
            stage: event.stage,
            direction: event.direction,
            mta: event.mta,
            provider: find_provider(event, self.catalog),
        };
        let key = self.hasher.hash_one(ReplyKey::of(&features));
        let known = match self.by_raw_text.get(key) {
            Some(&known) => known,
            None => {
                let classification = Some(self.classify_normalized(features));
                self.by_raw_text.insert(key, classification);
                classification
            }
        };
        known.map(|known| by_event(known, event))
    }

    /// `features.text` is the text as logged.
    fn classify_normalized(&mut self, features: Features) -> Classification {
        let Features { text, code, direction, .. } = features;
        let is_masked = mask_names(text, code, direction, &mut self.masked);
        normalize(if is_masked { &self.masked } else { text }, &mut self.normalized);
        let features = Features { text: &self.normalized, ..features };
        let key = self.hasher.hash_one(ReplyKey::of(&features));
        if let Some(known) = self.by_normalized_text.get(&key) {
            return *known;
        }
        let said = classify_by_rules(self.catalog, features, &mut self.rule_marks);
        let classification = self.settle(said, &features);
        if self.by_normalized_text.len() >= NORMALIZED_LIMIT {
            self.by_normalized_text.clear();
        }
        self.by_normalized_text.insert(key, classification);
        classification
    }

    /// What is left of a rule's verdict after [`settle`](trust::settle). The text of the features is normalized.
    fn settle(&self, said: Classification, features: &Features) -> Classification {
        let rule = said.rule.and_then(|rule| self.catalog.rules.rule(rule));
        let doubted = self.rule_marks.is_doubtful();
        let Classification { reason, matched_on, retry, .. } = said;
        let Conclusion { reason, matched_on, retry } =
            trust::settle(Conclusion { reason, matched_on, retry }, rule, features, doubted);
        // A guess can be another reason than that of the rule, whose cause then does not hold.
        let cause = said.cause.filter(|&cause| cause_row(cause).reason.contains(&reason));
        Classification { reason, cause, matched_on, retry, ..said }
    }
}

/// Classifies by the rules, without a cache. `rule_marks` is scratch space.
fn classify_by_rules(catalog: &Catalog, features: Features, rule_marks: &mut RuleMarks) -> Classification {
    let found = catalog.rules.find(features, rule_marks);
    let row = found.rule.and_then(|rule| catalog.rules.rule(rule));
    let cause = found.cause_rule.and_then(|rule| catalog.rules.rule(rule));
    Classification {
        reason: row.map_or(Reason::Unknown, |row| row.reason),
        cause: row.and_then(|row| row.cause).or(cause.and_then(|row| row.cause)),
        provider: found.provider,
        rule: found.rule,
        matched_on: row.map_or(MatchedOn::Nothing, Rule::matched_on),
        retry: cause.and_then(|row| row.retry).or(row.and_then(|row| row.retry)),
    }
}

/// Refines a classification by what the event has beside its reply: a name that does not resolve and is not the
/// recipient's domain, and the port of the peer.
fn by_event(known: Classification, event: &Event) -> Classification {
    let is_lookup = matches!(known.reason, Reason::BadDomain | Reason::DnsFailure);
    if is_lookup && names_another_host(event) {
        // The address is not to blame, so it is never removed for this.
        let retry = (known.reason == Reason::BadDomain).then_some(Retry::FixOurs).or(known.retry);
        return Classification { cause: Some(Cause::SmartHostName), retry, ..known };
    }
    if known.cause == Some(Cause::TlsHandshake) && matches!(event.peer.port, Some(465 | 587)) {
        return Classification { cause: Some(Cause::TlsWrongPort), retry: Some(Retry::FixOurs), ..known };
    }
    known
}

/// Whether the name that DNS was asked for is neither the recipient's domain nor a domain that it may be an alias of:
/// then it is the name of a relay, or of a mail exchanger (`Name service error for name=relay.example.org type=A`).
fn names_another_host(event: &Event) -> bool {
    if event.direction == Direction::Inbound || event.code.is_some() {
        return false;
    }
    let asked = memchr::memmem::find(event.text, b"Name service error for name=").and_then(|at| {
        let name = event.text.get(at + b"Name service error for name=".len()..)?;
        name.split(|&byte| byte == b' ').next()
    });
    let domain = event.recipient.and_then(|address| address.rsplit(|&byte| byte == b'@').next());
    let (Some(asked), Some(domain)) = (asked, domain) else { return false };
    let is_plain = |name: &[u8]| !name.is_empty() && name.is_ascii() && !name.starts_with(b"xn--");
    is_plain(asked) && is_plain(domain) && !asked.eq_ignore_ascii_case(domain)
}

/// The provider of the other side, by its host name; for outbound mail that reached no host, by the recipient's domain.
/// [`Classification::provider`] can be known by the words of the reply, too.
pub(crate) fn find_provider(event: &Event, catalog: &Catalog) -> Option<Provider> {
    let providers = &catalog.providers;
    match (event.direction, event.peer.host) {
        (Direction::Outbound | Direction::Inbound, Some(host)) => providers.of_host(host),
        (Direction::Outbound, None) => event.recipient.and_then(|address| providers.of_recipient(address)),
        (Direction::Inbound, None) | (Direction::Local, _) => None,
    }
}

/// The features, packed so that few values are hashed.
#[derive(Hash)]
struct ReplyKey<'a> {
    text: &'a [u8],
    numbers: u64,
    provider: Option<Provider>,
}

impl<'a> ReplyKey<'a> {
    fn of(features: &Features<'a>) -> Self {
        let enhanced = features.enhanced.map_or(0, EnhancedCode::packed);
        let code = features.code.map_or(0, |code| u64::from(code.number()));
        let stage = features.stage.map_or(0, |stage| stage as u64 + 1);
        let class = features.class.map_or(0, |class| class as u64 + 1);
        let small = stage << 8 | class << 5 | (features.direction as u64) << 3 | features.mta as u64;
        Self {
            text: features.text,
            numbers: enhanced << 32 | code << 16 | small,
            provider: features.provider,
        }
    }
}
