//! `smtplog codes`: the catalogue of reply codes.

use std::io::Write;

use crate::catalog::{catalogue_date, codes};
use crate::cli::args::{AnswerFormat, CodesArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::style::look;
use crate::render::text::codes;
use crate::render::{json, markdown_explain};
use crate::report::explain::{CODES, CodeLine, Codes};

pub(crate) fn run(args: &CodesArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let rows = codes().iter().filter(|row| args.class.is_none_or(|class| row.code.class() == class));
    let lines = rows.map(|row| CodeLine {
        code: row.code,
        class: row.code.class(),
        name: row.name.clone(),
        meaning: row.meaning.clone(),
        stages: row.stages.clone(),
        source: row.source.clone(),
        note: row.note.clone(),
    });
    let codes = Codes { schema: CODES, catalogue: catalogue_date(), codes: lines.collect() };
    let shown = match args.shape.format {
        AnswerFormat::Text => codes::show(&codes, &look(args.shape.style.color, args.shape.style.lang)),
        AnswerFormat::Json => json::pretty(&codes),
        AnswerFormat::Ndjson => codes.codes.iter().map(json::line).collect(),
        AnswerFormat::Markdown => markdown_explain::codes(&codes),
    };
    out.write_all(shown.as_bytes())?;
    Ok(Completion::looked_up(true))
}
