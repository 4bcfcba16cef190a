//! Builds pages of text: style, lines, wrapping, cutting and padding.

use std::borrow::Cow;

use anstyle::Style;
use clap::ValueEnum;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::catalog::translation::Translations;

/// How text for people is printed.
#[derive(Clone, Debug)]
pub struct TextStyle {
    /// Width in columns.
    pub width: usize,
    pub color: bool,
    /// Characters beyond ASCII may be used.
    pub unicode: bool,
    /// Translations into the reader's language.
    pub words: Translations,
    /// The tag of that language: `en`, `tr`.
    pub tag: String,
    /// Rows shown in a section; 0 shows all.
    pub top: usize,
    /// The same for the first screen of a report. `None`: as many as fit.
    pub rows: Option<usize>,
    /// Tables by code instead of the first screen (`--codes`).
    pub codes: bool,
    /// The options and files that select the logs, quoted for a shell: `--rotated /var/log/mail.log`.
    pub input: String,
    /// The order of rows is reversed, so that the first one is next to the prompt.
    pub reverse: bool,
    /// All tables of names are shown (`--who`).
    pub who: bool,
    /// Seconds and threads that the run took. `None`: not shown, so that the same input gives the same bytes.
    pub took: Option<(f64, usize)>,
}

/// A page of text that is being written.
pub(crate) struct TextPage<'a> {
    pub text: String,
    pub style: &'a TextStyle,
}

impl<'a> TextPage<'a> {
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line between parts; none at the top of the page.
    pub(crate) fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.style.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Translates an English phrase of ours into the reader's language.
    pub(crate) fn say<'w>(&self, english: &'w str) -> &'w str
    where
        'a: 'w,
    {
        self.style.words.translate(english)
    }

    /// Wraps the text; lines after the first are indented by `indent` columns. Leading spaces are kept.
    pub(crate) fn indented(&mut self, text: &str, indent: usize) {
        let lead = text.len() - text.trim_start().len();
        let lines = wrap(text.trim_start(), self.style.width.saturating_sub(indent.max(lead)));
        for (at, line) in lines.iter().enumerate() {
            let lead = " ".repeat(if at == 0 { lead } else { indent });
            self.line(&format!("{lead}{line}"));
        }
    }

    /// Prints the parts on one line, or on several if they do not fit.
    pub(crate) fn wrapped(&mut self, parts: &[&str], between: &str) {
        let mut line = String::new();
        for part in parts {
            if !line.is_empty() && line.width() + between.len() + part.width() > self.style.width {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push_str(between);
            }
            line.push_str(part);
        }
        if line.width() <= self.style.width { self.line(&line) } else { self.indented(&line, 2) }
    }
}

/// Breaks lines at spaces; text with characters two columns wide, wherever UAX #14 allows a break.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let wide = text.chars().any(|c| c.width() == Some(2));
    let separator = if wide { WordSeparator::UnicodeBreakProperties } else { WordSeparator::AsciiSpace };
    let options = Options::new(width)
        .word_separator(separator)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).into_iter().map(Cow::into_owned).collect()
}

/// The value as it is typed on the command line: `end of DATA`.
pub(crate) fn word<W: ValueEnum>(word: &W) -> String {
    word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Cuts text to `width` columns, and marks the cut with `…` or `..`.
pub(crate) fn fit(text: &str, width: usize, unicode: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = if unicode { "…" } else { ".." };
    let mut room = width.saturating_sub(mark.width());
    let mut cut = String::new();
    for c in text.chars() {
        let Some(rest) = room.checked_sub(c.width().unwrap_or(0)) else { break };
        room = rest;
        cut.push(c);
    }
    format!("{}{mark}", cut.trim_end())
}

/// Quotes a word for a POSIX shell, and for zsh, which takes `=ls` for the path of a command.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%,".contains(c);
    if !word.is_empty() && !word.starts_with(['-', '=']) && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''").replace(char::is_control, "?"))
    }
}

/// Pads with spaces to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
