//! Collects the names of people on a line, so that they are found where they occur alone: `user anna is over quota`.

use std::sync::LazyLock;

use regex::Regex;

use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;

/// The names on a line, each once. The longest comes first, so that no name hides in another.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct KnownNames {
    /// Local parts and logins.
    locals: Vec<String>,
    /// Addresses, logins and Message-IDs with characters by which a search for addresses would cut them: `anna:@example.org`.
    whole: Vec<String>,
}

/// Labels that precede the name of a person, with or without a domain.
static LABELS: LazyLock<Regex> = LazyLock::new(|| {
    // Postfix: sasl_username=, orig_to=; Exim: A=plain:anna, U=anna, F=<anna>, set_id=anna, and anna
    // <anna@example.org>.
    Regex::new(
        r#"(?x)
        \b(?: authid= ([^,]+) | authentication\x20user= (.+?) \x20result= )
        | (?: \b(?: sasl_username | sasl_sender | user(?:name)? | login | set_id | U ) = | \bA=[\w-]+: ) [<"]? ([^\s,;>)"]+)
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
                let login = mta::login(&event, &line);
                for address in [event.sender, event.recipient, login].into_iter().flatten() {
                    names.add(&LogText(address).to_str());
                }
            }
            ParsedLine::QueueRecord(fact) => {
                let context = mta::message_fields(&fact);
                for address in [context.sender, context.user].into_iter().flatten() {
                    names.add(&LogText(address).to_str());
                }
                if let Some(id) = context.message_id {
                    names.add_whole(&LogText(id).to_str());
                }
            }
            ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {}
        }
        for label in LABELS.captures_iter(raw) {
            label.iter().skip(1).flatten().for_each(|name| names.add(name.as_str()));
        }
        names
    }

    /// Adds an address, a local part or a login; ignores the null sender.
    pub(crate) fn add(&mut self, address: &str) {
        let address = address.trim_matches(['<', '>']);
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local).trim_matches('"');
        add_longest_first(&mut self.locals, local);
        for name in [local, address] {
            self.add_whole(name);
        }
    }

    /// Adds an address, a login or a Message-ID that is to be replaced as a whole, if a search for addresses would cut it.
    pub(crate) fn add_whole(&mut self, name: &str) {
        let local = name.rsplit_once('@').map_or(name, |(local, _)| local);
        if local.chars().any(cuts_address) {
            add_longest_first(&mut self.whole, name);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.locals.iter().map(String::as_str)
    }

    /// The names to be replaced first, wherever they stand.
    pub(crate) fn whole(&self) -> impl Iterator<Item = &str> {
        self.whole.iter().map(String::as_str)
    }
}

/// Whether a local part with this character is found in angle brackets and quotes alone.
fn cuts_address(sign: char) -> bool {
    sign.is_whitespace() || sign.is_control() || "<>@\"(),:;/?&[]\\".contains(sign)
}

/// Adds a name with a letter or digit, unless it is there.
fn add_longest_first(names: &mut Vec<String>, name: &str) {
    if name.chars().any(char::is_alphanumeric) && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
        names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
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
