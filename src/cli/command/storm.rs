//! Runs `smtplog storm`, which finds bursts of failures and silences and says what to do.

use std::io::Write;

use jiff::tz::TimeZone;

use crate::catalog::provider::Providers;
use crate::catalog::value_name;
use crate::cli::args::{DocumentFormat, StormArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::form::on_form;
use crate::cli::input::Inputs;
use crate::cli::output::{self, check_used, named, read_files};
use crate::cli::redaction::redactor;
use crate::cli::session::{Session, SettledWalk};
use crate::cli::style::text_style;
use crate::collections::seed::seed;
use crate::input::error::InputError;
use crate::input::read::thread_pool;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::walk::WalkResult;
use crate::redact::Redactor;
use crate::render::json::{line, pretty};
use crate::render::text::page::TextStyle;
use crate::render::text::storm;
use crate::report::storm::{Confidence, STORMS_SCHEMA, Storm, StormReport};
use crate::report::{Report, StormLine};
use crate::scan::input::{input, range};
use crate::scan::notes::on_time;
use crate::storm::detect::grid::Sensitivity;
use crate::storm::diagnose::{DiagnosisInput, Findings, answer};
use crate::storm::sample::plan::SamplePlan;
use crate::storm::sample::samples::Samples;

pub(crate) fn run(args: &StormArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let output = args.output.file();
    let format = args.output.format(DocumentFormat::Text)?;
    let written = [("the --unparsed file", args.coverage.unparsed.as_deref()), ("the --output file", output)];
    check_used(&named(&written), &read_files(&args.rules, &args.redact))?;
    let mut inputs = Inputs::new(&args.input, None)?;
    let redactor = redactor(&args.redact, &mut inputs.notes)?;
    let paths = inputs.paths.clone();
    let session = Session::new(inputs, &args.rules, &args.filter, redactor)?;
    let (mut storms, mut completion) = find(args, session)?;
    if let Some(redactor) = redactor {
        redactor.storms(&mut storms);
    }
    if !storms.storms.is_empty() {
        completion.fail();
    }
    if args.top > 0 {
        let more = storms.storms.len().saturating_sub(args.top);
        storms.storms.truncate(args.top);
        if more > 0 {
            storms.notes.push(format!("{more} less important storms are not shown; -n 0 shows all"));
        }
    }
    if format != DocumentFormat::Text {
        storms.notes.extend(storms.steady.take());
    }
    if args.reverse {
        storms.storms.reverse();
    }
    let color = args.style.color_for(output.is_some());
    let style = TextStyle { top: args.top, reverse: args.reverse, ..text_style(color, args.style.lang) };
    let shown = match format {
        DocumentFormat::Json => pretty(&storms),
        DocumentFormat::Ndjson => storms.storms.iter().map(line).collect(),
        DocumentFormat::Text if completion.nothing_to_report() => return Ok(completion),
        DocumentFormat::Text => storm::show(&storms, &style),
    };
    output::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    Ok(completion)
}

/// Reads the logs and finds the storms in them.
fn find(args: &StormArgs, mut session: Session) -> Result<(StormReport, Completion), CliError> {
    let mut unparsed = session.unparsed(&args.coverage)?;
    let sampling = SamplePlan::new(seed(), &session.filter, false, true);
    let mut settled = session.walk_until_settled(&sampling, &mut unparsed)?;
    // Before the report is printed: it does not depend on it.
    output::commit(unparsed.finish()?)?;
    let no_match = settled.no_match.take();
    let read_summary = settled.summary(&session);
    let (time, read) = (range(&read_summary), input(&read_summary, &session.filter));
    let late = on_time(&read_summary);
    let SettledWalk { walked, total: merger, sources, calendar, .. } = settled;
    let WalkResult { coverage, problems: met, .. } = walked;
    let mut samples = merger.finish();
    let files = sources.iter().filter(|source| source.can_be_read_again());
    let files: Vec<String> = files.map(|source| source.path.to_string_lossy().into_owned()).collect();
    let providers = &session.catalog.providers;
    let input = DiagnosisInput {
        providers,
        zone: &calendar.zone,
        files,
        minutes: coverage.minutes,
        sensitivity: Sensitivity { alarms_per_month: args.alarms_per_month },
        with_greylisting: args.greylisting,
    };
    let Findings { storms, notes: limits, steady, .. } =
        diagnose(&mut samples, &input, session.inputs.manner.threads)?;
    let Inputs { notes, problems, window, .. } = &mut session.inputs;
    let mut notes = std::mem::take(notes);
    notes.extend(no_match);
    notes.extend(late);
    notes.extend(limits);
    notes.extend(sample_notes(&samples));
    // A filter may leave failures alone.
    let steady = steady.filter(|_| read.filter.is_empty()).map(steady_fault);
    let storms = StormReport { schema: STORMS_SCHEMA, range: time, input: read, storms, notes, steady };
    let problems = std::mem::take(problems);
    let form = on_form(&coverage, &sources, session.redactor);
    let completion = Completion::new(problems, met, &coverage, *window, args.coverage.strict);
    Ok((storms, completion.with_remarks(form)))
}

/// What the storms of a report are found with, besides the samples.
pub(crate) struct StormLineInput<'a> {
    pub providers: &'a Providers,
    pub zone: &'a TimeZone,
    pub coverage: &'a Coverage,
    pub threads: usize,
    pub redactor: Option<Redactor>,
}

/// Finds the storms and holes for the report of `scan` in the samples of its own walk or in those of parts.
pub(crate) fn complete(
    report: &mut Report,
    mut samples: Samples,
    of: &StormLineInput,
) -> Result<(), CliError> {
    let input = DiagnosisInput {
        providers: of.providers,
        zone: of.zone,
        files: Vec::new(),
        minutes: of.coverage.minutes,
        sensitivity: Sensitivity::default(),
        with_greylisting: false,
    };
    let Findings { mut storms, holes, .. } = diagnose(&mut samples, &input, of.threads)?;
    if let Some(redactor) = of.redactor {
        for storm in &mut storms {
            redactor.storm(storm);
        }
    }
    report.storms = Some(storms.into_iter().map(line_of).collect());
    report.holes = holes;
    Ok(())
}

fn line_of(storm: Storm) -> StormLine {
    StormLine {
        is_doubtful: storm.is_doubtful,
        pattern: value_name(storm.pattern),
        factor: storm
            .factors
            .first()
            .map(|factor| format!("{} {}", value_name(factor.dimension), factor.value)),
        title: storm.title,
        start: storm.start,
        end: storm.end,
        is_unsure: storm.confidence == Confidence::Unsure,
        attempts: storm.attempts,
        times: storm.times,
        advice: storm.advice,
    }
}

fn diagnose(samples: &mut Samples, input: &DiagnosisInput, threads: usize) -> Result<Findings, InputError> {
    // The events are the largest part of the memory, and nobody needs them twice.
    let events = std::mem::take(&mut samples.events);
    Ok(thread_pool(threads)?.install(|| answer(samples, events, input)))
}

/// `38% of the deliveries fail …`
fn steady_fault(share: f64) -> String {
    format!(
        "{:.0}% of the deliveries fail; a fault that lasts most of the log is no storm: smtplog scan LOG shows it",
        share * 100.0
    )
}

/// A note about events without a time.
fn sample_notes(samples: &Samples) -> Option<String> {
    (samples.undated > 0)
        .then(|| format!("{} events have no time and are not part of any storm", samples.undated))
}
