//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use crate::book::Book;
use crate::cli::{AdviceChoice, ColorChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::counter::Plan;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::judging::{Judging, When};
use crate::cmd::kept;
use crate::cmd::look::look;
use crate::cmd::mailing;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::redaction::redactor;
use crate::cmd::storm;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::input::mark::Known;
use crate::input::set::Source;
use crate::notes::{Heard, on_hops};
use crate::output::page::Look;
use crate::output::{csv, html, json, line, markdown, prometheus, text};
use crate::redact::Redactor;
use crate::report::{self, Report};
use crate::state::State;
use crate::summary::{Frame, report, seed};
use crate::walk::{Task, WALKS, Walked, walk};
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
    match answer(args, out) {
        // Who reads the answer of a plugin reads nothing else.
        Err(error) if args.verdict.nagios && !error.is_closed_pipe() => {
            out.write_all(line::unknown(&error.to_string()).as_bytes())?;
            let mut done = Done::looked_up(true);
            done.end_with(3);
            Ok(done)
        }
        answer => answer,
    }
}

fn answer(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let started = Instant::now();
    let output = args.output.as_deref();
    let usual = if args.verdict.nagios { ScanFormat::Line } else { ScanFormat::Text };
    let format = place::form(args.format, output, usual, &SUFFIXES)?;
    if args.mail.mail_headers {
        // Before a log is read for an hour.
        mailing::check(format)?;
    }
    let state = kept::open(&args.state, &[args.output.as_ref(), args.coverage.unparsed.as_ref()])?;
    let mut notes = Vec::new();
    let redactor = redactor(&args.redact, &mut notes)?;
    let (counted, threads) = counted(args, format, state.as_ref(), redactor)?;
    let Counted { mut report, mut done, judging, paths, known } = counted;
    report.notes.extend(notes);
    if let Some(redactor) = redactor {
        redactor.report(&mut report);
    }
    let to_file = place::file(output).is_some();
    let color = if to_file && args.color == ColorChoice::Auto { ColorChoice::Never } else { args.color };
    let look = Look { top: args.top, reverse: args.reverse, who: args.who, ..look(color, &args.tongue) };
    let took = (!to_file && stdout().is_terminal()).then(|| (started.elapsed().as_secs_f64(), threads));
    let Some(shown) = shown(args, format, &report, &Look { took, ..look }, &done)? else { return Ok(done) };
    if to_file || !is_quiet(args, &report) {
        place::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    }
    judging.save(&mut done);
    if let (Some(state), Some(known), false) = (state, known, done.nothing_to_report()) {
        out.flush()?;
        state.save(known)?;
    }
    if args.verdict.nagios {
        let status = if done.trouble().is_some() { 3 } else { line::status(&report) };
        done.end_with(status);
    }
    Ok(done)
}

/// The report in its form. None: there is nothing to show, and stderr says why.
fn shown(
    args: &ScanArgs,
    format: ScanFormat,
    report: &Report,
    look: &Look,
    done: &Done,
) -> Result<Option<String>, Error> {
    if args.mail.mail_headers {
        return mailing::show(args, format, report, look).map(Some);
    }
    Ok(Some(match format {
        ScanFormat::Json => json::show(report),
        ScanFormat::Ndjson => json::rows(report),
        ScanFormat::Csv if args.who => csv::names(report),
        ScanFormat::Csv => csv::show(report),
        ScanFormat::Prometheus => prometheus::show(report),
        ScanFormat::Line => done.trouble().map_or_else(|| line::show(report), |why| line::unknown(&why)),
        ScanFormat::Text | ScanFormat::Markdown | ScanFormat::Html if done.nothing_to_report() => {
            return Ok(None);
        }
        ScanFormat::Text => text::show(report, look),
        ScanFormat::Markdown => markdown::show(report, look),
        ScanFormat::Html => html::show(report, look),
    }))
}

/// All is well, and then nothing is to be said.
fn is_quiet(args: &ScanArgs, report: &Report) -> bool {
    args.verdict.quiet_ok && report.verdict.as_ref().is_some_and(|verdict| verdict.state == report::State::Ok)
}

struct Counted {
    report: Report,
    done: Done,
    judging: Judging,
    /// Nothing may be written over them.
    paths: Vec<PathBuf>,
    /// To be saved when the report is written. None: no state is kept.
    known: Option<Known>,
}

/// A log that is cut short while it is read is read so often at most.
const TRIES: u32 = 3;

/// And by how many threads.
fn counted(
    args: &ScanArgs,
    format: ScanFormat,
    state: Option<&State>,
    redactor: Option<Redactor>,
) -> Result<(Counted, usize), Error> {
    let mut tries = 1;
    loop {
        let inputs = Inputs::new(&args.input, state)?;
        kept::check(&args.state, &inputs.paths)?;
        let threads = inputs.manner.threads;
        // What was counted of a log before it was cut short would be counted again from its copy.
        if let Some(counted) = count(args, format, inputs, redactor, tries == TRIES)? {
            return Ok((counted, threads));
        }
        tries += 1;
    }
}

/// Reads all of the input, again if its dates were not what they seemed. None: a log was cut short meanwhile, and
/// `anyway` is not set.
fn count(
    args: &ScanArgs,
    format: ScanFormat,
    inputs: Inputs,
    redactor: Option<Redactor>,
    anyway: bool,
) -> Result<Option<Counted>, Error> {
    let Inputs { mut sources, paths, manner, mut calendar, window, progress, problems, mut notes, resumed } =
        inputs;
    let book: Book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let mut judging = Judging::new(args, format, &filter)?;
    let hourly = judging.wants_hours();
    let seed = seed();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths, redactor)?;
    let zone = calendar.zone.clone();
    let again = sources.iter().all(Source::can_be_read_again);
    let mut walks = 0;
    let mut narrowed = resumed.is_none() && narrow(&mut sources, window, &calendar);
    // Where the line names no sender, others of its message may.
    let early = filter.without_sender();
    let (walked, folder) = loop {
        let (by, zone) = (args.by.as_slice(), &zone);
        let ScanArgs { examples, delays, hops, .. } = *args;
        let (filter, book, hasher) = (&filter, &book, &seed);
        let plan = Plan { by, examples, hourly, delays, hops, zone, filter, book, hasher };
        let mut folder = plan.folder();
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book,
            window,
            filter: &early,
            progress: &progress,
        };
        let fold = |handed| folder.fold(handed);
        let mut walked = with_bar(&progress, || walk(&task, || plan.counter(), fold, unparsed.writer()))?;
        walked.coverage.filtered += folder.left_out;
        walks += 1;
        if !again || walks == WALKS || walked.turns == calendar.turns {
            if again && walked.coverage.event > 0 && walked.coverage.filtered == walked.coverage.event {
                notes.push(what_there_was(&task, filter, redactor)?);
            }
            break (walked, folder);
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
    let Walked { listeners, coverage, problems: met, turns, reached } = walked;
    if !anyway && resumed.as_ref().is_some_and(|resumed| !resumed.changed().is_empty()) {
        return Ok(None);
    }
    unparsed.finish()?;
    notes.extend(on_hops(folder.given_up));
    let since = resumed.as_ref().and_then(|resumed| resumed.since.clone());
    notes.extend(since.as_ref().map(|since| kept::note(since)));
    let known = resumed.map(|resumed| kept::settled(resumed, &sources, &reached, &met));
    let (mut tally, closed) = folder.close(listeners);
    let hourly = tally.hourly.take();
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
    let mut report = report(tally, &closed, &frame);
    let done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    let mut done = if since.is_some() { done.of_a_part(&coverage) } else { done };
    if Judging::wants_storms(args) {
        if again {
            let narrowed = Task {
                sources: &sources,
                manner,
                calendar: &calendar,
                book: &book,
                window,
                filter: &early,
                progress: &progress,
            };
            report.storms = Some(storm::lines(&narrowed, &filter, &coverage, redactor)?);
        } else {
            report.notes.push(
                "storms were not looked for: what comes through a pipe or from the journal can be read only once".to_owned(),
            );
        }
    }
    let when = When { coverage: &coverage, window, now: calendar.now, zone: &zone };
    judging.judge(args, &mut report, hourly.as_ref(), &when, &mut done);
    Ok(Some(Counted { report, done, judging, paths, known }))
}
