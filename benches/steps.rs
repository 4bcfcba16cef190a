//! What each step of a line's path costs: `cargo bench --bench steps`.
//!
//! Every step does what the one before it does, and one thing more. `SMTPLOG_STEP="postfix/2 front"` runs one step once and
//! prints how many lines it read, for a tool that counts instructions; `SMTPLOG_STEP=list` prints what there is.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use loggen::log::{Mta, Spec, write};
use smtplog::internals::catalog::Catalog;
use smtplog::internals::catalog::classify::Classifier;
use smtplog::internals::input::read::block::Block;
use smtplog::internals::input::read::{Progress, ReadOptions};
use smtplog::internals::parse::header_cache::{HeaderCache, ParsedHeader};
use smtplog::internals::parse::mta::parsed::ParsedLine;
use smtplog::internals::parse::timestamp::TimestampParser;
use smtplog::internals::parse::year::{FileTimeResolution, LatestPossible};
use smtplog::internals::pipeline::calendar::{Calendar, TimeResolution};
use smtplog::internals::pipeline::filter::{Filter, LineFilter};
use smtplog::internals::pipeline::sink::EventSink;
use smtplog::internals::pipeline::time_range::TimeRange;
use smtplog::internals::pipeline::walk::{WalkTask, step};
use smtplog::internals::report::ReportExtent;
use smtplog::internals::scan::count_plan::CountPlan;
use smtplog::internals::simd::newlines::NewlineIter;
use smtplog::internals::smtp::event::{Direction, Outcome};
use smtplog::internals::tally::Tally;

const SIZE: u64 = 8 << 20;

/// As large as what a thread reads at a time.
const BLOCK: usize = 256 << 10;

/// A log in blocks of whole lines.
struct Log {
    text: Vec<u8>,
    blocks: Vec<std::ops::Range<usize>>,
}

impl Log {
    fn new(text: Vec<u8>) -> Self {
        let mut blocks = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let near = (start + BLOCK).min(text.len());
            let end = memchr::memrchr(b'\n', &text[start..near]).map_or(text.len(), |end| start + end + 1);
            blocks.push(start..end);
            start = end;
        }
        Self { text, blocks }
    }

    fn generated(mta: Mta) -> Self {
        let mut text = Vec::new();
        write(&Spec::new(mta, SIZE), &mut text).unwrap();
        Self::new(text)
    }

    /// The lines of one kind alone.
    fn only(&self, wanted: impl Fn(&ParsedLine) -> bool) -> Self {
        let mut text = Vec::new();
        let mut reader = HeaderCache::default();
        self.lines(|ahead, length| {
            let known = known(&mut reader, ahead, length);
            if wanted(&known.writer.read(&known.line)) {
                text.extend_from_slice(&ahead[..=length]);
            }
        });
        Self::new(text)
    }

    /// Tells each line with what follows it in its block, and how long it is.
    fn lines<'a>(&'a self, mut tell: impl FnMut(&'a [u8], usize)) {
        for block in &self.blocks {
            let text = &self.text[block.clone()];
            let mut at = 0;
            for end in NewlineIter::new(text) {
                tell(&text[at..], end - at);
                at = end + 1;
            }
        }
    }

    fn count(&self) -> u64 {
        let mut count = 0;
        self.lines(|_, _| count += 1);
        count
    }
}

fn known<'a>(reader: &mut HeaderCache, ahead: &'a [u8], length: usize) -> ParsedHeader<'a> {
    match reader.cached(ahead, length) {
        Some(known) => known,
        None => reader.read(&ahead[..length]),
    }
}

fn read(log: &Log) {
    let mut reader = HeaderCache::default();
    log.lines(|ahead, length| {
        let known = known(&mut reader, ahead, length);
        black_box(known.writer.read(&known.line));
    });
}

/// The whole walk, with who listens.
fn walk<L: EventSink>(log: &Log, book: &Catalog, mut sink: L) -> L {
    let (zone, turns) = (TimeZone::UTC, TimeResolution::default());
    let calendar = Calendar { zone, year: None, now: Timestamp::now(), resolution: turns };
    let (filter, progress) = (LineFilter::default(), Progress::default());
    let manner = ReadOptions { threads: 1, block_size: BLOCK };
    let task = WalkTask {
        sources: &[],
        options: manner,
        calendar: &calendar,
        book,
        window: TimeRange::default(),
        filter: &filter,
        progress: &progress,
    };
    let mut classifier = Classifier::new(book);
    for range in &log.blocks {
        let (offset, lines) = (range.start as u64, &log.text[range.clone()]);
        let done = step(&task, classifier, sink, &Block { file: 0, offset, before: &[], lines });
        black_box(&done.output);
        (classifier, sink) = (done.classifier, done.sink);
    }
    sink
}

/// What is measured: its name, and the work.
type Steps<'a> = Vec<(String, u64, Box<dyn FnMut() + 'a>)>;

fn steps<'a>(
    name: &str,
    log: &'a Log,
    parts: &'a [(&'a str, Log)],
    book: &'a Catalog,
    plan: CountPlan<'a>,
) -> Steps<'a> {
    let lines = log.count();
    let mut steps: Steps = Vec::new();
    let mut add = |step: &str, lines: u64, work: Box<dyn FnMut() + 'a>| {
        steps.push((format!("{name}/{step}"), lines, work));
    };
    add("1 lines", lines, Box::new(|| log.lines(|ahead, length| _ = black_box((ahead, length)))));
    add(
        "2 front",
        lines,
        Box::new(|| {
            let mut reader = HeaderCache::default();
            log.lines(|ahead, length| _ = black_box(known(&mut reader, ahead, length)));
        }),
    );
    add("3 reading", lines, Box::new(|| read(log)));
    for (part, log) in parts {
        add(&format!("3 reading, {part}"), log.count(), Box::new(|| read(log)));
    }
    add(
        "4 time",
        lines,
        Box::new(|| {
            let mut clock = TimestampParser::new(
                TimeZone::UTC,
                LatestPossible::written(Timestamp::now()),
                FileTimeResolution::default(),
            );
            let mut reader = HeaderCache::default();
            log.lines(|ahead, length| {
                let known = known(&mut reader, ahead, length);
                black_box((known.writer.read(&known.line), clock.read(known.line.stamp, 0)));
            });
        }),
    );
    add(
        "5 reason",
        lines,
        Box::new(|| {
            let (mut classifier, mut reader) = (Classifier::new(book), HeaderCache::default());
            log.lines(|ahead, length| {
                let known = known(&mut reader, ahead, length);
                if let ParsedLine::Event(event) = known.writer.read(&known.line) {
                    black_box(classifier.classify(&event));
                }
            });
        }),
    );
    add("6 tally", lines, Box::new(|| drop(walk(log, book, Tally::new(RandomState::default(), 0, None)))));
    add("7 messages", lines, Box::new(move || drop(walk(log, book, plan.counter()))));
    steps
}

fn name(mta: Mta) -> String {
    format!("{mta:?}").to_lowercase()
}

/// By its name a counter of instructions knows where to begin.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    let book = Catalog::built_in();
    let (zone, filter, hasher) = (TimeZone::UTC, Filter::default(), RandomState::default());
    let plan = CountPlan {
        extent: ReportExtent::Whole,
        by: &[],
        examples: 1,
        hourly: false,
        delays: false,
        hops: false,
        zone: &zone,
        filter: &filter,
        book: &book,
        for_parts: false,
        redactor: None,
        hasher: &hasher,
    };
    let delivery = |reading: &ParsedLine| matches!(reading, ParsedLine::Event(event) if event.direction != Direction::Inbound);
    let refusal = |reading: &ParsedLine| matches!(reading, ParsedLine::Event(event) if event.outcome == Outcome::Rejected);
    let asked = std::env::var("SMTPLOG_STEP").unwrap_or_default();
    let wanted = |mta: &Mta| !asked.contains('/') || asked.starts_with(&name(*mta));
    let mtas = [Mta::Postfix, Mta::Exim].into_iter().filter(wanted);
    let logs: Vec<_> = mtas
        .map(|mta| {
            let log = Log::generated(mta);
            let parts = [
                ("deliveries", log.only(delivery)),
                ("refusals", log.only(refusal)),
                ("facts", log.only(|reading| matches!(reading, ParsedLine::QueueRecord(_)))),
                ("rest", log.only(|reading| matches!(reading, ParsedLine::Routine | ParsedLine::Foreign))),
            ];
            (name(mta), log, parts)
        })
        .collect();
    let all = logs.iter().flat_map(|(name, log, parts)| steps(name, log, parts, &book, plan));
    match asked.as_str() {
        "list" => all.for_each(|(name, _, _)| println!("{name}")),
        wanted if !wanted.is_empty() => {
            for (_, lines, mut work) in all.filter(|(step, _, _)| step == wanted) {
                measured(&mut *work);
                println!("{lines}");
            }
        }
        _ => {
            let mut criterion = Criterion::default().configure_from_args().sample_size(20);
            let mut group = criterion.benchmark_group("steps");
            group.throughput(Throughput::Bytes(SIZE));
            for (name, _, mut work) in all {
                group.bench_function(name, |bench| bench.iter(&mut work));
            }
            group.finish();
            criterion.final_summary();
        }
    }
}
