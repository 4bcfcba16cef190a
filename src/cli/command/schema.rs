//! `smtplog schema`: the JSON Schema of an answer, made of the types that are printed.

use std::io::Write;

use schemars::generate::SchemaSettings;

use crate::cli::args::{SchemaArgs, SchemaChoice};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::render::json;
use crate::report::Report;
use crate::report::event::ListedEvent;
use crate::report::storm::StormReport;
use crate::report::trace::Trace;
use crate::watch::alerts::Alert;

pub(crate) fn run(args: &SchemaArgs, out: &mut impl Write) -> Result<Completion, CliError> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = match args.of {
        SchemaChoice::Report => generator.into_root_schema_for::<Report>(),
        SchemaChoice::Event => generator.into_root_schema_for::<ListedEvent>(),
        SchemaChoice::Trace => generator.into_root_schema_for::<Trace>(),
        SchemaChoice::Storms => generator.into_root_schema_for::<StormReport>(),
        SchemaChoice::Watch => generator.into_root_schema_for::<Alert>(),
    };
    out.write_all(json::pretty(&schema).as_bytes())?;
    Ok(Completion::looked_up(true))
}
