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
    /// Show at most N storms, the worst first (0: all).
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Reverse the order, so that the worst storm is last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    /// Accept N false alarms in 30 days.
    ///
    /// A smaller N shows only clear storms, a larger one weak ones too.
    #[arg(long, default_value_t = 1.0, value_parser = alarms, value_name = "N", help_heading = REPORT)]
    pub alarms_per_month: f64,
    /// Show bursts of greylisting too, which is normal.
    #[arg(long, help_heading = REPORT)]
    pub greylisting: bool,
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

/// The number of false alarms in 30 days: above 0, at most 1000.
fn alarms(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number > 0.0 && number <= 1000.0 {
        Ok(number)
    } else {
        Err("must be above 0, and at most 1000".to_owned())
    }
}
