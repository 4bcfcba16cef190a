//! What a line of the log counts for: enough to say what is usual of the same kind.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LineSeries {
    pub direction: &'static str,
    /// 0: none.
    pub code: u16,
    pub enhanced: &'static str,
    /// What is said where no code tells; else empty.
    pub words: &'static str,
    pub provider: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct CountedLine {
    pub at: u64,
    /// The number of the storm that it belongs to.
    pub storm: Option<usize>,
    pub series: LineSeries,
}

impl LineSeries {
    pub const fn new(
        direction: &'static str,
        code: u16,
        enhanced: &'static str,
        provider: &'static str,
    ) -> Self {
        Self { direction, code, enhanced, words: "", provider }
    }
}
