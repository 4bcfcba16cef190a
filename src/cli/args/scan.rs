//! Declares the options of `scan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{CoverageArgs, InputArgs, RedactArgs, RulesArgs, StateArgs};
use super::output::{OUTPUT, OutputArgs, REPORT, StyleArgs};
use crate::pipeline::filter::FilterArgs;
use crate::render::{Audience, Format};
use crate::report::SortBy;
use crate::scan::verdict::condition::Condition;
use crate::smtp::event::By;

#[derive(Args, Debug)]
pub struct ScanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub state: StateArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show at most N rows in each section (0: all).
    ///
    /// [default: as many as fit on a screen of 40 lines; 10 in tables by code or by --by]
    #[arg(short = 'n', long, value_name = "N", help_heading = REPORT)]
    pub top: Option<usize>,
    /// Show tables by reply code instead of by who must act.
    #[arg(long, help_heading = REPORT)]
    pub codes: bool,
    /// Group the events by domain, code, reason, hour and more.
    ///
    /// The keys are code, enhanced, class, reason, outcome, direction, stage, domain, recipient, sender, user, provider, relay, client,
    /// instance, host, mta, hour and day.
    #[arg(long, value_enum, hide_possible_values = true, value_delimiter = ',', value_name = "KEY[,KEY]", help_heading = REPORT)]
    pub by: Vec<By>,
    /// Also count hand-offs to a content filter or an inner relay.
    ///
    /// Such a message comes back under another queue id or appears in another log, and is counted there. With this option
    /// each hand-off counts as one more delivery.
    #[arg(long, help_heading = REPORT)]
    pub hops: bool,
    /// Write the report for: admin or customer.
    ///
    /// customer: plain words, without addresses, settings, commands and the domains of others, as text, markdown or html. Domains
    /// are shown only with --from or --domain, which select the customer's own mail.
    #[arg(long = "for", value_enum, hide_possible_values = true, default_value_t = Audience::Admin, value_name = "WHOM", help_heading = REPORT)]
    pub audience: Audience,
    /// Sort rows by count, recent or name.
    ///
    /// count: most failures first, or most events if nothing failed; recent: latest first; name: by code or name.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = SortBy::Count, value_name = "HOW", help_heading = REPORT)]
    pub sort: SortBy,
    /// Reverse the order, so that the worst row is last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    /// Show the N latest log lines under each row.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = REPORT)]
    pub examples: usize,
    /// Show tables of senders, users, clients, domains and more.
    ///
    /// The tables are about senders, users, clients, domains, providers, relays and instances, by failures and by messages. Outliers among them are shown even without this option. CSV output has these tables instead of the rows.
    #[arg(long, help_heading = REPORT)]
    pub who: bool,
    /// Show how long delivered mail took, and where it waited.
    ///
    /// For each provider: median, 95th percentile and maximum in seconds, accurate to 1 %, of waiting, connecting and sending.
    /// Postfix logs it as delay= and delays=; Exim with the log selectors queue_time, deliver_time and receive_time.
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
    /// Print everything at once, even if the terminal is shorter.
    ///
    /// Without it, a text report that is longer than the terminal is shown in $PAGER, else in less -FRX.
    #[arg(long, help_heading = OUTPUT)]
    pub no_pager: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: OutputArgs<Format>,
    #[command(flatten)]
    pub style: StyleArgs,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
    #[command(flatten)]
    pub verdict: VerdictArgs,
    #[command(flatten)]
    pub mail: MailArgs,
    /// Also write what was counted to FILE, for `smtplog merge`.
    ///
    /// Parts of many hosts and times add up to the report of one scan over all their logs. - is standard output, and then no
    /// report is printed.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub part: Option<PathBuf>,
}

/// Options for scheduled jobs and monitors.
#[derive(Clone, Args, Debug)]
#[command(next_help_heading = "Verdict")]
pub struct VerdictArgs {
    /// Name the storms that `smtplog storm` finds, which is the default.
    ///
    /// For `merge` it is an error if no part has the data to find storms.
    #[arg(long, overrides_with = "no_storms")]
    pub storms: bool,
    /// Do not look for storms, and leave the data for them out of a part.
    #[arg(long, overrides_with = "storms")]
    pub no_storms: bool,
    /// Compare with the earlier runs stored in FILE, and add this run to it.
    ///
    /// The usual value is the median of the same hours in earlier weeks, or in earlier days while there are fewer than three
    /// weeks; with fewer than three of either, nothing is compared. FILE is created if needed and keeps thirteen weeks.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Compare with --baseline without adding this run to it.
    #[arg(long, requires = "baseline")]
    pub baseline_read_only: bool,
    /// Exit with status 1 if this is true, such as 'bounced>2%'; may be repeated.
    ///
    /// More examples: deferred>500/h, code:5.7.1>20. Compares delivered, deferred, bounced, expired, waiting, refused, unread, in_queue, oldest, code:CODE, reason:REASON, unusual or
    /// storm with a number, by >, >=, < or <=. % is a share of messages (code, reason: of attempts; refused: of what clients tried to
    /// send; unread: of mail lines), and bounced>10% of 50 needs 50 of them; /h is the busiest hour, in attempts; oldest takes s, min,
    /// h or d. unusual and storm alone mean unusual>0 and storm>0. A period without mail lines also ends with status 1.
    #[arg(long, value_name = "EXPR")]
    pub fail_on: Vec<Condition>,
    /// Like --fail-on, but only warn: the exit status stays 0.
    #[arg(long, value_name = "EXPR")]
    pub warn_on: Vec<Condition>,
    /// Print nothing if all is well.
    ///
    /// All is well if the period that was asked for has mail lines up to its end, no --fail-on and no --warn-on is true, nothing is
    /// unusual, and 99 % of mail lines were understood; without conditions and without a baseline also if no built-in limit is
    /// reached. See docs/verdict.md.
    #[arg(long)]
    pub quiet_ok: bool,
    /// Act as a Nagios or Icinga plugin: one line, and status 0, 1, 2 or 3.
    ///
    /// --warn-on gives WARNING, --fail-on CRITICAL, and unreadable input or a period without mail lines UNKNOWN.
    #[arg(long, conflicts_with_all = ["mail_headers", "format"])]
    pub nagios: bool,
}

/// Options that print the report as a mail.
#[derive(Clone, Args, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailArgs {
    /// Print a mail with the verdict as its subject, for | sendmail -t.
    ///
    /// With --format html the page is attached. smtplog itself sends nothing.
    #[arg(long)]
    pub mail_headers: bool,
    /// Recipient of the mail; may be repeated. [default: $MAILTO, else root]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mail_to: Vec<String>,
    /// Sender of the mail. [default: root]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mail_from: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AdviceChoice {
    Line,
    Full,
    None,
}

/// Parses `root` or `postmaster@example.org`: one address, without characters that would add another address or a header.
fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_graphic() && !"<>(),;:\\\"[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) && text.matches('@').count() <= 1 {
        Ok(text.to_owned())
    } else {
        Err("not an address; use root or postmaster@example.org".to_owned())
    }
}
