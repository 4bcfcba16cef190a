//! Runs `smtplog events`, which prints every event of the logs in order, one per line.

use std::io::{self, BufWriter, Seek, Write};
use std::path::PathBuf;

use crate::cli::args::EventsArgs;
use crate::cli::error::CliError;
use crate::cli::exit::{Completion, is_few};
use crate::cli::form::on_form;
use crate::cli::input::Inputs;
use crate::cli::output::{self, check_used, named, read_files};
use crate::cli::redaction::redactor;
use crate::cli::session::Session;
use crate::cli::state;
use crate::cli::style::text_style;
use crate::collections::seed::seed;
use crate::events::format::EventsFormat;
use crate::events::sink::{BlockListing, ListingSink};
use crate::events::writer::EventWriter;
use crate::input::atomic_file::StagedFile;
use crate::input::checkpoint::Checkpoints;
use crate::input::error::InputError;
use crate::input::read::Source;
use crate::messages::key::KeyHasher;
use crate::pipeline::walk::{WalkResult, walk};
use crate::render::csv;
use crate::scan::input::ReadSummary;
use crate::scan::notes::on_time;

pub(crate) fn run(args: &EventsArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let format = args.output.format(EventsFormat::Ndjson)?;
    let written = [
        ("the --state file", args.state.state.as_deref()),
        ("the --unparsed file", args.coverage.unparsed.as_deref()),
        ("the --output file", args.output.file()),
    ];
    check_used(&named(&written), &read_files(&args.rules, &args.redact))?;
    let state = state::open(&args.state)?;
    let mut tries = 1;
    loop {
        let inputs = Inputs::new(&args.input, state.as_ref())?;
        let paths = inputs.paths.clone();
        state::check(&args.state, &paths)?;
        let output = args.output.file();
        // Lines of a log that was copied and truncated meanwhile would be printed twice.
        let (listed, listing) = if state.is_some() && output.is_none() {
            let mut kept = BufWriter::new(tempfile::tempfile().map_err(CliError::TempOutput)?);
            let listed = list(args, format, inputs, &mut kept).map_err(|error| match error {
                CliError::Write(source) => CliError::TempOutput(source),
                other => other,
            })?;
            let mut kept = kept.into_inner().map_err(|error| CliError::TempOutput(error.into_error()))?;
            if listed.is_ok() {
                kept.rewind().map_err(CliError::TempOutput)?;
                io::copy(&mut kept, out)?;
            }
            (listed, None)
        } else {
            output::prepare(output, &paths, out, |out| list(args, format, inputs, out))?
        };
        match listed {
            Ok(Listed { completion, checkpoints, unparsed }) => {
                out.flush()?;
                let checkpoints = checkpoints.filter(|_| !completion.nothing_to_report());
                state::commit(state, checkpoints, unparsed.into_iter().chain(listing).collect())?;
                return Ok(completion);
            }
            Err(path) if tries == TRIES => return Err(InputError::Restless { path }.into()),
            Err(_) => tries += 1,
        }
    }
}

/// Upper bound on how often logs are read again because one was truncated meanwhile.
const TRIES: u32 = 10;

/// How the run ended, and what is left to do.
struct Listed {
    completion: Completion,
    /// The state to save. `None`: no state is kept.
    checkpoints: Option<Checkpoints>,
    /// The file of `--unparsed`, to be put into its place.
    unparsed: Option<StagedFile>,
}

/// Lists the events. The inner error: this log was truncated meanwhile.
fn list(
    args: &EventsArgs,
    format: EventsFormat,
    mut inputs: Inputs,
    out: &mut (dyn Write + Send),
) -> Result<Result<Listed, PathBuf>, CliError> {
    let redactor = redactor(&args.redact, &mut inputs.notes)?;
    let mut session = Session::new(inputs, &args.rules, &args.filter, redactor)?;
    let mut unparsed = session.unparsed(&args.coverage)?;
    // Events are printed while the logs are read, so their dates must be right in the first walk.
    session.settle_dates()?;
    let (task, filter, seed) = (session.task(), &session.filter, seed());
    let Inputs { sources, calendar, window, .. } = &session.inputs;
    let start = |source: &Source| (source.path.to_string_lossy().into_owned(), source.lines_before);
    let starts: Vec<(String, u64)> = sources.iter().map(start).collect();
    if format == EventsFormat::Csv {
        out.write_all(csv::event_header().as_bytes())?;
    }
    let mut written = Ok(());
    let mut writer = EventWriter::new(format, filter, redactor, args.top);
    let is_colored = text_style(args.color, None).color && args.output.file().is_none();
    let fold = |block: BlockListing| {
        if written.is_ok() {
            let (name, before) =
                starts.get(block.file).map_or(("-", 0), |(name, before)| (name.as_str(), *before));
            written = writer.write(block, name, before, out);
        }
    };
    let new = || ListingSink::new(format, filter, KeyHasher::new(seed.clone()), redactor, is_colored);
    let walked = walk(&task, new, fold, unparsed.writer())?;
    written?;
    writer.finish(out)?;
    if let Some(resumed) = &session.inputs.resumed
        && let Some(path) = resumed.changed(&session.inputs.sources).first()
    {
        return Ok(Err((*path).to_owned()));
    }
    let unparsed = unparsed.finish()?;
    let WalkResult { mut coverage, problems: met, resolution: turns, reached, .. } = walked;
    coverage.filtered += writer.filtered;
    let mut remarks = session.inputs.notes.clone();
    remarks.extend(untracked_note(writer.messages.table.forgotten));
    if writer.latest.earlier > 0 && format == EventsFormat::Text {
        let events = if writer.latest.earlier == 1 { "event is" } else { "events are" };
        remarks.push(format!("{} earlier {events} not shown; -n 0 shows all", writer.latest.earlier));
    }
    let read = ReadSummary { coverage: &coverage, window: *window, calendar, sources, resolution: &turns };
    remarks.extend(on_time(&read));
    remarks.extend(session.no_match(&task, &coverage)?);
    let continued = session.inputs.resumed.as_ref().is_some_and(|resumed| resumed.since.is_some());
    if !(continued && is_few(&coverage)) {
        remarks.extend(on_form(&coverage, sources, redactor));
    }
    if let Some(redactor) = redactor {
        for remark in &mut remarks {
            *remark = redactor.text(remark);
        }
    }
    let Inputs { sources, window, problems, resumed, .. } = session.inputs;
    let checkpoints = resumed.map(|resumed| state::settled(resumed, &sources, &reached, &met));
    let completion = Completion::new(problems, met, &coverage, window, args.coverage.strict);
    let completion = if continued { completion.of_a_part(&coverage) } else { completion };
    Ok(Ok(Listed { completion: completion.with_remarks(remarks), checkpoints, unparsed }))
}

/// The note about messages that could not be tracked.
fn untracked_note(forgotten: u64) -> Option<String> {
    (forgotten > 0).then(|| {
        format!(
            "too many messages were open at a time to track them all: {forgotten} have a sender only on lines that name it"
        )
    })
}
