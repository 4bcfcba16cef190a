//! Defines how the message named in a line relates to the message of the line, and parses the queue id of the named one
//! (`status=sent (250 2.0.0 Ok: queued as F2A59DC171)`).

use super::parsed::split_last;

/// How the message named in a line relates to the message the line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// This message continues as the named one, on this host or another.
    ForwardedTo,
    /// This message was made from the named one: by a content filter, or when it was requeued.
    MadeFrom,
    /// The named message is a notification to the sender about this one.
    NotifiedBy,
    /// This message is a notification about the named one.
    NotifiesAbout,
}

/// The texts that precede a related queue id, for all servers. A line without any of them names no other message.
pub(crate) const MARKS: [&str; 13] = [
    "queued as ",
    "forwarded as ",
    "notification: ",
    "orig_queue_id=",
    "orig_id=",
    "OK id=",
    " R=",
    ": DSN: ",
    " notify: ",
    ": return to sender: ",
    "Requeue: ",
    "250 2.5.0 OK (",
    "accept mail to <",
];

/// The message that this one continues as: `queued as ID`, `forwarded as ID`, `OK id=ID`. A remote server can put any id
/// into its reply, so the caller must compare more than the id.
pub(crate) fn forwarded_to(text: &[u8]) -> Option<(Relation, &[u8])> {
    let after = |mark: &[u8]| split_last(text, mark).and_then(|(_, rest)| id(rest));
    let id = after(b"queued as ").or_else(|| after(b"forwarded as ")).or_else(|| after(b"OK id="))?;
    Some((Relation::ForwardedTo, id))
}

/// The queue id at the start of the text: 5 to 32 letters, digits and dashes. `None`: there is none.
pub(crate) fn id(text: &[u8]) -> Option<&[u8]> {
    let in_id = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let length = text.iter().take(40).take_while(in_id).count();
    text.get(..length).filter(|_| (5..=32).contains(&length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::mta;
    use crate::smtp::event::Mta;

    #[track_caller]
    fn names(mta: Mta, text: &str, wanted: Option<(Relation, &str)>) {
        let found = mta::related_queue_id(mta, text.as_bytes());
        assert_eq!(found, wanted.map(|(relation, id)| (relation, id.as_bytes())), "{text}");
    }

    #[test]
    fn tells_which_message_a_line_names() {
        let postfix = Mta::Postfix;
        let sent = "to=<a@example.org>, relay=127.0.0.1[127.0.0.1]:10025, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10026): \
            250 2.0.0 Ok: queued as F2A59DC171)";
        names(postfix, sent, Some((Relation::ForwardedTo, "F2A59DC171")));
        names(
            postfix,
            "to=<a@example.org>, status=sent (forwarded as F2A59DC171)",
            Some((Relation::ForwardedTo, "F2A59DC171")),
        );
        names(
            postfix,
            "sender non-delivery notification: F2A59DC171",
            Some((Relation::NotifiedBy, "F2A59DC171")),
        );
        names(
            postfix,
            "uid=0 from=<a@example.org> orig_id=F2A59DC171",
            Some((Relation::MadeFrom, "F2A59DC171")),
        );
        let client = "client=localhost[127.0.0.1], orig_queue_id=F2A59DC171, orig_client=mx[192.0.2.1]";
        names(postfix, client, Some((Relation::MadeFrom, "F2A59DC171")));
        let exim = Mta::Exim;
        names(
            exim,
            "<= <> R=1xV0EP-0000l4-07 U=exim P=local S=1",
            Some((Relation::NotifiesAbout, "1xV0EP-0000l4-07")),
        );
        let sent = "=> a@example.org R=r T=t H=mx [192.0.2.1] C=\"250 OK id=1xV0EP-0000l4-07\"";
        names(exim, sent, Some((Relation::ForwardedTo, "1xV0EP-0000l4-07")));
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
