//! Normalizes the words of a reply to what the same reply says every time, in lower case.
//!
//! `550-5.1.1 <a@example.org>: User_unknown\n550 5.1.1 id 8f3k2l1m9x` → `@: user unknown id ~`. An address, and
//! whatever else stands in `<>`, becomes `@`; an IP address, with the host name it belongs to, `%`; a long id `~`.
//! Codes at the front of a line and quotes go, hyphens and underscores are blanks, and a run of blanks is one.

use memchr::{memchr, memchr_iter};

use super::byte_class::{ByteClass, kind, plain};

/// An address or a name in `<>` is not longer (RFC 5321 §4.5.3.1: 64 + 255, and some room).
const ANGLE_LIMIT: usize = 330;
/// The shortest mixed run of letters and digits taken for an id; the providers' own codes (`bl000001`) are shorter.
const ID_LENGTH: usize = 9;
const NUMBER_LENGTH: usize = 8;

/// Empties `out` and fills it.
pub(crate) fn normalize(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(text.len() + 1);
    let (mut rest, repeated) = opening(text);
    loop {
        // Most bytes are plain, and go over in one piece.
        let (length, doubled) = plain(rest, out.last().copied());
        let (plain, marked) = rest.split_at(length);
        if doubled {
            for &byte in plain {
                if byte == b' ' { blank(out) } else { out.push(byte) }
            }
        } else {
            out.extend_from_slice(plain);
        }
        let Some((&byte, after)) = marked.split_first() else { break };
        rest = match kind(byte) {
            ByteClass::Plain | ByteClass::Gone => after,
            ByteClass::Digit => number(marked, repeated, out),
            ByteClass::Blank => {
                blank(out);
                after
            }
            ByteClass::Mark => mark(byte, after, out),
        };
    }
    out.make_ascii_lowercase();
    let end = out.trim_ascii_end().len();
    out.truncate(end);
}

fn blank(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b' ')) {
        out.push(b' ');
    }
}

/// `550-5.1.1 text` → what follows the code; and `550` if the reply has more lines, which repeat it.
fn opening(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let text = quoted(text).unwrap_or(text);
    let Some((code, rest)) = code(text) else { return (enhanced(text).unwrap_or(text), None) };
    let repeated = matches!(rest.first(), Some(b'-')).then_some(code);
    let words = rest.get(1..).unwrap_or_default();
    (enhanced(words).unwrap_or(words), repeated)
}

/// `SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 text` → `550 text`: what Exim says about
/// a reply is known from the command.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let frame = [&b"SMTP error from "[..], b"LMTP error after ", b"PRDR error after "];
    // Most texts begin otherwise, and their first byte tells so.
    if !matches!(text.first(), Some(b'S' | b'L' | b'P')) || !frame.iter().any(|frame| text.starts_with(frame))
    {
        return None;
    }
    let mut colons = memchr_iter(b':', text).filter_map(|at| text.get(at + 1..)?.strip_prefix(b" "));
    colons.find(|rest| code(rest).is_some())
}

/// Three digits that can be a code, and a blank or a hyphen behind them.
fn code(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (code, rest) = text.split_at_checked(3)?;
    let fits = matches!(code, [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9']);
    (fits && matches!(rest.first(), Some(b' ' | b'-'))).then_some((code, rest))
}

/// `5.1.1 text` → ` text`.
fn enhanced(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"#").unwrap_or(text);
    let (b'2' | b'4' | b'5', rest) = rest.split_first()? else { return None };
    let rest = digits(rest.strip_prefix(b".")?)?;
    let rest = digits(rest.strip_prefix(b".")?)?;
    (!matches!(rest.first(), Some(b'.' | b'0'..=b'9'))).then_some(rest)
}

/// The rest behind one to three digits.
fn digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    text.get(count..).filter(|_| count > 0)
}

/// A run of letters and digits from its first digit on, or the id it turns out to be; its first letters are in
/// `out` already.
fn word<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let letters = out.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (run, rest) = text.split_at(length);
    let figures = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    if !(letters + length >= ID_LENGTH && figures >= 2 || figures >= NUMBER_LENGTH) {
        out.extend_from_slice(run);
        return rest;
    }
    out.truncate(out.len() - letters);
    out.push(b'~');
    tail_of_id(rest)
}

/// `.222`, `-1d9ac` behind an id: more of it.
fn tail_of_id(mut text: &[u8]) -> &[u8] {
    while let Some((b'.' | b'-' | b'_', rest)) = text.split_first() {
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let (run, after) = rest.split_at(length);
        if !run.iter().any(u8::is_ascii_digit) {
            break;
        }
        text = after;
    }
    text
}

/// A digit begins an IP address, the code that stands at the front of each line of a reply, or a word.
fn number<'a>(text: &'a [u8], repeated: Option<&[u8]>, out: &mut Vec<u8>) -> &'a [u8] {
    if out.last().is_some_and(u8::is_ascii_alphanumeric) {
        return word(text, out);
    }
    if let Some(rest) = ip(text) {
        out.push(b'%');
        return rest;
    }
    if matches!(out.last(), None | Some(b' '))
        && let Some((code, rest)) = code(text)
        && let Some(words) = rest.get(1..)
    {
        if let Some(words) = enhanced(words) {
            return words;
        }
        if repeated == Some(code) || rest.first() == Some(&b'-') {
            return words;
        }
    }
    word(text, out)
}

/// An IP address and a port behind it; the rest. A time of day passes for one, which is as well.
fn ip(text: &[u8]) -> Option<&[u8]> {
    ipv4(text).or_else(|| ipv6(text)).map(behind_port)
}

/// `:25 text` → ` text`.
fn behind_port(text: &[u8]) -> &[u8] {
    let Some(port) = text.strip_prefix(b":") else { return text };
    let length = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length > 0 { port.get(length..).unwrap_or_default() } else { text }
}

fn ipv4(text: &[u8]) -> Option<&[u8]> {
    let mut rest = digits(text)?;
    for _ in 0..3 {
        rest = digits(rest.strip_prefix(b".")?)?;
    }
    (!rest.first().is_some_and(u8::is_ascii_alphanumeric)).then_some(rest)
}

/// Hex digits with two colons at least, and a digit among them.
fn ipv6(text: &[u8]) -> Option<&[u8]> {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':' || **byte == b'.';
    let near = text.get(..46).unwrap_or(text);
    memchr(b':', near)?;
    let length = near.iter().take_while(is_part).count();
    let (mut address, _) = text.split_at_checked(length)?;
    while let [front @ .., b':' | b'.'] = address {
        address = front;
    }
    let rest = text.get(address.len()..)?;
    let colons = memchr_iter(b':', address).count();
    let fits = colons >= 2
        && address.iter().any(u8::is_ascii_digit)
        && !rest.first().is_some_and(u8::is_ascii_alphanumeric);
    fits.then_some(rest)
}

fn mark<'a>(byte: u8, after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let masked = match byte {
        b'<' => angle(after, out),
        b'@' => Some(address(after, out)),
        b'[' => bracket(after, out),
        b'(' => aside(after),
        b'\\' => Some(escape(after, out)),
        // The curly apostrophe, U+2018 and U+2019.
        0xe2 => after.strip_prefix(b"\x80\x99").or_else(|| after.strip_prefix(b"\x80\x98")),
        _ => None,
    };
    masked.unwrap_or_else(|| {
        out.push(byte);
        after
    })
}

/// `<user@example.org>`, `<helo>`, `<>`; a web address and words with blanks are left.
fn angle<'a>(after: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let inside = after.get(..after.len().min(ANGLE_LIMIT))?;
    let end = memchr(b'>', inside)?;
    let inside = inside.get(..end)?;
    let words = memchr(b' ', inside).is_some() && memchr(b'@', inside).is_none();
    if words || inside.starts_with(b"http") || memchr(b'<', inside).is_some() {
        return None;
    }
    out.push(b'@');
    after.get(end + 1..)
}

/// `user@example.org`: the local part is in `out` already and goes.
fn address<'a>(after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    back_to_blank(out);
    out.push(b'@');
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let length = after.iter().take_while(is_name).count();
    after.get(length..).unwrap_or_default()
}

/// Drops the word that `out` ends with.
fn back_to_blank(out: &mut Vec<u8>) {
    let is_end = |byte: &u8| matches!(byte, b' ' | b'(' | b'=' | b':' | b';' | b',' | b'[' | b'<' | b'/');
    let end = out.iter().rposition(is_end).map_or(0, |at| at + 1);
    out.truncate(end);
}

/// `[192.0.2.1]`, `mx.example.org[192.0.2.1]:25`, Google's `[192.0.2.1      15]`.
fn bracket<'a>(after: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let inside = after.strip_prefix(b"IPv6:").unwrap_or(after);
    let mut rest = ip(inside)?;
    while let Some((b' ' | b'0'..=b'9', after)) = rest.split_first() {
        rest = after;
    }
    let rest = rest.strip_prefix(b"]")?;
    // The name before it may have had a hyphen, which is a blank by now; its last part goes.
    back_to_blank(out);
    out.push(b'%');
    Some(behind_port(rest))
}

/// `(in reply to RCPT TO command)`: said by Postfix, not by the server.
fn aside(after: &[u8]) -> Option<&[u8]> {
    let rest = after.strip_prefix(b"in reply to ")?;
    rest.get(memchr(b')', rest)? + 1..)
}

/// Exim writes a line break as `\n`, and doubles the backslash inside `C="…"`.
fn escape<'a>(after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match after {
        [b'n' | b'r' | b't', rest @ ..] => {
            blank(out);
            rest
        }
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn masks(text: &str, wanted: &str) {
        let mut out = Vec::new();
        normalize(text.as_bytes(), &mut out);
        assert_eq!(out.escape_ascii().to_string(), wanted, "{text}");
    }

    #[test]
    fn takes_out_what_differs_from_reply_to_reply() {
        masks("550 5.1.1 <a@example.org>: No such user", "@: no such user");
        masks("No such user a.b+c@example.org.", "no such user @");
        masks(
            "client [192.0.2.7] blocked, see http://example.org/?ip=192.0.2.7",
            "client % blocked, see http://example.org/?ip=%",
        );
        masks("[2001:db8::7      15] likely p22nn000202cat.22 - gsmtp", "% likely ~ gsmtp");
        masks(
            "connect to mx.example.org[192.0.2.7]:25: Connection refused",
            "connect to %: connection refused",
        );
        masks("[::1] said 2001:db8::1 no", "% said % no");
    }

    #[test]
    fn shortens_a_run_of_blanks_wherever_it_stands() {
        masks("550 5.1.1   too   many", "too many");
        masks("a 'b' ' c", "a b c");
        for length in 0..40 {
            let word = "x".repeat(length);
            masks(&format!("550 {word}   y"), format!("{word} y").trim());
            masks(&format!("{word} ' ' y  "), format!("{word} y").trim());
        }
    }

    #[test]
    fn joins_the_lines_of_one_reply() {
        masks("550-5.7.1 not 550-5.7.1 on 550 5.7.1 our list", "not on our list");
        masks("550-Sender\\n550 verify failed", "sender verify failed");
        masks("554-mx.example.org 554 poor reputation", "mx.example.org poor reputation");
        masks(
            "SMTP error from remote mail server after RCPT TO:<a@x.example>: host x [192.0.2.7]: 550 No",
            "no",
        );
        masks("no (in reply to RCPT TO command) (in reply to RCPT TO command)", "no");
    }

    #[test]
    fn leaves_what_tells_reasons_apart() {
        masks(
            "not RFC 5321 (S3150) [TSS04] BL000001 OFR_506",
            "not rfc 5321 (s3150) [tss04] bl000001 ofr 506",
        );
        masks("User doesn\u{2019}t exist; doesn't", "user doesnt exist; doesnt");
        masks("552 1 mailbox <http://example.org/1>", "1 mailbox <http://example.org/1>");
        masks("5.7.1 rejected - over-quota", "rejected over quota");
        masks("size 1234 of 550 bytes", "size 1234 of 550 bytes");
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut out = Vec::new();
        let parts: [&[u8]; 14] = [
            b"550",
            b"-",
            b" ",
            b"5.1",
            b".1",
            b"<",
            b">",
            b"@",
            b"[",
            b"]",
            b"::",
            b"\\n",
            b"\xe2\x80",
            b"(in reply to ",
        ];
        for first in parts {
            for second in parts {
                for third in parts {
                    normalize(&[first, second, third].concat(), &mut out);
                    normalize(&[third, b"1.2.3.4", second, first].concat(), &mut out);
                }
            }
        }
        for byte in 0..=255 {
            normalize(&[byte, byte, byte], &mut out);
        }
    }
}
