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

/// Whose line it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writer {
    Postfix(Daemon),
    Exim,
    Sendmail,
    Opensmtpd,
    /// Another program.
    Foreign,
}

impl Writer {
    /// Postfix is told by its daemons, Exim by its name or, in its own files, by having no program at all. It hangs on
    /// nothing but the program's name, where the line has one.
    pub fn of(line: &Line) -> Self {
        if let Some(daemon) = Daemon::of(line) {
            return Self::Postfix(daemon);
        }
        match line.program {
            b"" if matches!(line.stamp, Stamp::Iso(_)) => Self::Exim,
            b"" => Self::Foreign,
            program if program.starts_with(b"exim") => Self::Exim,
            _ if sendmail::wrote(line) => Self::Sendmail,
            _ if opensmtpd::wrote(line) => Self::Opensmtpd,
            _ => Self::Foreign,
        }
    }

    /// Reads a line that it wrote.
    #[inline]
    pub fn read<'a>(self, line: &Line<'a>) -> Reading<'a> {
        match self {
            Self::Postfix(daemon) => postfix::read(daemon, line.text),
            Self::Exim => exim::read(line),
            Self::Sendmail => sendmail::read(line),
            Self::Opensmtpd => opensmtpd::read(line),
            Self::Foreign => Reading::Foreign,
        }
    }
}

/// Reads a line as what its program makes it.
pub fn read<'a>(line: &Line<'a>) -> Reading<'a> {
    Writer::of(line).read(line)
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
    let (mta, (id, rest)) = match Writer::of(line) {
        Writer::Postfix(_) => (Mta::Postfix, postfix::queue_id(line.text)),
        Writer::Exim => (Mta::Exim, exim::queue_id(exim::words(line))),
        Writer::Sendmail => (Mta::Sendmail, sendmail::queue_id(line.text)),
        Writer::Opensmtpd => (Mta::Opensmtpd, (opensmtpd::queue_id(line.text), line.text)),
        Writer::Foreign => return None,
    };
    id.map(|id| (mta, id, rest))
}
