//! Reads the table of the servers' own warnings, and finds what is known about one.

use serde::Deserialize;

use super::classify::phrases::{Phrase, Phrases};
use super::normalize;
use super::tables::table;
use crate::smtp::event::Mta;

/// What a warning means, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownWarning {
    /// `milter-down`
    pub id: String,
    /// What it is, in words.
    pub title: String,
    /// Phrases, of which one must occur, written as in the rules.
    words: Vec<String>,
    /// More phrases, of which one must occur, too. Empty: none has to.
    #[serde(default)]
    and: Vec<String>,
    /// The servers that write it. Empty: any.
    #[serde(default)]
    server: Vec<Mta>,
    /// What to do, in one line.
    pub line: String,
    /// Commands that change nothing.
    #[serde(default)]
    pub check: Vec<String>,
    /// Nothing has to be done about it.
    #[serde(default)]
    pub noise: bool,
    /// Source files that write such a line.
    pub source: String,
}

/// The table, compiled.
pub(crate) struct WarningTable {
    rows: Vec<KnownWarning>,
    /// The position of a row, and whether the phrase is one of `and`.
    phrases: Phrases<(usize, bool)>,
}

impl WarningTable {
    pub(crate) fn built_in() -> Self {
        #[derive(Deserialize)]
        struct WarningFile {
            warning: Vec<KnownWarning>,
        }
        let WarningFile { warning: rows } = table("warnings");
        let both = |row: &KnownWarning| {
            let words = row.words.iter().map(|phrase| (phrase.clone(), false));
            words.chain(row.and.iter().map(|phrase| (phrase.clone(), true))).collect::<Vec<_>>()
        };
        let phrases = rows.iter().enumerate().flat_map(|(at, row)| {
            // A phrase that cannot match would be a fault of the table; a test reads all of them.
            both(row).into_iter().filter_map(move |(phrase, is_and)| Phrase::read(&phrase, (at, is_and)).ok())
        });
        let phrases = Phrases::new(phrases.collect());
        Self { rows, phrases }
    }

    /// What is known about a warning; `text` has neither severity nor queue id. `None`: nothing is.
    pub(crate) fn find(&self, mta: Mta, text: &[u8]) -> Option<&KnownWarning> {
        let mut normalized = Vec::new();
        normalize(text, &mut normalized);
        let mut marks = vec![(false, false); self.rows.len()];
        self.phrases.find(&normalized, |(at, is_and)| {
            if let Some((words, and)) = marks.get_mut(at) {
                *if is_and { and } else { words } = true;
            }
        });
        let mut rows = self.rows.iter().zip(marks);
        let matches = |row: &KnownWarning, (words, and): (bool, bool)| {
            words && (and || row.and.is_empty()) && (row.server.is_empty() || row.server.contains(&mta))
        };
        rows.find(|(row, marks)| matches(row, *marks)).map(|(row, _)| row)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_phrase_can_match_and_every_id_is_unique() {
        let WarningTable { rows, .. } = WarningTable::built_in();
        for row in &rows {
            for phrase in row.words.iter().chain(&row.and) {
                assert!(Phrase::read(phrase, ()).is_ok(), "{}: {phrase}", row.id);
            }
            assert!(row.line.len() <= 130, "{}: the line has {} bytes", row.id, row.line.len());
        }
        let ids: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids.len(), rows.len());
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
            assert_eq!(
                table.find(Mta::Postfix, text.as_bytes()).map(|row| row.id.as_str()),
                Some(id),
                "{text}"
            );
        }
        assert_eq!(table.find(Mta::Postfix, b"the moon is made of cheese"), None);
        assert_eq!(table.find(Mta::Exim, b"a header that the transport requires is missing"), None);
    }
}
