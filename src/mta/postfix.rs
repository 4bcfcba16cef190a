//! Postfix: a line comes in; which of its daemons wrote it decides how it is read.

mod answer;
mod daemon;
mod delivery;
mod refusal;

use self::daemon::Daemon;
use crate::line::Line;
use crate::mta::reading::{Reading, cut};

/// None: not a line of Postfix.
pub fn read<'a>(line: &Line<'a>) -> Option<Reading<'a>> {
    let text = line.text;
    let daemon = match line.program {
        // rsyslog's own RFC 5424 template cuts the program's name at the slash.
        b"postfix" => guess(text),
        program if program.contains(&b'/') => Daemon::find(line.daemon())?,
        _ => return None,
    };
    if daemon == Daemon::Quiet || daemon == Daemon::Smtpd && refusal::is_session(text) {
        return Some(Reading::Routine);
    }
    let (queue_id, rest) = queue_id(text);
    Some(match daemon {
        Daemon::Client => delivery::client(queue_id, rest),
        Daemon::Local | Daemon::Error | Daemon::Discard => delivery::agent(daemon, queue_id, rest),
        Daemon::Qmgr => delivery::qmgr(queue_id, rest),
        Daemon::Smtpd | Daemon::Cleanup => refusal::smtpd(queue_id, rest),
        Daemon::Postscreen => refusal::postscreen(rest),
        Daemon::Quiet => Reading::Routine,
    })
}

/// `4jXCsJ3c7Hz7j9M: rest`, `NOQUEUE: rest`. An id is hex digits in capitals, or digits and consonants
/// (postfix global/mail_queue.h); at least five of them. Lines made anonymous show that other letters come too,
/// so only what ordinary words have is refused: small vowels.
fn queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let length = text.iter().take(33).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (Some(id), Some(b": ")) = (text.get(..length), text.get(length..length + 2)) else {
        return (None, text);
    };
    let rest = text.get(length + 2..).unwrap_or_default();
    if id == b"NOQUEUE" {
        return (None, rest);
    }
    let wordlike = id.iter().any(|byte| b"aeiou".contains(byte));
    if wordlike || !(5..=32).contains(&length) { (None, text) } else { (Some(id), rest) }
}

/// Which daemon writes such a text, where the line does not say.
fn guess(text: &[u8]) -> Daemon {
    let (_, rest) = queue_id(text);
    if rest.starts_with(b"to=<") {
        match cut(rest, b", relay=").map(|(_, relay)| relay) {
            Some(relay) if relay.starts_with(b"none,") && cut(relay, b"suspended: ").is_some() => {
                Daemon::Error
            }
            Some(relay) if relay.starts_with(b"local,") || relay.starts_with(b"virtual,") => Daemon::Local,
            Some(relay) if relay.starts_with(b"none,") || cut(relay, b"], delay=").is_some() => {
                Daemon::Client
            }
            Some(relay) if cut(relay, b"]:").is_some() => Daemon::Client,
            _ => Daemon::Local,
        }
    } else if rest.starts_with(b"host ")
        || rest.starts_with(b"connect to ")
        || rest.starts_with(b"lost connection with")
    {
        Daemon::Client
    } else if rest.starts_with(b"from=<") {
        Daemon::Qmgr
    } else if cut(rest, b"reject: ").is_some_and(|(before, _)| before.len() < 12)
        || rest.starts_with(b"warning: ")
    {
        Daemon::Smtpd
    } else {
        Daemon::Quiet
    }
}
