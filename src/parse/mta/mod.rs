//! Parses the log lines of each mail server, and answers every question whose answer depends on the server.
//!
//! Promises: each question is one function with one exhaustive match over [`Mta`]; no other folder matches on it. A new
//! server costs a folder beside this file, a variant of [`Mta`] and one arm in each function, and the compiler lists them.
//! May use: the rest of parse, simd, smtp.

pub(crate) mod delay;
pub(crate) mod exim;
pub(crate) mod kumomta;
pub(crate) mod log_places;
pub(crate) mod opensmtpd;
mod own_host;
pub(crate) mod own_text;
pub(crate) mod parsed;
pub(crate) mod postfix;
pub(crate) mod queue_record;
pub(crate) mod recipient_list;
pub(crate) mod related_id;
pub(crate) mod sendmail;
pub(crate) mod server_warning;
pub(crate) mod session_line;
pub(crate) mod warning_text;
pub(crate) mod writer;

use self::delay::Phases;
use self::parsed::ParsedLine;
use self::postfix::daemon::Daemon;
use self::queue_record::{MessageFields, QueueRecord};
use self::recipient_list::RecipientList;
use self::related_id::Relation;
use super::header::{LogLine, RawTimestamp};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer};

/// The program that wrote a line, as far as parsing depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    Postfix(Daemon),
    Exim,
    Sendmail,
    Opensmtpd,
    Kumomta,
    /// Another program.
    Foreign,
}

impl Program {
    /// The writer of a line that has a date with a blank before the clock, and no program: such files come from Exim.
    pub(crate) const WITHOUT_TAG: Self = Self::Exim;

    /// Recognizes the writer. Postfix is recognized by its daemons, Exim by its name or, in its own files, by a header
    /// without a program, or by what it prints on a terminal. Where the line has a program, nothing but the program's name decides.
    pub fn of(line: &LogLine) -> Self {
        if let Some(daemon) = Daemon::of(line) {
            return Self::Postfix(daemon);
        }
        match line.program {
            b"" if matches!(line.stamp, RawTimestamp::Iso(_)) => Self::WITHOUT_TAG,
            b"" if exim::foreground::is_line(line.text) => Self::Exim,
            // In the foreground, smtpd writes its lines without any header.
            b"" if opensmtpd::begins_with_session(line.text) => Self::Opensmtpd,
            b"" => Self::Foreign,
            program if exim::is_program(program) => Self::Exim,
            _ if sendmail::is_from(line) => Self::Sendmail,
            _ if opensmtpd::is_from(line) => Self::Opensmtpd,
            _ if kumomta::is_from(line) => Self::Kumomta,
            _ => Self::Foreign,
        }
    }

    /// Whether the name does not tell a mail server's daemon, so that the line may be one that a mail server wrote and
    /// another program passed on: Docker's syslog driver names the container, which may be `postfix`.
    #[inline]
    pub(crate) fn is_vague(self) -> bool {
        matches!(self, Self::Foreign | Self::Postfix(Daemon::Unnamed))
    }

    /// Parses a line of this writer.
    #[inline]
    pub fn read<'a>(self, line: &LogLine<'a>) -> ParsedLine<'a> {
        let mut parsed = self.parse(line);
        correct_direction(&mut parsed, line);
        parsed
    }

    /// Parses a line as [`Self::read`] does, but leaves [`correct_direction`] to the caller, which can do it where the result
    /// is: to move the result once more takes 0.7 % of a scan.
    #[inline]
    pub(crate) fn parse<'a>(self, line: &LogLine<'a>) -> ParsedLine<'a> {
        match self {
            Self::Postfix(daemon) => postfix::read(daemon, line.text),
            Self::Exim => exim::read(line),
            Self::Sendmail => sendmail::read(line),
            Self::Opensmtpd => opensmtpd::read(line),
            Self::Kumomta => kumomta::read(line),
            Self::Foreign => ParsedLine::Foreign,
        }
    }
}

/// Corrects the direction of a delivery to a program on this host.
#[inline]
pub(crate) fn correct_direction(parsed: &mut ParsedLine, line: &LogLine) {
    if let ParsedLine::Event(event) = parsed {
        own_host::correct_direction(event, line);
    }
}

/// A program of the server that wrote a text without a header. `None`: the text could be anybody's.
pub(crate) fn program_of_text(text: &[u8]) -> Option<&'static str> {
    // Sendmail first: its lines begin like Postfix's.
    let servers = [Mta::Sendmail, Mta::Exim, Mta::Opensmtpd, Mta::Postfix];
    servers.into_iter().find(|mta| own_text::is_of(*mta, text)).map(program_name)
}

/// A program of the server that runs under a systemd unit, whose name is given without its type: `postfix@-`, `exim4`.
pub(crate) fn program_of_unit(unit: &[u8]) -> Option<&'static str> {
    let bare = |unit: &'static str| unit.split(['@', '.']).next().unwrap_or(unit).as_bytes();
    let name = unit.split(|&byte| byte == b'@').next().unwrap_or(unit);
    let runs_as = |mta: &Mta| log_places::journal_units(*mta).iter().any(|unit| bare(unit) == name);
    Mta::ALL.into_iter().find(runs_as).map(program_name)
}

/// The name under which a server logs, without the name of a daemon.
const fn program_name(mta: Mta) -> &'static str {
    match mta {
        Mta::Postfix => "postfix",
        Mta::Exim => "exim",
        Mta::Sendmail => "sendmail",
        Mta::Opensmtpd => "smtpd",
        Mta::Kumomta => "kumod",
    }
}

/// Whether the program writes log files itself, whose lines have a timestamp and no program.
pub(crate) fn writes_lines_without_tag(program: &[u8]) -> bool {
    let writes = |mta| match mta {
        Mta::Exim => exim::is_program(program),
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => false,
    };
    Mta::ALL.into_iter().any(writes)
}

/// Appends the line of a log record that is a JSON object itself, not one around a line. False: it is no such record, and
/// nothing was written.
pub(crate) fn write_record(json: &str, line: &mut Vec<u8>) -> bool {
    kumomta::record::write(json, line)
}

/// Parses a line by the program that wrote it.
pub fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    Program::of(line).read(line)
}

/// Everything that a queue record says about its message.
pub fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    match record.mta {
        Mta::Postfix => postfix::message_fields(record),
        Mta::Exim => exim::message_fields(record),
        Mta::Sendmail => sendmail::message_fields(record),
        Mta::Opensmtpd => opensmtpd::message_fields(record),
        Mta::Kumomta => kumomta::message_fields(record),
    }
}

/// Only the sender, the client and the login of [`message_fields`]; cheaper, for callers that need them for every message.
pub(crate) fn origin<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    match record.mta {
        Mta::Postfix => postfix::origin(record),
        Mta::Exim => exim::origin(record),
        Mta::Sendmail => sendmail::message_fields(record),
        Mta::Opensmtpd => opensmtpd::message_fields(record),
        Mta::Kumomta => kumomta::message_fields(record),
    }
}

/// The number of recipients that a message still has. `None`: the line does not show it.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    match record.mta {
        Mta::Postfix => postfix::recipients(record),
        Mta::Exim => None,
        Mta::Sendmail => sendmail::recipients(record),
        Mta::Opensmtpd => opensmtpd::recipients(record),
        Mta::Kumomta => kumomta::recipients(record),
    }
}

/// Whether the line of an event may say more than the event: see [`other_recipients`] and [`record_of_event`].
#[inline]
pub(crate) fn may_say_more(mta: Mta) -> bool {
    match mta {
        Mta::Sendmail | Mta::Kumomta => true,
        Mta::Postfix | Mta::Exim | Mta::Opensmtpd => false,
    }
}

/// The events of the other recipients that the line of an event names: `to=<a@b>,<c@d>, …` is a delivery to each.
pub(crate) fn other_recipients<'a>(
    event: &Event<'a>,
    line: &LogLine<'a>,
) -> impl Iterator<Item = Event<'a>> + use<'a> {
    let others = match event.mta {
        Mta::Sendmail => sendmail::other_recipients(event, line),
        Mta::Kumomta => kumomta::other_recipients(event, line),
        Mta::Postfix | Mta::Exim | Mta::Opensmtpd => RecipientList::default(),
    };
    let first = *event;
    others.map(move |recipient| Event { recipient: Some(recipient), ..first })
}

/// The event of one recipient of a line: 0 is the line's event itself. `None`: the line names fewer recipients.
pub(crate) fn event_of_part<'a>(event: &Event<'a>, line: &LogLine<'a>, part: u32) -> Option<Event<'a>> {
    match part.checked_sub(1) {
        None => Some(*event),
        Some(before) => other_recipients(event, line).nth(before as usize),
    }
}

/// The record of a notification that an event's line shows too. Sendmail gives up a message and names the notification in
/// one line.
pub(crate) fn record_of_event<'a>(event: &Event<'a>, line: &LogLine<'a>) -> Option<QueueRecord<'a>> {
    match event.mta {
        Mta::Sendmail => sendmail::record_of_event(event, line),
        Mta::Postfix | Mta::Exim | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// Whether lines of such events may leave the peer to an earlier line of the session.
pub(crate) fn may_lack_peer(event: &Event) -> bool {
    match event.mta {
        Mta::Opensmtpd => opensmtpd::may_lack_peer(event),
        Mta::Postfix | Mta::Exim | Mta::Sendmail | Mta::Kumomta => false,
    }
}

/// The queue record of a line, also of one that is an event too. `None`: it has none.
pub(crate) fn record<'a>(parsed: &ParsedLine<'a>, line: &LogLine<'a>) -> Option<QueueRecord<'a>> {
    match parsed {
        ParsedLine::QueueRecord(record) => Some(*record),
        ParsedLine::Event(event) => record_of_event(event, line),
        ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => None,
    }
}

/// The session of an event whose line shows no peer; an earlier line of the session does. `None`: the line shows its peer.
#[inline]
pub(crate) fn session<'a>(event: &Event, line: &LogLine<'a>) -> Option<&'a [u8]> {
    match event.mta {
        Mta::Opensmtpd => opensmtpd::session(event, line),
        Mta::Postfix | Mta::Exim | Mta::Sendmail | Mta::Kumomta => None,
    }
}

/// The peer of a session, if the line begins it. `session` is from [`session`].
pub(crate) fn session_peer<'a>(line: &LogLine<'a>, session: &[u8]) -> Option<Peer<'a>> {
    match Program::of(line) {
        Program::Opensmtpd => opensmtpd::session_peer(line, session),
        Program::Postfix(_) | Program::Exim | Program::Sendmail | Program::Kumomta | Program::Foreign => None,
    }
}

/// Whether a notification's record is also its arrival. OpenSMTPD logs the arrival before.
pub(crate) fn arrives_with_notice(mta: Mta) -> bool {
    match mta {
        Mta::Exim | Mta::Sendmail | Mta::Kumomta => true,
        Mta::Postfix | Mta::Opensmtpd => false,
    }
}

/// The server, the queue id and the text behind it, for any line about a message. `None`: the line has no queue id.
pub(crate) fn queue_id<'a>(line: &LogLine<'a>) -> Option<(Mta, &'a [u8], &'a [u8])> {
    let (mta, (id, rest)) = match Program::of(line) {
        Program::Postfix(daemon) => (Mta::Postfix, postfix::message_id_of(daemon, line.text)),
        Program::Exim => (Mta::Exim, exim::queue_id(exim::message_text(line))),
        Program::Sendmail => (Mta::Sendmail, sendmail::queue_id(line.text)),
        Program::Opensmtpd => (Mta::Opensmtpd, (opensmtpd::queue_id(line.text), line.text)),
        Program::Kumomta => (Mta::Kumomta, (kumomta::queue_id(line.text), line.text)),
        Program::Foreign => return None,
    };
    id.map(|id| (mta, id, rest))
}

/// The name of the queue that the line's message is in: the instance of Postfix (`postfix-out` of `postfix-out/smtp`,
/// see Postfix's MULTI_INSTANCE_README). Empty: the host has one queue. It never holds a slash.
#[inline]
pub(crate) fn queue_scope(mta: Mta, program: &[u8]) -> &[u8] {
    match mta {
        Mta::Postfix => postfix::queue_scope(program),
        Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => b"",
    }
}

/// Whether [`queue_scope`] of the program is `scope`, without cutting it out.
#[inline]
pub(crate) fn is_in_queue_scope(mta: Mta, program: &[u8], scope: &[u8]) -> bool {
    match mta {
        Mta::Postfix => postfix::is_in_queue_scope(program, scope),
        Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => scope.is_empty(),
    }
}

/// The part of a queue id that names the message: OpenSMTPD's id is of one recipient and begins with the message's.
#[inline]
pub(crate) fn message_part(mta: Mta, queue_id: &[u8]) -> &[u8] {
    match mta {
        Mta::Opensmtpd => opensmtpd::message_part(queue_id),
        Mta::Postfix | Mta::Exim | Mta::Sendmail | Mta::Kumomta => queue_id,
    }
}

/// Whether the first line of a message means that it is in the queue. Postfix's `client=` comes before the queue manager
/// takes the message; the other servers log a message once they have it.
pub(crate) fn is_queued_on_arrival(mta: Mta) -> bool {
    match mta {
        Mta::Postfix => false,
        Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => true,
    }
}

/// Whether a message's arrival is logged before the server decides on its content. Sendmail logs `from=` when it has read
/// the message, and asks filters then.
pub(crate) fn logs_arrival_first(mta: Mta) -> bool {
    match mta {
        Mta::Sendmail => true,
        Mta::Postfix | Mta::Exim | Mta::Opensmtpd | Mta::Kumomta => false,
    }
}

/// Whether a message that this line bounces never gets into the queue. Postfix's cleanup bounces what a local program
/// submitted and the server does not take, such as a message with too many Received: headers.
pub(crate) fn is_never_queued(event: &Event, line: &LogLine) -> bool {
    match event.mta {
        Mta::Postfix => line.daemon() == b"cleanup",
        Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => false,
    }
}

/// Whether a queue id may come again for another message. Exim never uses one again, and may log a delivery before the
/// arrival (cutthrough), so lines before the arrival belong to the same message.
pub(crate) fn reuses_queue_ids(mta: Mta) -> bool {
    match mta {
        Mta::Exim | Mta::Kumomta => false,
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd => true,
    }
}

/// The address that the recipient was before aliases. `text` follows the queue id:
/// `to=<a@b>, orig_to=<c>, …` of Postfix, `=> a@b <c@d> R=…` of Exim.
pub(crate) fn original_recipient(mta: Mta, text: &[u8]) -> Option<&[u8]> {
    match mta {
        Mta::Postfix => postfix::original_recipient(text),
        Mta::Exim => exim::original_recipient(text),
        Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// The HELO name of a rejected client: `helo=<c>` of Postfix, `H=host (c) [ip]` of Exim.
pub(crate) fn helo(mta: Mta, text: &[u8]) -> Option<&[u8]> {
    match mta {
        Mta::Postfix => postfix::helo(text),
        Mta::Exim => exim::rejected_helo(text),
        Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// The name with which a client logged in, or tried to, as the line of a rejection shows it: `sasl_username=anna` of Postfix,
/// `(set_id=anna)` and `A=login:anna` of Exim, `AUTH failure (PLAIN): …, user=anna` of Sendmail. `None`: the line shows none.
pub fn login<'a>(event: &Event, line: &LogLine<'a>) -> Option<&'a [u8]> {
    if event.direction != Direction::Inbound {
        return None;
    }
    match event.mta {
        Mta::Postfix => postfix::login(line.text),
        Mta::Exim => exim::login(line),
        Mta::Sendmail => sendmail::login(line.text),
        Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// The message that a line about another message names; `text` follows the line's own queue id.
pub(crate) fn related_queue_id(mta: Mta, text: &[u8]) -> Option<(Relation, &[u8])> {
    match mta {
        Mta::Postfix => postfix::related_queue_id(text),
        Mta::Exim => exim::related_queue_id(text),
        Mta::Sendmail => sendmail::related_queue_id(text),
        Mta::Opensmtpd | Mta::Kumomta => related_id::forwarded_to(text),
    }
}

/// The queue id that the next server gave to a message it took over. The next server may be any, so the reply's wording
/// decides; the innermost reply is the last.
pub(crate) fn accepted_id(reply: &[u8]) -> Option<&[u8]> {
    Mta::ALL.into_iter().find_map(|mta| accepted_text(mta, reply)).and_then(related_id::id)
}

/// The part of the reply that begins with the queue id, if the reply has this server's wording.
fn accepted_text(mta: Mta, reply: &[u8]) -> Option<&[u8]> {
    match mta {
        Mta::Postfix => postfix::accepted(reply),
        Mta::Exim => exim::accepted(reply),
        Mta::Sendmail => sendmail::accepted(reply),
        // OpenSMTPD uses Sendmail's wording.
        Mta::Opensmtpd => None,
        Mta::Kumomta => kumomta::accepted(reply),
    }
}

/// The durations of the phases of a delivery, in milliseconds. Empty: its line shows no durations.
pub(crate) fn delivery_delays(event: &Event, line: &LogLine) -> Phases {
    match event.mta {
        Mta::Postfix => postfix::delays(event).unwrap_or_default(),
        Mta::Exim => exim::delays(line),
        Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => Phases::default(),
    }
}

/// How long receiving the message took, in milliseconds. `None`: the line does not show it.
pub(crate) fn receive_time(record: &QueueRecord) -> Option<u64> {
    match record.mta {
        Mta::Exim => exim::receive_time(record),
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// The text by which a second copy of the event's line is found. None: the server logs each event once. Exim sends a
/// rejection to syslog twice, for its mainlog and for its rejectlog.
pub(crate) fn copied_text<'a>(event: &Event, line: &LogLine<'a>) -> Option<&'a [u8]> {
    match event.mta {
        Mta::Exim if event.direction == Direction::Inbound && !line.program.is_empty() => {
            Some(exim::message_text(line)).filter(|text| !exim::connection::is_logged_once(text))
        }
        Mta::Sendmail => sendmail::copied_text(event, line),
        Mta::Exim | Mta::Postfix | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// What the lines contain that may tell the cause of this failure. `None`: the event's own line tells it.
#[inline]
pub(crate) fn cause_mark<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    match event.mta {
        Mta::Exim => exim::earlier_cause::mark(event),
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
    }
}

/// The failure on an earlier line that tells the cause of the event's. `None`: the line does not tell it.
pub(crate) fn earlier_cause<'b>(event: &Event<'b>, earlier: &LogLine<'b>) -> Option<Event<'b>> {
    match Program::of(earlier) {
        Program::Exim if event.mta == Mta::Exim => exim::earlier_cause::cause(event, earlier),
        Program::Postfix(_)
        | Program::Exim
        | Program::Sendmail
        | Program::Opensmtpd
        | Program::Kumomta
        | Program::Foreign => None,
    }
}

/// Whether the event's line may tell again of a refusal that a line before it reported; [`reports_again`] decides.
pub(crate) fn may_report_again(event: &Event, line: &LogLine) -> bool {
    match event.mta {
        Mta::Postfix => {
            (event.direction, event.outcome) == (Direction::Inbound, Outcome::Rejected)
                && postfix::warning::repetition(line.text).is_some()
        }
        Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => false,
    }
}

/// How an earlier line counts for the question whether the event's line repeats it: 1 if it reports the
/// refusal, -1 if it is itself a repetition, else 0. The event's line is a repetition if the sum is positive.
pub(crate) fn reports_again(event: &Event, line: &LogLine, earlier: &LogLine) -> i32 {
    match event.mta {
        Mta::Postfix if postfix::is_in_queue_scope(earlier.program, postfix::queue_scope(line.program)) => {
            postfix::warning::reports_again(line.text, earlier.text)
        }
        Mta::Postfix | Mta::Exim | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => 0,
    }
}
