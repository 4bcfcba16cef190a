//! Counts of some minutes come in; a row of small bars goes out, the latest on the right.

/// From nothing to the most.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same in ASCII.
const PLAIN: [char; 9] = [' ', '.', '.', ':', ':', '+', '+', '#', '#'];

/// One bar for each count; whatever is not 0 can be seen. The highest is the most of all.
pub(crate) fn spark(counts: &[u64], unicode: bool) -> String {
    let bars = if unicode { &BARS } else { &PLAIN };
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| {
        let height = (u128::from(*count) * 8).div_ceil(u128::from(most)) as usize;
        bars.get(height).copied().unwrap_or(' ')
    };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_the_highest_and_the_least_can_be_seen() {
        assert_eq!(spark(&[0, 1, 400, 800], true), " ▁▄█");
        assert_eq!(spark(&[0, 1, 400, 800], false), " .:#");
        assert_eq!(spark(&[0, 0], true), "  ");
        assert_eq!(spark(&[u64::MAX], true), "█");
    }
}
