//! Counts the mail of one name: messages, attempts by outcome, and rejections.

use super::origin::Attempts;

/// The counts of one name, small enough for half a cache line: messages, attempts (delivered, deferred, bounced, expired)
/// and rejections of a client. A count saturates at four billion: its lines would be a tebibyte.
pub(crate) type MailCountArray = [u32; 6];

/// The same, of one name or of many.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MailCounts {
    pub messages: u64,
    /// Delivered, deferred, bounced and expired.
    pub attempts: [u64; 4],
    /// Refused to a client.
    pub rejected: u64,
}

/// The counts of messages and attempts.
pub(crate) const fn counts(
    messages: u32,
    [delivered, deferred, bounced, expired]: Attempts,
) -> MailCountArray {
    [messages, delivered, deferred, bounced, expired, 0]
}

/// One rejection.
pub(crate) const REFUSED: MailCountArray = [0, 0, 0, 0, 0, 1];

#[inline]
pub(crate) fn add(sums: &mut MailCountArray, counts: &MailCountArray) {
    *sums = std::array::from_fn(|at| sums[at].saturating_add(counts[at]));
}

/// Upper bound of every count: the larger one of the messages and of the sum of all results.
pub(crate) fn weight(&[messages, delivered, deferred, bounced, expired, rejected]: &MailCountArray) -> u64 {
    let results = [delivered, deferred, bounced, expired, rejected];
    results.iter().fold(0, |sum, &result| sum + u64::from(result)).max(u64::from(messages))
}

impl From<&MailCountArray> for MailCounts {
    fn from(counts: &MailCountArray) -> Self {
        let &[messages, delivered, deferred, bounced, expired, rejected] = counts;
        let attempts = [delivered.into(), deferred.into(), bounced.into(), expired.into()];
        Self { messages: messages.into(), attempts, rejected: rejected.into() }
    }
}

impl MailCounts {
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.attempts.iter_mut().zip(other.attempts).for_each(|(sum, count)| *sum += count);
        self.rejected += other.rejected;
    }
}
