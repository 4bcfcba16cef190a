//! Recognizes Postfix's daemons by the program's name, and groups those whose lines are alike.

use crate::parse::header::LogLine;

/// The daemons whose lines differ in kind. Told by their own name, never by the instance before the slash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Daemon {
    /// smtp and lmtp: they speak to a remote server.
    Client,
    /// local, virtual and pipe: they deliver here.
    Local,
    /// error and retry: they deliver nothing and say why.
    Error,
    Discard,
    Qmgr,
    Smtpd,
    Postscreen,
    Cleanup,
    Pickup,
    Postsuper,
    /// bounce, defer and trace: they tell senders what became of their mail.
    Bounce,
    /// The others: nothing they say is a result or a refusal.
    Quiet,
    /// The line says `postfix` and no more: rsyslog's own RFC 5424 template cuts a program's name at the slash.
    Unnamed,
}

impl Daemon {
    /// None: Postfix did not write the line.
    pub fn of(line: &LogLine) -> Option<Self> {
        match line.daemon_start {
            0 => (line.program == b"postfix").then_some(Self::Unnamed),
            _ => Self::find(line.daemon()),
        }
    }

    /// None: not a daemon of Postfix. By length first, since this is asked for every line.
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

/// Of a length that is known, names are compared as numbers are.
fn find_in<const LENGTH: usize>(table: &[([u8; LENGTH], Daemon)], name: &[u8]) -> Option<Daemon> {
    let name = name.first_chunk::<LENGTH>()?;
    table.iter().find(|(known, _)| known == name).map(|&(_, daemon)| daemon)
}

/// The busiest first.
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
    (*b"postlog", Daemon::Quiet),
    (*b"postfix", Daemon::Quiet),
];

const LONGER: [(&[u8], Daemon); 18] = [
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
    (b"postfix-script", Daemon::Quiet),
    (b"postalias", Daemon::Quiet),
    (b"postconf", Daemon::Quiet),
    (b"postkick", Daemon::Quiet),
    (b"postlock", Daemon::Quiet),
    (b"postmulti", Daemon::Quiet),
    (b"posttls-finger", Daemon::Quiet),
    (b"postfix-wrapper", Daemon::Quiet),
];
