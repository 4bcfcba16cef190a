//! Tells which server wrote a line, a log, or the words around a reply.

use super::Program;
use crate::parse::header::LogLine;
use crate::smtp::event::Mta;

/// The server that wrote a line. `None`: another program.
pub(crate) fn writer(line: &LogLine) -> Option<Mta> {
    match Program::of(line) {
        Program::Postfix(_) => Some(Mta::Postfix),
        Program::Exim => Some(Mta::Exim),
        Program::Sendmail => Some(Mta::Sendmail),
        Program::Opensmtpd => Some(Mta::Opensmtpd),
        Program::Kumomta => Some(Mta::Kumomta),
        Program::Foreign => None,
    }
}

/// Words that a server puts around a reply in its log and its bounces.
const fn reply_marks(mta: Mta) -> &'static [&'static str] {
    match mta {
        Mta::Postfix => {
            &["(in reply to ", "] said: ", "refused to talk to me: ", ", status=", "NOQUEUE: reject"]
        }
        Mta::Exim => &["SMTP error from remote mail server", "R=dnslookup", " T=remote_smtp", " defer ("],
        Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => &[],
    }
}

/// The server whose words stand around a reply. `None`: the text is the reply alone, or that of another server.
pub(crate) fn guess(text: &str) -> Option<Mta> {
    Mta::ALL.into_iter().find(|&mta| reply_marks(mta).iter().any(|mark| text.contains(mark)))
}

/// The server that wrote most of these lines. `None`: none of them is a mail server's.
pub(crate) fn main_writer(lines: &[u8]) -> Option<Mta> {
    let mut counts = [0_usize; Mta::COUNT];
    for line in lines.split(|&byte| byte == b'\n') {
        let mta = writer(&LogLine::read(line));
        if let Some(count) = mta.and_then(|mta| counts.get_mut(mta as usize)) {
            *count += 1;
        }
    }
    let most = Mta::ALL.into_iter().zip(counts).max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| *count > 0).map(|(mta, _)| mta)
}
