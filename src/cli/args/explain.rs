//! Declares the options of `explain`, `compare` and `codes`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::input::RulesArgs;
use super::output::StyleArgs;
use super::scan::AdviceChoice;
use crate::smtp::event::{Direction, Mta, Stage};
use crate::smtp::reply::Class;

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// What to explain: 452, 4.2.2, 4xx, a reason such as mailbox-full, a whole reply as "552 5.2.2 mailbox full", or a
    /// line of a mail server log; - reads one of these from each line of standard input.
    #[arg(value_name = "WHAT", required = true)]
    pub what: Vec<OsString>,
    /// Direction of the mail: outbound, inbound or local.
    ///
    /// outbound: a remote server sent the reply to yours; inbound: your server sent it to a client; local: local delivery.
    /// [default: advice for both sides]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub direction: Option<Direction>,
    /// The SMTP command that was answered, such as RCPT.
    ///
    /// connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, "end of DATA", or any other SMTP command.
    #[arg(long, value_parser = stage, value_name = "COMMAND")]
    pub stage: Option<CommandStage>,
    /// Your mail server: postfix, exim, sendmail and others.
    ///
    /// Shows only the commands of postfix, exim, sendmail, opensmtpd or kumomta. [default: that of the usual log, else all]
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub mta: Option<Mta>,
    /// Host name of the other server.
    ///
    /// Identifies the provider, whose replies may have their own meaning.
    #[arg(long, value_name = "HOST")]
    pub relay: Option<String>,
    /// Show everything that is known, not only the short answer.
    ///
    /// Adds when the reply is sent, what else it can mean, the complete advice, and the sources. JSON and Markdown always have
    /// everything.
    #[arg(long)]
    pub full: bool,
    /// How much to show: line, the short answer; full, the same as --full.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = AdviceChoice::Line, value_name = "HOW")]
    pub advice: AdviceChoice,
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
    /// Only this class: 2xx, 3xx, 4xx or 5xx.
    ///
    /// Or positive, intermediate, transient, permanent.
    #[arg(long, value_enum, hide_possible_values = true, ignore_case = true)]
    pub class: Option<Class>,
    #[command(flatten)]
    pub output: AnswerFormatArgs,
}

/// How a document from the catalogue is printed.
#[derive(Args, Debug)]
pub struct AnswerFormatArgs {
    /// Output format: text, json, ndjson or markdown.
    #[arg(long, value_enum, hide_possible_values = true, default_value_t = AnswerFormat::Text)]
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

/// The stages of the SMTP commands that have one, under every name by which a log or an administrator calls them. A name is
/// compared without case, and `-` and `_` count as blanks.
const STAGES: [(Stage, &[&str]); 8] = [
    (Stage::Connect, &["connect", "connection", "greeting", "banner"]),
    (Stage::Ehlo, &["EHLO", "HELO", "LHLO"]),
    (Stage::StartTls, &["STARTTLS", "TLS"]),
    (Stage::Auth, &["AUTH"]),
    (Stage::Mail, &["MAIL FROM", "MAIL"]),
    (Stage::Rcpt, &["RCPT TO", "RCPT"]),
    (Stage::Data, &["DATA"]),
    (Stage::EndOfData, &["end of DATA", "end", "BDAT", "dot", "."]),
];
/// Commands that carry no mail, so that a reply to one tells nothing about a recipient or a sender, and the server program
/// itself, which speaks between commands.
const WITHOUT_STAGE: [&str; 13] = [
    "VRFY", "EXPN", "ETRN", "ATRN", "TURN", "RSET", "NOOP", "QUIT", "HELP", "XCLIENT", "XFORWARD", "PROXY",
    "smtpd",
];

/// An SMTP command, as the stage of a mail that it begins. None: it carries no mail, such as VRFY.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommandStage(pub Option<Stage>);

/// Parses `rcpt`, `RCPT TO`, `end-of-data`, `VRFY`.
fn stage(text: &str) -> Result<CommandStage, String> {
    let text = text.replace(['-', '_'], " ");
    let is_text = |name: &str| name.eq_ignore_ascii_case(text.trim().trim_end_matches(':'));
    let known = STAGES.iter().find(|(_, names)| names.iter().any(|name| is_text(name)));
    if let Some((stage, _)) = known {
        return Ok(CommandStage(Some(*stage)));
    }
    if WITHOUT_STAGE.iter().any(|name| is_text(name)) {
        return Ok(CommandStage(None));
    }
    let names = "connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, end of DATA, or another SMTP command";
    Err(format!("unknown command; use one of {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_smtp_is_taken() {
        let is = |name: &str, wanted| assert_eq!(stage(name), Ok(CommandStage(wanted)), "{name}");
        for name in ["connect", "Connection", "banner"] {
            is(name, Some(Stage::Connect));
        }
        for name in ["EHLO", "helo", "LHLO"] {
            is(name, Some(Stage::Ehlo));
        }
        is("mail", Some(Stage::Mail));
        is("MAIL_FROM", Some(Stage::Mail));
        is("RCPT TO:", Some(Stage::Rcpt));
        is("data", Some(Stage::Data));
        is("end-of-data", Some(Stage::EndOfData));
        is("BDAT", Some(Stage::EndOfData));
        for name in WITHOUT_STAGE {
            is(name, None);
        }
    }

    #[test]
    fn does_not_take_other_words_for_commands() {
        for name in ["", "RCPTX", "550", "end of", "MAIL TO"] {
            assert!(stage(name).is_err(), "{name}");
        }
    }
}
