//! Defines the metadata of a wrapper, checks it, and writes it as a syslog header (`2026-11-22T03:04:05Z mx1 exim[12]: `).

use std::borrow::Cow;

use super::timestamp::WrapperTime;

/// The metadata of a wrapper. `None`: the wrapper does not show it, or the value does not fit into a header.
#[derive(Clone, Default, Debug)]
pub(crate) struct WrapperMetadata<'a> {
    pub time: Option<WrapperTime<'a>>,
    /// The time is when the line was written, as container runtimes record it. A shipper may record when it read the line.
    pub exact: bool,
    pub host: Option<Cow<'a, str>>,
    /// The program as in syslog: `postfix/smtp`, `exim`.
    pub program: Option<Cow<'a, str>>,
    pub pid: Option<Cow<'a, str>>,
}

impl<'a> WrapperMetadata<'a> {
    /// Fills fields that are `None` from the outer wrapper.
    pub(crate) fn or_outer(self, outer: &WrapperMetadata<'a>) -> Self {
        let (program, pid) = match self.program {
            Some(program) => (Some(program), self.pid),
            None => (outer.program.clone(), self.pid.or_else(|| outer.pid.clone())),
        };
        let exact = if self.time.is_some() { self.exact } else { outer.exact };
        Self {
            time: self.time.or_else(|| outer.time.clone()),
            exact,
            host: self.host.or_else(|| outer.host.clone()),
            program,
            pid,
        }
    }

    /// Writes the time and a blank. False: there is no valid time, and nothing was written.
    pub(crate) fn write_stamp(&self, header: &mut Vec<u8>) -> bool {
        self.time.as_ref().is_some_and(|when| when.write(header))
    }

    /// Writes `mx1 `, or nothing if there is no host.
    pub(crate) fn write_host(&self, header: &mut Vec<u8>) {
        if let Some(host) = &self.host {
            header.extend_from_slice(host.as_bytes());
            header.push(b' ');
        }
    }

    /// Writes `postfix/smtp[12]: `, or nothing if there is no program.
    pub(crate) fn write_program(&self, header: &mut Vec<u8>) {
        let Some(program) = &self.program else { return };
        header.extend_from_slice(program.as_bytes());
        if let Some(pid) = &self.pid {
            header.push(b'[');
            header.extend_from_slice(pid.as_bytes());
            header.push(b']');
        }
        header.extend_from_slice(b": ");
    }
}

/// Checks a host name. `None`: it has a blank or a control character, or would be parsed as something else in a header.
pub(crate) fn host(name: Cow<str>) -> Option<Cow<str>> {
    let fits = is_word(&name) && !name.starts_with(['<', '[', '{']) && !name.ends_with(':');
    fits.then_some(name)
}

/// Splits `postfix/smtp[12]:`, as some templates write it, or `postfix/smtp` into program and process id. `None`: it would
/// not be parsed as a program.
pub(crate) fn program(name: Cow<str>) -> Option<(Cow<str>, Option<Cow<str>>)> {
    let tag = name.strip_suffix(' ').unwrap_or(&name);
    let tag = tag.strip_suffix(':').unwrap_or(tag);
    let (bare, pid) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
        Some((bare, pid)) => (bare, Some(pid)),
        None => (tag, None),
    };
    let fits = is_word(bare) && !bare.contains(['[', ']', ':', '<', '{']);
    let number = pid.and_then(|number| pid_of(Cow::Owned(number.to_owned())));
    if !fits {
        None
    } else if bare.len() == name.len() {
        Some((name, None))
    } else {
        Some((Cow::Owned(bare.to_owned()), number))
    }
}

/// Checks a process id: 1 to 10 digits.
pub(crate) fn pid_of(number: Cow<str>) -> Option<Cow<str>> {
    let fits = (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(number)
}

/// Whether the name has no blanks or control characters, and 1 to 255 bytes as in the DNS (RFC 1035 §3.1).
fn is_word(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}
