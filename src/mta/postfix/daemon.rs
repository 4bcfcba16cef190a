//! The daemons of Postfix: a name comes in, the kind of its lines goes out.

/// The daemons whose lines differ in kind. Told by their own name, never by the instance before the slash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Daemon {
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
    /// The others: nothing they say is a result or a refusal.
    Quiet,
}

impl Daemon {
    /// None: not a daemon of Postfix.
    pub fn find(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"smtp" | b"lmtp" => Daemon::Client,
            b"local" | b"virtual" | b"pipe" => Daemon::Local,
            b"error" | b"retry" => Daemon::Error,
            b"discard" => Daemon::Discard,
            b"qmgr" | b"oqmgr" | b"nqmgr" => Daemon::Qmgr,
            b"smtpd" | b"qmqpd" => Daemon::Smtpd,
            b"postscreen" => Daemon::Postscreen,
            b"cleanup" => Daemon::Cleanup,
            b"anvil" | b"bounce" | b"defer" | b"trace" | b"dnsblog" | b"flush" | b"master" | b"pickup"
            | b"postalias" | b"postcat" | b"postconf" | b"postdrop" | b"postfix-script" | b"postkick"
            | b"postlock" | b"postlog" | b"postlogd" | b"postmap" | b"postmulti" | b"postqueue"
            | b"postsuper" | b"posttls-finger" | b"proxymap" | b"proxywrite" | b"rewrite" | b"scache"
            | b"sendmail" | b"showq" | b"spawn" | b"tlsmgr" | b"tlsproxy" | b"trivial-rewrite"
            | b"verify" => Daemon::Quiet,
            _ => return None,
        })
    }
}
