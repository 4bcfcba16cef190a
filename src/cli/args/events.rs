//! Declares the options of `events`.

use clap::Args;

use super::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs, StateArgs};
use super::output::{ColorChoice, OUTPUT, OutputArgs, REPORT};
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
    /// Show only the latest N events, newest last (0: all).
    #[arg(short = 'n', long, default_value_t = 0, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<EventsFormat>,
    /// Colour the outcomes of text output: auto, always or never.
    ///
    /// auto: only on a terminal, and only if NO_COLOR is not set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}
