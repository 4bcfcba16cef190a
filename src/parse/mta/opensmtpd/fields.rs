//! Parses the verbs and fields of OpenSMTPD's lines: `8f48 mta delivery evpid=70 result="Ok"`.

use crate::parse::mta::parsed::split_once;

/// Splits `8f4864084ecc48f4 mta delivery …`, and before 6.4 `8f4864084ecc48f4 mta event=delivery …`, into the session and
/// the text behind the event. `None`: another subsystem or event.
pub(crate) fn verb<'a>(text: &'a [u8], part: &[u8], event: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (session, rest) = split_once(text, b" ")?;
    let rest = rest.strip_prefix(part)?.strip_prefix(b" ")?;
    let rest = rest.strip_prefix(b"event=").unwrap_or(rest).strip_prefix(event)?;
    Some((session, rest.strip_prefix(b" ")?))
}

/// The value of a field: `550 no` in `result="550 no"`; without quotes it ends at the next blank. `None`: no such field.
pub(crate) fn value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, rest) = split_once(text, name)?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.get(..memchr::memchr(b'"', quoted).unwrap_or(quoted.len())),
        None => rest.get(..memchr::memchr(b' ', rest).unwrap_or(rest.len())),
    }
}
