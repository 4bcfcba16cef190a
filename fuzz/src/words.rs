//! Any text as a condition of `--fail-on` and as a value of a filter: what it is shown as reads back as the same.

use smtplog::internals::pipeline::filter::{CodePattern, TextPattern};
use smtplog::internals::scan::verdict::Condition;

/// Values that patterns are tried on.
const VALUES: [&str; 7] =
    ["", "a@example.org", "B@EXAMPLE.ORG", "mx1.example.org", "192.0.2.7", "2001:db8::1", "*"];

/// Reads the bytes as each kind of word.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    condition(text);
    code(text);
    pattern(text);
}

fn condition(text: &str) {
    let Ok(condition) = text.parse::<Condition>() else { return };
    assert!(condition.limit.is_finite() && condition.limit >= 0.0, "{text:?}: {}", condition.limit);
    assert_eq!(condition.to_string().parse(), Ok(condition), "{text:?}");
}

fn code(text: &str) {
    let Ok(pattern) = text.parse::<CodePattern>() else { return };
    assert_eq!(pattern.to_string().parse(), Ok(pattern), "{text:?}");
    assert_eq!(text.to_uppercase().parse(), Ok(pattern), "{text:?} in capitals");
}

fn pattern(text: &str) {
    let Ok(pattern) = text.parse::<TextPattern>() else { return };
    let again = pattern.to_string().parse::<TextPattern>().unwrap_or_else(|why| panic!("{pattern}: {why}"));
    for value in VALUES {
        let fits = pattern.fits(value.as_bytes());
        assert_eq!(again.fits(value.as_bytes()), fits, "{text:?}, {pattern} and {value:?}");
    }
    if !text.contains(['*', '?', '<', '>', '@', '/']) && text.trim() == text {
        assert!(pattern.fits(text.as_bytes()), "{text:?} does not fit itself");
    }
}
