//! Splits the recipients of one line: `<a@b>,<c@d>`, `root,anna`, `"|/usr/bin/procmail -t",anna`.

use super::parsed::{address, closing_quote};
use crate::simd::find::find;

/// The recipients of a line that are left. An address keeps no angle brackets; the path of a program keeps its quotes.
#[derive(Default, Debug)]
pub(crate) struct RecipientList<'a> {
    rest: &'a [u8],
}

impl<'a> RecipientList<'a> {
    /// `text` begins with the first recipient. The list ends at the first comma before a blank.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for RecipientList<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (recipient, rest) = first(self.rest)?;
        self.rest = match rest {
            [b',', next, ..] if *next != b' ' => rest.get(1..)?,
            // What follows is the next field, and no recipient.
            _ => b"",
        };
        Some(recipient)
    }
}

/// Splits off the first recipient; the rest begins with the comma behind it. `None`: there is none.
pub(crate) fn first(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text {
        [] => None,
        [b'<', rest @ ..] => address(rest),
        // A quoted path of a program, or a quoted local part, behind which its domain follows.
        [b'"', ..] => {
            let quote = closing_quote(text)?;
            let behind = text.get(quote..)?;
            text.split_at_checked(quote + find(b',', behind).unwrap_or(behind.len()))
        }
        _ => text.split_at_checked(find(b',', text).unwrap_or(text.len())),
    }
    .filter(|(recipient, _)| !recipient.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(text: &str, wanted: &[&str]) {
        let list = RecipientList::new(text.as_bytes());
        let found: Vec<String> = list.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn splits_every_kind_of_recipient() {
        names("<a@example.org>, delay=00:00:01", &["a@example.org"]);
        names(
            "<a@example.org>,<b@example.org>,<c@example.org>, x",
            &["a@example.org", "b@example.org", "c@example.org"],
        );
        names("root,anna, mailer=local", &["root", "anna"]);
        names(r#""|/usr/bin/procmail -a x,y",anna, x"#, &[r#""|/usr/bin/procmail -a x,y""#, "anna"]);
        names(r#"<"a,b"@example.org>,<c@example.org>, x"#, &[r#""a,b"@example.org"#, "c@example.org"]);
        names(r#""|exec \"/bin/x\" y", x"#, &[r#""|exec \"/bin/x\" y""#]);
        names("<a@example.org>", &["a@example.org"]);
    }

    #[test]
    fn takes_no_field_for_a_recipient() {
        names("", &[]);
        names(", delay=1", &[]);
        names("<a@example.org>, [more], ctladdr=<b@example.org>", &["a@example.org"]);
    }

    #[test]
    fn no_input_panics() {
        for text in ["\"", "\"\\", "\"\\\"", "\"\"", "<", "<>", "<>,", ",", "<a>,,b", "a,\"", "\"a\\\\\",b"] {
            RecipientList::new(text.as_bytes()).for_each(drop);
        }
    }
}
