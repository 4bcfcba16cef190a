//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use super::storm;
use crate::cli::args::{AdviceChoice, ScanArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::input::Inputs;
use crate::cli::mail;
use crate::cli::output;
use crate::cli::redaction::redactor;
use crate::cli::session::{Session, SettledWalk};
use crate::cli::state;
use crate::cli::style::look;
use crate::cli::verdict::{EvaluationTime, VerdictRun};
use crate::collections::seed::seed;
use crate::input::checkpoint::Checkpoints;
use crate::input::checkpoint::state_file::StateFile;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::walk::{WalkResult, WalkTask};
use crate::redact::Redactor;
use crate::render::text::page::TextStyle;
use crate::render::{Format, nagios};
use crate::report::{self, Report};
use crate::scan::counter::CountPlan;
use crate::scan::input::ReadSummary;
use crate::scan::notes::on_hops;
use crate::scan::options::ReportOptions;
use crate::scan::summary::report;

pub(crate) fn run(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    match answer(args, out) {
        // Who reads the answer of a plugin reads nothing else.
        Err(error) if args.verdict.nagios && !error.is_closed_pipe() => {
            out.write_all(nagios::unknown(&error.to_string()).as_bytes())?;
            let mut done = Completion::looked_up(true);
            done.end_with(3);
            Ok(done)
        }
        answer => answer,
    }
}

fn answer(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let started = Instant::now();
    let usual = if args.verdict.nagios { Format::line() } else { Format::text() };
    let format = args.output.format(usual)?;
    if args.mail.mail_headers {
        // Before a log is read for an hour.
        mail::check(format)?;
    }
    let state = state::open(&args.state, &[args.output.output.as_ref(), args.coverage.unparsed.as_ref()])?;
    let mut notes = Vec::new();
    let redactor = redactor(&args.redact, &mut notes)?;
    let (counted, threads) = counted(args, format, state.as_ref(), redactor)?;
    let Counted { mut report, mut done, judging, paths, known } = counted;
    report.notes.extend(notes);
    if let Some(redactor) = redactor {
        redactor.report(&mut report);
    }
    let output = args.output.file();
    let to_file = output.is_some();
    let color = args.style.color_for(to_file);
    let look =
        TextStyle { top: args.top, reverse: args.reverse, who: args.who, ..look(color, args.style.lang) };
    let took = (!to_file && stdout().is_terminal()).then(|| (started.elapsed().as_secs_f64(), threads));
    let Some(shown) = shown(args, format, &report, &TextStyle { took, ..look }, &done)? else {
        return Ok(done);
    };
    if to_file || !is_quiet(args, &report) {
        output::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    }
    judging.save(&mut done);
    if let (Some(state), Some(known), false) = (state, known, done.nothing_to_report()) {
        out.flush()?;
        state.save(known)?;
    }
    if args.verdict.nagios {
        let status = if done.trouble().is_some() { 3 } else { nagios::status(&report) };
        done.end_with(status);
    }
    Ok(done)
}

/// The report in its form. None: there is nothing to show, and stderr says why.
fn shown(
    args: &ScanArgs,
    format: Format,
    report: &Report,
    look: &TextStyle,
    done: &Completion,
) -> Result<Option<String>, CliError> {
    if args.mail.mail_headers {
        return mail::show(args, format, report, look).map(Some);
    }
    if let (Some(show), Some(why)) = (format.show_trouble, done.trouble()) {
        return Ok(Some(show(&why)));
    }
    if format.is_for_people && done.nothing_to_report() {
        return Ok(None);
    }
    Ok(Some((format.show)(report, look)))
}

/// All is well, and then nothing is to be said.
fn is_quiet(args: &ScanArgs, report: &Report) -> bool {
    args.verdict.quiet_ok
        && report.verdict.as_ref().is_some_and(|verdict| verdict.state == report::VerdictState::Ok)
}

struct Counted {
    report: Report,
    done: Completion,
    judging: VerdictRun,
    /// Nothing may be written over them.
    paths: Vec<PathBuf>,
    /// To be saved when the report is written. None: no state is kept.
    known: Option<Checkpoints>,
}

/// A log that is cut short while it is read is read so often at most.
const TRIES: u32 = 3;

/// Also gives back the number of threads.
fn counted(
    args: &ScanArgs,
    format: Format,
    state: Option<&StateFile>,
    redactor: Option<Redactor>,
) -> Result<(Counted, usize), CliError> {
    let mut tries = 1;
    loop {
        let inputs = Inputs::new(&args.input, state)?;
        state::check(&args.state, &inputs.paths)?;
        let threads = inputs.manner.threads;
        let session = Session::new(inputs, &args.rules, &args.filter, redactor)?;
        // What was counted of a log before it was cut short would be counted again from its copy.
        if let Some(counted) = count(args, format, session, tries == TRIES)? {
            return Ok((counted, threads));
        }
        tries += 1;
    }
}

/// `None`: a log was cut short while it was read, and `anyway` is not set.
fn count(
    args: &ScanArgs,
    format: Format,
    mut session: Session,
    anyway: bool,
) -> Result<Option<Counted>, CliError> {
    let mut judging = VerdictRun::new(args, format, &session.filter)?;
    let mut unparsed = session.unparsed(&args.coverage)?;
    let seed = seed();
    let plan = CountPlan {
        by: &args.by,
        examples: args.examples,
        hourly: judging.wants_hours(),
        delays: args.delays,
        hops: args.hops,
        zone: &session.inputs.calendar.zone,
        filter: &session.filter,
        book: &session.book,
        hasher: &seed,
    };
    let SettledWalk { walked, total: folder, sources, calendar, no_match } =
        session.walk_until_settled(&plan, &mut unparsed)?;
    let WalkResult { sinks, coverage, problems: met, resolution: turns, reached } = walked;
    let resumed = session.inputs.resumed.as_ref();
    if !anyway && resumed.is_some_and(|resumed| !resumed.changed().is_empty()) {
        return Ok(None);
    }
    unparsed.finish()?;
    let since = resumed.and_then(|resumed| resumed.since.clone());
    let mut notes = session.inputs.notes.clone();
    notes.extend(no_match);
    notes.extend(on_hops(folder.given_up));
    notes.extend(since.as_ref().map(|since| state::note(since)));
    let (mut tally, closed) = folder.finish(sinks);
    let hourly = tally.hourly.take();
    let window = session.inputs.window;
    let heard = ReadSummary {
        coverage: &coverage,
        window,
        calendar: &calendar,
        sources: &sources,
        resolution: &turns,
    };
    let frame = frame(args, heard, &session, notes);
    let mut report = report(tally, &closed, &frame);
    add_storms(args, &mut report, &session, &session.task_of(&sources, &calendar), &coverage)?;
    let inputs = &mut session.inputs;
    let known = inputs.resumed.take().map(|resumed| state::settled(resumed, &sources, &reached, &met));
    let problems = std::mem::take(&mut inputs.problems);
    let done = Completion::new(problems, met, &coverage, window, args.coverage.strict);
    let mut done = if since.is_some() { done.of_a_part(&coverage) } else { done };
    let when = EvaluationTime { coverage: &coverage, window, now: calendar.now, zone: &calendar.zone };
    judging.judge(args, &mut report, hourly.as_ref(), &when, &mut done);
    let paths = std::mem::take(&mut inputs.paths);
    Ok(Some(Counted { report, done, judging, paths, known }))
}

fn frame<'a>(
    args: &ScanArgs,
    heard: ReadSummary<'a>,
    session: &'a Session,
    notes: Vec<String>,
) -> ReportOptions<'a> {
    ReportOptions {
        read: heard,
        providers: &session.book.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        with_full_advice: args.advice == AdviceChoice::Full,
        filter: &session.filter,
        notes,
        sort: args.sort,
        reverse: args.reverse,
        examples: args.examples,
    }
}

/// Puts the storms into the report if they are asked for.
fn add_storms(
    args: &ScanArgs,
    report: &mut Report,
    session: &Session,
    task: &WalkTask,
    coverage: &Coverage,
) -> Result<(), CliError> {
    if !VerdictRun::wants_storms(args) {
        return Ok(());
    }
    if session.can_be_read_again() {
        report.storms = Some(storm::lines(task, &session.filter, coverage, session.redactor)?);
    } else {
        report.notes.push(
            "storms were not looked for: what comes through a pipe or from the journal can be read only once"
                .to_owned(),
        );
    }
    Ok(())
}
