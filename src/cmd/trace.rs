//! `smtplog trace`: what became of the messages that were asked for.

use std::io::{IsTerminal, Write, stdout};
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::cli::{TraceArgs, TraceFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::redaction::redactor;
use crate::cmd::spool::Spools;
use crate::cmd::wanted::filter;
use crate::error::Error;
use crate::filter::{Filter, LineFilter};
use crate::notes::{Heard, on_time};
use crate::output::{entry_json, trace_raw, trace_text};
use crate::redact::Redactor;
use crate::story::{SCHEMA, Trace};
use crate::trace::sought::Sought;
use crate::trace::{Question, Traced, trace};
use crate::turn::Calendar;
use crate::walk::{Coverage, Listener, Task, Told, walk};

/// What the name of a file says about its form.
const SUFFIXES: [(&str, TraceFormat); 4] = [
    ("txt", TraceFormat::Text),
    ("json", TraceFormat::Json),
    ("ndjson", TraceFormat::Ndjson),
    ("jsonl", TraceFormat::Ndjson),
];

pub fn run(args: &TraceArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let output = args.output.as_deref();
    let form = if args.raw { Some(TraceFormat::Text) } else { args.format };
    let format = place::form(form, output, TraceFormat::Text, &SUFFIXES)?;
    let inputs = Inputs::new(&args.input, None)?;
    let paths = inputs.paths.clone();
    place::write(output, &paths, out, |out| tell(args, format, inputs, out))
}

fn tell(
    args: &TraceArgs,
    format: TraceFormat,
    inputs: Inputs,
    out: &mut (dyn Write + Send),
) -> Result<Done, Error> {
    let Inputs { mut sources, manner, calendar, window, progress, mut problems, mut notes, .. } = inputs;
    let redactor = redactor(&args.redact, &mut notes)?;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let sought = Sought::read(&args.what);
    let mut spools = Spools::default();
    problems.extend(spools.fill(&mut sources, manner)?);
    // It is read twice.
    progress.total.fetch_add(progress.total.load(Ordering::Relaxed), Ordering::Relaxed);
    let all = LineFilter::default();
    let task = Task {
        sources: &sources,
        manner,
        calendar: &calendar,
        book: &book,
        window,
        filter: &all,
        progress: &progress,
    };
    let question = Question { sought: &sought, filter: &filter, top: args.top, raw: args.raw };
    let traced = with_bar(&progress, || trace(&question, &task))?;
    let Traced { found, stories, lines, read, minutes, notes: limits, problems: met, calendar } = traced;
    if found == 0 {
        // Nobody knows yet whether these are mail logs at all.
        let walked = walk(&Task { calendar: &calendar, ..task }, || Nobody, |()| (), None)?;
        let coverage = walked.coverage;
        let mut done = Done::new(problems, met, &coverage, window, false).without_a_find();
        done.remarks = notes;
        let heard = Heard {
            coverage: &coverage,
            window,
            calendar: &calendar,
            sources: &sources,
            turns: &calendar.turns,
        };
        let what = redactor.map_or_else(|| args.what.clone(), |redactor| redactor.sought(&args.what));
        done.remarks.push(not_found(&what, &filter, &coverage, &calendar));
        done.remarks.extend(on_time(&heard));
        if let Some(redactor) = redactor {
            done.remarks.iter_mut().for_each(|remark| *remark = redactor.text(remark));
        }
        return Ok(done);
    }
    let coverage = Coverage { lines: read, bytes: 1, routine: read, minutes, ..Coverage::default() };
    let mut done = Done::new(problems, met, &coverage, window, false);
    done.remarks = notes;
    let earlier = found - (stories.len() + lines.len()) as u64;
    let mut look = look(args.color, &args.tongue);
    look.color &= place::file(args.output.as_deref()).is_none();
    if args.raw {
        let escaped = stdout().is_terminal() && place::file(args.output.as_deref()).is_none();
        let lines = hidden(lines, redactor);
        trace_raw::show(&lines, escaped, out)?;
        if earlier > 0 {
            done.remarks.push(format!("{earlier} earlier ones are not shown; -n 0 shows all"));
        }
        done.remarks.extend(limits);
        return Ok(done);
    }
    let mut trace = Trace { schema: SCHEMA, what: args.what.clone(), found, stories, notes: limits };
    if let Some(redactor) = redactor {
        redactor.trace(&mut trace);
    }
    match format {
        TraceFormat::Text => out.write_all(trace_text::show(&trace, &look).as_bytes())?,
        TraceFormat::Json => out.write_all(entry_json::pretty(&trace).as_bytes())?,
        TraceFormat::Ndjson => {
            for story in &trace.stories {
                out.write_all(entry_json::line(story).as_bytes())?;
            }
            done.remarks.extend(trace.notes);
            if earlier > 0 {
                done.remarks.push(format!("{earlier} earlier ones are not shown; -n 0 shows all"));
            }
        }
    }
    Ok(done)
}

/// The lines, with what `--redact` leaves of them.
fn hidden(messages: Vec<Vec<Vec<u8>>>, redactor: Option<Redactor>) -> Vec<Vec<Vec<u8>>> {
    let Some(redactor) = redactor else { return messages };
    let line = |line: Vec<u8>| redactor.line(&String::from_utf8_lossy(&line)).into_bytes();
    messages.into_iter().map(|lines| lines.into_iter().map(line).collect()).collect()
}

/// Where it was looked for.
fn not_found(what: &str, filter: &Filter, coverage: &Coverage, calendar: &Calendar) -> String {
    let filter =
        if filter.is_empty() { String::new() } else { format!(" that fits {}", filter.words.join(" ")) };
    let shown = |minute: i64| {
        let at = Timestamp::from_second(minute * 60).ok()?;
        Some(at.to_zoned(calendar.zone.clone()).strftime("%F %H:%M %:z").to_string())
    };
    let range =
        coverage.minutes.and_then(|(first, last)| Some(format!(", {} to {}", shown(first)?, shown(last)?)));
    let lines = coverage.lines;
    format!("found nothing of {what:?}{filter} in {lines} lines{}", range.unwrap_or_default())
}

/// Only the lines are counted.
struct Nobody;

impl Listener for Nobody {
    type Handover = ();

    fn event(&mut self, _: &Told) {}

    fn end_of_block(&mut self, _: usize, _: u64) {}
}
