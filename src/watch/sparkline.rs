//! Draws counts as a row of small bars (a sparkline, after Tufte), the latest on the right.

/// Bars from zero to the largest count.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same in ASCII.
const ASCII_BARS: [char; 9] = [' ', '.', '.', ':', ':', '+', '+', '#', '#'];

/// One bar for each count; the largest count has the highest bar, and every count but 0 is visible.
pub(crate) fn spark(counts: &[u64], unicode: bool) -> String {
    let bars = if unicode { &BARS } else { &ASCII_BARS };
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
