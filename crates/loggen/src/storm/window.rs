//! Holds the time during which a storm lasts.

/// Milliseconds since the log's first midnight; `until` may be later than the end of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StormSpan {
    pub from: u64,
    pub until: u64,
}
