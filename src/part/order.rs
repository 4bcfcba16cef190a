//! Puts parts into the order of their lines, and refuses those that cannot be added up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::error::PartError;
use super::head::{PartHead, PartHost, PartSource};
use crate::report::time::minute_rfc3339;

/// In minutes: late lines step back by less than this, so that two parts of a host may overlap as far.
const LATE: i64 = 10;

/// In minutes: a longer time without a line between two parts of a host is told.
const GAP: i64 = 60;

/// A part by its head.
pub(crate) struct NamedHead {
    /// Where it was read, as errors name it.
    pub name: String,
    pub head: PartHead,
}

/// Why a part cannot be merged, and its name.
pub(crate) struct RefusedPart {
    pub name: String,
    pub why: PartError,
}

/// The order of the parts, and notes on times of which no part has lines.
pub(crate) struct PartOrder {
    /// The numbers of the parts.
    pub order: Vec<usize>,
    pub gaps: Vec<String>,
}

/// Sorts the parts by host and first minute; parts with several hosts come behind the earlier parts of each of them.
pub(crate) fn order(parts: &[NamedHead], zone: &TimeZone) -> Result<PartOrder, RefusedPart> {
    alike(parts)?;
    named(parts)?;
    let mut of_host: BTreeMap<&str, Vec<(usize, &PartHost)>> = BTreeMap::new();
    for (number, part) in parts.iter().enumerate() {
        for host in &part.head.hosts {
            let spans: &mut Vec<_> = of_host.entry(&host.name).or_default();
            // A part is not in conflict with itself.
            if spans.last().is_none_or(|(last, _)| *last != number) {
                spans.push((number, host));
            }
        }
    }
    let (mut gaps, mut before) = (Vec::new(), vec![BTreeSet::new(); parts.len()]);
    for (name, spans) in &mut of_host {
        sort(spans, parts);
        gaps.extend(check_host(name, spans, parts, zone)?);
        for pair in spans.windows(2) {
            if let [(first, _), (second, _)] = pair
                && let Some(before) = before.get_mut(*second)
            {
                before.insert(*first);
            }
        }
    }
    Ok(PartOrder { order: in_sequence(parts, before)?, gaps })
}

/// Sorts the parts of a host by their times. Parts that begin in the same minute are sorted by what they read: the one that
/// reads on in a file where another ended comes behind it.
fn sort(spans: &mut [(usize, &PartHost)], parts: &[NamedHead]) {
    spans.sort_by_key(|(number, host)| (host.first, host.last, source_key(parts.get(*number))));
    for same in spans.chunk_by_mut(|a, b| a.1.first == b.1.first).filter(|same| same.len() > 1) {
        let mut left = same.to_vec();
        for place in same {
            let is_first = |one: &(usize, &PartHost)| {
                left.iter().all(|other| one.0 == other.0 || !reads_on(parts.get(other.0), parts.get(one.0)))
            };
            let at = left.iter().position(is_first).unwrap_or(0);
            *place = left.remove(at);
        }
    }
}

/// Whether `second` reads on in a file that `first` read.
fn reads_on(first: Option<&NamedHead>, second: Option<&NamedHead>) -> bool {
    let (Some(first), Some(second)) = (first, second) else { return false };
    let is_behind = |one: &PartSource, other: &PartSource| {
        one.file.is_some() && one.file == other.file && one.read.1 <= other.read.0
    };
    let mut sources = first.head.sources.iter();
    sources.any(|one| second.head.sources.iter().any(|other| is_behind(one, other)))
}

/// An error unless all parts were counted in the same way.
fn alike(parts: &[NamedHead]) -> Result<(), RefusedPart> {
    let Some(first) = parts.first() else { return Ok(()) };
    for part in parts {
        if let Some(what) = part.head.counted.difference(&first.head.counted) {
            let why = PartError::Different { what, other: first.name.clone() };
            return Err(RefusedPart { name: part.name.clone(), why });
        }
    }
    Ok(())
}

/// An error if two parts have hosts that are only assumed, because their logs overlap and name none.
fn named(parts: &[NamedHead]) -> Result<(), RefusedPart> {
    let is_assumed = |part: &&NamedHead| part.head.hosts.iter().any(|host| host.name.starts_with('\0'));
    let is_unnamed = |part: &NamedHead| {
        part.head.hosts.iter().any(|host| host.name.is_empty() || host.name.starts_with('\0'))
    };
    let Some(assumed) = parts.iter().find(is_assumed) else { return Ok(()) };
    match parts.iter().find(|part| is_unnamed(part) && !std::ptr::eq(*part, assumed)) {
        None => Ok(()),
        Some(other) => {
            let why = PartError::Unnamed { other: other.name.clone() };
            Err(RefusedPart { name: assumed.name.clone(), why })
        }
    }
}

fn source_key(part: Option<&NamedHead>) -> Option<(&str, u64)> {
    part?.head.sources.first().map(|source| (source.path.as_str(), source.read.0))
}

/// An error if two parts hold the same lines; notes on gaps. `spans` is sorted by time.
fn check_host(
    host: &str,
    spans: &[(usize, &PartHost)],
    parts: &[NamedHead],
    zone: &TimeZone,
) -> Result<Vec<String>, RefusedPart> {
    let shown = |minute: i64| minute_rfc3339(minute, zone).unwrap_or_default();
    let shown_host = if host.is_empty() { "a host without a name" } else { host };
    let mut gaps = Vec::new();
    let mut latest: Option<(usize, i64)> = None;
    for &(number, span) in spans {
        let Some(part) = parts.get(number) else { continue };
        for &(other, _) in spans {
            if other < number
                && let Some(other) = parts.get(other)
                && let Some(path) = shared_source(&part.head, &other.head)
            {
                let why = PartError::SameSource { other: other.name.clone(), path: path.to_owned() };
                return Err(RefusedPart { name: part.name.clone(), why });
            }
        }
        if let Some((before, last)) = latest {
            if last - span.first > LATE {
                let why = PartError::Overlap {
                    other: parts.get(before).map(|other| other.name.clone()).unwrap_or_default(),
                    host: shown_host.to_owned(),
                    from: shown(span.first),
                    until: shown(last.min(span.last)),
                };
                return Err(RefusedPart { name: part.name.clone(), why });
            }
            if span.first - last > GAP {
                gaps.push(format!(
                    "no part has a line of {shown_host} between {} and {}",
                    shown(last),
                    shown(span.first)
                ));
            }
        }
        if latest.is_none_or(|(_, last)| span.last >= last) {
            latest = Some((number, span.last));
        }
    }
    Ok(gaps)
}

/// The path of a file of which both parts hold the same bytes. `None`: there is none.
fn shared_source<'a>(one: &'a PartHead, other: &PartHead) -> Option<&'a str> {
    let same = |a: &PartSource, b: &PartSource| {
        a.file.is_some() && a.file == b.file && a.path == b.path && a.read.0 < b.read.1 && b.read.0 < a.read.1
    };
    if !one.sections.is_empty() && one.sections == other.sections && one.hosts == other.hosts {
        return one.sources.first().map(|source| source.path.as_str());
    }
    let shared = one.sources.iter().find(|source| other.sources.iter().any(|other| same(source, other)));
    shared.map(|source| source.path.as_str())
}

/// All parts, each behind those that must come before it; else by host, time and path.
fn in_sequence(parts: &[NamedHead], mut before: Vec<BTreeSet<usize>>) -> Result<Vec<usize>, RefusedPart> {
    let key = |number: usize| {
        let part = parts.get(number);
        let first = part.and_then(|part| part.head.hosts.iter().min_by_key(|host| &host.name));
        let host = first.map(|host| (host.name.as_str(), host.first, host.last));
        (host, source_key(part), number)
    };
    let mut behind = vec![Vec::new(); parts.len()];
    for (number, earlier) in before.iter().enumerate() {
        for &earlier in earlier {
            behind.get_mut(earlier).into_iter().for_each(|list: &mut Vec<usize>| list.push(number));
        }
    }
    let free = before.iter().enumerate().filter(|(_, before)| before.is_empty());
    let mut free: BTreeSet<_> = free.map(|(number, _)| key(number)).collect();
    let mut order = Vec::with_capacity(parts.len());
    while let Some((_, _, number)) = free.pop_first() {
        order.push(number);
        for &next in behind.get(number).into_iter().flatten() {
            if let Some(left) = before.get_mut(next)
                && left.remove(&number)
                && left.is_empty()
            {
                free.insert(key(next));
            }
        }
    }
    let missing = before.iter().position(|left| !left.is_empty());
    match missing.and_then(|number| Some((parts.get(number)?, before.get(number)?.first()?))) {
        None => Ok(order),
        Some((part, other)) => {
            let other = parts.get(*other).map(|other| other.name.clone()).unwrap_or_default();
            Err(RefusedPart { name: part.name.clone(), why: PartError::NoOrder { other } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::{CountedWith, PartLimits, SCHEMA};
    use super::*;

    fn part(name: &str, hosts: &[(&str, i64, i64)]) -> NamedHead {
        let counted = CountedWith {
            book: "1".to_owned(),
            providers: Vec::new(),
            filter: Vec::new(),
            by: Vec::new(),
            hops: false,
            delays: false,
            seed: CountedWith::seed(),
            redact: None,
        };
        let hosts = hosts.iter();
        let head = PartHead {
            schema: SCHEMA.to_owned(),
            version: String::new(),
            counted,
            zone: None,
            hosts: hosts
                .map(|&(name, first, last)| PartHost { name: name.to_owned(), first, last })
                .collect(),
            sources: vec![PartSource { path: name.to_owned(), file: None, read: (0, 1) }],
            examples: 1,
            limits: PartLimits::CURRENT,
            notes: Vec::new(),
            problems: Vec::new(),
            sections: Vec::new(),
        };
        NamedHead { name: name.to_owned(), head }
    }

    fn ordered(parts: &[NamedHead]) -> Result<(Vec<&str>, Vec<String>), String> {
        match order(parts, &TimeZone::UTC) {
            Ok(PartOrder { order, gaps }) => {
                Ok((order.iter().map(|number| parts[*number].name.as_str()).collect(), gaps))
            }
            Err(RefusedPart { name, why }) => Err(format!("{name}: {why}")),
        }
    }

    #[test]
    fn parts_are_sorted_by_host_and_time() {
        let parts = [
            part("d", &[("mx2", 0, 90)]),
            part("c", &[("mx1", 95, 190)]),
            part("b", &[("mx1", 60, 95)]),
            part("a", &[("mx1", 0, 60)]),
        ];
        assert_eq!(ordered(&parts), Ok((vec!["a", "b", "c", "d"], Vec::new())));
    }

    #[test]
    fn parts_of_one_minute_are_sorted_by_what_they_read() {
        let read = |name: &str, sources: &[(u64, u64, u64)]| {
            let mut part = part(name, &[("mx1", 7, 7)]);
            let source = |&(inode, from, to)| PartSource {
                path: "mail.log".to_owned(),
                file: Some((1, inode)),
                read: (from, to),
            };
            part.head.sources = sources.iter().map(source).collect();
            part
        };
        // The log is rotated twice.
        let parts = [
            read("d", &[(2, 60, 70)]),
            read("b", &[(1, 50, 90)]),
            read("f", &[(3, 5, 9)]),
            read("a", &[(1, 0, 50)]),
            read("e", &[(2, 70, 80), (3, 0, 5)]),
            read("c", &[(1, 90, 99), (2, 0, 60)]),
        ];
        assert_eq!(ordered(&parts).unwrap().0, ["a", "b", "c", "d", "e", "f"]);
    }

    #[test]
    fn parts_of_several_hosts_come_behind_earlier_parts_of_each() {
        let parts = [
            part("both", &[("mx1", 60, 90), ("mx2", 60, 90)]),
            part("one", &[("mx1", 0, 60)]),
            part("two", &[("mx2", 0, 60)]),
        ];
        assert_eq!(ordered(&parts), Ok((vec!["one", "two", "both"], Vec::new())));
        let crossed =
            [part("x", &[("mx1", 0, 60), ("mx2", 60, 90)]), part("y", &[("mx1", 60, 90), ("mx2", 0, 60)])];
        assert!(ordered(&crossed).unwrap_err().contains("no sequence of parts"));
    }

    #[test]
    fn a_part_is_not_in_conflict_with_itself() {
        assert_eq!(ordered(&[part("a", &[("mx1", 0, 60), ("mx1", 20, 90)])]), Ok((vec!["a"], Vec::new())));
    }

    #[test]
    fn what_lies_in_two_parts_is_refused_and_what_lies_in_none_is_told() {
        let parts = [part("a", &[("mx1", 0, 60)]), part("b", &[("mx1", 45, 90)])];
        let refused = ordered(&parts).unwrap_err();
        assert!(refused.starts_with("b: it and a both hold lines of mx1 from 1970-01-01T00:45"), "{refused}");
        let twice = [part("a", &[("mx1", 0, 5)]), part("a", &[("mx1", 0, 5)])];
        let (parts, gaps) = (twice, [part("a", &[("mx1", 0, 60)]), part("b", &[("mx1", 200, 290)])]);
        assert!(ordered(&parts).is_ok(), "without sections nothing tells that they are the same");
        let (order, notes) = ordered(&gaps).unwrap();
        assert_eq!((order.len(), notes.len()), (2, 1));
    }

    #[test]
    fn parts_that_were_counted_otherwise_are_refused() {
        let mut parts = [part("a", &[("mx1", 0, 60)]), part("b", &[("mx1", 60, 90)])];
        parts[1].head.counted.filter = vec!["--code 4xx".to_owned()];
        assert!(ordered(&parts).unwrap_err().contains("another filter than a"));
    }
}
