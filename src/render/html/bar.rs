//! Draws one horizontal bar of parts as SVG, with the numbers as its title for screen readers.

use indicatif::HumanCount;
use maud::{Markup, html};

/// `parts` are CSS class, count and name; the full width stands for `most`.
pub(crate) fn bar(most: u64, parts: &[(&str, u64, &str)]) -> Markup {
    let words: Vec<String> = parts
        .iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(_, count, name)| format!("{} {name}", HumanCount(*count)))
        .collect();
    let width = |count: u64| if most > 0 { count as f64 * 1000.0 / most as f64 } else { 0.0 };
    let mut from = 0;
    let rects = parts.iter().map(|&(class, count, _)| {
        let rect = (class, width(from), width(count));
        from += count;
        rect
    });
    let rects: Vec<(&str, f64, f64)> = rects.filter(|(_, _, width)| *width > 0.0).collect();
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" {
            title { (words.join(", ")) }
            @for (class, x, width) in rects {
                rect class=(class) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" {}
            }
        }
    }
}
