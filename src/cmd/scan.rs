//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::time::Instant;

use crate::cli::{AdviceChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::error::Error;
use crate::output::page::Look;
use crate::output::{json, text};
use crate::reason::Judge;
use crate::summary::{Frame, report, seed};
use crate::tally::Tally;
use crate::walk::walk;

pub fn run(args: &ScanArgs, out: &mut impl Write) -> Result<Done, Error> {
    let started = Instant::now();
    let Inputs { sources, manner, calendar, progress, problems, notes } = Inputs::new(&args.input)?;
    let book = book(&args.rules)?;
    let seed = seed();
    let new = || Tally::new(Judge::new(&book), seed.clone());
    let walked = with_bar(&progress, || walk(&sources, manner, &calendar, &progress, new, |()| {}))?;
    let mut parts = walked.listeners.into_iter();
    let mut tally = parts.next().unwrap_or_else(new);
    parts.for_each(|part| tally.merge(part));
    let frame = Frame {
        sources: &sources,
        coverage: &walked.coverage,
        zone: &calendar.zone,
        providers: &book.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        in_full: args.advice == AdviceChoice::Full,
    };
    let done = Done::new(problems, walked.problems, &walked.coverage);
    let mut report = report(tally, &frame);
    report.notes.extend(notes);
    let shown = match args.format {
        ScanFormat::Json => json::show(&report),
        ScanFormat::Text if done.nothing_to_report() => String::new(),
        ScanFormat::Text => {
            let took = stdout().is_terminal().then(|| (started.elapsed().as_secs_f64(), manner.threads));
            text::show(&report, &Look { top: args.top, took, ..look(args.color, &args.tongue) })
        }
    };
    out.write_all(shown.as_bytes())?;
    Ok(done)
}
