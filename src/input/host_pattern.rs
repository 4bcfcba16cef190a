//! Takes the name of a host from the path of a log, by a pattern such as `logs/{host}/*`.

use std::path::{Component, Path};
use std::str::FromStr;
use std::sync::Arc;

/// The name of a host, as a user gives it: no blanks and no control characters, 1 to 255 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName(pub Arc<[u8]>);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = is_host(text);
        if fits {
            Ok(Self(text.as_bytes().into()))
        } else {
            Err("a host name has no blanks and no colon".to_owned())
        }
    }
}

fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.chars().all(|sign| !sign.is_whitespace() && !sign.is_control() && !matches!(sign, ':' | '/'))
}

/// A pattern for the end of a path: `{host}` stands for the name, `*` for anything within one part of the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern {
    /// The parts of the path, the last one first.
    parts: Vec<String>,
    /// It begins with a slash and describes the whole path.
    is_absolute: bool,
}

impl FromStr for HostPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.matches("{host}").count() != 1 {
            return Err("must have {host} once, as in 'logs/{host}/*'".to_owned());
        }
        let parts = text.split('/').filter(|part| !part.is_empty()).rev().map(str::to_owned).collect();
        Ok(Self { parts, is_absolute: text.starts_with('/') })
    }
}

impl HostPattern {
    /// The host of a log. `None`: the path does not match.
    pub fn host_of(&self, path: &Path) -> Option<HostName> {
        let parts = path.components().rev().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_str()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        });
        let parts: Vec<&str> = parts.collect::<Option<_>>()?;
        if parts.len() < self.parts.len() || self.is_absolute && parts.len() != self.parts.len() {
            return None;
        }
        let mut host = None;
        for (pattern, part) in self.parts.iter().zip(&parts) {
            match pattern.split_once("{host}") {
                Some((before, after)) => host = Some(captured(part, before, after)?),
                None if !matches(part, pattern) => return None,
                None => {}
            }
        }
        host?.parse().ok()
    }
}

/// What `{host}` stands for between two patterns: the shortest text that leaves a match for the rest.
fn captured<'a>(part: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let cuts = || part.char_indices().map(|(at, _)| at).chain([part.len()]);
    cuts().filter(|&start| part.get(..start).is_some_and(|text| matches(text, before))).find_map(|start| {
        let ends = cuts().filter(|&end| end > start);
        let mut fitting = ends.filter(|&end| part.get(end..).is_some_and(|text| matches(text, after)));
        // Without a `*` behind it there is one end.
        fitting.next().and_then(|end| part.get(start..end))
    })
}

/// Whether the text matches a pattern in which `*` is anything.
fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((begin, rest)) => text.strip_prefix(begin).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| text.get(at..).is_some_and(|text| matches(text, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(pattern: &str, path: &str, want: Option<&str>) {
        let pattern: HostPattern = pattern.parse().unwrap();
        let host = pattern.host_of(Path::new(path)).map(|host| String::from_utf8(host.0.to_vec()).unwrap());
        assert_eq!(host.as_deref(), want, "{path}");
    }

    #[test]
    fn takes_the_host_from_a_path() {
        finds("logs/{host}/*", "logs/mx1/mainlog", Some("mx1"));
        finds("logs/{host}/*", "/srv/logs/mx1.example.org/mainlog.1.gz", Some("mx1.example.org"));
        finds("{host}/*", "./mx1/mainlog", Some("mx1"));
        finds("{host}-mail.log*", "/srv/mx1-mail.log.2.gz", Some("mx1"));
        finds("mail-{host}.log", "mail-mx-1.log", Some("mx-1"));
        finds("/srv/{host}/*/mainlog", "/srv/mx1/exim/mainlog", Some("mx1"));
        finds("/srv/{host}/*", "/x/srv/mx1/mainlog", None);
        finds("logs/{host}/*", "mainlog", None);
        finds("logs/{host}/*", "other/mx1/mainlog", None);
        for pattern in ["", "logs/*", "{host}/{host}"] {
            assert!(pattern.parse::<HostPattern>().is_err(), "{pattern}");
        }
        for name in ["", "a b", "a:", "a/b", "a\n"] {
            assert!(name.parse::<HostName>().is_err(), "{name}");
        }
    }
}
