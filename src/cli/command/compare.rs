//! `smtplog compare`: what tells two codes or reasons apart.

use std::io::Write;

use crate::cli::args::{AnswerFormat, CompareArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::style::look;
use crate::explain::compare::compare;
use crate::render::text::compare;
use crate::render::{json, markdown_explain};

pub(crate) fn run(args: &CompareArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let (a, b) = (args.a.to_string_lossy(), args.b.to_string_lossy());
    let pair = compare([&a, &b]);
    let shown = match args.shape.format {
        AnswerFormat::Text => compare::show(&pair, &look(args.shape.style.color, args.shape.style.lang)),
        AnswerFormat::Json => json::pretty(&pair),
        AnswerFormat::Ndjson => json::line(&pair),
        AnswerFormat::Markdown => markdown_explain::pair(&pair),
    };
    out.write_all(shown.as_bytes())?;
    Ok(Completion::looked_up(pair.unknown.is_empty()))
}
