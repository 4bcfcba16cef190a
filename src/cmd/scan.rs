//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::Instant;

use crate::book::Book;
use crate::cli::{ColorChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::error::Error;
use crate::output::text::Look;
use crate::output::{json, text};
use crate::reason::Judge;
use crate::summary::{Frame, report, seed};
use crate::tally::Tally;
use crate::walk::walk;

pub fn run(args: &ScanArgs, out: &mut impl Write) -> Result<Done, Error> {
    let started = Instant::now();
    let Inputs { sources, manner, calendar, progress, problems } = Inputs::new(&args.input)?;
    let book = Book::built_in();
    let seed = seed();
    let new = || Tally::new(Judge::new(&book), seed.clone());
    let walked = with_bar(&progress, || walk(&sources, manner, &calendar, &progress, new, |()| {}))?;
    let mut tally = new();
    walked.listeners.into_iter().for_each(|part| tally.merge(part));
    let frame = Frame {
        sources: &sources,
        coverage: &walked.coverage,
        zone: &calendar.zone,
        providers: &book.providers,
        with_advice: !args.no_advice,
    };
    let done = Done::new(problems, walked.problems, &walked.coverage);
    let report = report(&tally, &frame);
    let shown = match args.format {
        ScanFormat::Json => json::show(&report),
        ScanFormat::Text if done.nothing_to_report() => String::new(),
        ScanFormat::Text => {
            let took = stdout().is_terminal().then(|| (started.elapsed().as_secs_f64(), manner.threads));
            text::show(&report, &Look { top: args.top, took, ..look(args.color) })
        }
    };
    out.write_all(shown.as_bytes())?;
    Ok(done)
}

/// What the other end of stdout can show. A pager has no width of its own, but stands in a terminal that has.
fn look(color: ColorChoice) -> Look {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let terminal = stdout().is_terminal();
    let color = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal && !set("NO_COLOR") && std::env::var("TERM").is_ok_and(|term| term != "dumb")
        }
    };
    let width = terminal_size::terminal_size_of(stdout())
        .or_else(|| terminal_size::terminal_size_of(stderr()))
        .map(|(width, _)| usize::from(width.0))
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
        .unwrap_or(80);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let unicode = locale.is_some_and(|locale| locale.to_ascii_uppercase().replace('-', "").contains("UTF8"));
    Look { width: width.clamp(60, 140), color, unicode, top: 0, took: None }
}
