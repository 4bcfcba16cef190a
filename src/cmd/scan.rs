//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::time::Instant;

use crate::cli::{AdviceChoice, ColorChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::error::Error;
use crate::output::page::Look;
use crate::output::{csv, html, json, markdown, prometheus, text};
use crate::reason::Judge;
use crate::summary::{Frame, report, seed};
use crate::tally::Tally;
use crate::walk::walk;

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
    let Inputs { sources, manner, calendar, progress, problems } = Inputs::new(&args.input)?;
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
    let report = report(tally, &frame);
    let to_file = place::file(output).is_some();
    let color = if to_file && args.color == ColorChoice::Auto { ColorChoice::Never } else { args.color };
    let look = Look { top: args.top, ..look(color, &args.tongue) };
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
            let took = shows_time.then(|| (started.elapsed().as_secs_f64(), manner.threads));
            text::show(&report, &Look { took, ..look })
        }
        ScanFormat::Markdown => markdown::show(&report, &look),
        ScanFormat::Html => html::show(&report, &look),
    };
    let inputs: Vec<_> = sources.into_iter().map(|source| source.path).collect();
    place::write(output, &inputs, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    Ok(done)
}
