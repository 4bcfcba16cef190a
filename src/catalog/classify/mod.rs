//! Classifies an event: why its mail was not delivered.

pub(crate) mod byte_class;
pub(crate) mod normalize;
pub(crate) mod phrases;
pub(crate) mod prefix_index;
pub(crate) mod rules;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::provider::Provider;
use crate::catalog::{Catalog, Features, normalize};
pub(crate) use crate::catalog::{MatchedOn, Reason, Retry, RuleId};
use crate::collections::direct_mapped::DirectMappedCache;
use crate::smtp::event::{Direction, Event, Outcome};
use crate::smtp::reply::{Class, EnhancedCode};

/// A reason, and how we came by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classification {
    pub reason: Reason,
    pub provider: Option<Provider>,
    /// None: no rule fitted, and the reason is unknown.
    pub rule: Option<RuleId>,
    pub sure: MatchedOn,
    /// What helps, where the words say more than the reason and the class do.
    pub retry: Option<Retry>,
}

/// Classifies events and caches the verdicts, as a log repeats few replies many times. Each thread has its own.
pub struct Classifier<'b> {
    book: &'b Catalog,
    masked: Vec<u8>,
    marks: Vec<u8>,
    /// By the text as logged, so that a text that comes again word for word need not be masked again.
    said: DirectMappedCache<Option<Classification>, SAID_SLOTS>,
    /// By the masked text.
    known: HashMap<u64, Classification, RandomState>,
    hasher: RandomState,
}

/// Verdicts kept; when there are more, all are forgotten. About 2 MiB.
const KNOWN_LIMIT: usize = 65_536;
/// 12 KiB. A text that comes again comes soon, so few slots find most of them: two of three rejections of an Exim log.
/// That saves 2.6 % of the instructions of an Exim scan. A table that grows takes more than it saves where few texts come
/// again, as in Postfix's logs.
const SAID_SLOTS: usize = 512;

impl<'b> Classifier<'b> {
    pub fn new(book: &'b Catalog) -> Self {
        Self {
            book,
            masked: Vec::new(),
            marks: Vec::new(),
            said: DirectMappedCache::new(None),
            known: HashMap::with_hasher(RandomState::default()),
            hasher: RandomState::default(),
        }
    }

    /// None: the mail was delivered, or the answer was a good one.
    pub fn verdict(&mut self, event: &Event) -> Option<Classification> {
        let class = event.class();
        if event.outcome == Outcome::Delivered || matches!(class, Some(Class::Positive | Class::Intermediate))
        {
            return None;
        }
        let said = Features {
            text: event.text,
            code: event.code,
            enhanced: event.enhanced.or(event.dsn),
            class,
            stage: event.stage,
            direction: event.direction,
            mta: event.mta,
            provider: provider(event, self.book),
        };
        let key = self.hasher.hash_one(ReplyKey::of(&said));
        if let Some(&known) = self.said.get(key) {
            return known;
        }
        let verdict = Some(self.masked(said));
        self.said.insert(key, verdict);
        verdict
    }

    /// The text of the clues is as logged.
    fn masked(&mut self, said: Features) -> Classification {
        normalize(said.text, &mut self.masked);
        let clues = Features { text: &self.masked, ..said };
        let key = self.hasher.hash_one(ReplyKey::of(&clues));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let verdict = judge(self.book, clues, &mut self.marks);
        if self.known.len() >= KNOWN_LIMIT {
            self.known.clear();
        }
        self.known.insert(key, verdict);
        verdict
    }
}

/// By the rules alone. `marks` is scratch.
fn judge(book: &Catalog, clues: Features, marks: &mut Vec<u8>) -> Classification {
    let (rule, provider) = book.rules.find(clues, marks);
    let row = rule.and_then(|rule| book.rules.rule(rule));
    Classification {
        reason: row.map_or(Reason::Unknown, |row| row.reason),
        provider,
        rule,
        sure: row.map_or(MatchedOn::Nothing, |row| row.sure),
        retry: row.and_then(|row| row.retry),
    }
}

/// Who runs the other side, for any event: by its host name; for mail that reached no host, by the
/// recipient's domain. A verdict may know more, by the words of the reply.
pub(crate) fn provider(event: &Event, book: &Catalog) -> Option<Provider> {
    let providers = &book.providers;
    match (event.direction, event.peer.host) {
        (Direction::Outbound | Direction::Inbound, Some(host)) => providers.of_host(host),
        (Direction::Outbound, None) => event.recipient.and_then(|address| providers.of_recipient(address)),
        (Direction::Inbound, None) | (Direction::Local, _) => None,
    }
}

/// The clues, in as few words as a hash takes in at once.
#[derive(Hash)]
struct ReplyKey<'a> {
    text: &'a [u8],
    numbers: u64,
    provider: Option<Provider>,
}

impl<'a> ReplyKey<'a> {
    fn of(clues: &Features<'a>) -> Self {
        let enhanced = clues.enhanced.map_or(0, EnhancedCode::packed);
        let code = clues.code.map_or(0, |code| u64::from(code.number()));
        let stage = clues.stage.map_or(0, |stage| stage as u64 + 1);
        let class = clues.class.map_or(0, |class| class as u64 + 1);
        let small = stage << 8 | class << 5 | (clues.direction as u64) << 3 | clues.mta as u64;
        Self { text: clues.text, numbers: enhanced << 32 | code << 16 | small, provider: clues.provider }
    }
}
