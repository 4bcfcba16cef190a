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

/// The same for JSON, in which such a sign may stand as `\u009b`: what is read from it stays the same. None: nothing is
/// to be done. Signs below U+007F are escaped already where they need it.
pub fn printable_json(json: &str) -> Option<String> {
    let hostile = |c: char| c >= '\x7f' && is_hostile(c);
    if json.is_ascii() && !json.contains('\x7f') || !json.contains(hostile) {
        return None;
    }
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Some(shown)
}

/// Unicode's controls, marks of direction (UAX #9), joiners and fillers that are not seen, line and paragraph ends, and
/// tags.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
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
        assert_eq!(printable("a\u{61c}b\u{ad}c"), "a\\u{61c}b\\xadc");
        assert_eq!(printable("Müller 日本"), "Müller 日本");
    }

    #[test]
    fn json_keeps_its_values_and_shows_nothing_that_a_terminal_obeys() {
        let text = "a\u{9b}2J\x7f\x1b\u{202e}\u{e0041}\n日本 \"\\";
        let json = serde_json::json!({"text": text}).to_string();
        let shown = printable_json(&json).unwrap();
        assert!(!shown.contains(is_hostile), "{shown}");
        assert!(shown.contains("\\u009b") && shown.contains("日本"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["text"], text);
        assert_eq!(printable_json("{\n  \"a\": \"Müller\"\n}"), None);
    }
}
