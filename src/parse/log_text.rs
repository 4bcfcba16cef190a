//! Shows text from a log, which can contain any bytes, as UTF-8.

use std::borrow::Cow;
use std::fmt;

/// Bytes from a log as text. Invalid UTF-8 is shown as U+FFFD; control characters are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LogText<'a>(pub &'a [u8]);

impl<'a> LogText<'a> {
    /// The text, borrowed if it is valid UTF-8.
    pub(crate) fn to_str(self) -> Cow<'a, str> {
        // The check alone is fast for ASCII; the replacement goes byte by byte.
        str::from_utf8(self.0).map_or_else(|_| String::from_utf8_lossy(self.0), Cow::Borrowed)
    }

    /// The owned text of the bytes.
    pub(crate) fn string(bytes: &'a [u8]) -> String {
        Self(bytes).into()
    }

    /// The owned text. `None`: it is empty, which is how [`super::header::LogLine`] shows a missing host or program.
    pub(crate) fn non_empty(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.into())
    }
}

impl fmt::Display for LogText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&self.to_str())
    }
}

impl From<LogText<'_>> for String {
    fn from(text: LogText) -> Self {
        text.to_str().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_is_not_utf8() {
        assert_eq!(LogText(b"M\xfcller \xc3\xbc").to_string(), "M\u{fffd}ller ü");
        assert_eq!(LogText::string(b""), "");
        assert_eq!(LogText(b"").non_empty(), None);
        assert!(matches!(LogText(b"plain").to_str(), Cow::Borrowed("plain")));
    }
}
