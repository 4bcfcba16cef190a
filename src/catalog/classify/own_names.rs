//! Masks the names of hosts and domains in a server's own words about a failure
//! (`Name service error for name=spam.example.org type=MX: …` → `Name service error for name=% type=MX: …`).
//!
//! Strangers choose such names, so no rule may see them: `auth.example.org` is about no login. In a reply of another server,
//! and in the text of an access rule, a name may be that of a block list, so those texts stay as they are.

use memchr::{memchr, memchr_iter, memmem};

use crate::smtp::event::Direction;
use crate::smtp::reply::Code;

/// What stands before a name in texts about a delivery that got no reply, of Postfix (smtp_addr.c, smtp_connect.c,
/// smtp_proto.c, smtp_trouble.c), Exim (transports/smtp.c, deliver.c) and Sendmail (deliver.c, domain.c).
const BEFORE: [&[u8]; 11] = [
    b"name=",
    b" to ",
    b" with ",
    b" for ",
    b" for '",
    b" host ",
    b" server ",
    b"omain ",
    b"HLO ",
    b" by ",
    b"erver: ",
];

/// Replaces the content of `out` by the text with the names masked. False: the text is a reply or has no such name, and `out`
/// is empty.
pub(crate) fn mask_names(text: &[u8], code: Option<Code>, direction: Direction, out: &mut Vec<u8>) -> bool {
    out.clear();
    if code.is_some() {
        return false;
    }
    let copied = match direction {
        Direction::Inbound => mask_client(text, out),
        Direction::Outbound | Direction::Local => mask_hosts(text, out),
    };
    if copied > 0 {
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
    }
    copied > 0
}

/// Masks the hosts of a delivery, and returns how much of the text is done.
fn mask_hosts(text: &[u8], out: &mut Vec<u8>) -> usize {
    let mut copied = 0;
    for dot in memchr_iter(b'.', text) {
        if dot < copied {
            continue;
        }
        let (front, behind) = text.split_at(dot);
        let begin = front.iter().rposition(|byte| !is_in_name(*byte)).map_or(0, |at| at + 1);
        let end = dot + behind.iter().position(|byte| !is_in_name(*byte)).unwrap_or(behind.len());
        let before = text.get(..begin).unwrap_or_default();
        let next = text.get(end..).unwrap_or_default();
        // Sendmail writes `mx.example.org.: No route to host`.
        let is_first = begin == 0 && next.starts_with(b": ") && text.get(end - 1) == Some(&b'.');
        let is_named = || is_first || BEFORE.iter().any(|mark| before.ends_with(mark));
        // The dot may end the sentence, and a path or an address is no name.
        let fits = begin >= copied && begin < dot && dot + 1 < end && !matches!(next, [b'/' | b'@', ..]);
        if fits && is_named() {
            out.extend_from_slice(text.get(copied..begin).unwrap_or_default());
            out.push(b'%');
            copied = end;
        }
    }
    copied
}

/// Masks the client of a refusal that no access rule decides: what stands between `from` or `H=` and its address, and the
/// argument of EHLO (Exim smtp_in.c, daemon.c, receive.c; postfix smtpd.c). Returns how much of the text is done.
fn mask_client(text: &[u8], out: &mut Vec<u8>) -> usize {
    let mut copied = 0;
    let mut mask = |begin: usize, end: usize| {
        if copied <= begin && begin < end {
            out.extend_from_slice(text.get(copied..begin).unwrap_or_default());
            out.push(b'%');
            copied = end;
        }
    };
    let Some(open) = memchr(b'[', text) else { return 0 };
    let front = text.get(..open).unwrap_or_default();
    let begin = |mark: &[u8]| memmem::find(front, mark).map(|at| at + mark.len());
    if let Some(name) = begin(b"HLO ") {
        let end = front.iter().skip(name).position(|byte| matches!(byte, b'"')).map(|length| name + length);
        mask(name, end.unwrap_or(name));
    }
    if let Some(name) = begin(b" from H=").or_else(|| begin(b" from ")).or_else(|| begin(b"H=")) {
        mask(name, front.trim_ascii_end().len());
    }
    copied
}

fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn masks(text: &str, direction: Direction, want: Option<&str>) {
        let mut out = Vec::new();
        let masked = mask_names(text.as_bytes(), None, direction, &mut out);
        assert_eq!(masked.then(|| String::from_utf8_lossy(&out).into_owned()).as_deref(), want, "{text}");
    }

    #[test]
    fn masks_the_names_in_texts_about_hosts() {
        for text in [
            "Host or domain name not found. Name service error for name=NAME type=MX: no",
            "connect to NAME[192.0.2.1]:25: Connection refused",
            "conversation with NAME[192.0.2.1] timed out while sending MAIL FROM",
            "mail for NAME loops back to myself",
            "TLS is required, but was not offered by host NAME[192.0.2.1]",
            "message size 9 exceeds size limit 7 of server NAME[192.0.2.1]",
            "Domain NAME does not accept mail (nullMX)",
            "retry time not reached for any host for 'NAME'",
            "Remote host closed connection in response to EHLO NAME",
            "Deferred: Connection refused by NAME.",
            "Host unknown (Name server: NAME: host not found)",
        ] {
            for host in ["con.example.org", "spam-list.example.org"] {
                masks(
                    &text.replace("NAME", host),
                    Direction::Outbound,
                    Some(&text.replace("NAME.", "%").replace("NAME", "%")),
                );
            }
        }
    }

    #[test]
    fn leaves_everything_else() {
        for text in [
            "",
            "Connection refused.",
            "cannot open file /var/mail/a.lock for user a",
            "maildir delivery failed: create maildir file /home/b/Maildir/tmp/1.P2.mx1: Permission denied",
            "unknown user: \"a@example.org\"",
            "mail forwarding loop for a@example.org",
            "alias database unavailable. See master.cf",
        ] {
            masks(text, Direction::Local, None);
        }
        masks("mx.example.org.: No route to host", Direction::Outbound, Some("%: No route to host"));
        masks("blocked, as 192.0.2.7 is listed at dnsbl.example.org", Direction::Inbound, None);
        masks("no mail from example.org, please", Direction::Inbound, None);
        let mut out = Vec::new();
        let text = b"mail for a.example.org loops";
        assert!(!mask_names(text, Code::new(554), Direction::Outbound, &mut out));
    }

    #[test]
    fn masks_the_names_of_refused_clients() {
        for (text, want) in [
            (
                "refused connection from a.example.org [192.0.2.1] (host_reject_connection)",
                "refused connection from % [192.0.2.1] (host_reject_connection)",
            ),
            (
                "SMTP call from a.example.org (b) [192.0.2.1] dropped: too many",
                "SMTP call from % [192.0.2.1] dropped: too many",
            ),
            ("rejected \"EHLO b\" from (b) [192.0.2.1]", "rejected \"EHLO %\" from % [192.0.2.1]"),
            (
                "too many recipients: message rejected: sender=<a@b> H=b (c) [192.0.2.1]",
                "too many recipients: message rejected: sender=<a@b> H=% [192.0.2.1]",
            ),
            (
                "limit exceeded: 31 from a-b[192.0.2.1] for service",
                "limit exceeded: 31 from %[192.0.2.1] for service",
            ),
        ] {
            masks(text, Direction::Inbound, Some(want));
        }
    }
}
