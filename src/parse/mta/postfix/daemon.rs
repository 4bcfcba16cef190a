//! Recognizes Postfix's daemons by the name of the program (`postfix/smtpd`), and groups those with the same lines.

use crate::parse::header::LogLine;

/// Groups of daemons whose lines have the same formats. Only the name behind the last slash decides, not the instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Daemon {
    /// smtp and lmtp, which deliver to a remote server.
    Client,
    /// local, virtual and pipe, which deliver on this host.
    Local,
    /// error and retry, which deliver nothing and log the reason.
    Error,
    Discard,
    Qmgr,
    Smtpd,
    Postscreen,
    Cleanup,
    Pickup,
    Postsuper,
    /// bounce, defer and trace, which send delivery status notifications.
    Bounce,
    /// All others: their lines are neither results nor rejections.
    Quiet,
    /// The command postlog, which logs the text that a script passes to it.
    Postlog,
    /// The program is only `postfix`: rsyslog's RFC 5424 template cuts the name at the slash.
    Unnamed,
    /// MailScanner, a filter that takes messages from Postfix's hold queue, and puts them into the incoming queue under
    /// another queue id.
    MailScanner,
    /// The filter of Proxmox Mail Gateway, which takes messages by LMTP and sends them back by SMTP.
    PmgFilter,
}

impl Daemon {
    /// The daemon that wrote the line. `None`: not Postfix.
    pub fn of(line: &LogLine) -> Option<Self> {
        match line.daemon_start {
            0 => match line.program {
                b"postfix" => Some(Self::Unnamed),
                b"MailScanner" => Some(Self::MailScanner),
                b"pmg-smtp-filter" => Some(Self::PmgFilter),
                _ => None,
            },
            _ => Self::find(line.daemon()),
        }
    }

    /// Looks up a daemon by name, first by its length, since this runs for every line. `None`: not a daemon of Postfix.
    fn find(name: &[u8]) -> Option<Self> {
        match name.len() {
            4 => find_in(&FOUR, name),
            5 => find_in(&FIVE, name),
            6 => find_in(&SIX, name),
            7 => find_in(&SEVEN, name),
            _ => LONGER.iter().find(|(known, _)| *known == name).map(|&(_, daemon)| daemon),
        }
    }
}

/// Compares names of the same length as arrays, which the compiler turns into integer compares.
fn find_in<const LENGTH: usize>(table: &[([u8; LENGTH], Daemon)], name: &[u8]) -> Option<Daemon> {
    let name = name.first_chunk::<LENGTH>()?;
    table.iter().find(|(known, _)| known == name).map(|&(_, daemon)| daemon)
}

/// The daemons that write most lines come first.
const FOUR: [([u8; 4], Daemon); 4] = [
    (*b"smtp", Daemon::Client),
    (*b"qmgr", Daemon::Qmgr),
    (*b"lmtp", Daemon::Client),
    (*b"pipe", Daemon::Local),
];

const FIVE: [([u8; 5], Daemon); 13] = [
    (*b"smtpd", Daemon::Smtpd),
    (*b"anvil", Daemon::Quiet),
    (*b"local", Daemon::Local),
    (*b"error", Daemon::Error),
    (*b"retry", Daemon::Error),
    (*b"defer", Daemon::Bounce),
    (*b"trace", Daemon::Bounce),
    (*b"flush", Daemon::Quiet),
    (*b"showq", Daemon::Quiet),
    (*b"spawn", Daemon::Quiet),
    (*b"oqmgr", Daemon::Qmgr),
    (*b"nqmgr", Daemon::Qmgr),
    (*b"qmqpd", Daemon::Smtpd),
];

const SIX: [([u8; 6], Daemon); 6] = [
    (*b"bounce", Daemon::Bounce),
    (*b"pickup", Daemon::Pickup),
    (*b"tlsmgr", Daemon::Quiet),
    (*b"scache", Daemon::Quiet),
    (*b"master", Daemon::Quiet),
    (*b"verify", Daemon::Quiet),
];

const SEVEN: [([u8; 7], Daemon); 9] = [
    (*b"cleanup", Daemon::Cleanup),
    (*b"dnsblog", Daemon::Quiet),
    (*b"virtual", Daemon::Local),
    (*b"discard", Daemon::Discard),
    (*b"rewrite", Daemon::Quiet),
    (*b"postmap", Daemon::Quiet),
    (*b"postcat", Daemon::Quiet),
    (*b"postlog", Daemon::Postlog),
    (*b"postfix", Daemon::Quiet),
];

const LONGER: [(&[u8], Daemon); 19] = [
    (b"postscreen", Daemon::Postscreen),
    (b"tlsproxy", Daemon::Quiet),
    (b"trivial-rewrite", Daemon::Quiet),
    (b"proxymap", Daemon::Quiet),
    (b"proxywrite", Daemon::Quiet),
    (b"sendmail", Daemon::Quiet),
    (b"postdrop", Daemon::Quiet),
    (b"postsuper", Daemon::Postsuper),
    (b"postqueue", Daemon::Quiet),
    (b"postlogd", Daemon::Quiet),
    (b"nbdb_reindexd", Daemon::Quiet),
    (b"postfix-script", Daemon::Quiet),
    (b"postalias", Daemon::Quiet),
    (b"postconf", Daemon::Quiet),
    (b"postkick", Daemon::Quiet),
    (b"postlock", Daemon::Quiet),
    (b"postmulti", Daemon::Quiet),
    (b"posttls-finger", Daemon::Quiet),
    (b"postfix-wrapper", Daemon::Quiet),
];
