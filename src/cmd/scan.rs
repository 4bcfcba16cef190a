//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::time::Instant;

use crate::book::Book;
use crate::cli::{AdviceChoice, ColorChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::group::Groups;
use crate::input::set::Source;
use crate::ledger::Ledger;
use crate::ledger::desk::{Desk, Tracks};
use crate::notes::Heard;
use crate::output::page::Look;
use crate::output::{csv, html, json, markdown, prometheus, text};
use crate::report::Report;
use crate::summary::{Frame, report, seed};
use crate::tally::Tally;
use crate::walk::{Listener, Noted, Task, Told, WALKS, Walked, walk};
use crate::window::narrow;

/// What the name of a file says about its form.
const SUFFIXES: [(&str, ScanFormat); 9] = [
    ("txt", ScanFormat::Text),
    ("json", ScanFormat::Json),
    ("ndjson", ScanFormat::Ndjson),
    ("jsonl", ScanFormat::Ndjson),
    ("csv", ScanFormat::Csv),
    ("md", ScanFormat::Markdown),
    ("html", ScanFormat::Html),
    ("htm", ScanFormat::Html),
    ("prom", ScanFormat::Prometheus),
];

pub fn run(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let started = Instant::now();
    let output = args.output.as_deref();
    let format = place::form(args.format, output, ScanFormat::Text, &SUFFIXES)?;
    let inputs = Inputs::new(&args.input)?;
    let paths = inputs.paths.clone();
    let threads = inputs.manner.threads;
    let (report, done) = count(args, inputs)?;
    let to_file = place::file(output).is_some();
    let color = if to_file && args.color == ColorChoice::Auto { ColorChoice::Never } else { args.color };
    let look = Look { top: args.top, reverse: args.reverse, ..look(color, &args.tongue) };
    let shown = match format {
        ScanFormat::Json => json::show(&report),
        ScanFormat::Ndjson => json::rows(&report),
        ScanFormat::Csv => csv::show(&report),
        ScanFormat::Prometheus => prometheus::show(&report),
        ScanFormat::Text | ScanFormat::Markdown | ScanFormat::Html if done.nothing_to_report() => {
            return Ok(done);
        }
        ScanFormat::Text => {
            let shows_time = !to_file && stdout().is_terminal();
            let took = shows_time.then(|| (started.elapsed().as_secs_f64(), threads));
            text::show(&report, &Look { took, ..look })
        }
        ScanFormat::Markdown => markdown::show(&report, &look),
        ScanFormat::Html => html::show(&report, &look),
    };
    place::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    Ok(done)
}

/// Reads all of the input, again if its dates were not what they seemed.
fn count(args: &ScanArgs, inputs: Inputs) -> Result<(Report, Done), Error> {
    let Inputs { mut sources, paths, manner, mut calendar, window, progress, problems, mut notes } = inputs;
    let book: Book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let seed = seed();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths)?;
    let again = sources.iter().all(Source::can_be_read_again);
    let mut walks = 0;
    let mut narrowed = narrow(&mut sources, window, &calendar);
    let all = filter.is_empty();
    let (walked, ledger) = loop {
        let new = || {
            let groups = || Groups::new(&args.by, args.examples, calendar.zone.clone(), seed.clone());
            let tally = Tally::new(seed.clone(), args.examples, (!args.by.is_empty()).then(groups));
            Counter { tally, desk: Desk::new(seed.clone(), all) }
        };
        let mut ledger = Ledger::new(all);
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book: &book,
            window,
            filter: &filter,
            progress: &progress,
        };
        let walked =
            with_bar(&progress, || walk(&task, new, |tracks| ledger.fold(tracks), unparsed.writer()))?;
        walks += 1;
        if !again || walks == WALKS || walked.turns == calendar.turns {
            if again && walked.coverage.event > 0 && walked.coverage.filtered == walked.coverage.event {
                notes.push(what_there_was(&Task { filter: &Filter::default(), ..task }, &filter)?);
            }
            break (walked, ledger);
        }
        if narrowed {
            // Only the whole log tells what its stamps are; a part may begin behind a New Year.
            for source in &mut sources {
                source.within = None;
            }
            (narrowed, walks) = (false, 0);
        } else {
            calendar.turns = walked.turns;
        }
        unparsed.again()?;
    };
    unparsed.finish()?;
    let Walked { listeners, coverage, problems: met, turns } = walked;
    let (parts, desks): (Vec<_>, Vec<_>) =
        listeners.into_iter().map(|counter| (counter.tally, counter.desk)).unzip();
    let mut parts = parts.into_iter();
    let mut tally = parts.next().unwrap_or_else(|| Tally::new(seed, 0, None));
    parts.for_each(|part| tally.merge(part));
    let closed = ledger.close(desks.into_iter().map(|desk| desk.sums));
    let frame = Frame {
        heard: Heard { coverage: &coverage, window, calendar: &calendar, sources: &sources, turns: &turns },
        providers: &book.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        in_full: args.advice == AdviceChoice::Full,
        filter: &filter,
        notes,
        sort: args.sort,
        reverse: args.reverse,
        examples: args.examples,
    };
    let report = report(tally, &closed, &frame);
    Ok((report, Done::new(problems, met, &coverage, window, args.coverage.strict)))
}

/// Counts lines and follows messages.
struct Counter {
    tally: Tally,
    desk: Desk,
}

impl Listener for Counter {
    type Handover = Tracks;

    fn event(&mut self, told: &Told) {
        self.tally.event(told);
        self.desk.event(told, true);
    }

    fn left_out(&mut self, told: &Told) {
        self.desk.event(told, false);
    }

    fn fact(&mut self, noted: &Noted) {
        self.desk.fact(noted);
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> Tracks {
        self.desk.hand_over()
    }
}
