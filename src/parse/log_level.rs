//! Recognizes the severity of a syslog message, with or without its facility (`INFO`, `mail.info`).

/// Whether the word is a severity of syslog (RFC 5424 §6.2.1, syslog(3)) in any case, alone or behind a facility.
pub(crate) fn is_level(word: &[u8]) -> bool {
    match word.len() {
        3..=7 if is_severity(word) => true,
        6..=16 => match word.iter().position(|&byte| byte == b'.') {
            Some(dot) => {
                let (facility, severity) = word.split_at(dot);
                is_facility(facility) && severity.get(1..).is_some_and(is_severity)
            }
            None => false,
        },
        _ => false,
    }
}

fn is_severity(word: &[u8]) -> bool {
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    match word.len() {
        3 => is(b"err"),
        4 => is(b"info") || is(b"crit") || is(b"warn"),
        5 => is(b"error") || is(b"debug") || is(b"alert") || is(b"emerg") || is(b"panic"),
        6 => is(b"notice"),
        7 => is(b"warning"),
        _ => false,
    }
}

/// Whether the word is a facility of syslog (RFC 5424 §6.2.1, syslog(3)) in any case.
pub(crate) fn is_facility(word: &[u8]) -> bool {
    const NAMES: [&[u8]; 13] = [
        b"mail",
        b"auth",
        b"authpriv",
        b"cron",
        b"daemon",
        b"ftp",
        b"kern",
        b"lpr",
        b"news",
        b"security",
        b"syslog",
        b"user",
        b"uucp",
    ];
    match word {
        [b'l' | b'L', _, _, _, _, b'0'..=b'7'] => {
            word.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"local"))
        }
        _ => NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_severities_and_facilities() {
        for word in
            ["INFO", "info", "Warning", "ERR", "mail.info", "local0.notice", "LOCAL7.ERR", "mail.warn"]
        {
            assert!(is_level(word.as_bytes()), "{word}");
        }
        for word in
            ["", "mx1", "mail", "mail.example", "local8.info", "infos", "info.mail", ".info", "host.info"]
        {
            assert!(!is_level(word.as_bytes()), "{word}");
        }
    }
}
