//! Every option, once. The doc comments are the help texts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::condition::Condition;
use crate::event::{By, Direction, Mta, Stage};
use crate::filter::FilterArgs;
use crate::language::Language;
use crate::reply::Class;
use crate::report::SortBy;

/// How the options stand together in the help.
const REPORT: &str = "Report";
const OUTPUT: &str = "Output";

/// Read Postfix and Exim logs, tally every SMTP reply code, and say what to do about it.
///
/// `smtplog FILE` is short for `smtplog scan FILE`.
#[derive(Parser, Debug)]
#[command(
    version,
    max_term_width = 100,
    override_usage = "smtplog [OPTIONS] [FILE]...\n       smtplog <COMMAND> [OPTIONS] ..."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub scan: ScanArgs,
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Report every reply code in the logs, by class, with what it means and what to do.
    Scan(ScanArgs),
    /// Find bursts of failures and silences, name them, and say what to do.
    Storm(StormArgs),
    /// Follow logs while they are written: rates, rows that grow and storms on a screen, or one line for each storm.
    Watch(WatchArgs),
    /// List the single events: one line, or one JSON object, for each delivery result and each refusal.
    Events(EventsArgs),
    /// Tell what became of a message: by its queue id, its message-id, an address or the client's address.
    Trace(TraceArgs),
    /// Say what a code, a reason, a reply or a line of log means, when you see it, and how to fix it on either side.
    Explain(ExplainArgs),
    /// Set two codes, enhanced codes or reasons side by side: what tells them apart, and the catch.
    Compare(CompareArgs),
    /// List the reply codes of the catalogue, each with its source.
    Codes(CodesArgs),
    /// Print what lets a shell complete smtplog's subcommands and options.
    Completions(CompletionsArgs),
    /// Print the manual page, or write a page for each subcommand.
    Man(ManArgs),
    /// Print the JSON Schema of a report, an event, a trace, storms or what watch tells.
    Schema(SchemaArgs),
}

/// Where options come from that are not on the command line. Every subcommand takes these.
#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Take options from this file.
    ///
    /// It stands in for /etc/smtplog/config.toml and for the one in your own ~/.config/smtplog.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, global = true, conflicts_with = "config")]
    pub no_config: bool,
    /// Print what every option is set to and where that was said, and do no more.
    ///
    /// What is printed can be read back as a configuration file.
    #[arg(long, global = true)]
    pub print_config: bool,
}

#[derive(Args, Debug)]
pub struct ScanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub state: StateArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show so many rows in each section; 0 shows all.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Group the events: by domain, code, reason, provider, hour and more.
    ///
    /// There are code, enhanced, class, reason, outcome, direction, stage, domain, recipient, sender, user, provider, relay, client,
    /// instance, host, mta, hour and day.
    #[arg(long, value_enum, hide_possible_values = true, value_delimiter = ',', value_name = "KEY[,KEY]", help_heading = REPORT)]
    pub by: Vec<By>,
    /// Count hand-overs to a content filter or an inner relay, too.
    ///
    /// Such a message comes back under another queue id, or is in another log that is read, and is counted there. This counts
    /// each hand-over as one more delivery.
    #[arg(long, help_heading = REPORT)]
    pub hops: bool,
    /// What comes first: count, recent or name.
    ///
    /// Count is what is most, failures where there are any; recent is what happened last; name is by code or by name.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = SortBy::Count, value_name = "HOW", help_heading = REPORT)]
    pub sort: SortBy,
    /// Turn the order around: the worst stands last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    /// Show so many lines of the log under each row.
    #[arg(long, default_value_t = 0, value_name = "N", help_heading = REPORT)]
    pub examples: usize,
    /// Show who it was: senders, users, clients, domains, providers, relays and instances, by failures and by mail.
    ///
    /// What stands out among them is shown without it. CSV has these tables in place of the rows.
    #[arg(long, help_heading = REPORT)]
    pub who: bool,
    /// Show how long delivered mail took, and where: waiting, connecting or sending.
    ///
    /// For each provider: what a half and 95 of 100 took at most, and the longest, in seconds, off by less than one hundredth.
    /// Postfix logs it as delay= and delays=; Exim with the log selectors queue_time, deliver_time and receive_time.
    #[arg(long, help_heading = REPORT)]
    pub delays: bool,
    /// How much advice: line, full or none.
    ///
    /// A line stands under each row; full has also all there is to do about each reason, at the end.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = AdviceChoice::Line, value_name = "HOW", help_heading = REPORT)]
    pub advice: AdviceChoice,
    /// Leave out the line of advice under each row.
    #[arg(long, conflicts_with = "advice", help_heading = REPORT)]
    pub no_advice: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// text, json, ndjson, csv, markdown, html, prometheus or line.
    ///
    /// [default: text, or what the name of the --output file ends in]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<ScanFormat>,
    /// Write the report to FILE, in the form that its name ends in.
    ///
    /// All of it is written or nothing; - is standard output. The name ends in .txt, .json, .ndjson, .jsonl, .csv, .md, .html,
    /// .htm or .prom and tells the form, unless --format does.
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Colour the report: auto, always or never.
    ///
    /// Auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
    #[command(flatten)]
    pub verdict: VerdictArgs,
    #[command(flatten)]
    pub mail: MailArgs,
}

/// What a job that runs by itself asks for.
#[derive(Args, Debug)]
#[command(next_help_heading = "Verdict")]
pub struct VerdictArgs {
    /// Name the storms that `smtplog storm` finds, each in a line.
    ///
    /// The logs are read once more for it. --fail-on storm asks for them too.
    #[arg(long)]
    pub storms: bool,
    /// Compare with earlier runs, whose hours FILE keeps, and add this one's.
    ///
    /// The usual is the median of the same hours of earlier weeks, or of earlier days while there are fewer than three weeks;
    /// with fewer than three of either nothing is compared. FILE is made if it is not there, and keeps thirteen weeks.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Compare with --baseline, and add nothing to it.
    #[arg(long, requires = "baseline")]
    pub baseline_read_only: bool,
    /// End with status 1 if this is true: bounced>2%, deferred>500/h, code:5.7.1>20; may be repeated.
    ///
    /// It compares delivered, deferred, bounced, expired, refused, unread, in_queue, oldest, code:CODE, reason:REASON, unusual or storm
    /// by >, >=, < or <= with a number. % is of attempts, of refused for what clients wanted to send, of unread for mail lines;
    /// /h is the hour that had most; oldest takes s, min, h and d. unusual and storm alone are unusual>0, storm>0.
    #[arg(long, value_name = "EXPR")]
    pub fail_on: Vec<Condition>,
    /// The same for what is worth a look and no failure: it is in the verdict, and the status stays 0.
    #[arg(long, value_name = "EXPR")]
    pub warn_on: Vec<Condition>,
    /// Print nothing if all is well.
    ///
    /// That is: no --fail-on and no --warn-on is true, nothing is unusual, and 99 of 100 mail lines were understood; without
    /// --fail-on also: of 100 attempts or more, at most 5% bounced and at most 20% were deferred.
    #[arg(long)]
    pub quiet_ok: bool,
    /// Answer as a plugin of Nagios or Icinga: one line, and status 0, 1, 2 or 3.
    ///
    /// --warn-on makes it WARNING, --fail-on CRITICAL, and what cannot be read UNKNOWN.
    #[arg(long, conflicts_with = "mail_headers")]
    pub nagios: bool,
}

/// What is shown of people.
#[derive(Args, Debug)]
pub struct RedactArgs {
    /// Show a keyed hash instead of local parts of addresses, logins, IP addresses, and names that hold one.
    ///
    /// Domains stay. The key is SMTPLOG_REDACT_KEY of the environment, or the --redact-key-file; without either it is another
    /// one each time, and the hashes of two runs cannot be compared.
    #[arg(long, help_heading = OUTPUT)]
    pub redact: bool,
    /// The secret of --redact: the bytes of FILE, at least 16.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub redact_key_file: Option<PathBuf>,
}

/// The report as a message.
#[derive(Args, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailArgs {
    /// Print a mail with the verdict as its subject, for | sendmail -t.
    ///
    /// With --format html the page goes with it. Nothing is sent by smtplog itself.
    #[arg(long)]
    pub mail_headers: bool,
    /// To whom the mail goes; may be repeated. [default: $MAILTO, else root]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mail_to: Vec<String>,
    /// From whom the mail comes. [default: root]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mail_from: Option<String>,
}

#[derive(Args, Debug)]
pub struct StormArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show so many storms, what matters most now first; 0 shows all.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Turn the order around: the worst stands last, next to the prompt.
    #[arg(short = 'r', long, help_heading = REPORT)]
    pub reverse: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// text, json or ndjson.
    ///
    /// [default: text, or what the name of the --output file ends in]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<StormFormat>,
    /// Write the answer to FILE, in the form that its name ends in.
    ///
    /// All of it is written or nothing; - is standard output. The name ends in .txt, .json, .ndjson or .jsonl and tells the form,
    /// unless --format does.
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Colour the answer: auto, always or never.
    ///
    /// Auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}

#[derive(Args, Debug)]
pub struct StateArgs {
    /// Read only what is new since the last run with this FILE, which keeps how far each log was read.
    ///
    /// It is made by the first run, which reads everything, or from --since on. Logs are found again when they were rotated,
    /// compressed, or copied and cut. FILE is written when the answer is; a run that fails or is killed reads the same
    /// lines once more.
    #[arg(long, value_name = "FILE", conflicts_with = "until")]
    pub state: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Log files to follow over rotations; a folder is the mail logs in it; - is standard input.
    ///
    /// Without a file: standard input if something is piped in, else the first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Follow the mail of systemd's journal, besides any FILE.
    #[arg(long)]
    pub journal: bool,
    /// Begin with lines of this time: -2h, today, 02:30. [default: the last six hours of the log]
    ///
    /// The screen shows an hour. Storms are told by what is usual, and that by what came before: with -1d more is known of it.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub since: Option<String>,
    /// The zone of stamps that show none, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub tz: Option<String>,
    /// The same as --tz UTC.
    #[arg(long, conflicts_with = "tz", help_heading = "Time")]
    pub utc: bool,
    /// The year of the last line whose stamp shows none. [default: the latest in which it is not later than now]
    #[arg(long, hide = true, value_name = "YYYY", value_parser = clap::value_parser!(i16).range(1970..=9998))]
    pub year: Option<i16>,
    /// The time that it is. [default: now]
    #[arg(long, hide = true, value_name = "WHEN")]
    pub now: Option<jiff::Timestamp>,
    /// Print what there is to say when no more lines come, and end.
    #[arg(long, hide = true)]
    pub until_idle: bool,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Print a line for each storm that begins or ends: text or ndjson. [default: a screen; text where there is no terminal]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<WatchFormat>,
    /// Colour the screen: auto, always or never.
    ///
    /// Auto does so unless NO_COLOR is set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
}

#[derive(Args, Debug)]
pub struct TongueArgs {
    /// Speak this language to people: en, id, hi, zh, tr or vi.
    ///
    /// Machine formats stay English. [default: that of the locale, else English]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "LANGUAGE", help_heading = OUTPUT)]
    pub lang: Option<Language>,
}

#[derive(Args, Debug)]
pub struct RulesArgs {
    /// Ask the rules in this file before our own; may be repeated.
    ///
    /// It is TOML with [[rule]] and [[provider]] tables.
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub rules: Vec<PathBuf>,
    /// Ask the rules in this configuration file, after those of --rules. A configuration that has rules says so itself.
    #[arg(long, hide = true, value_name = "FILE")]
    pub rules_of: Vec<PathBuf>,
}

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
    /// ndjson, text or csv.
    ///
    /// [default: ndjson, or what the name of the --output file ends in]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<EventsFormat>,
    /// Write the events to FILE, in the form that its name ends in.
    ///
    /// All of them are written or nothing; - is standard output. The name ends in .ndjson, .jsonl, .csv or .txt and tells
    /// the form, unless --format does.
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub coverage: CoverageArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
}

#[derive(Args, Debug)]
pub struct TraceArgs {
    /// A queue id, a message-id, an address, @example.org for everyone there, *@*.example.org, or a client's address,
    /// network or name.
    ///
    /// An address is that of a sender, of a recipient as it was written or as it became, or the name of a login.
    #[arg(value_name = "WHAT")]
    pub what: String,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Tell so many messages, the latest; 0 tells all.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N", help_heading = REPORT)]
    pub top: usize,
    /// Print the lines of the log, all of a message together, in place of its story.
    ///
    /// With them stand the lines that begin and end the SMTP session in which it came, where Postfix's log tells.
    #[arg(long, conflicts_with = "format", help_heading = REPORT)]
    pub raw: bool,
    #[command(flatten)]
    pub rules: RulesArgs,
    /// text, json or ndjson.
    ///
    /// [default: text, or what the name of the --output file ends in]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = OUTPUT)]
    pub format: Option<TraceFormat>,
    /// Write the answer to FILE, in the form that its name ends in.
    ///
    /// All of it is written or nothing; - is standard output. The name ends in .txt, .json, .ndjson or .jsonl and tells the
    /// form, unless --format does.
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Colour the answer: auto, always or never.
    ///
    /// Auto does so on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: ColorChoice,
    #[command(flatten)]
    pub tongue: TongueArgs,
    #[command(flatten)]
    pub redact: RedactArgs,
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
    /// List only the codes of this class: 2xx, 3xx, 4xx or 5xx, or positive, intermediate, transient, permanent.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub class: Option<Class>,
    #[command(flatten)]
    pub shape: ShapeArgs,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell that is to complete.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct ManArgs {
    /// Write smtplog.1 and a page for each subcommand into this directory, which is made if it is not there. [default: print
    /// smtplog.1]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of what: report, as `scan --format json` prints it; event, a line of `events --format ndjson`; trace, as
    /// `trace --format json` prints it; storms, as `storm --format json` prints them; watch, a line of
    /// `watch --format ndjson`.
    #[arg(value_enum, value_name = "report|event|trace|storms|watch", hide_possible_values = true)]
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
    /// Log files, in any order; a folder is the mail logs in it; - is standard input.
    ///
    /// Gzip, bzip2, xz and zstd are told by their first bytes. Without a file: standard input if something is piped in,
    /// else the first of the usual places, such as /var/log/mail.log.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read also the other parts of each file: mail.log.1, mail.log.2.gz, mail.log-20261121.
    #[arg(long)]
    pub rotated: bool,
    /// Read the mail of systemd's journal, besides any FILE.
    #[arg(long)]
    pub journal: bool,
    /// Use so many threads, at most 64 or one for each core. [default: one for each core, and one for files of 2 MiB or less]
    #[arg(short = 'j', long, value_name = "N")]
    pub threads: Option<usize>,
    /// Only lines from this time on: -2h, today, 02:30, "2026-11-21 02:00".
    ///
    /// Also "3 days ago", yesterday, "yesterday 22:00", "last monday", "Nov 21 02:00", @1795222800 and RFC 3339.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub since: Option<String>,
    /// Only lines before this time, in the same words.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Time")]
    pub until: Option<String>,
    /// The year of the last line whose stamp shows none.
    ///
    /// Earlier ones count back over each New Year. [default: the latest in which no line is later than its file]
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i16).range(1970..=9998), help_heading = "Time")]
    pub year: Option<i16>,
    /// The zone of stamps that show none, such as Europe/Berlin. [default: this machine's]
    #[arg(long, value_name = "ZONE", help_heading = "Time")]
    pub tz: Option<String>,
    /// The same as --tz UTC.
    #[arg(long, conflicts_with = "tz", help_heading = "Time")]
    pub utc: bool,
    /// The time that "-2h" and "today" count from. [default: now]
    #[arg(long, hide = true, value_name = "WHEN")]
    pub now: Option<jiff::Timestamp>,
    /// Read blocks of so many bytes. The answer is the same for any size; tests see to it.
    #[arg(long, hide = true, default_value_t = 256 << 10, value_name = "BYTES")]
    pub block_size: usize,
}

#[derive(Args, Debug)]
pub struct CoverageArgs {
    /// Write the lines that were not understood into FILE; - is standard error.
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub unparsed: Option<PathBuf>,
    /// End with status 3 if fewer than 99 of 100 mail lines were understood.
    #[arg(long, help_heading = OUTPUT)]
    pub strict: bool,
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
    /// One line with a verdict, for a monitor.
    Line,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum StormFormat {
    Text,
    Json,
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SchemaChoice {
    Report,
    Event,
    Trace,
    Storms,
    Watch,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum WatchFormat {
    Text,
    Ndjson,
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
pub enum TraceFormat {
    Text,
    Json,
    Ndjson,
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

/// `root` or `postmaster@example.org`: one address, and nothing that would be another or a header.
fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |sign: char| sign.is_ascii_graphic() && !"<>(),;:\\\"[]".contains(sign);
    if !text.is_empty() && text.chars().all(plain) && text.matches('@').count() <= 1 {
        Ok(text.to_owned())
    } else {
        Err("it is no address; write root or postmaster@example.org".to_owned())
    }
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
