//! What a line of the log counts for: enough to say what is usual of the same kind.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Series {
    pub direction: &'static str,
    /// 0: none.
    pub code: u16,
    pub enhanced: &'static str,
    pub provider: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub at: u64,
    /// The number of the storm that it belongs to.
    pub storm: Option<usize>,
    pub series: Series,
}

impl Series {
    pub const fn is_good(self) -> bool {
        self.code / 100 == 2
    }
}
