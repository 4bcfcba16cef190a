//! Formats a row of a reply table as Postfix or Exim logs it.

use std::fmt::{self, Display, Write};

use super::names::{Address, ClientName, ClientSeed, EnvelopeSender, HERE, HERE_IP, Helo, Host};
use super::rng::mix;

/// The command that the reply answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReplyStage {
    Greeting,
    Mail,
    Rcpt,
    Data,
    Dot,
}

/// Code, enhanced code, stage, text.
///
/// The enhanced code follows the code; `#5.1.0` keeps its `#`, `(#5.1.1)` follows the text instead, and an empty one is
/// left out. A `\n` in the text starts a new line of the reply, which repeats the codes. `%` and a letter is a mark, see
/// `ReplyContext`.
pub(crate) type ReplyRow = (u16, &'static str, ReplyStage, &'static str);

/// The enhanced code as it is counted.
pub(crate) fn enhanced(row: &ReplyRow) -> &'static str {
    row.1.trim_matches(['#', '(', ')'])
}

/// Postfix's `dsn=`: the enhanced code of the reply, unless it is missing or contradicts the outcome.
pub(crate) fn dsn(class: char, row: &ReplyRow) -> Dsn {
    let agrees = row.1.starts_with(class) && row.0.to_string().starts_with(class);
    // Postfix only defers after a permanent error in the greeting, and keeps the rest of the code.
    let moved = row.2 == ReplyStage::Greeting && row.1.starts_with(|c: char| c.is_ascii_digit());
    Dsn(class, if agrees || moved { row.1.get(1..).unwrap_or(".0.0") } else { ".0.0" })
}

pub(crate) struct Dsn(pub char, pub &'static str);

impl Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_char(self.0)?;
        f.write_str(self.1)
    }
}

/// The values of the marks in a text: `%r` recipient, `%l` its local part, `%d` its domain, `%h` the remote host,
/// `%s` sender, `%c` client as `name[ip]`, `%a` its address, `%o` its HELO; `%i` and `%m` our address and name;
/// `%n` nine digits, `%x` twelve hexadecimal ones, `%X` ten of a queue id.
#[derive(Clone, Copy)]
pub(crate) struct ReplyContext {
    pub recipient: Address,
    pub sender: Option<Address>,
    pub host: Host,
    pub client: ClientSeed,
    pub salt: u64,
}

/// Displays a text with its marks replaced.
pub(crate) struct Filled<'a>(pub &'a str, pub &'a ReplyContext);

impl Display for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(text, words) = self;
        let mut parts = text.split('%');
        f.write_str(parts.next().unwrap_or_default())?;
        for part in parts {
            let (mark, rest) = part.split_at_checked(1).ok_or(fmt::Error)?;
            words.fill(mark, part.len() as u64, f)?;
            f.write_str(rest)?;
        }
        Ok(())
    }
}

impl ReplyContext {
    fn fill(&self, mark: &str, place: u64, f: &mut fmt::Formatter) -> fmt::Result {
        let number = mix(self.salt ^ place);
        match mark {
            "r" => self.recipient.fmt(f),
            "l" => self.recipient.user.fmt(f),
            "d" => self.recipient.domain.fmt(f),
            "h" => self.host.fmt(f),
            "s" => EnvelopeSender(self.sender).fmt(f),
            "c" => write!(f, "{}[{}]", ClientName(self.client), self.client.ip()),
            "a" => self.client.ip().fmt(f),
            "o" => Helo(self.client).fmt(f),
            "i" => f.write_str(HERE_IP),
            "m" => f.write_str(HERE),
            "n" => write!(f, "{}", 100_000_000 + number % 900_000_000),
            "x" => write!(f, "{:012x}", number >> 16),
            "X" => write!(f, "{:010X}", number >> 24),
            _ => Err(fmt::Error),
        }
    }
}

/// Displays a reply; Postfix joins its lines by spaces, Exim by an escaped newline.
pub(crate) struct ReplyText<'a> {
    pub row: &'a ReplyRow,
    pub words: &'a ReplyContext,
    pub joint: &'static str,
}

pub(crate) const POSTFIX_JOINT: &str = " ";
pub(crate) const EXIM_JOINT: &str = "\\n";
/// Inside `C="…"` Exim escapes the backslash too.
pub(crate) const EXIM_QUOTED_JOINT: &str = "\\\\n";

impl Display for ReplyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let &(code, enhanced, _, text) = self.row;
        let behind = enhanced.starts_with('(');
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let last = lines.peek().is_none();
            write!(f, "{code}{}", if last { ' ' } else { '-' })?;
            if !behind && !enhanced.is_empty() {
                write!(f, "{enhanced} ")?;
            }
            Filled(line, self.words).fmt(f)?;
            if !last {
                f.write_str(self.joint)?;
            }
        }
        if behind { write!(f, " {enhanced}") } else { Ok(()) }
    }
}

/// The command in `(in reply to …)`, which Postfix appends to a reply.
pub(crate) const fn postfix_stage(stage: ReplyStage) -> &'static str {
    match stage {
        ReplyStage::Greeting => "",
        ReplyStage::Mail => "MAIL FROM command",
        ReplyStage::Rcpt => "RCPT TO command",
        ReplyStage::Data => "DATA command",
        ReplyStage::Dot => "end of DATA command",
    }
}

/// `SMTP error from remote mail server after …`.
pub(crate) struct EximStage<'a>(pub ReplyStage, pub &'a ReplyContext);

impl Display for EximStage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let words = self.1;
        match self.0 {
            ReplyStage::Greeting => f.write_str("initial connection"),
            ReplyStage::Mail if words.salt & 1 == 0 => {
                write!(f, "MAIL FROM:<{}>", EnvelopeSender(words.sender))
            }
            ReplyStage::Mail => {
                let size = 1000 + words.salt % 90_000;
                write!(f, "pipelined MAIL FROM:<{}> SIZE={size}", EnvelopeSender(words.sender))
            }
            ReplyStage::Rcpt => write!(f, "RCPT TO:<{}>", words.recipient),
            ReplyStage::Data => f.write_str("DATA"),
            ReplyStage::Dot => f.write_str("end of data"),
        }
    }
}
