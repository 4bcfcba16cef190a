//! Trains the table of weights `src/catalog/data/guess.weights`, by which smtplog guesses the reason of a reply that no rule
//! knows, and measures a table on labelled replies.
//!
//! The examples are labelled replies, one JSON object a line (`reply`, `reason`, and if known `accept`, `direction`,
//! `stage`), and the phrases and examples of the rules. The method is logistic regression by stochastic gradient descent.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use serde::Deserialize;
use smtplog::internals::catalog::classify::{BUCKETS, FeatureSet, REASONS, Reason, guess_by};
use smtplog::internals::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use smtplog::internals::smtp::reply::Reply;

#[derive(Parser)]
struct Options {
    /// The table of rules, whose phrases are examples, too.
    #[arg(long, default_value = "src/catalog/data/rules.toml")]
    rules: PathBuf,
    /// Where to write the table of weights.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Labelled replies to measure the new table on.
    #[arg(long)]
    test: Vec<PathBuf>,
    /// Passes over the examples.
    #[arg(long, default_value_t = 8)]
    epochs: u32,
    /// Labelled replies to train on.
    labelled: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct LabelledReply {
    reply: String,
    reason: Reason,
    #[serde(default)]
    accept: Vec<Reason>,
    direction: Option<Direction>,
    stage: Option<String>,
}

#[derive(Deserialize)]
struct RuleTable {
    rule: Vec<RulePhrases>,
}

#[derive(Deserialize)]
struct RulePhrases {
    reason: Reason,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    and: Vec<String>,
    #[serde(default)]
    stage: Vec<Stage>,
    example: String,
}

struct Example {
    buckets: Vec<u16>,
    reason: Reason,
    accept: Vec<Reason>,
    weight: f64,
}

/// A phrase of a rule counts less than a reply, since it is only a part of one.
const PHRASE_WEIGHT: f64 = 0.3;
/// The same for the example of a rule.
const EXAMPLE_WEIGHT: f64 = 0.5;
/// Shorter phrases say too little.
const PHRASE_LENGTH: usize = 6;
const FIRST_STEP: f64 = 2.0;
/// The seed of the order in which the examples are seen.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut examples = phrases(&options.rules)?;
    for path in &options.labelled {
        examples.extend(labelled(path)?);
    }
    let weights = quantize(&train(&examples, options.epochs));
    println!("trained on {} examples", examples.len());
    for path in &options.test {
        measure(path, &labelled(path)?, &weights);
    }
    if let Some(path) = &options.out {
        fs::write(path, &weights)?;
    }
    Ok(())
}

fn labelled(path: &Path) -> Result<Vec<Example>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<Vec<LabelledReply>, _>>()?;
    Ok(rows.into_iter().map(example).collect())
}

fn example(row: LabelledReply) -> Example {
    let text = row.reply.replace('\n', " ");
    let stage = row.stage.as_deref().and_then(stage);
    let direction = row.direction.unwrap_or(Direction::Outbound);
    let accept = if row.accept.is_empty() { vec![row.reason] } else { row.accept };
    Example { buckets: buckets(&text, stage, direction), reason: row.reason, accept, weight: 1.0 }
}

fn stage(name: &str) -> Option<Stage> {
    match name {
        "CONNECT" => Some(Stage::Connect),
        "HELO" => Some(Stage::Ehlo),
        "MAIL" => Some(Stage::Mail),
        "RCPT" => Some(Stage::Rcpt),
        other => Stage::from_str(other, true).ok(),
    }
}

fn buckets(text: &str, stage: Option<Stage>, direction: Direction) -> Vec<u16> {
    let reply = Reply::read(text.as_bytes());
    let event = Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage,
        text: text.as_bytes(),
        ..Event::new(Mta::Postfix, direction, Outcome::Bounced)
    };
    FeatureSet::of_event(&event).buckets().to_vec()
}

/// The phrases and examples of the rules that give a reason.
fn phrases(path: &Path) -> Result<Vec<Example>, Box<dyn Error>> {
    let table: RuleTable = toml::from_str(&fs::read_to_string(path)?)?;
    let mut examples = Vec::new();
    for rule in table.rule.into_iter().filter(|rule| rule.reason != Reason::Unknown) {
        let mut add = |text: &str, stage, weight| {
            let buckets = buckets(text, stage, Direction::Outbound);
            examples.push(Example { buckets, reason: rule.reason, accept: Vec::new(), weight });
        };
        // A phrase that needs another one beside it means nothing alone.
        let alone = rule.words.iter().filter(|phrase| rule.and.is_empty() && phrase.len() >= PHRASE_LENGTH);
        alone.for_each(|phrase| add(&phrase.replace('*', ""), None, PHRASE_WEIGHT));
        add(&rule.example, rule.stage.first().copied(), EXAMPLE_WEIGHT);
    }
    Ok(examples)
}

/// A fixed sequence of numbers that look random: xorshift64* (Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

/// The weights as real numbers, in rows of one bucket.
fn train(examples: &[Example], epochs: u32) -> Vec<[f64; REASONS]> {
    let mut weights = vec![[0.0; REASONS]; BUCKETS];
    let mut order: Vec<&Example> =
        examples.iter().filter(|example| example.reason != Reason::Unknown).collect();
    let mut random = Random(SEED);
    for epoch in 0..epochs {
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let step = FIRST_STEP / (1.0 + 0.3 * f64::from(epoch));
        for example in &order {
            learn(&mut weights, example, step * example.weight);
        }
    }
    weights
}

/// One step down the gradient of the logarithmic loss of one example, whose features have the length 1.
fn learn(weights: &mut [[f64; REASONS]], example: &Example, step: f64) {
    let value = 1.0 / (example.buckets.len() as f64).sqrt();
    let mut sums = [0.0; REASONS];
    for &bucket in &example.buckets {
        let row = &weights[usize::from(bucket)];
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight * value);
    }
    let top = sums.iter().copied().fold(f64::MIN, f64::max);
    let mut shares = sums.map(|sum: f64| (sum - top).exp());
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
    shares[example.reason as usize] -= 1.0;
    for &bucket in &example.buckets {
        let row = &mut weights[usize::from(bucket)];
        row.iter_mut().zip(shares).for_each(|(weight, share)| *weight -= step * value * share);
    }
}

/// The weights as bytes. One in a thousand is larger than the largest byte, and is cut to it.
fn quantize(weights: &[[f64; REASONS]]) -> Vec<u8> {
    let mut sizes: Vec<f64> = weights.iter().flatten().map(|weight| weight.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes[sizes.len() - 1 - sizes.len() / 1000].max(f64::MIN_POSITIVE);
    let byte = |weight: &f64| (weight / largest * 127.0).round().clamp(-127.0, 127.0) as i8;
    weights.iter().flatten().map(|weight| byte(weight).cast_unsigned()).collect()
}

/// Prints how many guesses are right, by the lead that the best reason must have.
fn measure(path: &Path, examples: &[Example], weights: &[u8]) {
    println!("{}: {} replies", path.display(), examples.len());
    let mut wrong: BTreeMap<(Reason, Reason), u32> = BTreeMap::new();
    for lead in [0, 20, 40, 60, 80, 100, 150, 200, 300] {
        let (mut said, mut right) = (0, 0);
        for example in examples {
            let Some((reason, is_clear)) = guess_by(weights, &example.buckets, lead) else { continue };
            said += u32::from(is_clear);
            right += u32::from(is_clear && example.accept.contains(&reason));
            if lead == 0 && !example.accept.contains(&reason) {
                *wrong.entry((example.reason, reason)).or_default() += 1;
            }
        }
        println!("  lead {lead}: {said} guesses, {right} right");
    }
    let mut wrong: Vec<_> = wrong.into_iter().collect();
    wrong.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("  most often wrong (label, guess): {:?}", wrong.iter().take(8).collect::<Vec<_>>());
}
