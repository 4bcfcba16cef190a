//! Parses the fields of Exim's delivery lines: `F=<a@b> R=dnslookup T=remote_smtp H=mx [192.0.2.1]:25 C="250 OK"`.

use std::ops::Range;

use memchr::memrchr_iter;

use super::host;
use crate::parse::mta::parsed::{address, split_word};
use crate::simd::find::ByteIter;
use crate::smtp::event::Peer;

/// The fields of a delivery line that are used. `None`: the line does not have it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct EximFields<'a> {
    pub sender: Option<&'a [u8]>,
    /// The text from the router's name on; [`name`] cuts it.
    pub router: Option<&'a [u8]>,
    /// The text from the transport's name on; [`name`] cuts it.
    pub transport: Option<&'a [u8]>,
    /// `None`: no host, or one without an address.
    pub peer: Option<Peer<'a>>,
    /// The reply that accepted the message: `C="…"`. Only the durations follow it.
    pub confirmation: Option<&'a [u8]>,
}

impl<'a> EximFields<'a> {
    /// Parses the fields in `part` of the text. Each field begins behind a blank; unknown fields, and the values of known
    /// ones, are skipped.
    pub(crate) fn read(text: &'a [u8], part: Range<usize>) -> Self {
        let mut fields = Self::default();
        let mut behind = part.start;
        let within = text.get(part.clone()).unwrap_or_default();
        for blank in ByteIter::new(within, b' ').map(|blank| part.start + blank) {
            if blank < behind {
                continue;
            }
            match text.get(blank + 1..).unwrap_or_default() {
                [b'R', b'=', rest @ ..] => fields.router = Some(rest),
                [b'T', b'=', rest @ ..] => fields.transport = Some(rest),
                [b'F', b'=', b'<', rest @ ..] => {
                    if let Some((sender, rest)) = address(rest) {
                        fields.sender = Some(sender);
                        behind = text.len() - rest.len();
                    }
                }
                // Old versions leave out the brackets.
                [b'F', b'=', rest @ ..] => fields.sender = fields.sender.or(Some(split_word(rest).0)),
                [b'H', b'=', rest @ ..] => {
                    if let Some((peer, rest)) = host::read(rest) {
                        fields.peer = Some(peer);
                        // No other field that is used follows the host (Exim deliver.c, delivery_log).
                        let rest = text.len() - rest.len()..part.end;
                        fields.confirmation = text.get(rest).and_then(confirmation);
                        break;
                    }
                }
                [b'C', b'=', b'"', ..] => {
                    fields.confirmation = text.get(blank..part.end).and_then(confirmation);
                    break;
                }
                _ => {}
            }
        }
        fields
    }
}

/// The reply `250 OK` in ` X=TLS1.3:… DN="…" C="250 OK" DT=1s`. Exim puts a backslash before a quote in the reply, so the
/// last mark is its own; a certificate's name may contain one, too.
fn confirmation(text: &[u8]) -> Option<&[u8]> {
    let mut quotes = memrchr_iter(b'"', text);
    let last = quotes.next()?;
    let is_its = |quote: &usize| text.get(..*quote).is_some_and(|before| before.ends_with(b" C="));
    match quotes.find(is_its) {
        Some(begin) => text.get(begin + 1..last),
        // The line was cut off inside the reply.
        None => text.get(Some(last).filter(is_its)? + 1..),
    }
}

/// The name `dnslookup` at the start of `dnslookup …` or `dnslookup:`.
pub(crate) fn name(text: &[u8]) -> &[u8] {
    let (name, _) = split_word(text);
    name.strip_suffix(b":").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_nothing_that_stands_in_another_field() {
        let text = concat!(
            r#" F=<"b H=a.example.org [192.0.2.1]"@example.org> R=r T=t"#,
            r#" H=mx (C="2") [192.0.2.7]:25 DN="/CN=H=x C="9" F=<c@d>" C="250 \"R=z C=\"""#,
        );
        let fields = EximFields::read(text.as_bytes(), 0..text.len());
        assert_eq!(fields.sender, Some(&br#""b H=a.example.org [192.0.2.1]"@example.org"#[..]));
        assert_eq!(fields.router.map(name), Some(&b"r"[..]));
        assert_eq!(fields.transport.map(name), Some(&b"t"[..]));
        assert_eq!(fields.peer.and_then(|peer| peer.ip), Some(&b"192.0.2.7"[..]));
        assert_eq!(fields.confirmation, Some(&br#"250 \"R=z C=\""#[..]));
    }
}
