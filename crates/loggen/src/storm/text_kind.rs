//! Names what a receiving server refuses or defers a message for.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TextKind {
    Unknown,
    Full,
    Grey,
    Spam,
    /// Too much at a time.
    Rate,
    /// Our address is on a list.
    Listed,
    /// The other side is ill, and says so.
    Ill,
}
