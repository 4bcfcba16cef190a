//! Declares the options of `events`.

use clap::Args;

use super::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs, StateArgs};
use super::output::OutputArgs;
use crate::events::format::EventsFormat;
use crate::pipeline::filter::FilterArgs;

#[derive(Args, Debug)]
pub struct EventsArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub state: StateArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<EventsFormat>,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}
