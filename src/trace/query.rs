//! Parses what the user wants to trace — a queue id, message-id, address or client — and matches lines against it.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use regex::bytes::{Regex, RegexBuilder};

use crate::parse::mta;
use crate::parse::mta::queue_record::{MessageFields, QueueRecord};
use crate::pipeline::filter::TextPattern;
use crate::smtp::event::{Direction, Event};

/// What to trace. It is matched as everything that it may be: a queue id may be the name of a local user as well.
pub(crate) struct TraceQuery {
    /// Without angle brackets.
    text: String,
    /// The address or network of a client; then it is matched against nothing else.
    net: Option<IpNet>,
    pattern: TextPattern,
    /// A pattern for a part that every matching line contains.
    anchor: Option<Regex>,
}

/// The least length of an anchor, in bytes: shorter ones stand in too many lines.
const ANCHOR_LENGTH: usize = 3;

impl TraceQuery {
    /// Error: why the text is none of these.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        let text = typed.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
        let pattern = TextPattern::from_str(&text)?;
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
        let anchor = match net {
            Some(net) => common_prefix(net),
            None => longest_plain_run(&text),
        };
        let anchor = anchor.filter(|anchor| anchor.len() >= ANCHOR_LENGTH);
        let anchor = anchor.and_then(|anchor| {
            let mut builder = RegexBuilder::new(&regex::escape(&anchor));
            builder.case_insensitive(true).unicode(false).build().ok()
        });
        Ok(Self { text, net, pattern, anchor })
    }

    /// A pattern that every matching line contains. `None`: any line may match.
    pub(crate) fn anchor(&self) -> Option<&Regex> {
        self.anchor.as_ref()
    }

    pub(crate) fn is_queue_id(&self, id: &[u8]) -> bool {
        id == self.text.as_bytes()
    }

    /// Whether the recipient of an event, before or after rewriting, is what is sought. `text` is the text of the line after the
    /// queue id.
    pub(crate) fn is_recipient(&self, event: &Event, text: &[u8]) -> bool {
        let named = [event.recipient, mta::original_recipient(event.mta, text)];
        self.net.is_none() && named.into_iter().flatten().any(|address| self.pattern.fits(address))
    }

    /// `text` is the text of the line after the queue id.
    pub(crate) fn matches_event(&self, event: &Event, text: &[u8]) -> bool {
        let client = event.peer;
        if event.direction == Direction::Inbound && self.matches_client(client.ip, client.host) {
            return true;
        }
        let original = mta::original_recipient(event.mta, text);
        let named = [event.recipient, event.sender, original];
        self.net.is_none() && named.into_iter().flatten().any(|address| self.pattern.fits(address))
    }

    pub(crate) fn matches_record(&self, fact: &QueueRecord) -> bool {
        let MessageFields { sender, client, client_host, user, message_id, .. } = mta::message_fields(fact);
        let is_id = |id: &[u8]| id.eq_ignore_ascii_case(self.text.as_bytes());
        self.matches_client(client, client_host)
            || self.net.is_none()
                && (message_id.is_some_and(is_id)
                    || [sender, user].into_iter().flatten().any(|address| self.pattern.fits(address)))
    }

    fn matches_client(&self, ip: Option<&[u8]>, host: Option<&[u8]>) -> bool {
        match self.net {
            Some(_) => ip.is_some_and(|ip| self.pattern.fits(ip)),
            // A mail address is no host name, but `@example.org` as a pattern would match every host of the domain.
            None if self.text.contains('@') => false,
            None => host.is_some_and(|host| self.pattern.fits(host)),
        }
    }
}

/// The octets that all addresses of a network begin with; for IPv6 the first group, since an address can be written in
/// several ways.
fn common_prefix(net: IpNet) -> Option<String> {
    match net {
        IpNet::V4(net) => {
            let whole = usize::from(net.prefix_len() / 8);
            let octets: Vec<String> =
                net.network().octets().iter().take(whole).map(ToString::to_string).collect();
            let dot = if whole == 4 { "" } else { "." };
            Some(format!("{}{dot}", octets.join(".")))
        }
        IpNet::V6(net) => {
            let first = net.network().segments().first().copied().filter(|&first| first != 0)?;
            (net.prefix_len() >= 16).then(|| format!("{first:x}:"))
        }
    }
}

/// The longest run of characters that a log contains as they were typed, also within JSON.
fn longest_plain_run(text: &str) -> Option<String> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._@-".contains(character);
    text.split(|character| !plain(character)).max_by_key(|run| run.len()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta::parsed::ParsedLine;

    #[track_caller]
    fn finds(what: &str, raw: &str, wanted: bool) {
        let query = TraceQuery::read(what).unwrap();
        let line = LogLine::read(raw.as_bytes());
        let id = mta::queue_id(&line);
        let text = id.map_or(line.text, |(_, _, rest)| rest);
        let named = id.is_some_and(|(_, id, _)| query.is_queue_id(id));
        let matches = match mta::read(&line) {
            ParsedLine::Event(event) => query.matches_event(&event, text),
            ParsedLine::QueueRecord(fact) => query.matches_record(&fact),
            ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => false,
        };
        assert_eq!(named || matches, wanted, "{what}: {raw}");
        if wanted {
            assert!(query.anchor().is_none_or(|anchor| anchor.is_match(raw.as_bytes())), "{what}: {raw}");
        }
    }

    #[test]
    fn knows_what_a_line_is_about() {
        let sent = "Nov 22 02:50:16 mx1 postfix/smtp[7]: F2A59DC171: to=<anna@example.org>, orig_to=<info@example.com>, \
            relay=mx.example.org[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)";
        for what in [
            "F2A59DC171",
            "anna@example.org",
            "<Anna@Example.org>",
            "@example.org",
            "an*@*.org",
            "info@example.com",
        ] {
            finds(what, sent, true);
        }
        for what in
            ["F2A59DC17", "nna@example.org", "@mx.example.org", "192.0.2.9", "mx.example.org", "*.net"]
        {
            finds(what, sent, false);
        }
        let arrival = "Nov 22 02:50:16 mx1 postfix/smtpd[7]: F2A59DC171: client=mx.example.org[192.0.2.9], sasl_username=anna";
        for what in ["192.0.2.9", "192.0.2.0/24", "192.0.0.0/12", "mx.example.org", "anna"] {
            finds(what, arrival, true);
        }
        for what in ["192.0.2.90", "198.51.100.0/24", "2001:db8::/32", "@mx.example.org"] {
            finds(what, arrival, false);
        }
        let named = "Nov 22 02:50:16 mx1 postfix/cleanup[7]: F2A59DC171: message-id=<1.a@example.org>";
        finds("<1.a@example.org>", named, true);
        finds("1.a@example.org", named, true);
        finds("@example.org", named, false);
        let six = "2026-11-22 02:51:48 1xUxgC-000022-1C <= a@example.org H=(x) [2001:db8::c1] P=esmtp S=1";
        finds("2001:DB8:0::c1", six, true);
        finds("2001:db8::/32", six, true);
    }
}
