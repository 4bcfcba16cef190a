//! Guesses the reason of a reply in whose words no rule finds a clue, by a linear model over hashed n-grams.
//!
//! The model is a multinomial logistic regression over words and characters, with the hashing trick (Weinberger and others,
//! "Feature Hashing for Large Scale Multitask Learning", 2009). The sums are integers, so every machine gives the same
//! answer. `crates/guesstrain` makes the table of weights.

use clap::ValueEnum;

use super::normalize::normalize;
use super::rule::Features;
use crate::catalog::reason::Reason;
use crate::smtp::event::{Event, Stage};
use crate::smtp::reply::Code;

/// The number of hashed features.
pub const BUCKETS: usize = 8192;
/// The number of reasons that a guess can give: all but `unknown`, which is the last one.
pub const REASONS: usize = 30;
/// One weight for each bucket and reason: the row of a bucket holds the reasons in the order of [`Reason`]. Signed bytes.
static WEIGHTS: &[u8] = include_bytes!("../data/guess.weights");
/// A guess is given if the best reason is ahead of the second by at least this weight, times the root of the number of
/// features. It was chosen on replies that the model had not been trained on.
const LEAD: i64 = 40;
/// At most so many words of a reply are looked at.
const WORD_LIMIT: usize = 60;
/// At most so many bytes of them.
const BYTE_LIMIT: usize = 400;
/// At most so many deciding n-grams are named.
const NAMED: usize = 3;

/// The features of a reply: a set of buckets.
pub struct FeatureSet {
    /// In ascending order, without doubles.
    buckets: Vec<u16>,
    /// The words, each between blanks.
    joined: Vec<u8>,
    /// The offsets in `joined` at which the words begin and end.
    words: Vec<(usize, usize)>,
}

impl FeatureSet {
    /// The features of a reply; the text is normalized.
    pub(crate) fn new(features: &Features) -> Self {
        let mut set = Self { buckets: Vec::new(), joined: vec![b' '], words: Vec::new() };
        set.add_words(features.text);
        set.add_numbers(features);
        set.buckets.sort_unstable();
        set.buckets.dedup();
        set
    }

    /// The features of an event, whose text is as logged.
    pub fn of_event(event: &Event) -> Self {
        let mut text = Vec::new();
        normalize(event.text, &mut text);
        Self::new(&Features {
            text: &text,
            code: event.code,
            enhanced: event.enhanced.or(event.dsn),
            class: event.class(),
            stage: event.stage,
            direction: event.direction,
            mta: event.mta,
            provider: None,
        })
    }

    pub fn buckets(&self) -> &[u16] {
        &self.buckets
    }

    fn add_words(&mut self, text: &[u8]) {
        for word in words_of(text).take(WORD_LIMIT) {
            if self.joined.len() + word.len() > BYTE_LIMIT {
                break;
            }
            let start = self.joined.len();
            self.joined.extend_from_slice(word);
            self.words.push((start, self.joined.len()));
            self.joined.push(b' ');
        }
        let grams: Vec<u16> = self.grams().map(|gram| bucket(b'w', gram)).collect();
        self.buckets.extend(grams);
        for length in 3..=5 {
            self.buckets.extend(self.joined.windows(length).map(|gram| bucket(b'c', gram)));
        }
    }

    /// All runs of one, two and three words.
    fn grams(&self) -> impl Iterator<Item = &[u8]> {
        (1..=3).flat_map(move |length| {
            self.words.windows(length).filter_map(|run| {
                let ((start, _), (_, end)) = (run.first()?, run.last()?);
                self.joined.get(*start..*end)
            })
        })
    }

    fn add_numbers(&mut self, features: &Features) {
        let code = features.code.map_or(0, Code::number);
        let class = features.class.map_or(0, |class| class as u8 + 1);
        let stage = features.stage.map_or(0, stage_number);
        let [high, low] = code.to_be_bytes();
        self.buckets.push(bucket(b'n', &[high, low]));
        self.buckets.push(bucket(b't', &(code / 10).to_be_bytes()));
        self.buckets.push(bucket(b'l', &[class]));
        self.buckets.push(bucket(b's', &[stage]));
        self.buckets.push(bucket(b'b', &[stage, class]));
        self.buckets.push(bucket(b'd', &[features.direction as u8]));
        if let Some(enhanced) = features.enhanced {
            let [high, low] = enhanced.detail.to_be_bytes();
            let subject = enhanced.subject.to_be_bytes()[1];
            self.buckets.push(bucket(b'e', &[subject, high, low]));
            self.buckets.push(bucket(b'u', &[subject]));
        }
    }
}

/// The stage as a number that stays when stages are added.
fn stage_number(stage: Stage) -> u8 {
    match stage {
        Stage::Connect => 1,
        Stage::Ehlo => 2,
        Stage::StartTls => 3,
        Stage::Auth => 4,
        Stage::Mail => 5,
        Stage::Rcpt => 6,
        // What the log calls DATA is mostly the answer to the message.
        Stage::Data | Stage::EndOfData => 7,
    }
}

/// What kind of word a byte of normalized text belongs to. `None`: it separates words.
fn word_kind(byte: u8) -> Option<u8> {
    match byte {
        b'a'..=b'z' => Some(1),
        b'0'..=b'9' => Some(2),
        128.. => Some(3),
        b'@' | b'%' | b'~' => Some(4),
        0..=127 => None,
    }
}

/// The words of a normalized text: runs of letters, of digits, of bytes above ASCII, and of masks.
fn words_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.chunk_by(|a, b| word_kind(*a) == word_kind(*b))
        .filter(|word| word.first().is_some_and(|first| word_kind(*first).is_some()))
}

/// The bucket of a feature: FNV-1a, and the last step of MurmurHash3 to spread it. `kind` keeps features apart that have
/// the same bytes.
fn bucket(kind: u8, bytes: &[u8]) -> u16 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let mut hash = bytes.iter().fold(step(0x811c_9dc5, &kind), step);
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    (hash as usize % BUCKETS) as u16
}

/// The weights of a bucket. `None`: the table is too short.
fn row(weights: &[u8], bucket: u16) -> Option<&[u8; REASONS]> {
    weights.get(usize::from(bucket) * REASONS..)?.first_chunk()
}

/// The numbers of the two best reasons, the best first, and by how much it leads. `None`: the table is too short.
fn best_two(weights: &[u8], buckets: &[u16]) -> Option<(usize, usize, i64)> {
    let mut sums = [0_i32; REASONS];
    for &bucket in buckets {
        let row = row(weights, bucket)?;
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += i32::from(weight.cast_signed()));
    }
    let best = (0..REASONS).rev().max_by_key(|&at| sums.get(at))?;
    let second = (0..REASONS).rev().filter(|&at| at != best).max_by_key(|&at| sums.get(at))?;
    Some((best, second, i64::from(sums.get(best)? - sums.get(second)?)))
}

/// The guess of a table of weights, and whether its lead is large enough to say it.
pub fn guess_by(weights: &[u8], buckets: &[u16], lead: i64) -> Option<(Reason, bool)> {
    let (best, _, ahead) = best_two(weights, buckets)?;
    let is_clear = ahead * ahead >= lead * lead * buckets.len() as i64;
    Reason::value_variants().get(best).map(|reason| (*reason, is_clear))
}

/// The most likely reason. `None`: no reason is clearly ahead of the others, or there is no word.
pub(crate) fn guess(features: &Features) -> Option<Reason> {
    let set = FeatureSet::new(features);
    let has_words =
        set.words.iter().any(|(start, _)| set.joined.get(*start).is_some_and(u8::is_ascii_lowercase));
    guess_by(WEIGHTS, &set.buckets, LEAD)
        .filter(|(_, is_clear)| *is_clear && has_words)
        .map(|(reason, _)| reason)
}

/// The words that spoke most for the guess against the second reason, in ASCII, the strongest first. At most three.
pub(crate) fn deciding_words(event: &Event) -> Vec<String> {
    let set = FeatureSet::of_event(event);
    let Some((best, second, _)) = best_two(WEIGHTS, &set.buckets) else { return Vec::new() };
    let weight_of = |gram: &[u8]| {
        let weights = row(WEIGHTS, bucket(b'w', gram));
        let of = |reason: usize| {
            weights.and_then(|row| row.get(reason)).map_or(0, |weight| i64::from(weight.cast_signed()))
        };
        of(best) - of(second)
    };
    let is_plain = |gram: &&[u8]| gram.is_ascii() && gram.iter().any(u8::is_ascii_lowercase);
    let mut grams: Vec<(i64, &[u8])> = set
        .grams()
        .filter(is_plain)
        .map(|gram| (weight_of(gram), gram))
        .filter(|(weight, _)| *weight > 0)
        .collect();
    grams.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut named: Vec<String> = Vec::new();
    for (_, gram) in grams {
        let gram = String::from_utf8_lossy(gram).into_owned();
        if named.len() < NAMED
            && named.iter().all(|known| !known.contains(&gram) && !gram.contains(known.as_str()))
        {
            named.push(gram);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::event::{Direction, Mta, Outcome};

    fn event(text: &str) -> Event<'_> {
        Event { text: text.as_bytes(), ..Event::new(Mta::Postfix, Direction::Outbound, Outcome::Bounced) }
    }

    #[test]
    fn the_table_has_a_weight_for_each_bucket_and_reason() {
        assert_eq!(WEIGHTS.len(), BUCKETS * REASONS);
        assert_eq!(Reason::value_variants().len(), REASONS + 1);
        assert_eq!(Reason::value_variants().last(), Some(&Reason::Unknown));
    }

    #[test]
    fn cuts_a_text_into_words() {
        let words: Vec<&[u8]> = words_of(b"user <@> is-over 100mb, \xc3\xa9t\xc3\xa9!").collect();
        let wanted: [&[u8]; 9] =
            [b"user", b"@", b"is", b"over", b"100", b"mb", b"\xc3\xa9", b"t", b"\xc3\xa9"];
        assert_eq!(words, wanted);
    }

    #[test]
    fn the_same_text_has_the_same_features_wherever_ids_differ() {
        let a = FeatureSet::of_event(&event("550 no place for <a@example.org> here"));
        let b = FeatureSet::of_event(&event("550 no place for <b@example.net> here"));
        assert_eq!(a.buckets(), b.buckets());
        assert!(a.buckets().is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_text_without_words_has_no_guess() {
        for text in ["", "550", "550 5.0.0 <a@example.org>", "!!!"] {
            let mut normalized = Vec::new();
            let event = event(text);
            normalize(event.text, &mut normalized);
            let features = Features {
                text: &normalized,
                code: None,
                enhanced: None,
                class: None,
                stage: None,
                direction: Direction::Outbound,
                mta: Mta::Postfix,
                provider: None,
            };
            assert_eq!(guess(&features), None, "{text}");
        }
    }

    #[test]
    fn names_words_of_the_text() {
        for word in deciding_words(&event("554 the letter box of this person overflows with letters")) {
            assert!("the letter box of this person overflows with letters".contains(&word), "{word}");
        }
    }
}
