//! Cuts, pads and colours the text of screen lines. Nothing from a log gets to the screen unless it is printable.

use indicatif::HumanCount;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::render::sanitize::printable;
use crate::render::text::page::{TextStyle, fit, pad};

/// Formats text for lines of a given width.
pub(crate) struct Pen<'a> {
    pub style: &'a TextStyle,
    pub width: usize,
}

impl Pen<'_> {
    /// The translation of an English text.
    pub(crate) fn say(&self, english: &str) -> String {
        self.style.words.translate(english).to_owned()
    }

    /// Makes a text printable and cuts it to a width in columns.
    pub(crate) fn fit(&self, text: &str, width: usize) -> String {
        fit(&printable(text), width, self.style.unicode)
    }

    /// A text cut or padded to a width in columns.
    pub(crate) fn cell(&self, text: &str, width: usize) -> String {
        pad(&self.fit(text, width), width)
    }

    /// A text in a style, unless colours are off.
    pub(crate) fn styled(&self, text: String, style: Style) -> Span<'static> {
        if self.style.color { Span::styled(text, style) } else { Span::raw(text) }
    }

    /// A text as a line of the full width.
    pub(crate) fn line(&self, text: &str, style: Style) -> Line<'static> {
        Line::from(self.styled(self.cell(text, self.width), style))
    }

    /// A line with one text at the left end, cut to the room there is, and one at the right end.
    pub(crate) fn apart(&self, left: &str, right: &str, style: Style) -> Line<'static> {
        let room = self.width.saturating_sub(right.width() + 1);
        self.line(&format!("{} {right}", self.cell(left, room)), style)
    }
}

/// A rate as `94`, `9.4` or `0`.
pub(crate) fn number(value: f64) -> String {
    if value >= 10.0 || value == 0.0 {
        HumanCount(value.round() as u64).to_string()
    } else {
        format!("{value:.1}")
    }
}
