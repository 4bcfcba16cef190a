//! Escapes characters of a log that a terminal would obey: nothing moves the cursor or reverses a line.

use std::fmt::Write;

/// Escapes control characters (`\x1b`), characters that change the direction of writing, and invisible ones (`\u{202e}`).
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

/// Escapes the same characters in JSON as `\u009b`, which a JSON parser reads back. `None`: nothing needs escaping. Characters
/// below U+007F are escaped already by serde_json.
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

/// Control characters, direction marks (UAX #9), line and paragraph separators, and all other characters that nothing is drawn
/// for: joiners, fillers, variation selectors and tags (`Default_Ignorable_Code_Point`, Unicode DerivedCoreProperties.txt).
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_everything_that_a_terminal_obeys() {
        assert_eq!(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(printable("a\u{9b}2Jb\r\n"), "a\\x9b2Jb\\x0d\\x0a");
        assert_eq!(printable("\u{202e}gro.elpmaxe"), "\\u{202e}gro.elpmaxe");
        assert_eq!(printable("a\u{61c}b\u{ad}c"), "a\\u{61c}b\\xadc");
        assert_eq!(printable("Müller 日本"), "Müller 日本");
        for hidden in [
            '\u{34f}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{180b}',
            '\u{180f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{1d173}',
            '\u{1d17a}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            assert_eq!(printable(&format!("a{hidden}b")), format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
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
