//! One bar of parts, lying, with its numbers in words for those who do not see it.

use indicatif::HumanCount;
use maud::{Markup, html};

/// TextStyle, count and name of each part; `most` is what the whole width stands for.
pub(crate) fn bar(most: u64, parts: &[(&str, u64, &str)]) -> Markup {
    let words: Vec<String> = parts
        .iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(_, count, name)| format!("{} {name}", HumanCount(*count)))
        .collect();
    let width = |count: u64| if most > 0 { count as f64 * 1000.0 / most as f64 } else { 0.0 };
    let mut from = 0;
    let places = parts.iter().map(|&(class, count, _)| {
        let place = (class, width(from), width(count));
        from += count;
        place
    });
    let places: Vec<(&str, f64, f64)> = places.filter(|(_, _, width)| *width > 0.0).collect();
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" {
            title { (words.join(", ")) }
            @for (class, x, width) in places {
                rect class=(class) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" {}
            }
        }
    }
}
