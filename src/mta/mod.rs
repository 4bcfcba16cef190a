//! The mail servers: a line comes in, a reading goes out.

pub mod delay;
pub mod exim;
pub mod fact;
pub mod link;
pub mod opensmtpd;
pub mod postfix;
pub mod reading;
pub mod sendmail;

use crate::event::{Event, Mta};
use crate::line::{Line, Stamp};
use crate::mta::fact::{Context, Fact};
use crate::mta::postfix::daemon::Daemon;
use crate::mta::reading::Reading;

/// Reads a line as what its program makes it: Postfix is told by its daemons, Exim by its name or, in its own
/// files, by having no program at all.
pub fn read<'a>(line: &Line<'a>) -> Reading<'a> {
    // Each reading is returned where it is made: moving it around costs more than most lines do.
    if line.program.is_empty() {
        return if matches!(line.stamp, Stamp::Iso(_)) { exim::read(line) } else { Reading::Foreign };
    }
    if let Some(daemon) = Daemon::of(line) {
        return postfix::read(daemon, line.text);
    }
    match line.program {
        program if program.starts_with(b"exim") => exim::read(line),
        _ if sendmail::wrote(line) => sendmail::read(line),
        _ if opensmtpd::wrote(line) => opensmtpd::read(line),
        _ => Reading::Foreign,
    }
}

/// What the line of a fact says about its message.
pub fn context<'a>(fact: &Fact<'a>) -> Context<'a> {
    match fact.mta {
        Mta::Postfix => postfix::context(fact),
        Mta::Exim => exim::context(fact),
        Mta::Sendmail => sendmail::context(fact),
        Mta::Opensmtpd => opensmtpd::context(fact),
    }
}

/// Of what [`context`] says, the sender, the client and the login: for who asks it of every message.
pub fn origin<'a>(fact: &Fact<'a>) -> Context<'a> {
    match fact.mta {
        Mta::Postfix => postfix::origin(fact),
        Mta::Exim => exim::origin(fact),
        Mta::Sendmail => sendmail::context(fact),
        Mta::Opensmtpd => opensmtpd::context(fact),
    }
}

/// How many recipients a message still has, if who takes it up says so.
pub fn recipients(fact: &Fact) -> Option<u32> {
    match fact.mta {
        Mta::Postfix => postfix::recipients(fact),
        Mta::Exim => None,
        Mta::Sendmail => sendmail::recipients(fact),
        Mta::Opensmtpd => opensmtpd::recipients(fact),
    }
}

/// Of how many recipients the line of an event tells.
pub fn served(event: &Event, line: &Line) -> u32 {
    match event.mta {
        Mta::Sendmail => sendmail::served(line),
        Mta::Postfix | Mta::Exim | Mta::Opensmtpd => 1,
    }
}

/// The queue id of any line about a message, and what follows it; also of lines that say nothing else we know.
pub fn queue_id<'a>(line: &Line<'a>) -> Option<(Mta, &'a [u8], &'a [u8])> {
    let with = |mta: Mta, (id, rest): (Option<&'a [u8]>, &'a [u8])| id.map(|id| (mta, id, rest));
    if Daemon::of(line).is_some() {
        return with(Mta::Postfix, postfix::queue_id(line.text));
    }
    match (line.program, line.stamp) {
        (b"", Stamp::Iso(_)) => with(Mta::Exim, exim::queue_id(exim::words(line))),
        (b"", _) => None,
        (program, _) if program.starts_with(b"exim") => with(Mta::Exim, exim::queue_id(exim::words(line))),
        _ if sendmail::wrote(line) => with(Mta::Sendmail, sendmail::queue_id(line.text)),
        _ if opensmtpd::wrote(line) => with(Mta::Opensmtpd, (opensmtpd::queue_id(line.text), line.text)),
        _ => None,
    }
}
