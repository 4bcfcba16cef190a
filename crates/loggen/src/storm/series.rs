//! Describes the series that a log line belongs to, from which its usual rate is computed.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LineSeries {
    pub direction: &'static str,
    /// 0 if the line has no code.
    pub code: u16,
    pub enhanced: &'static str,
    /// Part of the text for lines without a code; otherwise empty.
    pub words: &'static str,
    pub provider: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CountedLine {
    pub at: u64,
    /// Index of the storm that the line belongs to, or `None` for normal traffic.
    pub storm: Option<usize>,
    pub series: LineSeries,
}

impl LineSeries {
    pub(crate) const fn new(
        direction: &'static str,
        code: u16,
        enhanced: &'static str,
        provider: &'static str,
    ) -> Self {
        Self { direction, code, enhanced, words: "", provider }
    }
}
