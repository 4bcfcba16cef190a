//! Writes the syslog header of an unwrapped line from the metadata of its wrapper.

use std::borrow::Cow;

use super::timestamp::WrapperTime;

/// None: the wrapper does not say, or what it says could not stand in the front of a line.
#[derive(Clone, Default, Debug)]
pub(crate) struct WrapperMetadata<'a> {
    pub time: Option<WrapperTime<'a>>,
    /// That is when the line was written: a container's runtime says so. A shipper may say when it came by.
    pub exact: bool,
    pub host: Option<Cow<'a, str>>,
    /// As syslog has it: `postfix/smtp`, `exim`.
    pub program: Option<Cow<'a, str>>,
    pub pid: Option<Cow<'a, str>>,
}

impl<'a> WrapperMetadata<'a> {
    /// What the inner wrapper does not say, the outer may.
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

    /// False: there is none.
    pub(crate) fn write_stamp(&self, front: &mut Vec<u8>) -> bool {
        self.time.as_ref().is_some_and(|when| when.write(front))
    }

    /// `mx1 `, or nothing.
    pub(crate) fn write_host(&self, front: &mut Vec<u8>) {
        if let Some(host) = &self.host {
            front.extend_from_slice(host.as_bytes());
            front.push(b' ');
        }
    }

    /// `postfix/smtp[12]: `, or nothing.
    pub(crate) fn write_program(&self, front: &mut Vec<u8>) {
        let Some(program) = &self.program else { return };
        front.extend_from_slice(program.as_bytes());
        if let Some(pid) = &self.pid {
            front.push(b'[');
            front.extend_from_slice(pid.as_bytes());
            front.push(b']');
        }
        front.extend_from_slice(b": ");
    }
}

/// None: a blank or worse in it, or what would be taken for something else at its place.
pub(crate) fn host(name: Cow<str>) -> Option<Cow<str>> {
    let fits = is_word(&name) && !name.starts_with(['<', '[', '{']) && !name.ends_with(':');
    fits.then_some(name)
}

/// `postfix/smtp`, and `postfix/smtp[12]:` as some templates have it, with its process id.
pub(crate) fn program(name: Cow<str>) -> Option<(Cow<str>, Option<Cow<str>>)> {
    let tag = name.strip_suffix(':').unwrap_or(&name);
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

pub(crate) fn pid_of(number: Cow<str>) -> Option<Cow<str>> {
    let fits = (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(number)
}

/// As long as a name in the DNS may be (RFC 1035 §3.1).
fn is_word(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}
