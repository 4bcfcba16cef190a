//! What each step of a line's path costs, alone: run with `cargo bench --bench steps`.

#[path = "loggen/mod.rs"]
mod loggen;

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use foldhash::fast::RandomState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use loggen::{Mta, Spec, write};
use smtplog::book::Book;
use smtplog::line::Line;
use smtplog::mta::{self, reading::Reading};
use smtplog::reason::Judge;
use smtplog::tally::Tally;
use smtplog::time::Clock;
use smtplog::walk::{Listener, Place, Told};
use smtplog::year::{Bound, FileTurns};

const SIZE: u64 = 8 << 20;

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}

fn step(group: &mut BenchmarkGroup<WallTime>, name: &str, text: &[u8], mut work: impl FnMut(&[u8])) {
    group.bench_function(name, |bench| bench.iter(|| lines(text).for_each(&mut work)));
}

fn path_of_a_line(criterion: &mut Criterion) {
    let book = Book::built_in();
    for mta in [Mta::Postfix, Mta::Exim] {
        let mut text = Vec::new();
        write(&Spec::new(mta, SIZE), &mut text).unwrap();
        let mut group = criterion.benchmark_group(format!("{mta:?}").to_lowercase());
        group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
        step(&mut group, "1 lines", &text, |raw| {
            black_box(raw);
        });
        step(&mut group, "2 front", &text, |raw| {
            black_box(Line::read(raw));
        });
        step(&mut group, "3 reading", &text, |raw| {
            black_box(mta::read(&Line::read(raw)));
        });
        let bound = Bound::written(Timestamp::now());
        let mut clock = Clock::new(TimeZone::UTC, bound, FileTurns::default());
        step(&mut group, "4 time", &text, |raw| {
            let line = Line::read(raw);
            black_box((mta::read(&line), clock.read(line.stamp, 0)));
        });
        let mut judge = Judge::new(&book);
        step(&mut group, "5 reason", &text, |raw| {
            if let Reading::Event(event) = mta::read(&Line::read(raw)) {
                black_box(judge.verdict(&event));
            }
        });
        let mut tally = Tally::new(RandomState::default(), 0, None);
        let bound = Bound::written(Timestamp::now());
        let mut clock = Clock::new(TimeZone::UTC, bound, FileTurns::default());
        step(&mut group, "6 tally", &text, |raw| {
            let line = Line::read(raw);
            if let Reading::Event(event) = mta::read(&line) {
                let place = Place { file: 0, offset: 0 };
                let (verdict, book) = (judge.verdict(&event), &book);
                let moment = clock.read(line.stamp, 0);
                let event = &event;
                tally.event(&Told {
                    place,
                    line_in_block: 0,
                    line: &line,
                    raw,
                    moment,
                    event,
                    verdict,
                    user: None,
                    client: None,
                    book,
                });
            }
        });
        group.finish();
    }
}

criterion_group!(steps, path_of_a_line);
criterion_main!(steps);
