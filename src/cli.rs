//! Every option, once. The doc comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::event::{Direction, Mta, Stage};
use crate::language::Language;

/// Read Postfix and Exim logs, tally every SMTP reply code, and say what to do about it.
///
/// `smtplog FILE` is short for `smtplog scan FILE`.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub scan: ScanArgs,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Report every reply code in the logs, by class, with what it means and what to do.
    Scan(ScanArgs),
    /// List the single events: one line, or one JSON object, for each delivery result and each refusal.
    Events(EventsArgs),
    /// Say what a code, a reason, a reply or a line of log means, when you see it, and how to fix it on either side.
    Explain(ExplainArgs),
    /// Set two codes, enhanced codes or reasons side by side: what tells them apart, and the catch.
    Compare(CompareArgs),
    /// List the reply codes of the catalogue, each with its source.
    Codes(CodesArgs),
    /// Print the JSON Schema of a report or of an event.
    Schema(SchemaArgs),
}

#[derive(Args, Debug)]
pub struct ScanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Show so many rows in each section; 0 shows all.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// How much advice: line, one under each row; full, also all there is to do about each reason at the end; none.
    #[arg(long, value_enum, default_value_t = AdviceChoice::Line, value_name = "HOW")]
    pub advice: AdviceChoice,
    /// Leave out the line of advice under each row.
    #[arg(long, conflicts_with = "advice")]
    pub no_advice: bool,
    /// Print the report in this form. [default: text, or what the name of the --output file ends in]
    #[arg(long, value_enum)]
    pub format: Option<ScanFormat>,
    /// Write the report to FILE, all of it or nothing; - is standard output. Its name ends in .txt, .json, .ndjson,
    /// .jsonl, .csv, .md, .html, .htm or .prom and tells the form, unless --format does.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Colour the report: auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
}

#[derive(Args, Debug)]
pub struct TongueArgs {
    /// Speak this language to people; machine formats stay English. [default: that of the locale, else English]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "en|id|hi|zh|tr|vi")]
    pub lang: Option<Language>,
}

#[derive(Args, Debug)]
pub struct RulesArgs {
    /// Ask the rules in this file before our own: TOML with [[rule]] and [[provider]] tables. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct EventsArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Print the events in this form. [default: ndjson, or what the name of the --output file ends in]
    #[arg(long, value_enum)]
    pub format: Option<EventsFormat>,
    /// Write the events to FILE, all of them or nothing; - is standard output. Its name ends in .ndjson, .jsonl, .csv
    /// or .txt and tells the form, unless --format does.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// What to explain: 452, 4.2.2, 4xx, a reason such as mailbox-full, a whole reply as "552 5.2.2 mailbox full", or a
    /// line of a Postfix or Exim log; - reads one of these from each line of standard input.
    #[arg(value_name = "WHAT", required = true)]
    pub what: Vec<OsString>,
    /// Who said it: outbound, they to us; inbound, we to a client; local, delivery here. [default: advice for both ends]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub direction: Option<Direction>,
    /// The command that it answers: connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA or "end of DATA".
    #[arg(long, value_parser = stage, value_name = "COMMAND")]
    pub stage: Option<Stage>,
    /// Show the commands of this mail server only: postfix or exim. [default: both]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub mta: Option<Mta>,
    /// The host name of the other side; it tells the provider, whose words have a sense of their own.
    #[arg(long, value_name = "HOST")]
    pub relay: Option<String>,
    #[command(flatten)]
    pub rules: RulesArgs,
    #[command(flatten)]
    pub shape: ShapeArgs,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The first: 452, 4.2.2, 4xx or a reason such as mailbox-full.
    #[arg(value_name = "A")]
    pub a: OsString,
    /// The second.
    #[arg(value_name = "B")]
    pub b: OsString,
    #[command(flatten)]
    pub shape: ShapeArgs,
}

#[derive(Args, Debug)]
pub struct CodesArgs {
    /// List only the codes that begin with this digit: 2, 3, 4 or 5.
    #[arg(long, value_name = "DIGIT", value_parser = clap::value_parser!(u16).range(2..=5))]
    pub class: Option<u16>,
    #[command(flatten)]
    pub shape: ShapeArgs,
}

#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of what: report, as `scan --format json` prints it; event, a line of `events --format ndjson`.
    #[arg(value_enum, value_name = "report|event", hide_possible_values = true)]
    pub of: SchemaChoice,
}

/// The shape of an answer.
#[derive(Args, Debug)]
pub struct ShapeArgs {
    /// Print the answer in this form.
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    pub format: AnswerFormat,
    /// Colour the answer: auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
}

#[derive(Args, Debug)]
pub struct InputArgs {
    /// Log files, in any order; - is standard input. Gzip is told by its first bytes. Without a file: standard
    /// input if something is piped in, else the first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Use so many threads. [default: one for each core]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,
    /// The year of stamps that show none. [default: the latest that is not after the file's last change]
    #[arg(long, value_name = "YYYY")]
    pub year: Option<i16>,
    /// The time zone of stamps that show none, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Read blocks of so many bytes. The answer is the same for any size; tests see to it.
    #[arg(long, hide = true, default_value_t = 256 << 10, value_name = "BYTES")]
    pub block_size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ScanFormat {
    Text,
    Json,
    Ndjson,
    Csv,
    #[value(alias = "md")]
    Markdown,
    Html,
    #[value(alias = "prom")]
    Prometheus,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SchemaChoice {
    Report,
    Event,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AdviceChoice {
    Line,
    Full,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum EventsFormat {
    Ndjson,
    Text,
    Csv,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AnswerFormat {
    Text,
    Json,
    Ndjson,
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// `rcpt`, `RCPT TO`, `end-of-data`.
fn stage(text: &str) -> Result<Stage, String> {
    let text = text.replace(['-', '_'], " ");
    let stages = Stage::value_variants().iter().copied();
    let spelled = |stage: &Stage| {
        let name = stage.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let first = name.split(' ').next().unwrap_or_default().to_owned();
        name.eq_ignore_ascii_case(&text) || first.eq_ignore_ascii_case(&text)
    };
    let names = "connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, end of DATA";
    stages.into_iter().find(spelled).ok_or_else(|| format!("no command is called so; there are {names}"))
}
