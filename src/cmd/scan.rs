//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::time::Instant;

use crate::cli::{AdviceChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::group::Groups;
use crate::input::set::Source;
use crate::notes::Heard;
use crate::output::page::Look;
use crate::output::{json, text};
use crate::summary::{Frame, report, seed};
use crate::tally::Tally;
use crate::walk::{Task, WALKS, Walked, walk};
use crate::window::narrow;

pub fn run(args: &ScanArgs, out: &mut impl Write) -> Result<Done, Error> {
    let started = Instant::now();
    let Inputs { mut sources, manner, mut calendar, window, progress, problems, mut notes } =
        Inputs::new(&args.input)?;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let seed = seed();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref())?;
    let mut walks = 0;
    let walked = loop {
        narrow(&mut sources, window, &calendar);
        let zone = &calendar.zone;
        let new = || {
            let by = &args.by;
            let groups = Groups::new(by, args.examples, zone.clone(), seed.clone());
            Tally::new(seed.clone(), args.examples, (!by.is_empty()).then_some(groups))
        };
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book: &book,
            window,
            filter: &filter,
            progress: &progress,
        };
        let walked = with_bar(&progress, || walk(&task, new, |()| {}, unparsed.writer()))?;
        walks += 1;
        let settled = walked.turns == calendar.turns;
        if settled || walks == WALKS || !sources.iter().all(Source::can_be_read_again) {
            break walked;
        }
        calendar.turns = walked.turns;
        unparsed.again()?;
    };
    unparsed.finish()?;
    let Walked { listeners, coverage, problems: met, turns } = walked;
    let mut parts = listeners.into_iter();
    let mut tally = parts.next().unwrap_or_else(|| Tally::new(seed, 0, None));
    parts.for_each(|part| tally.merge(part));
    let done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    let again = sources.iter().all(Source::can_be_read_again);
    if again && coverage.event > 0 && coverage.filtered == coverage.event {
        let all = Filter::default();
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book: &book,
            window,
            filter: &all,
            progress: &progress,
        };
        notes.push(what_there_was(&task, &filter)?);
    }
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
    let report = report(tally, &frame);
    let shown = match args.format {
        ScanFormat::Json => json::show(&report),
        ScanFormat::Text if done.nothing_to_report() => String::new(),
        ScanFormat::Text => {
            let took = stdout().is_terminal().then(|| (started.elapsed().as_secs_f64(), manner.threads));
            let look = Look { top: args.top, reverse: args.reverse, took, ..look(args.color, &args.tongue) };
            text::show(&report, &look)
        }
    };
    out.write_all(shown.as_bytes())?;
    Ok(done)
}
