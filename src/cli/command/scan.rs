//! Runs `smtplog scan`, which reads the logs, counts, and prints the report.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::storm;
use crate::cli::args::{AdviceChoice, ScanArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::form::on_form;
use crate::cli::input::Inputs;
use crate::cli::mail;
use crate::cli::output::{self, check_used, named, read_files};
use crate::cli::pager;
use crate::cli::redaction::redactor;
use crate::cli::session::{Session, SettledWalk};
use crate::cli::state;
use crate::cli::style::text_style;
use crate::cli::verdict::{EvaluationTime, VerdictRun};
use crate::collections::seed::seed;
use crate::input::atomic_file::StagedFile;
use crate::input::checkpoint::Checkpoints;
use crate::input::checkpoint::state_file::StateFile;
use crate::input::error::InputError;
use crate::pipeline::paired::Paired;
use crate::pipeline::time_range::TimeRange;
use crate::pipeline::walk::WalkResult;
use crate::redact::Redactor;
use crate::render::text::page::TextStyle;
use crate::render::{Format, LINE, TEXT, nagios};
use crate::report::{self, Report};
use crate::scan::baseline;
use crate::scan::counter::CountPlan;
use crate::scan::input::ReadSummary;
use crate::scan::notes::on_hops;
use crate::scan::options::ReportOptions;
use crate::scan::summary::report;
use crate::storm::sample::plan::SamplePlan;

/// Rows of a section in the tables by code and by `--by`.
const DEFAULT_ROWS: usize = 10;

pub(crate) fn run(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    match scan(args, out) {
        // A monitor reads only the standard output of a plugin.
        Err(error) if args.verdict.nagios && !error.is_closed_pipe() => {
            out.write_all(nagios::unknown(&error.to_string()).as_bytes())?;
            let mut completion = Completion::looked_up(true);
            completion.end_with(3);
            Ok(completion)
        }
        result => result,
    }
}

fn scan(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let started = Instant::now();
    let usual = if args.verdict.nagios { LINE } else { TEXT };
    let format = args.output.format(usual)?;
    if args.mail.mail_headers {
        // Checked before the logs are read, which can take an hour.
        mail::check(format)?;
    }
    check_files(args)?;
    let state = state::open(&args.state)?;
    let mut notes = Vec::new();
    let redactor = redactor(&args.redact, &mut notes)?;
    let (counted, threads) = counted(args, format, state.as_ref(), redactor)?;
    let Counted { mut report, mut completion, verdict_run, paths, checkpoints, dates, unparsed } = counted;
    report.notes.extend(notes);
    let output = args.output.file();
    let to_file = output.is_some();
    let color = args.style.color_for(to_file);
    let style = TextStyle {
        top: args.top.unwrap_or(DEFAULT_ROWS),
        rows: args.top,
        codes: args.codes,
        input: mail::input(args, &mail::times(args)),
        reverse: args.reverse,
        who: args.who,
        ..text_style(color, args.style.lang)
    };
    let took = (!to_file && stdout().is_terminal()).then(|| (started.elapsed().as_secs_f64(), threads));
    let mut staged = Vec::from_iter(unparsed);
    let Some(shown) = shown(args, format, &report, &TextStyle { took, ..style }, &dates, &completion)? else {
        output::commit(staged)?;
        return Ok(completion);
    };
    match verdict_run.stage() {
        Ok(baseline) => staged.extend(baseline),
        // The state must not go on without the baseline: these lines would never get into it.
        Err(error) if state.is_some() => return Err(error),
        Err(error) => completion.problems.push(error),
    }
    let pages = format.name == TEXT.name && !to_file && !args.mail.mail_headers && !args.no_pager;
    let is_quiet = !to_file && is_quiet(args, &report);
    let is_shown = is_quiet || pages && pager::show(&shown)?;
    if !is_shown {
        let write = |out: &mut (dyn Write + Send)| Ok(out.write_all(shown.as_bytes())?);
        let ((), report) = output::prepare(output, &paths, out, write)?;
        staged.extend(report);
    }
    out.flush()?;
    let checkpoints = checkpoints.filter(|_| !completion.nothing_to_report());
    state::commit(state, checkpoints, staged)?;
    if args.verdict.nagios {
        let status = if completion.trouble().is_some() { 3 } else { nagios::status(&report) };
        completion.end_with(status);
    }
    Ok(completion)
}

/// An error if a file that is written is used otherwise in this run.
fn check_files(args: &ScanArgs) -> Result<(), CliError> {
    let lock = args.verdict.baseline.as_deref().map(baseline::lock_path);
    let written = [
        ("the --state file", args.state.state.as_deref()),
        ("the baseline", args.verdict.baseline.as_deref()),
        ("the lock of the baseline", lock.as_deref()),
        ("the --unparsed file", args.coverage.unparsed.as_deref()),
        ("the --output file", args.output.file()),
    ];
    check_used(&named(&written), &read_files(&args.rules, &args.redact))
}

/// Renders the report. `None`: there is nothing to print, and standard error says why.
fn shown(
    args: &ScanArgs,
    format: Format,
    report: &Report,
    style: &TextStyle,
    dates: &[(&'static str, String)],
    completion: &Completion,
) -> Result<Option<String>, CliError> {
    if args.mail.mail_headers {
        return mail::show(args, format, report, style, dates).map(Some);
    }
    if let (Some(show), Some(why)) = (format.show_trouble, completion.trouble()) {
        return Ok(Some(show(&why)));
    }
    if format.is_for_people && completion.nothing_to_report() {
        return Ok(None);
    }
    Ok(Some((format.show)(report, style)))
}

/// Whether `--quiet-ok` suppresses the output.
fn is_quiet(args: &ScanArgs, report: &Report) -> bool {
    args.verdict.quiet_ok
        && report.verdict.as_ref().is_some_and(|verdict| verdict.state == report::VerdictState::Ok)
}

/// A report, and what is left to do once it is printed.
struct Counted {
    report: Report,
    completion: Completion,
    verdict_run: VerdictRun,
    /// The files that were read; the output must not overwrite them.
    paths: Vec<PathBuf>,
    /// The period that was asked for as options with dates: `--since`, `2026-11-21 00:00`.
    dates: Vec<(&'static str, String)>,
    /// The state to save. `None`: no state is kept.
    checkpoints: Option<Checkpoints>,
    /// The file of `--unparsed`, to be put into its place.
    unparsed: Option<StagedFile>,
}

/// Upper bound on how often logs are read again because one was truncated meanwhile.
const TRIES: u32 = 10;

/// Reads the logs, again if one is truncated meanwhile. Also returns the number of threads.
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
        // Lines of a log that was copied and truncated meanwhile would be counted twice.
        match count(args, format, session)? {
            Ok(counted) => return Ok((counted, threads)),
            Err(path) if tries == TRIES => return Err(InputError::Restless { path }.into()),
            Err(_) => tries += 1,
        }
    }
}

// The steps of one run, in their order.
#[allow(clippy::too_many_lines)]
/// Reads the logs once. The inner error: this log was truncated meanwhile.
fn count(
    args: &ScanArgs,
    format: Format,
    mut session: Session,
) -> Result<Result<Counted, PathBuf>, CliError> {
    let mut verdict_run = VerdictRun::new(args, format, &session.filter)?;
    let mut unparsed = session.unparsed(&args.coverage)?;
    let seed = seed();
    let plan = CountPlan {
        by: &args.by,
        examples: args.examples,
        hourly: verdict_run.wants_hours(),
        delays: args.delays,
        hops: args.hops,
        zone: &session.inputs.calendar.zone,
        filter: &session.filter,
        book: &session.catalog,
        hasher: &seed,
    };
    let sampling = VerdictRun::wants_storms(args).then(|| SamplePlan::new(seed.clone(), &session.filter));
    let both = Paired { first: &plan, second: sampling.as_ref() };
    let SettledWalk { walked, total: (folder, samples), sources, calendar, no_match } =
        session.walk_until_settled(&both, &mut unparsed)?;
    let WalkResult { sinks, coverage, problems: met, resolution: turns, reached, .. } = walked;
    if let Some(resumed) = &session.inputs.resumed
        && let Some(path) = resumed.changed(&sources).first()
    {
        return Ok(Err((*path).to_owned()));
    }
    let sinks = sinks.into_iter().map(|sink| sink.first).collect();
    let resumed = session.inputs.resumed.as_ref();
    let unparsed = unparsed.finish()?;
    let since = resumed.and_then(|resumed| resumed.since.clone());
    let mut notes = session.inputs.notes.clone();
    notes.extend(no_match);
    notes.extend(on_hops(folder.given_up));
    notes.extend(since.as_ref().map(|since| state::note(since)));
    let (mut tally, closed) = folder.finish(sinks);
    let hourly = tally.hourly.take();
    let window = session.inputs.window;
    let read = ReadSummary {
        coverage: &coverage,
        window,
        calendar: &calendar,
        sources: &sources,
        resolution: &turns,
    };
    let options = report_options(args, read, &session, notes);
    let mut report = report(tally, &closed, &options);
    if let Some(samples) = samples {
        report.storms = Some(storm::lines(samples.finish(), &session, &calendar.zone, &coverage)?);
    }
    let inputs = &mut session.inputs;
    let checkpoints = inputs.resumed.take().map(|resumed| state::settled(resumed, &sources, &reached, &met));
    let problems = std::mem::take(&mut inputs.problems);
    let form = on_form(&coverage, &sources, session.redactor);
    if let Some(redactor) = session.redactor {
        redactor.report(&mut report);
    }
    let completion =
        Completion::new(problems, met, &coverage, window, args.coverage.strict).with_remarks(form);
    let mut completion = if since.is_some() { completion.of_a_part(&coverage) } else { completion };
    let when = EvaluationTime {
        coverage: &coverage,
        window,
        now: calendar.now,
        zone: &calendar.zone,
        is_part: since.is_some(),
    };
    verdict_run.judge(args, &mut report, hourly.as_ref(), &when, &mut completion);
    let paths = std::mem::take(&mut inputs.paths);
    let dates = dates(window, &calendar.zone);
    Ok(Ok(Counted { report, completion, verdict_run, paths, dates, checkpoints, unparsed }))
}

/// The bounds of the period as options. A mail is read later than it is written, so it has dates in place of `yesterday`.
fn dates(window: TimeRange, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let bounds = [("--since", window.since), ("--until", window.until)];
    let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%F %H:%M").to_string();
    bounds.into_iter().filter_map(|(name, at)| Some((name, shown(at?)))).collect()
}

fn report_options<'a>(
    args: &ScanArgs,
    read: ReadSummary<'a>,
    session: &'a Session,
    notes: Vec<String>,
) -> ReportOptions<'a> {
    ReportOptions {
        read,
        providers: &session.catalog.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        with_full_advice: args.advice == AdviceChoice::Full,
        filter: &session.filter,
        notes,
        sort: args.sort,
        reverse: args.reverse,
        examples: args.examples,
    }
}
