//! Holds the table of the servers' own warnings, and finds what is known about one.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::cause::Cause;
use super::classify::phrases::{Phrase, PhrasePart, Phrases};
use super::classify::prefix_index::{IndexedWord, PrefixIndex};
use super::normalize;
use super::reason::Reason;
use crate::smtp::event::Mta;

/// What a warning means, and what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KnownWarning {
    /// `milter-down`
    pub id: &'static str,
    /// What it is, in words.
    pub title: &'static str,
    /// Besides one of its phrases, one of `and` must occur.
    has_and: bool,
    /// The servers that write it. Empty: any.
    server: &'static [Mta],
    /// What to do, in one line.
    pub line: &'static str,
    /// Commands that change nothing.
    pub check: &'static [&'static str],
    /// The fault stops mail, and this is the reason that a failure for it has. `None`: mail goes on, or perhaps.
    pub reason: Option<Reason>,
    /// Which one of the things that the reason stands for.
    pub cause: Option<Cause>,
    /// Nothing has to be done about it.
    pub noise: bool,
}

/// A phrase of a row: the position of the row, and whether the phrase is one of `and`.
type WarningPhrase = (u16, bool);

/// The table, as build.rs compiled it.
#[allow(clippy::unreadable_literal)]
mod packed {
    use super::{
        Cause, Cow, IndexedWord, KnownWarning, Phrase, PhrasePart, Phrases, PrefixIndex, Reason,
        WarningPhrase,
    };

    include!(concat!(env!("OUT_DIR"), "/warnings.rs"));
}

/// The table.
pub(crate) struct WarningTable {
    rows: &'static [KnownWarning],
    phrases: Phrases<WarningPhrase>,
}

static TABLE: LazyLock<WarningTable> = LazyLock::new(WarningTable::built_in);

/// The table, compiled once.
pub(crate) fn known_warnings() -> &'static WarningTable {
    &TABLE
}

impl WarningTable {
    pub(crate) fn built_in() -> Self {
        Self { rows: &packed::ROWS, phrases: packed::phrases() }
    }

    /// What is known about a warning; `text` has neither severity nor queue id. `None`: nothing is.
    pub(crate) fn find(&self, mta: Mta, text: &[u8]) -> Option<&'static KnownWarning> {
        let mut normalized = Vec::new();
        normalize(text, &mut normalized);
        let mut marks = vec![(false, false); self.rows.len()];
        self.phrases.find(&normalized, |(at, is_and)| {
            if let Some((words, and)) = marks.get_mut(usize::from(at)) {
                *if is_and { and } else { words } = true;
            }
        });
        let mut rows = self.rows.iter().zip(marks);
        let matches = |row: &KnownWarning, (words, and): (bool, bool)| {
            words && (and || !row.has_and) && (row.server.is_empty() || row.server.contains(&mta))
        };
        rows.find(|(row, marks)| matches(row, *marks)).map(|(row, _)| row)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::catalog::cause_row;

    #[test]
    fn every_line_is_short_and_every_id_is_unique() {
        let WarningTable { rows, .. } = WarningTable::built_in();
        for row in rows {
            assert!(row.line.len() <= 130, "{}: the line has {} bytes", row.id, row.line.len());
        }
        for row in rows.iter().filter(|row| row.cause.is_some()) {
            let (cause, reason) = (row.cause.map(cause_row), row.reason);
            assert!(
                cause.is_some_and(|cause| reason.is_some_and(|own| cause.reason.contains(&own))),
                "{}",
                row.id
            );
        }
        let ids: HashSet<&str> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), rows.len());
    }

    const OPENSSL: &str = "TLS library problem: error:*:SSL routines::";
    const EXIM: &str = "TLS error on connection from * [*]";

    /// The beginning and the rest of a warning about TLS, the id of its row, and whether it is noise.
    const ALERTS: &[(&str, &str, &str, bool)] = &[
        (OPENSSL, "sslv3 alert certificate expired:a.c:*:SSL alert number *:", "certificate-expired", false),
        (
            OPENSSL,
            "ssl/tls alert certificate expired:a.c:*:SSL alert number *:",
            "certificate-expired",
            false,
        ),
        (OPENSSL, "sslv3 alert bad certificate:a.c:*:SSL alert number *:", "certificate-refused", true),
        (OPENSSL, "ssl/tls alert certificate unknown:a.c:*:SSL alert number *:", "certificate-refused", true),
        (OPENSSL, "tlsv1 alert unknown ca:a.c:*:SSL alert number *:", "certificate-refused", true),
        (OPENSSL, "sslv3 alert handshake failure:a.c:*:SSL alert number *:", "tls-peer", true),
        (OPENSSL, "tlsv1 alert protocol version:a.c:*:SSL alert number *:", "tls-peer", true),
        (OPENSSL, "certificate verify failed:a.c:*:", "tls-peer", true),
        (OPENSSL, "no shared cipher:a.c:*:", "tls-peer", true),
        (
            EXIM,
            " (SSL_accept): error:*:SSL routines::sslv3 alert certificate expired",
            "certificate-expired",
            false,
        ),
        (
            EXIM,
            " (gnutls_handshake): A TLS fatal alert has been received.: Certificate is expired",
            "certificate-expired",
            false,
        ),
        (
            EXIM,
            " (gnutls_handshake): A TLS fatal alert has been received.: Certificate is bad",
            "certificate-refused",
            true,
        ),
        (EXIM, " (gnutls_handshake): The TLS connection was non-properly terminated.", "tls-peer", true),
        (EXIM, " (cert/key setup: cert=/etc/a key=/etc/b): Error while reading file.", "certificate", false),
        (
            "STARTTLS=server, error: accept failed=*, reason=",
            "sslv3 alert certificate expired, SSL_error=*",
            "certificate-expired",
            false,
        ),
    ];

    #[test]
    fn an_alert_is_what_the_client_says_of_this_servers_certificate() {
        let table = WarningTable::built_in();
        for &(start, text, id, noise) in ALERTS {
            let found = table.find(Mta::Postfix, format!("{start}{text}").as_bytes());
            assert_eq!(found.map(|row| (row.id, row.noise)), Some((id, noise)), "{start}{text}");
        }
        let expired = table.find(Mta::Postfix, b"SSL routines::sslv3 alert certificate expired");
        assert_eq!(expired.and_then(|row| row.cause), Some(Cause::OwnCertificateExpired));
    }

    #[test]
    fn knows_the_warnings_that_hold_a_cause() {
        let table = WarningTable::built_in();
        for (text, id) in [
            ("connect to Milter service inet:localhost:8891: Connection refused", "milter-down"),
            ("SASL: Connect to private/auth failed: No such file or directory", "sasl-service-down"),
            ("connect to mysql server 127.0.0.1: Can't connect to MySQL server", "lookup-server-down"),
            (
                "cannot get RSA private key from file /etc/ssl/private/mx.key: disabling TLS support",
                "certificate",
            ),
            ("not enough free space in mail queue: 1024 bytes < 1.5*message size limit", "queue-disk-full"),
            ("not enough disk space: 0% left", "queue-disk-full"),
            ("not enough inodes: 0% left", "queue-disk-full"),
            ("temporarily rejecting messages", "queue-disk-full"),
            ("hostname mx.example.org does not resolve to address 192.0.2.7", "dns-client-name"),
            ("bind 0.0.0.0 port 25: Address already in use", "port-in-use"),
            (
                "do not list domain example.org in BOTH mydestination and virtual_mailbox_domains",
                "domain-listed-twice",
            ),
            ("open database /etc/aliases.db: No such file or directory", "config-file-missing"),
            ("process /usr/lib/postfix/sbin/smtpd pid 4711 exit status 1", "process-died"),
            ("/etc/postfix/main.cf, line 12: overriding earlier entry: relayhost=a", "config-error"),
            ("non-null host address bits in \"10.0.0.1/8\", perhaps you should use", "config-error"),
            (
                "premature end-of-input on private/rewrite socket while reading input attribute name",
                "process-died",
            ),
        ] {
            assert_eq!(table.find(Mta::Postfix, text.as_bytes()).map(|row| row.id), Some(id), "{text}");
        }
        let full =
            b"low on space (SMTP-DAEMON needs 101 bytes + 100 blocks in /var/spool/mqueue), max avail: 50";
        let loaded = b"rejecting connections on daemon MTA: load average: 15";
        for (text, id) in [(&full[..], "queue-disk-full"), (loaded, "connections-refused")] {
            assert_eq!(table.find(Mta::Sendmail, text).map(|row| row.id), Some(id));
        }
        assert_eq!(table.find(Mta::Postfix, b"the moon is made of cheese"), None);
        assert_eq!(table.find(Mta::Exim, b"a header that the transport requires is missing"), None);
    }
}
