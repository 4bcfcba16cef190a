//! Runs `smtplog scan`, which reads the logs, counts, and prints the report.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::storm::{self, StormLineInput};
use crate::catalog::Catalog;
use crate::cli::args::{AdviceChoice, ScanArgs};
use crate::cli::error::CliError;
use crate::cli::exit::{Completion, ENOUGH_LINES};
use crate::cli::form::on_form;
use crate::cli::input::Inputs;
use crate::cli::mail;
use crate::cli::output::{self, check_used, named, read_files};
use crate::cli::pager;
use crate::cli::part::{self, ReadForPart};
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
use crate::part::LogPart;
use crate::part::file::PackedPart;
use crate::pipeline::filter::Filter;
use crate::pipeline::paired::Paired;
use crate::pipeline::time_range::TimeRange;
use crate::pipeline::walk::WalkResult;
use crate::redact::Redactor;
use crate::render::text::page::TextStyle;
use crate::render::{Audience, Format, LINE, TEXT, nagios};
use crate::report::{self, Report, ReportExtent};
use crate::scan::baseline;
use crate::scan::count_plan::CountPlan;
use crate::scan::counted_part::CountedPart;
use crate::scan::counter::{BlockCounter, Merger};
use crate::scan::far_lines::without_far_lines;
use crate::scan::input::ReadSummary;
use crate::scan::notes::{on_hops, on_sources, on_strange_logs};
use crate::scan::options::ReportOptions;
use crate::scan::redacted;
use crate::scan::summary::report;
use crate::storm::sample::merge::SampleMerger;
use crate::storm::sample::plan::SamplePlan;
use crate::storm::sample::wire::KeptStorms;
use crate::tally::by_hour::Hourly;

/// Rows of a section in the tables by code and by `--by`.
const DEFAULT_ROWS: usize = 10;

pub(crate) fn run(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let result = scan(args, out);
    as_plugin(args.verdict.nagios, result, out)
}

/// An error becomes a line on standard output if the command runs as a plugin of a monitor.
pub(super) fn as_plugin(
    nagios: bool,
    result: Result<Completion, CliError>,
    out: &mut impl Write,
) -> Result<Completion, CliError> {
    match result {
        // A monitor reads only the standard output of a plugin.
        Err(error) if nagios && !error.is_closed_pipe() => {
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
    renderer(args, format)?;
    check_files(args)?;
    let state = state::open(&args.state)?;
    let mut notes = Vec::new();
    let redactor = redactor(&args.redact, &mut notes)?;
    let (mut counted, threads) = counted(args, format, state.as_ref(), redactor)?;
    counted.report.notes.extend(notes);
    print(args, format, counted, state, (started, threads), out)
}

/// Prints the report and writes the part, the history and the state. `timing` is when the run began, and its threads.
pub(super) fn print(
    args: &ScanArgs,
    format: Format,
    counted: Counted,
    state: Option<StateFile>,
    (started, threads): (Instant, usize),
    out: &mut (impl Write + Send),
) -> Result<Completion, CliError> {
    let Counted { report, mut completion, verdict_run, paths, checkpoints, dates, unparsed, part, redactor } =
        counted;
    let output = args.output.file();
    let to_file = output.is_some();
    let color = args.style.color_for(to_file);
    let input = mail::input(args, &mail::times(args));
    let style = TextStyle {
        top: args.top.unwrap_or(DEFAULT_ROWS),
        rows: args.top,
        codes: args.codes,
        input: redactor.map_or(input.clone(), |redactor| redactor.text(&input)),
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
    let part = args.part.as_deref().zip(part);
    let is_alone = part.as_ref().is_some_and(|(path, _)| *path == Path::new("-"));
    if let Some((path, part)) = part {
        let write = |out: &mut (dyn Write + Send)| Ok(part.write_to(out)?);
        let ((), part) = output::prepare(output::file(Some(path)), &paths, out, write)?;
        staged.extend(part);
    }
    match verdict_run.stage() {
        Ok(baseline) => staged.extend(baseline),
        // The state must not go on without the baseline: these lines would never get into it.
        Err(error) if state.is_some() => return Err(error),
        Err(error) => completion.problems.push(error),
    }
    let pages = format.name == TEXT.name && !to_file && !args.mail.mail_headers && !args.no_pager;
    let is_quiet = is_alone || !to_file && is_quiet(args, &report);
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
        ("the --part file", args.part.as_deref()),
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
    Ok(Some(renderer(args, format)?(report, style)))
}

/// How the report is printed for its reader. Error: the format is not for customers.
fn renderer(args: &ScanArgs, format: Format) -> Result<fn(&Report, &TextStyle) -> String, CliError> {
    match args.audience {
        Audience::Admin => Ok(format.show),
        Audience::Customer => format.show_customer.ok_or(CliError::CustomerFormat),
    }
}

/// Whether `--quiet-ok` suppresses the output.
fn is_quiet(args: &ScanArgs, report: &Report) -> bool {
    args.verdict.quiet_ok
        && report.verdict.as_ref().is_some_and(|verdict| verdict.state == report::VerdictState::Ok)
}

/// A report, and what is left to do once it is printed.
pub(super) struct Counted {
    pub report: Report,
    pub completion: Completion,
    pub verdict_run: VerdictRun,
    /// The files that were read; the output must not overwrite them.
    pub paths: Vec<PathBuf>,
    /// The period that was asked for as options with dates: `--since`, `2026-11-21 00:00`.
    pub dates: Vec<(&'static str, String)>,
    /// The state to save. `None`: no state is kept.
    pub checkpoints: Option<Checkpoints>,
    /// The file of `--unparsed`, to be put into its place.
    pub unparsed: Option<StagedFile>,
    /// The part of `--part`.
    pub part: Option<PackedPart>,
    /// Hides people in the names of files. None: nothing is redacted.
    pub redactor: Option<Redactor>,
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
        // A part keeps all that any report may ask for.
        extent: if args.part.is_some() { ReportExtent::Whole } else { extent(args, format) },
        by: &args.by,
        examples: args.examples,
        hourly: verdict_run.wants_hours() || args.part.is_some(),
        delays: args.delays || args.part.is_some(),
        hops: args.hops,
        zone: &session.inputs.calendar.zone,
        filter: &session.filter,
        book: &session.catalog,
        for_parts: args.part.is_some(),
        redactor: session.redactor,
        hasher: &seed,
    };
    part::check(args, &plan)?;
    let sampling = VerdictRun::wants_storms(args)
        .then(|| SamplePlan::new(seed.clone(), &session.filter, args.part.is_some(), false));
    let both = Paired { first: &plan, second: sampling.as_ref() };
    let SettledWalk { walked, total: (mut folder, sampled), sources, calendar, no_match } =
        session.walk_until_settled(&both, &mut unparsed)?;
    let WalkResult { sinks, coverage, problems: met, resolution: turns, reached, .. } = walked;
    if let Some(resumed) = &session.inputs.resumed
        && let Some(path) = resumed.changed(&sources).first()
    {
        return Ok(Err((*path).to_owned()));
    }
    let mut sinks: Vec<BlockCounter> = sinks.into_iter().map(|sink| sink.first).collect();
    let resumed = session.inputs.resumed.as_ref();
    let unparsed = unparsed.finish()?;
    let since = resumed.and_then(|resumed| resumed.since.clone());
    let mut notes = session.inputs.notes.clone();
    let strange = on_strange_logs(&coverage, &sources, if since.is_some() { ENOUGH_LINES } else { 1 });
    notes.extend(strange.clone());
    notes.extend(no_match);
    notes.extend(on_hops(folder.given_up));
    notes.extend(since.as_ref().map(|since| state::note(since)));
    let window = session.inputs.window;
    let read = ReadSummary {
        coverage: &coverage,
        window,
        calendar: &calendar,
        sources: &sources,
        resolution: &turns,
    };
    let samples;
    let made = match args.part {
        None => {
            samples = sampled.map(SampleMerger::finish);
            None
        }
        Some(ref place) => {
            let failed = session.inputs.problems.iter().chain(&met).map(ToString::to_string).collect();
            let mut notes = [on_sources(&read), session.inputs.notes.clone()].concat();
            notes.extend(strange.clone());
            let counts = folder.into_part(sinks);
            let spans = &counts.spans;
            let read = ReadForPart { sources: &sources, reached: &reached, spans, notes, problems: failed };
            let sampled = sampled.map(SampleMerger::into_part);
            // The sample names people, so a redacted part does not keep it.
            let storms = sampled.as_ref().filter(|_| session.redactor.is_none()).map(KeptStorms::of);
            let head = part::head(args, &session, read)?;
            let coverage = coverage.clone();
            let coverage = match session.redactor {
                Some(redactor) => redacted::coverage(coverage, redactor),
                None => coverage,
            };
            let mut part = LogPart { head, coverage, counts, storms };
            let packed = part::pack(&mut part, place)?;
            samples = sampled.map(|sampled| sampled.samples);
            (folder, sinks) = (again(plan, part.counts)?, Vec::new());
            Some(packed)
        }
    };
    let (mut tally, closed) = folder.finish(sinks);
    let hourly = tally.hourly.take().map(Hourly::finish);
    let (near, far) = without_far_lines(&coverage, &mut tally, &calendar.zone);
    notes.extend(far);
    let read = ReadSummary { coverage: &near, ..read };
    if !args.delays {
        tally.delays = None;
    }
    // Nobody is named in the counts of a redacted part.
    let redactor = session.redactor.filter(|_| made.is_none());
    let options = report_options(args, format, read, &session.catalog, &session.filter, (notes, redactor));
    let mut report = report(tally, closed, &options);
    if let Some(samples) = samples {
        let with = StormLineInput {
            providers: &session.catalog.providers,
            zone: &calendar.zone,
            coverage: &coverage,
            threads: session.inputs.manner.threads,
            redactor: session.redactor,
        };
        storm::complete(&mut report, samples, &with)?;
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
        coverage: &near,
        window,
        now: calendar.now,
        zone: &calendar.zone,
        is_part: since.is_some(),
    };
    completion.strange = strange;
    verdict_run.judge(args, &mut report, hourly.as_ref(), &when, &mut completion);
    let paths = std::mem::take(&mut inputs.paths);
    let dates = dates(window, &calendar.zone);
    let (part, redactor) = (made, session.redactor);
    Ok(Ok(Counted { report, completion, verdict_run, paths, dates, checkpoints, unparsed, part, redactor }))
}

/// The bounds of the period as options. A mail is read later than it is written, so it has dates in place of `yesterday`.
fn dates(window: TimeRange, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let bounds = [("--since", window.since), ("--until", window.until)];
    let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%F %H:%M").to_string();
    bounds.into_iter().filter_map(|(name, at)| Some((name, shown(at?)))).collect()
}

/// A merger of the counts of a part, for the report beside it.
fn again(plan: CountPlan, counts: CountedPart) -> Result<Merger, CliError> {
    let options = plan.tally_options(0);
    let mut merger = plan.part_merger(false);
    let refused = |_| CliError::NoPart { what: "that can be read again" };
    merger.fold_part(counts, &options).map_err(refused)?;
    Ok(merger)
}

/// How much of the report the options ask for, to show it or to judge by it.
fn extent(args: &ScanArgs, format: Format) -> ReportExtent {
    let verdict = &args.verdict;
    let judges = verdict.baseline.is_some() || !verdict.fail_on.is_empty() || !verdict.warn_on.is_empty();
    let shows = args.codes || !args.by.is_empty() || args.who || args.delays || args.mail.mail_headers;
    if format.name == TEXT.name && args.audience == Audience::Admin && !judges && !shows {
        ReportExtent::FirstScreen
    } else {
        ReportExtent::Whole
    }
}

pub(super) fn report_options<'a>(
    args: &ScanArgs,
    format: Format,
    read: ReadSummary<'a>,
    catalog: &'a Catalog,
    filter: &'a Filter,
    (notes, redactor): (Vec<String>, Option<Redactor>),
) -> ReportOptions<'a> {
    ReportOptions {
        read,
        extent: extent(args, format),
        providers: &catalog.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        with_full_advice: args.advice == AdviceChoice::Full,
        filter,
        notes,
        sort: args.sort,
        reverse: args.reverse,
        examples: args.examples.max(format.lines),
        redactor,
    }
}
