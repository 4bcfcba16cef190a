//! Names what a receiving server refuses or defers a message for.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum TextKind {
    Unknown,
    Full,
    Grey,
    Spam,
    /// A rate limit.
    Rate,
    /// A block list holds the address of the sending server.
    Listed,
    /// A temporary error of the receiving server.
    Ill,
}
