//! Parses a question: a code, a class, a reason, a reply or a log line.

use clap::ValueEnum;

use crate::catalog::{Cause, EnhancedPattern, Reason, cause_row};
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::unwrap;
use crate::pipeline::reason_pattern::ReasonPattern;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode, Reply, in_words};

/// What is known of a reply besides its text. `None` is not known.
#[derive(Clone, Default, Debug)]
pub struct QueryContext {
    /// Who said it to whom. `None`: a remote server to us, or what the log line says.
    pub direction: Option<Direction>,
    /// The command that it answers.
    pub stage: Option<Stage>,
    /// The mail server that advice is for. `None`: the one that wrote the log line, else any.
    pub mta: Option<Mta>,
    /// The host name of the other side, which tells its provider.
    pub relay: Option<String>,
}

/// A parsed question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Query<'a> {
    /// `452`, `452 4.2.2`.
    Code(Code, Option<EnhancedCode>),
    /// `4.2.2`, `x.2.2`.
    Enhanced(EnhancedPattern),
    /// `4xx`
    Class(Class),
    /// A reason, or a cause with the first of its reasons, by its id or its title.
    Reason(Reason, Option<Cause>),
    /// The words of a reply.
    Reply(Event<'a>),
    /// A log line that has a result.
    Line(Event<'a>),
    /// A log line that has none.
    Routine,
    /// One word that the tables do not have: a typing error in a code or an id, or the only word of a reply.
    Word(Event<'a>),
}

/// The log line inside a JSON object or another wrapper; any other text unchanged.
pub(crate) fn unwrap_input(text: &str) -> String {
    let mut inside = Vec::new();
    LogText(unwrap::unwrap_line(text.trim().as_bytes(), &mut inside)).into()
}

/// Parses a question. A text that is nothing else is a reply.
pub(crate) fn parse_query<'a>(text: &'a str, context: &'a QueryContext) -> Query<'a> {
    let text = text.trim();
    if let Some(short) = parse_short(text) {
        return short;
    }
    let bare = bare_event(text, context);
    if !text.contains(' ') {
        return Query::Word(parse_reply(bare, text));
    }
    match mta::read(&LogLine::read(text.as_bytes())) {
        ParsedLine::Event(event) => {
            let host = event.peer.host.or(bare.peer.host);
            let stage = event.stage.or(bare.stage);
            Query::Line(Event { stage, peer: Peer { host, ..event.peer }, ..event })
        }
        ParsedLine::Routine | ParsedLine::QueueRecord(_) => Query::Routine,
        ParsedLine::Unread | ParsedLine::Foreign => Query::Reply(parse_reply(bare, text)),
    }
}

/// An event with the text and the context alone.
pub(crate) fn bare_event<'a>(text: &'a str, context: &'a QueryContext) -> Event<'a> {
    let mta = context.mta.unwrap_or_default();
    let direction = context.direction.unwrap_or(Direction::Outbound);
    Event {
        stage: context.stage,
        peer: Peer { host: context.relay.as_deref().map(str::as_bytes), ..Peer::default() },
        text: text.as_bytes(),
        ..Event::new(mta, direction, Outcome::Deferred)
    }
}

/// Parses a code, an enhanced code, a class or a reason. None: the text is none of them.
pub(crate) fn parse_short(text: &str) -> Option<Query<'static>> {
    let lower = text.trim().to_ascii_lowercase();
    match ReasonPattern::find(&lower).or_else(|| ReasonPattern::find(&lower.replace('_', "-"))) {
        Some(ReasonPattern::Reason(reason)) => return Some(Query::Reason(reason, None)),
        Some(ReasonPattern::Cause(cause)) => {
            return cause_row(cause).reason.first().map(|reason| Query::Reason(*reason, Some(cause)));
        }
        None => {}
    }
    match lower.as_str() {
        "2xx" | "2yz" => return Some(Query::Class(Class::Positive)),
        "3xx" | "3yz" => return Some(Query::Class(Class::Intermediate)),
        "4xx" | "4yz" => return Some(Query::Class(Class::Transient)),
        "5xx" | "5yz" => return Some(Query::Class(Class::Permanent)),
        _ => {}
    }
    if let Some(pattern) = EnhancedPattern::read(&lower).filter(|pattern| pattern.first == pattern.last) {
        return Some(Query::Enhanced(pattern));
    }
    let (code, rest) = Code::read(lower.as_bytes())?;
    let rest = rest.trim_ascii();
    if rest.is_empty() {
        return Some(Query::Code(code, None));
    }
    match EnhancedCode::read(rest)? {
        (enhanced, []) => Some(Query::Code(code, Some(enhanced))),
        _ => None,
    }
}

/// Parses a reply, `552 5.2.2 Mailbox full`, also behind the words of a mail server or a bounce: `host mx said: 552 …
/// (in reply to RCPT TO command)`, `Diagnostic-Code: smtp; 552 …`. A reply that begins with its own code and quotes
/// another one, as `550 Sender address rejected: undeliverable address: host mx said: 550 …`, stays whole.
fn parse_reply<'a>(bare: Event<'a>, text: &'a str) -> Event<'a> {
    let text = ["said: ", "smtp; ", "SMTP; "]
        .into_iter()
        .find_map(|mark| text.split_once(mark).map(|(_, rest)| rest))
        .filter(|rest| Reply::read(text.as_bytes()).is_none() && Reply::read(rest.as_bytes()).is_some())
        .unwrap_or(text);
    let reply = Reply::read(text.as_bytes());
    let alone =
        || EnhancedCode::read(text.as_bytes()).map(|(code, _)| code).or_else(|| in_words(text.as_bytes()));
    let stage = text.rsplit_once("(in reply to ").and_then(|(_, rest)| {
        let command = rest.split_once(" command").map_or(rest, |(command, _)| command);
        Stage::from_str(command.trim_end_matches(')'), true).ok()
    });
    let class = reply.map(|reply| reply.code.class());
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced).or_else(alone),
        stage: stage.or(bare.stage),
        outcome: if class == Some(Class::Permanent) { Outcome::Bounced } else { Outcome::Deferred },
        text: text.as_bytes(),
        ..bare
    }
}

/// Joins arguments that a shell has split: `552 5.2.2 mailbox full` is one reply, `452 552 4.2.2` are three questions.
pub(crate) fn join(arguments: Vec<String>) -> Vec<String> {
    let begins = arguments.first().and_then(|first| parse_short(first));
    let reply = matches!(begins, Some(Query::Code(..) | Query::Enhanced(_)));
    let plain =
        |text: &String| parse_short(text).is_none() && text.starts_with(|c: char| !c.is_ascii_digit());
    let spaced = arguments.iter().any(|text| text.trim().contains(' '));
    let pair = |text: &String| EnhancedCode::read(text.as_bytes()).is_some_and(|(_, rest)| rest.is_empty());
    let numbers = arguments.len() == 2
        && matches!(begins, Some(Query::Code(_, None)))
        && arguments.get(1).is_some_and(pair);
    let word = |text: &String| {
        parse_short(text).is_none() && text.chars().all(|c| c.is_alphabetic() || "',.!".contains(c))
    };
    let words = arguments.len() > 1 && arguments.iter().all(word);
    if reply && !spaced && (arguments.iter().any(plain) || numbers) || words {
        vec![arguments.join(" ")]
    } else {
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, wanted: &str) {
        let context = QueryContext::default();
        let got = match parse_query(text, &context) {
            Query::Code(code, None) => format!("code {code}"),
            Query::Code(code, Some(enhanced)) => format!("code {code} {enhanced}"),
            Query::Enhanced(pattern) => format!("enhanced {}.{}", pattern.subject, pattern.first),
            Query::Class(class) => format!("class {class:?}"),
            Query::Reason(reason, _) => format!("reason {reason:?}"),
            Query::Reply(event) => format!("reply {:?} {:?} {:?}", event.code, event.enhanced, event.stage),
            Query::Line(event) => format!("line {:?} {:?}", event.code, event.mta),
            Query::Routine => "routine".to_owned(),
            Query::Word(_) => "word".to_owned(),
        };
        assert_eq!(got, wanted, "{text}");
    }

    #[test]
    fn reads_what_can_be_asked() {
        reads("452", "code 452");
        reads(" 452 4.2.2 ", "code 452 4.2.2");
        reads("452-4.2.2", "word");
        reads("4.2.2", "enhanced 2.2");
        reads("X.2.2", "enhanced 2.2");
        reads("4xx", "class Transient");
        reads("5YZ", "class Permanent");
        reads("mailbox-full", "reason MailboxFull");
        reads("Mailbox_Full", "reason MailboxFull");
        reads("552 5.2.2 mailbox full", "reply Some(552) Some(5.2.2) None");
        reads("mailbox full", "reason MailboxFull");
        reads("the mailbox is full", "reply None None None");
        reads(
            "host mx.example.org[192.0.2.1] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)",
            "reply Some(450) Some(4.2.0) Some(Rcpt)",
        );
        reads("smtp; 550 5.1.1 no such user", "reply Some(550) Some(5.1.1) None");
        reads("451 4.1.8 host mx.example.org said: 550 5.1.1 no", "reply Some(451) Some(4.1.8) None");
        reads("Unable to read the file. (#4.3.0)", "reply None Some(4.3.0) None");
    }

    #[test]
    fn reads_lines_of_both_servers() {
        let postfix = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<anna@example.org>, \
            relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced \
            (host mx.example.org[192.0.2.1] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))";
        reads(postfix, "line Some(552) Postfix");
        let exim = "2026-11-22 03:04:05 1tABCd-000001-2x ** anna@example.org R=dnslookup T=remote_smtp \
            H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<anna@example.org>: \
            552 5.2.2 Mailbox full";
        reads(exim, "line Some(552) Exim");
        reads("Nov 22 03:04:06 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed", "routine");
    }

    #[test]
    fn does_not_take_other_words_for_codes() {
        for text in ["999", "199", "4522", "45", "6xx", "4x", "3.2.2", "4.2", "x.2.1-9", "", "mailbox-ful"] {
            reads(text, "word");
        }
    }

    #[test]
    fn joins_arguments_that_a_shell_has_split() {
        let join = |words: &[&str]| join(words.iter().map(ToString::to_string).collect()).len();
        assert_eq!(join(&["552", "5.2.2", "mailbox", "full"]), 1);
        assert_eq!(join(&["552", "5.2.2"]), 1);
        assert_eq!(join(&["452", "552"]), 2);
        assert_eq!(join(&["452", "999"]), 2);
        assert_eq!(join(&["452", "552 5.2.2 mailbox full"]), 2);
        assert_eq!(join(&["452", "mailbox-full", "4.2.2"]), 3);
        assert_eq!(join(&["mailbox-full", "greylisted"]), 2);
        assert_eq!(join(&["no", "such", "user"]), 1);
        assert_eq!(join(&["spam", "mailbox-full"]), 2);
    }
}
