//! Declares the options of `merge`.

use std::path::PathBuf;

use clap::Args;

use super::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs, StateArgs};
use super::output::{OUTPUT, OutputArgs, REPORT, StyleArgs};
use super::scan::{AdviceChoice, MailArgs, ScanArgs, VerdictArgs};
use crate::pipeline::filter::FilterArgs;
use crate::render::{Audience, Format};
use crate::report::SortBy;

#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Parts that `scan --part` wrote, in any order; a directory stands for the files in it that end in .part; - is standard
    /// input.
    #[arg(value_name = "PART", required = true)]
    pub parts: Vec<PathBuf>,
    /// FILE names the hosts that must have a part.
    ///
    /// One host per line. A host without a part gives a note and a finding of the verdict.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Write the sum to FILE as a part.
    ///
    /// It can be merged again. - is standard output, and then no report is printed.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub part: Option<PathBuf>,
    /// Only parts with lines from this time on.
    ///
    /// A part is merged whole or not at all.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub since: Option<String>,
    /// Only parts with lines before this time.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub until: Option<String>,
    /// Time zone of the report, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub tz: Option<String>,
    /// The same as --tz UTC.
    #[arg(long, conflicts_with = "tz", help_heading = "Time")]
    pub utc: bool,
    /// The time that "-2h" and "today" count from. [default: now]
    #[arg(long, hide = true, value_name = "WHEN")]
    pub now: Option<jiff::Timestamp>,
    /// Show at most N rows in each section (0: all).
    ///
    /// [default: as many as fit on a screen of 40 lines; 10 in tables by code or by --by]
    #[arg(short = 'n', long, value_name = "N", help_heading = REPORT)]
    pub top: Option<usize>,
    /// Show tables by reply code instead of by who must act.
    #[arg(long, help_heading = REPORT)]
    pub codes: bool,
    /// Sort rows by count, recent or name.
    ///
    /// count: most failures first, or most events if nothing failed; recent: latest first; name: by code or name.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = SortBy::Count, value_name = "HOW", help_heading = REPORT)]
    pub sort: SortBy,
    /// Write the report for: admin or customer.
    ///
    /// customer: plain words, without addresses, settings, commands and the domains of others, as text, markdown or html.
    #[arg(long = "for", value_enum, hide_possible_values = true, default_value_t = Audience::Admin, value_name = "WHOM", help_heading = REPORT)]
    pub audience: Audience,
    /// Reverse the order, so that the worst row is last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    /// Show the N latest log lines under each row, as far as the parts have them.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = REPORT)]
    pub examples: usize,
    /// Show tables of senders, users, clients and more.
    #[arg(long, help_heading = REPORT)]
    pub who: bool,
    /// Show how long delivered mail took, and where it waited.
    #[arg(long, help_heading = REPORT)]
    pub delays: bool,
    /// How much advice: line, full or none.
    ///
    /// line: one line under each row; full: also the complete advice for each reason, at the end.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = AdviceChoice::Line, value_name = "HOW", help_heading = REPORT)]
    pub advice: AdviceChoice,
    /// Show no advice under the rows.
    #[arg(long, conflicts_with = "advice", help_heading = REPORT)]
    pub no_advice: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<Format>,
    #[command(flatten)]
    pub style: StyleArgs,
    /// Exit with status 3 if fewer than 99 % of mail lines were understood.
    #[arg(long, help_heading = OUTPUT)]
    pub strict: bool,
    #[command(flatten)]
    pub redact: RedactArgs,
    #[command(flatten)]
    pub verdict: VerdictArgs,
    #[command(flatten)]
    pub mail: MailArgs,
    /// Print the report at once, even if it is longer than the terminal.
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
}

impl MergeArgs {
    /// The options of a scan of these files whose report is the same.
    pub(crate) fn as_scan(&self, files: Vec<PathBuf>, filter: FilterArgs) -> ScanArgs {
        ScanArgs {
            input: InputArgs { files, ..self.input() },
            state: StateArgs { state: None },
            filter,
            top: self.top,
            codes: self.codes,
            by: Vec::new(),
            hops: false,
            audience: self.audience,
            sort: self.sort,
            reverse: self.reverse,
            examples: self.examples,
            who: self.who,
            delays: self.delays,
            advice: self.advice,
            no_advice: self.no_advice,
            rules: self.rules.clone(),
            output: self.output.clone(),
            style: self.style.clone(),
            coverage: CoverageArgs { unparsed: None, strict: self.strict },
            redact: self.redact.clone(),
            verdict: self.verdict.clone(),
            mail: self.mail.clone(),
            part: self.part.clone(),
            no_pager: self.no_pager,
        }
    }

    /// The zone and the time of the run, without files.
    pub(crate) fn input(&self) -> InputArgs {
        InputArgs {
            files: Vec::new(),
            rotated: false,
            journal: false,
            host: None,
            host_from: None,
            threads: None,
            since: None,
            until: None,
            year: None,
            tz: self.tz.clone(),
            utc: self.utc,
            now: self.now,
            block_size: 0,
        }
    }
}
