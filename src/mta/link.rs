//! The other message that a line about a message names: a line's text comes in, a queue id and what it is to us go out.

use crate::event::Mta;
use crate::mta::reading::{cut, cut_last};

/// What the message that is named is to the one that the line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// It goes on as that one, here or on another host.
    Next,
    /// It came from that one: through a filter, or put into the queue anew.
    Former,
    /// That one tells the sender what became of it.
    Notice,
    /// It tells a sender what became of that one.
    NoticeOf,
}

/// What stands before the id in a log of any kind; whoever finds none of these in a line need not ask for its link.
pub const MARKS: [&str; 7] =
    ["queued as ", "forwarded as ", "notification: ", "orig_queue_id=", "orig_id=", "OK id=", " R="];

/// `text` follows the line's own queue id. None: the line names no other message. A stranger's reply may name any
/// message, so the two must agree in more than this.
pub fn link(mta: Mta, text: &[u8]) -> Option<(Tie, &[u8])> {
    let after = |mark: &[u8]| cut_last(text, mark).and_then(|(_, rest)| id(rest));
    let next = || after(b"queued as ").or_else(|| after(b"forwarded as ")).or_else(|| after(b"OK id="));
    match mta {
        Mta::Postfix if text.starts_with(b"to=<") => next().map(|id| (Tie::Next, id)),
        // `client=localhost[127.0.0.1], orig_queue_id=F2A59DC171, orig_client=…` (postfix smtpd.c);
        // `uid=0 from=<a@b> orig_id=F2A59DC171` (postfix pickup.c)
        Mta::Postfix if text.starts_with(b"client=") => {
            cut(text, b", orig_queue_id=").and_then(|(_, rest)| id(rest)).map(|id| (Tie::Former, id))
        }
        Mta::Postfix if text.starts_with(b"uid=") => {
            cut_last(text, b" orig_id=").and_then(|(_, rest)| id(rest)).map(|id| (Tie::Former, id))
        }
        // `sender non-delivery notification: F2A59DC171` (postfix bounce_notify_service.c and its neighbours)
        Mta::Postfix if text.starts_with(b"sender ") || text.starts_with(b"postmaster ") => {
            cut(text, b" notification: ").and_then(|(_, rest)| id(rest)).map(|id| (Tie::Notice, id))
        }
        // `<= <> R=1xV0EP-0000l4-07 U=…` (Exim spec ch. 52)
        Mta::Exim if text.starts_with(b"<= ") => {
            let (sender, rest) = cut(text, b" R=")?;
            let id = id(rest).filter(|id| id.get(6) == Some(&b'-'))?;
            // A sender without a blank, and nothing else before it.
            (sender.iter().filter(|&&byte| byte == b' ').count() == 1).then_some((Tie::NoticeOf, id))
        }
        Mta::Exim if text.get(1..3) == Some(b"> ") => next().map(|id| (Tie::Next, id)),
        Mta::Postfix | Mta::Exim => None,
        Mta::Sendmail | Mta::Opensmtpd => next().map(|id| (Tie::Next, id)),
    }
}

/// Letters, digits and dashes, of some length.
fn id(text: &[u8]) -> Option<&[u8]> {
    let in_id = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let length = text.iter().take(40).take_while(in_id).count();
    text.get(..length).filter(|_| (5..=32).contains(&length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(mta: Mta, text: &str, wanted: Option<(Tie, &str)>) {
        let found = link(mta, text.as_bytes());
        assert_eq!(found, wanted.map(|(tie, id)| (tie, id.as_bytes())), "{text}");
    }

    #[test]
    fn tells_which_message_a_line_names() {
        let postfix = Mta::Postfix;
        let sent = "to=<a@example.org>, relay=127.0.0.1[127.0.0.1]:10025, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10026): \
            250 2.0.0 Ok: queued as F2A59DC171)";
        names(postfix, sent, Some((Tie::Next, "F2A59DC171")));
        names(
            postfix,
            "to=<a@example.org>, status=sent (forwarded as F2A59DC171)",
            Some((Tie::Next, "F2A59DC171")),
        );
        names(postfix, "sender non-delivery notification: F2A59DC171", Some((Tie::Notice, "F2A59DC171")));
        names(postfix, "uid=0 from=<a@example.org> orig_id=F2A59DC171", Some((Tie::Former, "F2A59DC171")));
        let client = "client=localhost[127.0.0.1], orig_queue_id=F2A59DC171, orig_client=mx[192.0.2.1]";
        names(postfix, client, Some((Tie::Former, "F2A59DC171")));
        let exim = Mta::Exim;
        names(exim, "<= <> R=1xV0EP-0000l4-07 U=exim P=local S=1", Some((Tie::NoticeOf, "1xV0EP-0000l4-07")));
        let sent = "=> a@example.org R=r T=t H=mx [192.0.2.1] C=\"250 OK id=1xV0EP-0000l4-07\"";
        names(exim, sent, Some((Tie::Next, "1xV0EP-0000l4-07")));
    }

    #[test]
    fn takes_no_word_for_a_message() {
        names(Mta::Postfix, "to=<a@example.org>, status=sent (250 queued as <1@example.org>)", None);
        names(Mta::Postfix, "to=<a@example.org>, status=sent (250 queued as 1)", None);
        names(Mta::Postfix, "message-id=<queued as F2A59DC171>", None);
        names(Mta::Exim, "=> a@example.org R=dnslookup T=remote_smtp", None);
        names(Mta::Exim, "<= a@example.org H=mx [192.0.2.1] T=\"x R=1xV0EP-0000l4-07\"", None);
    }
}
