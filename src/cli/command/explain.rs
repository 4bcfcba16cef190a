//! `smtplog explain`: say what something means and what to do about it.

use std::io::{BufRead, Write, stdin};

use crate::catalog::catalogue_date;
use crate::cli::args::{AnswerFormat, ExplainArgs};
use crate::cli::catalog::{book, has_own};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::style::look;
use crate::explain::brief::BriefExplainer;
use crate::explain::lookup::Explainer;
use crate::explain::query::{QueryContext, join};
use crate::parse::log_text::LogText;
use crate::render::text::explain;
use crate::render::{json, markdown_explain};
use crate::report::explain::{ENTRIES, Entries, EntryKind};

pub(crate) fn run(args: &ExplainArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let what = args.what.iter().map(|what| what.to_string_lossy().into_owned()).collect();
    let what = join(what);
    let context = QueryContext {
        direction: args.direction,
        stage: args.stage,
        mta: args.mta,
        relay: args.relay.clone(),
    };
    // Our own rules are read only when a text is to be judged.
    let desk = if has_own(&args.rules) { Explainer::of(book(&args.rules)?) } else { Explainer::default() };
    if args.shape.format == AnswerFormat::Ndjson {
        return briefly(&what, &desk, &context, out);
    }
    let mut entries = Entries { schema: ENTRIES, catalogue: catalogue_date(), entries: Vec::new() };
    each(&what, |input| {
        if !input.trim().is_empty() {
            entries.entries.push(desk.entry(input, &context));
        }
        Ok(())
    })?;
    let shown = match args.shape.format {
        AnswerFormat::Text => explain::show(&entries, &look(args.shape.style.color, args.shape.style.lang)),
        AnswerFormat::Json | AnswerFormat::Ndjson => json::pretty(&entries),
        AnswerFormat::Markdown => markdown_explain::show(&entries),
    };
    out.write_all(shown.as_bytes())?;
    let found = entries.entries.iter().all(|entry| entry.kind != EntryKind::Unknown);
    Ok(Completion::looked_up(found && !entries.entries.is_empty()))
}

/// As they come, so that a program may ask and wait for the answer.
fn briefly(
    what: &[String],
    desk: &Explainer,
    context: &QueryContext,
    out: &mut impl Write,
) -> Result<Completion, CliError> {
    let mut clerk = BriefExplainer::new(desk.catalog());
    let mut found = true;
    each(what, |input| {
        let (brief, known) = clerk.brief(input, context);
        found &= known;
        Ok(out.write_all(json::line(&brief).as_bytes())?)
    })?;
    Ok(Completion::looked_up(found))
}

/// Each input; `-` stands for the lines of standard input.
fn each(what: &[String], mut tell: impl FnMut(&str) -> Result<(), CliError>) -> Result<(), CliError> {
    for input in what {
        if input != "-" {
            tell(input)?;
            continue;
        }
        let mut lines = stdin().lock();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(|source| CliError::ReadStdin { source })? > 0 {
            let text = LogText(&line).to_str();
            tell(text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text)))?;
            line.clear();
        }
    }
    Ok(())
}
