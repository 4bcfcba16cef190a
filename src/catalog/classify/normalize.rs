//! Normalizes a reply: replaces what differs each time (addresses, ids), and turns it to lower case.
//!
//! `550-5.1.1 <a@example.org>: User_unknown\n550 5.1.1 id 8f3k2l1m9x` → `@: user unknown id ~`. An address, or any text
//! in `<>`, becomes `@`; an IP address, with its host name, `%`; a long id `~`. Codes at the start of a line and quotes
//! are removed, hyphens and underscores become blanks, and a run of blanks becomes one.

use memchr::{memchr, memchr_iter};

use super::byte_class::{ByteClass, byte_class, plain_prefix};

/// The largest number of bytes between `<` and `>` (RFC 5321 §4.5.3.1: 64 + 255, and some room).
const ANGLE_LIMIT: usize = 330;
/// The shortest run of letters and digits, at least two of them digits, that is taken for an id. The providers' own
/// codes (`bl000001`) are shorter.
const ID_LENGTH: usize = 9;
/// A run with so many digits is an id, however short it is.
const NUMBER_LENGTH: usize = 8;

/// Replaces the content of `out` by the normalized text.
pub(crate) fn normalize(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(text.len() + 1);
    let (mut rest, repeated) = strip_codes(text);
    // A blank follows the code, and none begins the output.
    while let [b' ', behind @ ..] = rest {
        rest = behind;
    }
    loop {
        // Most bytes are plain, and are copied in one piece.
        let (length, doubled) = plain_prefix(rest, out.last().copied());
        let (plain, marked) = rest.split_at(length);
        if doubled {
            for &byte in plain {
                if byte == b' ' { push_blank(out) } else { out.push(byte) }
            }
        } else {
            out.extend_from_slice(plain);
        }
        let Some((&byte, after)) = marked.split_first() else { break };
        rest = match byte_class(byte) {
            ByteClass::Plain | ByteClass::Dropped => after,
            ByteClass::Digit => push_number(marked, repeated, out),
            ByteClass::Blank => {
                push_blank(out);
                after
            }
            ByteClass::MaskStart => mask(byte, after, out),
        };
    }
    out.make_ascii_lowercase();
    let end = out.trim_ascii_end().len();
    out.truncate(end);
}

fn push_blank(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b' ')) {
        out.push(b' ');
    }
}

/// `550-5.1.1 text` → ` text`, and `550` if a hyphen shows that more lines follow, which repeat the code.
fn strip_codes(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let text = strip_exim_frame(text).unwrap_or(text);
    let Some((code, rest)) = split_code(text) else { return (strip_enhanced(text).unwrap_or(text), None) };
    let repeated = matches!(rest.first(), Some(b'-')).then_some(code);
    let words = rest.get(1..).unwrap_or_default();
    (strip_enhanced(words).unwrap_or(words), repeated)
}

/// `SMTP error from remote mail server after RCPT TO:<a@example.org>: 550 text` → `550 text`: removes
/// Exim's words about the command.
fn strip_exim_frame(text: &[u8]) -> Option<&[u8]> {
    let frame = [&b"SMTP error from "[..], b"LMTP error after ", b"PRDR error after "];
    // The first byte rules out most texts.
    if !matches!(text.first(), Some(b'S' | b'L' | b'P')) || !frame.iter().any(|frame| text.starts_with(frame))
    {
        return None;
    }
    let mut colons = memchr_iter(b':', text).filter_map(|at| text.get(at + 1..)?.strip_prefix(b" "));
    colons.find(|rest| split_code(rest).is_some())
}

/// `550 text` → `550` and ` text`: three digits that can be a code, with a blank or a hyphen behind them.
fn split_code(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (code, rest) = text.split_at_checked(3)?;
    let fits = matches!(code, [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9']);
    (fits && matches!(rest.first(), Some(b' ' | b'-'))).then_some((code, rest))
}

/// `5.1.1 text` → ` text`.
fn strip_enhanced(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"#").unwrap_or(text);
    let (b'2' | b'4' | b'5', rest) = rest.split_first()? else { return None };
    let rest = strip_digits(rest.strip_prefix(b".")?)?;
    let rest = strip_digits(rest.strip_prefix(b".")?)?;
    (!matches!(rest.first(), Some(b'.' | b'0'..=b'9'))).then_some(rest)
}

/// Removes one to three digits.
fn strip_digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    text.get(count..).filter(|_| count > 0)
}

/// Copies a run of letters and digits from its first digit on, or replaces all of it by `~` if it is an id. The letters
/// before the digit are in `out` already.
fn push_word<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
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
    strip_id_tail(rest)
}

/// Removes the further parts of an id: `.222`, `-1d9ac`.
fn strip_id_tail(mut text: &[u8]) -> &[u8] {
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

/// Reads on at a digit: an IP address, the code that each line of a reply repeats, or a word.
fn push_number<'a>(text: &'a [u8], repeated: Option<&[u8]>, out: &mut Vec<u8>) -> &'a [u8] {
    if out.last().is_some_and(u8::is_ascii_alphanumeric) {
        return push_word(text, out);
    }
    if let Some(rest) = strip_ip(text) {
        out.push(b'%');
        return rest;
    }
    if matches!(out.last(), None | Some(b' '))
        && let Some((code, rest)) = split_code(text)
        && let Some(words) = rest.get(1..)
    {
        if let Some(words) = strip_enhanced(words) {
            return words;
        }
        if repeated == Some(code) || rest.first() == Some(&b'-') {
            return words;
        }
    }
    push_word(text, out)
}

/// Removes an IP address and its port. A time of day is taken for an IPv6 address, which does no harm.
fn strip_ip(text: &[u8]) -> Option<&[u8]> {
    strip_ipv4(text).or_else(|| strip_ipv6(text)).map(strip_port)
}

/// `:25 text` → ` text`.
fn strip_port(text: &[u8]) -> &[u8] {
    let Some(port) = text.strip_prefix(b":") else { return text };
    let length = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length > 0 { port.get(length..).unwrap_or_default() } else { text }
}

fn strip_ipv4(text: &[u8]) -> Option<&[u8]> {
    let mut rest = strip_digits(text)?;
    for _ in 0..3 {
        rest = strip_digits(rest.strip_prefix(b".")?)?;
    }
    (!rest.first().is_some_and(u8::is_ascii_alphanumeric)).then_some(rest)
}

/// Removes an IPv6 address: hexadecimal digits and at least two colons, with a decimal digit among them.
fn strip_ipv6(text: &[u8]) -> Option<&[u8]> {
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

fn mask<'a>(byte: u8, after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let masked = match byte {
        b'<' => mask_angle(after, out),
        b'@' => Some(mask_address(after, out)),
        b'[' => mask_ip(after, out),
        b'(' => strip_command(after),
        b'\\' => Some(push_escape(after, out)),
        // The curly apostrophes U+2018 and U+2019 are removed.
        0xe2 => after.strip_prefix(b"\x80\x99").or_else(|| after.strip_prefix(b"\x80\x98")),
        _ => None,
    };
    masked.unwrap_or_else(|| {
        out.push(byte);
        after
    })
}

/// Masks `<user@example.org>`, `<helo>`, `<>`. `None` leaves a web address and words with blanks.
fn mask_angle<'a>(after: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
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

/// Masks `user@example.org`; the local part is in `out` already and is removed there.
fn mask_address<'a>(after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    drop_last_word(out);
    out.push(b'@');
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let length = after.iter().take_while(is_name).count();
    after.get(length..).unwrap_or_default()
}

/// Removes the word at the end of `out`.
fn drop_last_word(out: &mut Vec<u8>) {
    let is_end = |byte: &u8| matches!(byte, b' ' | b'(' | b'=' | b':' | b';' | b',' | b'[' | b'<' | b'/');
    let end = out.iter().rposition(is_end).map_or(0, |at| at + 1);
    out.truncate(end);
}

/// Masks `[192.0.2.1]`, `mx.example.org[192.0.2.1]:25`, Google's `[192.0.2.1      15]`.
fn mask_ip<'a>(after: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let inside = after.strip_prefix(b"IPv6:").unwrap_or(after);
    let mut rest = strip_ip(inside)?;
    while let Some((b' ' | b'0'..=b'9', after)) = rest.split_first() {
        rest = after;
    }
    let rest = rest.strip_prefix(b"]")?;
    // A hyphen in the host name is a blank by now, so only the part behind it is removed.
    drop_last_word(out);
    out.push(b'%');
    Some(strip_port(rest))
}

/// Removes `(in reply to RCPT TO command)`, which Postfix adds.
fn strip_command(after: &[u8]) -> Option<&[u8]> {
    let rest = after.strip_prefix(b"in reply to ")?;
    rest.get(memchr(b')', rest)? + 1..)
}

/// Exim writes a line break as `\n`, and doubles the backslash inside `C="…"`.
fn push_escape<'a>(after: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match after {
        [b'n' | b'r' | b't', rest @ ..] => {
            push_blank(out);
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
