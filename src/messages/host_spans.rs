//! Notes for each host how many lines it wrote and from when to when, so that hosts can be compared and parts of one host can
//! be put into their order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure::FlowTotals;
use crate::collections::wire::ByteText;
use crate::pipeline::coverage::extend;
use crate::simd::bytes_eq;

/// From this number of hosts on, nothing is told of single hosts. Whoever may write to a log may choose the names.
pub(crate) const HOST_LIMIT: usize = 1 << 16;

/// The lines of a host that are about messages: results, arrivals and ends, but no routine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HostSpan {
    /// Minutes since 1970-01-01T00:00Z. None: no line has a valid timestamp.
    pub minutes: Option<(i64, i64)>,
    pub lines: u64,
}

impl HostSpan {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        if let Some((first, last)) = other.minutes {
            extend(&mut self.minutes, first);
            extend(&mut self.minutes, last);
        }
    }
}

/// The span of each host. A line that names no host is one of the host with the empty name.
#[derive(Default)]
pub(crate) struct HostSpans {
    spans: BTreeMap<Vec<u8>, HostSpan>,
    /// The host of the last line, with a span that is not in `spans` yet.
    last: Vec<u8>,
    /// The minute of the last line, which is in `minutes`.
    last_minute: Option<i64>,
    minutes: Option<(i64, i64)>,
    lines: u64,
}

/// A host as a part keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptHost {
    name: ByteText,
    minutes: Option<(i64, i64)>,
    lines: u64,
}

/// What was counted of a host.
#[derive(Clone, Debug)]
pub struct CountedHost {
    /// Empty: the lines name no host. It begins with a zero byte if the host is only assumed.
    pub name: Vec<u8>,
    /// Minutes since 1970-01-01T00:00Z. None: no line has a valid timestamp.
    pub minutes: Option<(i64, i64)>,
    pub lines: u64,
    /// Its messages, without notices of the server itself.
    pub flow: FlowTotals,
}

impl HostSpans {
    #[inline]
    pub(crate) fn add(&mut self, host: &[u8], minute: Option<i64>) {
        if minute != self.last_minute || !bytes_eq(&self.last, host) {
            self.change(host, minute);
        }
        self.lines += 1;
    }

    /// Goes on with another host or minute.
    #[cold]
    fn change(&mut self, host: &[u8], minute: Option<i64>) {
        if self.last != host {
            self.flush();
            self.last.clear();
            self.last.extend_from_slice(host);
        }
        self.last_minute = minute;
        if let Some(minute) = minute {
            extend(&mut self.minutes, minute);
        }
    }

    fn flush(&mut self) {
        self.last_minute = None;
        let span = HostSpan { minutes: self.minutes.take(), lines: std::mem::take(&mut self.lines) };
        if span.lines > 0 {
            self.extend(self.last.clone(), span);
        }
    }

    fn extend(&mut self, host: Vec<u8>, span: HostSpan) {
        if self.spans.len() < HOST_LIMIT || self.spans.contains_key(&host) {
            self.spans.entry(host).or_insert(HostSpan { minutes: None, lines: 0 }).merge(span);
        }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        other.flush();
        other.spans.into_iter().for_each(|(host, span)| self.extend(host, span));
    }

    pub(crate) fn finish(mut self) -> BTreeMap<Vec<u8>, HostSpan> {
        self.flush();
        self.spans
    }

    pub(crate) fn add_kept(&mut self, kept: Vec<KeptHost>) {
        for KeptHost { name, minutes, lines } in kept {
            self.extend(name.0, HostSpan { minutes, lines });
        }
    }
}

/// The hosts as a part keeps them.
pub(crate) fn kept_hosts(spans: &BTreeMap<Vec<u8>, HostSpan>) -> Vec<KeptHost> {
    let kept = spans.iter().map(|(name, &HostSpan { minutes, lines })| KeptHost {
        name: ByteText(name.clone()),
        minutes,
        lines,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_blocks_add_up_in_any_order() {
        let lines =
            [(&b"mx1"[..], Some(7)), (b"mx1", None), (b"mx2", Some(3)), (b"mx1", Some(2)), (b"", None)];
        let of = |lines: &[(&[u8], Option<i64>)]| {
            let mut spans = HostSpans::default();
            for (host, minute) in lines {
                spans.add(host, *minute);
            }
            spans
        };
        let whole = of(&lines).finish();
        assert_eq!(whole[&b"mx1"[..]], HostSpan { minutes: Some((2, 7)), lines: 3 });
        assert_eq!(whole[&b""[..]], HostSpan { minutes: None, lines: 1 });
        for cut in 0..lines.len() {
            let mut other = of(&lines[cut..]);
            other.merge(of(&lines[..cut]));
            assert_eq!(other.finish(), whole);
        }
    }
}
