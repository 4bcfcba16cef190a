//! Removes the colours that a program writes to a terminal.

/// Removes the colours of a terminal: `ESC [ 36 m` (ECMA-48 §8.3.117), and `ESC [ K`,
/// which grep writes beside them (§8.3.41).
pub(crate) fn without_colours(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let codes = behind.strip_prefix(b"[").filter(|_| first == 0x1b).and_then(|codes| {
            let length = codes.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
            match codes.get(length..)? {
                [b'm' | b'K', rest @ ..] => Some(rest),
                _ => None,
            }
        });
        rest = codes.unwrap_or_else(|| {
            plain.push(first);
            behind
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_colours_and_nothing_else() {
        let text = "\u{1b}[35m\u{1b}[Kmail.log\u{1b}[m\u{1b}[K:\u{1b}[01;31mx\u{1b}[0m \u{1b}[2Jy";
        assert_eq!(without_colours(text.as_bytes()), b"mail.log:x \x1b[2Jy");
    }
}
