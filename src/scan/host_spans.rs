//! Notes for each host from when to when its lines are, so that parts of one host can be put into their order.

use std::collections::BTreeMap;

use crate::pipeline::coverage::extend;
use crate::simd::bytes_eq;

/// The first and the last minute of each host's lines, counted from 1970-01-01T00:00Z. A line that names no host is one of the
/// host with the empty name.
#[derive(Default)]
pub(crate) struct HostSpans {
    spans: BTreeMap<Vec<u8>, (i64, i64)>,
    /// The host of the last line, with a span that is not in `spans` yet.
    last: Vec<u8>,
    span: Option<(i64, i64)>,
}

impl HostSpans {
    pub(crate) fn add(&mut self, host: &[u8], minute: Option<i64>) {
        let Some(minute) = minute else { return };
        if !bytes_eq(&self.last, host) {
            self.flush();
            self.last.clear();
            self.last.extend_from_slice(host);
        }
        extend(&mut self.span, minute);
    }

    fn flush(&mut self) {
        let Some((first, last)) = self.span.take() else { return };
        self.extend(self.last.clone(), first, last);
    }

    fn extend(&mut self, host: Vec<u8>, first: i64, last: i64) {
        let span = self.spans.entry(host).or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        other.flush();
        for (host, (first, last)) in other.spans {
            self.extend(host, first, last);
        }
    }

    pub(crate) fn finish(mut self) -> BTreeMap<Vec<u8>, (i64, i64)> {
        self.flush();
        self.spans
    }
}
