//! Declares the options of `explain`, `compare` and `codes`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::input::RulesArgs;
use super::output::StyleArgs;
use crate::smtp::event::{Direction, Mta, Stage};
use crate::smtp::reply::Class;

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// What to explain: 452, 4.2.2, 4xx, a reason such as mailbox-full, a whole reply as "552 5.2.2 mailbox full", or a
    /// line of a mail server log; - reads one of these from each line of standard input.
    #[arg(value_name = "WHAT", required = true)]
    pub what: Vec<OsString>,
    /// Who sent the reply: outbound, a remote server to yours; inbound, your server to a client; local, local delivery. [default: advice for both sides]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub direction: Option<Direction>,
    /// The command that the reply answers: connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA or "end of DATA".
    #[arg(long, value_parser = stage, value_name = "COMMAND")]
    pub stage: Option<Stage>,
    /// Show the commands of this mail server only: postfix, exim, sendmail, opensmtpd or kumomta. [default: all]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub mta: Option<Mta>,
    /// Host name of the other server; identifies the provider, whose replies may have their own meaning.
    #[arg(long, value_name = "HOST")]
    pub relay: Option<String>,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub output: AnswerFormatArgs,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The first code or reason: 452, 4.2.2, 4xx, mailbox-full.
    #[arg(value_name = "A")]
    pub a: OsString,
    /// The second code or reason.
    #[arg(value_name = "B")]
    pub b: OsString,
    #[command(flatten)]
    pub output: AnswerFormatArgs,
}

#[derive(Args, Debug)]
pub struct CodesArgs {
    /// List only the codes of this class: 2xx, 3xx, 4xx or 5xx, or positive, intermediate, transient, permanent.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub class: Option<Class>,
    #[command(flatten)]
    pub output: AnswerFormatArgs,
}

/// How a document from the catalogue is printed.
#[derive(Args, Debug)]
pub struct AnswerFormatArgs {
    /// Output format.
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub format: AnswerFormat,
    #[command(flatten)]
    pub style: StyleArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AnswerFormat {
    Text,
    Json,
    Ndjson,
    Markdown,
}

/// Parses `rcpt`, `RCPT TO`, `end-of-data`.
fn stage(text: &str) -> Result<Stage, String> {
    let text = text.replace(['-', '_'], " ");
    let stages = Stage::value_variants().iter().copied();
    let matches = |stage: &Stage| {
        let name = stage.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let first = name.split(' ').next().unwrap_or_default().to_owned();
        name.eq_ignore_ascii_case(&text) || first.eq_ignore_ascii_case(&text)
    };
    let names = "connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, end of DATA";
    stages.into_iter().find(matches).ok_or_else(|| format!("unknown command; use one of {names}"))
}
