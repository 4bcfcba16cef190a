//! Measures timestamps at the start of a line: BSD date, clock, fraction and zone (`Nov  2 03:04:05.123 +0100`).

use memchr::memchr;

/// Whether the text begins like `Nov  2 03:04:`; letters and digits are checked only as far as needed.
#[inline]
pub(crate) fn is_usual_minute(raw: &[u8]) -> bool {
    matches!(raw, [b'A'..=b'Z' | b'a'..=b'z', _, _, b' ', _, b'0'..=b'9', b' ', _, _, b':', _, _, b':', ..])
}

/// The length of a BSD timestamp in unusual columns: `Mär 08 …`, `Mar 7 …`, `Nov 22 2026 03:04:05`.
pub(crate) fn bsd_end(raw: &[u8]) -> Option<usize> {
    let window = raw.get(..28).unwrap_or(raw);
    let month = memchr(b' ', window).filter(|end| (3..=6).contains(end))?;
    let mut at = month + count_leading(window.get(month..)?, b' ');
    loop {
        let digits = window.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match window.get(at + digits) {
            Some(b' ') if matches!(digits, 1 | 2 | 4) => at += digits + 1,
            Some(b':') if digits == 2 => return clock_length(window.get(at..)?).map(|length| at + length),
            _ => return None,
        }
    }
}

/// The length of the clock time at the start: 8 for `03:04:05`.
pub(crate) fn clock_length(text: &[u8]) -> Option<usize> {
    match text {
        [b'0'..=b'2', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9', b':', b'0'..=b'6', b'0'..=b'9', ..] => {
            Some(8)
        }
        _ => None,
    }
}

/// The length of the fraction at the start: 7 for `.123456 …`, 0 if there is none.
pub(crate) fn fraction_length(text: &[u8]) -> usize {
    match text {
        [b'.', rest @ ..] => 1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    }
}

/// The length of the zone at the start: 6 for ` +0100`, 0 if there is none.
pub(crate) fn zone_length(text: &[u8]) -> usize {
    match text {
        [b' ', b'+' | b'-', digits @ ..]
            if digits.len() >= 4 && digits.iter().take(4).all(u8::is_ascii_digit) =>
        {
            6
        }
        _ => 0,
    }
}

/// The number of equal bytes at the start.
pub(crate) fn count_leading(text: &[u8], byte: u8) -> usize {
    text.iter().take_while(|&&b| b == byte).count()
}
