//! Runs `smtplog explain`, `compare` and `codes`, which look things up in the catalogue and read no log.

use std::io::{self, BufRead, Write, stdin};

use crate::catalog;
use crate::cli::args::{AdviceChoice, AnswerFormat, CodesArgs, CompareArgs, ExplainArgs};
use crate::cli::catalog::{has_own_rules, load_catalog};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::input::installed_server;
use crate::cli::style::text_style;
use crate::explain::brief::BriefExplainer;
use crate::explain::compare::compare as compare_codes;
use crate::explain::lookup::Explainer;
use crate::explain::query::{QueryContext, join};
use crate::input::read::block::LINE_LIMIT;
use crate::parse::log_text::LogText;
use crate::render::{json, markdown_explain, text};
use crate::report::explain::{CODES, CodeLine, Codes, ENTRIES, Entries, EntryKind};

/// `smtplog explain`: says what a code, a reason, a reply or a log line means and what to do about it.
pub(crate) fn explain(args: &ExplainArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let what = args.what.iter().map(|what| what.to_string_lossy().into_owned()).collect();
    let what = join(what);
    let context = QueryContext {
        direction: args.direction,
        stage: args.stage.and_then(|command| command.0),
        // A machine format is the same on every host.
        mta: args
            .mta
            .or_else(|| if args.output.format == AnswerFormat::Text { installed_server() } else { None }),
        relay: args.relay.clone(),
    };
    // The built-in catalogue is decoded only when an input needs it; rules of the user are read at once, to report their errors.
    let explainer = if has_own_rules(&args.rules) {
        Explainer::of(load_catalog(&args.rules)?)
    } else {
        Explainer::default()
    };
    if args.output.format == AnswerFormat::Ndjson {
        return explain_in_brief(&what, &explainer, &context, out);
    }
    let mut entries = Entries { schema: ENTRIES, catalogue: catalog::catalogue_date(), entries: Vec::new() };
    each_input(&what, |input| {
        if !input.trim().is_empty() {
            entries.entries.push(explainer.entry(input, &context));
        }
        Ok(())
    })?;
    let shown = match args.output.format {
        AnswerFormat::Text => {
            let style = text_style(args.output.style.color, args.output.style.lang);
            if args.full || args.advice == AdviceChoice::Full {
                text::explain::show(&entries, &style)
            } else {
                text::explain_answer::show(&entries, &style)
            }
        }
        AnswerFormat::Json | AnswerFormat::Ndjson => json::pretty(&entries),
        AnswerFormat::Markdown => markdown_explain::show(&entries),
    };
    out.write_all(shown.as_bytes())?;
    let found = entries.entries.iter().all(|entry| entry.kind != EntryKind::Unknown);
    Ok(Completion::looked_up(found && !entries.entries.is_empty()))
}

/// Prints one line of JSON per input as it comes, so that another program can ask and wait for the reply.
fn explain_in_brief(
    what: &[String],
    explainer: &Explainer,
    context: &QueryContext,
    out: &mut impl Write,
) -> Result<Completion, CliError> {
    let mut brief = BriefExplainer::new(explainer.catalog());
    let mut found = true;
    each_input(what, |input| {
        let (line, known) = brief.brief(input, context);
        found &= known;
        Ok(out.write_all(json::line(&line).as_bytes())?)
    })?;
    Ok(Completion::looked_up(found))
}

/// Calls `visit` with each input; `-` stands for the lines of standard input.
fn each_input(what: &[String], mut visit: impl FnMut(&str) -> Result<(), CliError>) -> Result<(), CliError> {
    for input in what {
        if input != "-" {
            visit(input)?;
            continue;
        }
        let mut lines = stdin().lock();
        let mut line = Vec::new();
        while read_line(&mut lines, &mut line).map_err(|source| CliError::ReadStdin { source })? {
            let text = LogText(&line).to_str();
            visit(text.strip_suffix('\r').unwrap_or(&text))?;
            line.clear();
        }
    }
    Ok(())
}

/// Reads a line without its end; of a line that is longer than [`LINE_LIMIT`], the beginning. False: there is none.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut is_there = false;
    loop {
        let near = match input.fill_buf() {
            Ok([]) => return Ok(is_there),
            Ok(near) => near,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        is_there = true;
        let end = memchr::memchr(b'\n', near);
        let part = near.get(..end.unwrap_or(near.len())).unwrap_or_default();
        let room = LINE_LIMIT.saturating_sub(line.len());
        line.extend_from_slice(part.get(..room).unwrap_or(part));
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// `smtplog compare`: says how two codes or reasons differ.
pub(crate) fn compare(args: &CompareArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let (a, b) = (args.a.to_string_lossy(), args.b.to_string_lossy());
    let pair = compare_codes([&a, &b]);
    let shown = match args.output.format {
        AnswerFormat::Text => {
            text::compare::show(&pair, &text_style(args.output.style.color, args.output.style.lang))
        }
        AnswerFormat::Json => json::pretty(&pair),
        AnswerFormat::Ndjson => json::line(&pair),
        AnswerFormat::Markdown => markdown_explain::pair(&pair),
    };
    out.write_all(shown.as_bytes())?;
    Ok(Completion::looked_up(pair.unknown.is_empty()))
}

/// `smtplog codes`: lists the reply codes of the catalogue.
pub(crate) fn codes(args: &CodesArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let rows = catalog::codes().iter().filter(|row| args.class.is_none_or(|class| row.code.class() == class));
    let lines = rows.map(|row| CodeLine {
        code: row.code,
        class: row.code.class(),
        name: row.name.clone(),
        meaning: row.meaning.clone(),
        stages: row.stages.clone(),
        source: row.source.clone(),
        note: row.note.clone(),
    });
    let codes = Codes { schema: CODES, catalogue: catalog::catalogue_date(), codes: lines.collect() };
    let shown = match args.output.format {
        AnswerFormat::Text => {
            text::codes::show(&codes, &text_style(args.output.style.color, args.output.style.lang))
        }
        AnswerFormat::Json => json::pretty(&codes),
        AnswerFormat::Ndjson => codes.codes.iter().map(json::line).collect(),
        AnswerFormat::Markdown => markdown_explain::codes(&codes),
    };
    out.write_all(shown.as_bytes())?;
    Ok(Completion::looked_up(true))
}
