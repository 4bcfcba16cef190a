//! Collects the names of people on a line, so that they are found where they occur alone: `user anna is over quota`.

use std::sync::LazyLock;

use regex::Regex;

use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;

/// Local parts and logins, each once. The longest comes first, so that no name hides in another.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct KnownNames(Vec<String>);

/// Labels that precede the name of a person, with or without a domain.
static LABELS: LazyLock<Regex> = LazyLock::new(|| {
    // Postfix: sasl_username=, orig_to=; Exim: A=plain:anna, U=anna, F=<anna>, set_id=anna, and anna
    // <anna@example.org>.
    Regex::new(
        r#"(?x)
        (?: \b(?: sasl_username | sasl_sender | user(?:name)? | login | set_id | U ) = | \bA=[\w-]+: ) [<"]? ([^\s,;>)"]+)
        | \b(?: to | from | orig_to | F | for | user ) = < ([^>]+) >
        | (?: => | -> | \*\* | == ) \s ([^\s<]+) (?: \s | $ )"#,
    )
    .expect("a test reads it")
});

impl KnownNames {
    /// The names on a whole log line.
    pub(crate) fn of_line(raw: &str) -> Self {
        let mut names = Self::default();
        let line = LogLine::read(raw.as_bytes());
        match mta::read(&line) {
            ParsedLine::Event(event) => {
                for address in [event.sender, event.recipient].into_iter().flatten() {
                    names.add(&LogText(address).to_str());
                }
            }
            ParsedLine::QueueRecord(fact) => {
                let context = mta::message_fields(&fact);
                for address in [context.sender, context.user].into_iter().flatten() {
                    names.add(&LogText(address).to_str());
                }
            }
            ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {}
        }
        for label in LABELS.captures_iter(raw) {
            let found = [label.get(1), label.get(2), label.get(3)].into_iter().flatten();
            found.for_each(|name| names.add(name.as_str()));
        }
        names
    }

    /// Adds an address, a local part or a login; ignores the null sender.
    pub(crate) fn add(&mut self, address: &str) {
        let address = address.trim_matches(['<', '>']);
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local).trim_matches('"');
        let is_new = local.chars().any(char::is_alphanumeric) && !self.0.iter().any(|known| known == local);
        if is_new {
            self.0.push(local.to_owned());
            self.0.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn tells(line: &str, wanted: &[&str]) {
        assert_eq!(KnownNames::of_line(line).iter().collect::<Vec<_>>(), wanted, "{line}");
    }

    #[test]
    fn finds_who_is_named_on_a_line() {
        tells(
            "Nov 22 05:32:27 mx1 postfix/smtpd[1]: 4jXCsJ3c7Hz7j9M: client=unknown[192.0.2.1], sasl_method=PLAIN, \
            sasl_username=anna",
            &["anna"],
        );
        tells(
            "Nov 22 05:32:27 mx1 postfix/local[1]: 12F14DC03F: to=<bert@example.org>, orig_to=<root>, relay=local, delay=1, \
            delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)",
            &["bert", "root"],
        );
        tells("2026-11-22 05:32:27 x login authenticator failed: 535 (set_id=anna.b)", &["anna.b"]);
        tells(
            "2026-11-22 05:32:27 1vMxyz-000000001Ab-0001 => carl <carl@example.org> R=local T=maildir",
            &["carl"],
        );
        tells("Nov 22 05:32:27 mx1 sshd[1]: nothing", &[]);
    }
}
