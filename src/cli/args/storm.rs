//! Declares the options of `storm`.

use clap::Args;

use super::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs};
use super::output::{DocumentFormat, OutputArgs, REPORT, StyleArgs};
use crate::pipeline::filter::FilterArgs;

#[derive(Args, Debug)]
pub struct StormArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show at most N storms, the most important first (0: all).
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Reverse the order, so that the worst storm is last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<DocumentFormat>,
    #[command(flatten)]
    pub style: StyleArgs,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}
