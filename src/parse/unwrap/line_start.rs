//! Recognizes the beginning of a log line by its first bytes: a timestamp, a priority or a JSON object.

use memchr::memchr;

/// Whether the text begins with a timestamp, a priority or an object, which no host name does.
pub(crate) fn begins_a_line(text: &[u8]) -> bool {
    match text {
        [b'{', b'"' | b' ', ..] => true,
        [b'<', rest @ ..] => {
            let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0 && rest.get(digits) == Some(&b'>')
        }
        // Seconds since 1970.
        [b'1' | b'2', rest @ ..] if memchr(b'.', rest.get(..10).unwrap_or(rest)) == Some(9) => {
            rest.iter().take(9).all(u8::is_ascii_digit)
        }
        // `Sun 2026-11-22 03:04:05 CET` (journalctl -o short-full), `Sun Nov 22 03:04:05 2026` (ctime).
        [b'F' | b'M' | b'S' | b'T' | b'W', _, b'n' | b'e' | b'd' | b'u' | b'i' | b't', b' ', rest @ ..] => {
            begins_with_date(text) || begins_with_date(rest)
        }
        _ => begins_with_date(text),
    }
}

/// Whether the text begins like `Nov 22 03:04:05`, `2026-11-22 03:04:05` or `2026-11-22T03:04:05`.
fn begins_with_date(text: &[u8]) -> bool {
    match text {
        [first, _, _, b' ', b' ' | b'0'..=b'3', b'0'..=b'9', b' ', _, _, b':', _, _, b':', ..] => {
            first.is_ascii_alphabetic()
        }
        [b'0'..=b'9', _, _, b'0'..=b'9', b'-', _, _, b'-', _, _, b' ' | b'T', _, _, b':', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_how_lines_begin() {
        for text in [
            "Nov  2 03:04:05 mx1 a[1]: x",
            "2026-11-22 03:04:05 1x => y",
            "2026-11-22T03:04:05Z mx1",
            "{\"message\":\"x\"}",
            "<22>1 2026-11-22T03:04:05Z",
            "Sun 2026-11-22 03:04:05 CET mx1",
            "Sun Nov 22 03:04:05 2026 mail.info",
            "1763780645.123456 mx1 a[1]: x",
        ] {
            assert!(begins_a_line(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "mx1 a[1]: x",
            "Nov 22 x",
            "{app=\"mail\"}",
            "<a@b>",
            "<mail.info> mx1",
            "Sun Sun Sun",
            "192.0.2.1 x",
        ] {
            assert!(!begins_a_line(text.as_bytes()), "{text}");
        }
    }
}
