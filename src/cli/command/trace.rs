//! `smtplog trace`: shows what happened to the messages that match a query.

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::cli::args::{DocumentFormat, TraceArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::form::on_form;
use crate::cli::input::Inputs;
use crate::cli::output::{self, check_used, named, read_files};
use crate::cli::progress::with_bar;
use crate::cli::redaction::redactor;
use crate::cli::session::Session;
use crate::cli::style::text_style;
use crate::cli::temp_copies::copy_streams;
use crate::cli::words::line;
use crate::parse::log_text::LogText;
use crate::pipeline::calendar::Calendar;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::{Filter, LineFilter};
use crate::pipeline::sink::{EventSink, LoggedEvent};
use crate::pipeline::walk::{WalkTask, walk};
use crate::redact::Redactor;
use crate::render::json;
use crate::render::text::trace;
use crate::report::trace::{SCHEMA, Trace};
use crate::scan::input::ReadSummary;
use crate::scan::notes::on_time;
use crate::trace::query::TraceQuery;
use crate::trace::{TraceRequest, TraceResult, trace};

pub(crate) fn run(args: &TraceArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    check_what(args)?;
    // --raw prints log lines, whatever the suffix of the output file.
    let format = if args.raw { DocumentFormat::Text } else { args.output.format(DocumentFormat::Text)? };
    check_used(&named(&[("the --output file", args.output.file())]), &read_files(&args.rules, &args.redact))?;
    let inputs = Inputs::new(&args.input, None)?;
    let paths = inputs.paths.clone();
    output::write(args.output.file(), &paths, out, |out| trace_to(args, format, inputs, out))
}

/// An error if WHAT is a log and nothing is left to trace, or the two were swapped: `trace mail.log`, `trace mail.log ID`.
fn check_what(args: &TraceArgs) -> Result<(), CliError> {
    let files = &args.input.files;
    let missing = |file: &&PathBuf| !file.exists() && **file != *"-";
    let sought = match (files.is_empty(), files.iter().find(missing)) {
        (true, _) => "ADDRESS".into(),
        (false, Some(file)) => file.clone().into_os_string(),
        (false, None) => return Ok(()),
    };
    if !Path::new(&args.what).exists() {
        return Ok(());
    }
    let others = files.iter().filter(|file| **file != *sought).map(|file| file.clone().into_os_string());
    let right = ["smtplog".into(), "trace".into(), sought.clone(), args.what.clone().into()];
    let right: Vec<OsString> = right.into_iter().chain(others).collect();
    Err(CliError::NothingToTrace { line: line(&right) })
}

fn trace_to(
    args: &TraceArgs,
    format: DocumentFormat,
    mut inputs: Inputs,
    out: &mut (dyn Write + Send),
) -> Result<Completion, CliError> {
    let redactor = redactor(&args.redact, &mut inputs.notes)?;
    let mut session = Session::new(inputs, &args.rules, &args.filter, redactor)?;
    let sought =
        TraceQuery::read(&args.what).map_err(|why| CliError::Untraceable { what: args.what.clone(), why })?;
    let Inputs { sources, manner, progress, problems, .. } = &mut session.inputs;
    problems.extend(copy_streams(sources, *manner)?);
    // The logs are read twice.
    progress.total.fetch_add(progress.total.load(Ordering::Relaxed), Ordering::Relaxed);
    let request = TraceRequest { query: &sought, filter: &session.filter, top: args.top, raw: args.raw };
    let task = WalkTask { filter: &LineFilter::default(), ..session.task() };
    let traced = with_bar(task.progress, || trace(&request, &task))?;
    if traced.found == 0 {
        let what = session.redactor.map_or_else(|| args.what.clone(), |redactor| redactor.query(&args.what));
        if format == DocumentFormat::Json && !args.raw {
            let (what, stories, notes) = (what.clone(), Vec::new(), Vec::new());
            let none = Trace { schema: SCHEMA, what, found: 0, stories, notes };
            out.write_all(json::pretty(&none).as_bytes())?;
        }
        return nothing_found(&what, session, traced);
    }
    show(args, format, session, traced, out)
}

fn show(
    args: &TraceArgs,
    format: DocumentFormat,
    session: Session,
    traced: TraceResult,
    out: &mut (dyn Write + Send),
) -> Result<Completion, CliError> {
    let TraceResult { found, stories, lines, read, minutes, notes: limits, problems: met, .. } = traced;
    let Session { inputs: Inputs { problems, notes, window, .. }, redactor, .. } = session;
    let coverage = Coverage { lines: read, bytes: 1, routine: read, minutes, ..Coverage::default() };
    let mut completion = Completion::new(problems, met, &coverage, window, false);
    completion.remarks = notes;
    let earlier = found - (stories.len() + lines.len()) as u64;
    let earlier = (earlier > 0).then(|| match earlier {
        1 => "1 earlier one is not shown; -n 0 shows all".to_owned(),
        _ => format!("{earlier} earlier ones are not shown; -n 0 shows all"),
    });
    let to_file = args.output.file().is_some();
    if args.raw {
        trace::show_lines(&redacted(lines, redactor), stdout().is_terminal() && !to_file, out)?;
        completion.remarks.extend(earlier);
        completion.remarks.extend(limits);
        return Ok(completion);
    }
    let mut trace = Trace { schema: SCHEMA, what: args.what.clone(), found, stories, notes: limits };
    if let Some(redactor) = redactor {
        redactor.trace(&mut trace);
    }
    match format {
        DocumentFormat::Text => {
            let mut style = text_style(args.style.color, args.style.lang);
            style.color &= !to_file;
            out.write_all(trace::show(&trace, &style).as_bytes())?;
        }
        DocumentFormat::Json => out.write_all(json::pretty(&trace).as_bytes())?,
        DocumentFormat::Ndjson => {
            for story in &trace.stories {
                out.write_all(json::line(story).as_bytes())?;
            }
            completion.remarks.extend(trace.notes);
            completion.remarks.extend(earlier);
        }
    }
    Ok(completion)
}

/// Walks the logs once more: it is not known yet whether they are mail logs at all.
fn nothing_found(what: &str, mut session: Session, traced: TraceResult) -> Result<Completion, CliError> {
    let problems = std::mem::take(&mut session.inputs.problems);
    let calendar = traced.calendar;
    let task = WalkTask { filter: &LineFilter::default(), calendar: &calendar, ..session.task() };
    let coverage = walk(&task, || CoverageOnly, |()| (), None)?.coverage;
    let mut remarks = session.inputs.notes.clone();
    remarks.push(not_found(what, &session.filter, &coverage, &calendar));
    remarks.extend(on_time(&ReadSummary {
        coverage: &coverage,
        window: task.window,
        calendar: &calendar,
        sources: task.sources,
        resolution: &calendar.resolution,
    }));
    remarks.extend(on_form(&coverage, task.sources, session.redactor));
    if let Some(redactor) = session.redactor {
        for remark in &mut remarks {
            *remark = redactor.text(remark);
        }
    }
    let completion =
        Completion::new(problems, traced.problems, &coverage, task.window, false).without_a_find();
    Ok(completion.with_remarks(remarks))
}

/// The lines after `--redact`.
fn redacted(messages: Vec<Vec<Vec<u8>>>, redactor: Option<Redactor>) -> Vec<Vec<Vec<u8>>> {
    let Some(redactor) = redactor else { return messages };
    let line = |line: Vec<u8>| redactor.line(&LogText(&line).to_str()).into_bytes();
    messages.into_iter().map(|lines| lines.into_iter().map(line).collect()).collect()
}

/// Says what was searched for and in how many lines.
fn not_found(what: &str, filter: &Filter, coverage: &Coverage, calendar: &Calendar) -> String {
    let filter =
        if filter.is_empty() { String::new() } else { format!(" that matches {}", filter.words.join(" ")) };
    let shown = |minute: i64| {
        let at = Timestamp::from_second(minute * 60).ok()?;
        Some(at.to_zoned(calendar.zone.clone()).strftime("%F %H:%M %:z").to_string())
    };
    let range = coverage.minutes.and_then(|(first, last)| {
        let to = if first == last { String::new() } else { format!(" to {}", shown(last)?) };
        Some(format!(", {}{to}", shown(first)?))
    });
    let lines = if coverage.lines == 1 { "1 line".to_owned() } else { format!("{} lines", coverage.lines) };
    format!("no message found for {what:?}{filter} in {lines}{}", range.unwrap_or_default())
}

/// Ignores the events: only the coverage of the walk is wanted.
struct CoverageOnly;

impl EventSink for CoverageOnly {
    type BlockOutput = ();

    fn event(&mut self, _: &LoggedEvent) {}

    fn end_of_block(&mut self, _: usize, _: u64) {}
}
