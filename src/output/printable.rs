//! Text from a log, made fit to be shown: nothing in it moves a cursor or turns a line around.

use std::fmt::Write;

/// Control characters are shown as `\x1b`, so are the signs that change the direction of writing or cannot be
/// seen; everything else stands as it is.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            if (c as u32) < 0x100 {
                let _ = write!(shown, "\\x{:02x}", c as u32);
            } else {
                let _ = write!(shown, "\\u{{{:x}}}", c as u32);
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Unicode's controls, marks of direction (UAX #9), joiners that are not seen, line and paragraph ends, and tags.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_nothing_through_that_a_terminal_obeys() {
        assert_eq!(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(printable("a\u{9b}2Jb\r\n"), "a\\x9b2Jb\\x0d\\x0a");
        assert_eq!(printable("\u{202e}gro.elpmaxe"), "\\u{202e}gro.elpmaxe");
        assert_eq!(printable("Müller 日本"), "Müller 日本");
    }
}
