//! Adds headings, paragraphs and labelled text, translated, to a page of text.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, wrap};
use crate::render::sanitize::printable;
use crate::smtp::event::{Direction, Mta};
use crate::smtp::reply::Class;

const HEADING: Style = Style::new().bold();

impl TextPage<'_> {
    pub(crate) fn heading(&mut self, heading: &str) {
        self.line("");
        let heading = self.styled(HEADING, self.say(heading));
        self.line(&heading);
    }

    /// Colours text by the class of its code.
    pub(crate) fn by_class(&self, class: Option<Class>, text: &str) -> String {
        match class {
            Some(Class::Permanent) => self.styled(AnsiColor::Red.on_default().bold(), text),
            Some(Class::Transient) => self.styled(AnsiColor::Yellow.on_default().bold(), text),
            Some(Class::Positive | Class::Intermediate) | None => self.styled(HEADING, text),
        }
    }

    /// Wraps the text; all lines have the same indent.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        self.labelled(indent, "", 0, text);
    }

    /// A label, padded to `width`, and the wrapped text beside it.
    pub(crate) fn labelled(&mut self, indent: usize, label: &str, width: usize, text: &str) {
        let label = printable(self.say(label));
        let gap = if label.is_empty() && width == 0 { 0 } else { 2 };
        let width = width.max(label.width());
        let lead = indent + width + gap;
        let mut first = format!("{}{label}{}", " ".repeat(indent), " ".repeat(width - label.width() + gap));
        for line in wrap(&self.plain(self.say(text)), self.style.width.saturating_sub(lead).max(20)) {
            let line = format!("{first}{line}");
            self.line(&line);
            first = " ".repeat(lead);
        }
    }

    /// Makes text printable, and replaces `§` and `…` if the terminal has no Unicode.
    pub(crate) fn plain(&self, text: &str) -> String {
        let text = printable(text);
        if self.style.unicode { text } else { text.replace('§', "s. ").replace('…', "...") }
    }
}

/// The side of the connection that sent the reply, as a heading.
pub(crate) fn side_words(direction: Direction) -> &'static str {
    match direction {
        Direction::Outbound => "THEY said it to us",
        Direction::Inbound => "WE said it to a client",
        Direction::Local => "LOCAL delivery said it",
    }
}

pub(crate) fn server(mta: Option<Mta>) -> &'static str {
    mta.map_or("", Mta::display_name)
}

/// The value as it is typed on the command line.
pub(crate) fn typed<W: ValueEnum + Copy>(word: W) -> String {
    word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
