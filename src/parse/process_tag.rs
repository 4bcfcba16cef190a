//! Recognizes the tag of a syslog line by its process id: `postfix/smtp[123]:`.

use memchr::memchr;

use crate::simd::eq_mask32;
use crate::simd::find::find;

/// Whether the text is `host name[123]: …`: then a syslog daemon wrote the line, not Exim, whose timestamps also have a
/// blank between date and time.
pub(crate) fn names_a_process(text: &[u8]) -> bool {
    let Some(host) = find(b' ', text) else { return false };
    let tag = text.get(host + 1..).unwrap_or_default();
    // Exim's lines have `=>`, `H=` and the like there, which two bytes exclude.
    let (Some(&first), Some(&second)) = (tag.first(), tag.get(1)) else { return false };
    (is_plain(first) && (is_plain(second) || second == b'['))
        && is_process(tag.get(..find(b' ', tag).unwrap_or(tag.len())).unwrap_or_default())
}

/// Like [`names_a_process`], for the text behind a timestamp of 19 bytes. It finds both words in one window of 32 bytes,
/// which is enough for nearly all lines. `None`: the line is shorter than the window.
#[inline]
pub(crate) fn names_a_process_fast(raw: &[u8], text: &[u8]) -> Option<bool> {
    let begin = raw.len() - text.len();
    // If the text is short, the window begins before it, and those bits are shifted out.
    let from = begin.min(raw.len().checked_sub(32)?);
    let window = raw.get(from..)?.first_chunk()?;
    let end = 1_u64 << text.len().min(32);
    let blanks = u64::from(eq_mask32(window, b' ')) >> (begin - from) | end;
    let second = (blanks & (blanks - 1)).trailing_zeros() as usize;
    let is_seen = second < 32;
    Some(if is_seen && text.get(..second)?.last_chunk() != Some(b"]:") {
        false
    } else {
        names_a_process(text)
    })
}

/// The text behind a process id that a program prints before each line, right-aligned in five columns and followed by a
/// blank: `  text` of `  273   text`. Where the padding was trimmed, the text must begin with two blanks or with `LOG:`.
/// `None`: the line does not begin with such a number.
pub(crate) fn without_padded_pid(line: &[u8]) -> Option<&[u8]> {
    let padding = line.iter().take(5).take_while(|byte| **byte == b' ').count();
    let digits = line.iter().skip(padding).take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let text = line.get(padding + digits..)?.strip_prefix(b" ")?;
    let is_padded = padding + digits == 5 || padding == 0 && digits > 5;
    let is_trimmed = padding == 0 && (text.starts_with(b"  ") || text.starts_with(b"LOG:"));
    (digits > 0 && (is_padded || is_trimmed)).then_some(text)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.')
}

/// Whether the word is `name[123]:`.
pub(crate) fn is_process(word: &[u8]) -> bool {
    let Some(tag) = word.strip_suffix(b"]:") else { return false };
    memchr(b'[', tag).is_some_and(|open| {
        let (name, pid) = tag.split_at(open);
        !name.is_empty()
            && name.iter().copied().all(is_plain)
            && pid.len() > 1
            && pid.iter().skip(1).all(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_a_padded_process_id_and_no_other_number() {
        for (line, text) in [
            ("  273   x", Some("  x")),
            ("    1 LOG: x", Some("LOG: x")),
            ("12345 x", Some("x")),
            ("1234567 x", Some("x")),
            ("273   x", Some("  x")),
            ("273 LOG: x", Some("LOG: x")),
            ("273 x", None),
            ("   12345 x", None),
            ("  273x", None),
            ("     x", None),
            ("", None),
        ] {
            assert_eq!(without_padded_pid(line.as_bytes()), text.map(str::as_bytes), "{line}");
        }
    }
}
