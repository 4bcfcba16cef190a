//! Recognizes the server that wrote a text by the text alone, for lines without a header (`A1B2C3D4: to=<a@b>, relay=…`).

use super::parsed::split_once;
use super::{exim, postfix};
use crate::smtp::event::Mta;

/// Whether only this server writes such a text. False when in doubt: most texts do not tell.
pub(crate) fn is_of(mta: Mta, text: &[u8]) -> bool {
    match mta {
        Mta::Postfix => is_postfix(text),
        Mta::Exim => is_exim(text),
        Mta::Sendmail => is_sendmail(text),
        Mta::Opensmtpd => is_opensmtpd(text),
        // Its records are objects, which say what they are.
        Mta::Kumomta => false,
    }
}

fn is_postfix(text: &[u8]) -> bool {
    const OF_MESSAGES: [&[u8]; 22] = [
        b"to=<",
        b"from=<",
        b"client=",
        b"message-id=",
        b"resent-message-id=",
        b"removed",
        b"reject: ",
        b"milter-reject: ",
        b"discard: ",
        b"hold: ",
        b"milter-discard: ",
        b"milter-hold: ",
        b"proxy-reject: ",
        b"reject_warning: ",
        b"uid=",
        b"host ",
        b"lost connection with ",
        b"conversation with ",
        b"SASL authentication failed; server ",
        b"TLS is required, but ",
        b"Cannot start TLS: ",
        b"sender non-delivery notification: ",
    ];
    const OF_SESSIONS: [&[u8]; 9] = [
        b"connect from ",
        b"disconnect from ",
        b"lost connection after ",
        b"timeout after ",
        b"too many errors after ",
        b"improper command pipelining after ",
        b"proxy-reject: ",
        b"connect to ",
        b"warning: ",
    ];
    if text.starts_with(b"NOQUEUE: ") {
        return true;
    }
    match postfix::queue_id(text) {
        (Some(_), rest) => OF_MESSAGES.iter().any(|begin| rest.starts_with(begin)),
        (None, text) => {
            let is_warning = split_once(text, b": SASL ")
                .is_some_and(|(_, rest)| split_once(rest, b" authentication failed").is_some());
            OF_SESSIONS.iter().any(|begin| text.starts_with(begin))
                && (is_warning || !text.starts_with(b"warning: ") && text.contains(&b'['))
        }
    }
}

fn is_exim(text: &[u8]) -> bool {
    // An id has a shape of its own: `1tABCd-000001-2x`.
    exim::queue_id(text).0.is_some() || text.starts_with(b"H=") && split_once(text, b" rejected ").is_some()
}

fn is_sendmail(text: &[u8]) -> bool {
    let Some((id, rest)) = split_once(text.get(..4096).unwrap_or(text), b": ") else { return false };
    let has = |mark: &[u8]| split_once(rest, mark).is_some();
    id.len() >= 12
        && id.iter().all(u8::is_ascii_alphanumeric)
        && (rest.starts_with(b"to=") && has(b", stat=")
            || rest.starts_with(b"from=") && has(b", nrcpts=")
            || rest.starts_with(b"ruleset=") && has(b", reject="))
}

fn is_opensmtpd(text: &[u8]) -> bool {
    let Some((id, rest)) = text.split_at_checked(16) else { return false };
    id.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
        && [&b" smtp "[..], b" mta ", b" mda ", b" lka "].iter().any(|begin| rest.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::super::program_of_text;

    #[track_caller]
    fn is_of(text: &str, want: Option<&str>) {
        assert_eq!(program_of_text(text.as_bytes()), want, "{text}");
    }

    #[test]
    fn tells_servers_by_their_texts() {
        is_of("4jXCsJ3c7Hz7j9M: to=<a@example.org>, relay=none, status=x", Some("postfix"));
        is_of("A1B2C3D4E5: removed", Some("postfix"));
        is_of("NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 x", Some("postfix"));
        is_of("connect from unknown[192.0.2.1]", Some("postfix"));
        is_of("warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x", Some("postfix"));
        is_of("1tABCd-000001-2x => a@example.org R=r T=t", Some("exim"));
        is_of("H=x [192.0.2.1] F=<a@b> rejected RCPT <c@d>: no", Some("exim"));
        is_of(
            "h6RDLNtg011461: to=<a@example.org>, delay=00:00:01, dsn=5.1.1, stat=User unknown",
            Some("sendmail"),
        );
        is_of("8f4864084ecc48f4 mta delivery evpid=1 from=<b@c>", Some("smtpd"));
        for text in
            ["", "A1B2C3D4E5: x", "connect from somewhere", "warning: x", "to=<a@b>", "connection: to=<a@b>"]
        {
            is_of(text, None);
        }
    }
}
