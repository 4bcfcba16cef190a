//! A page of text for people: how it is to look, its lines, and the cutting and filling of what stands in them.

use std::borrow::Cow;

use anstyle::Style;
use clap::ValueEnum;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::catalog::translation::Translations;

/// How it is to look.
#[derive(Clone, Debug)]
pub struct TextStyle {
    /// In columns.
    pub width: usize,
    pub color: bool,
    /// Signs beyond ASCII may be used.
    pub unicode: bool,
    /// The language it speaks.
    pub words: Translations,
    /// Its tag: `en`, `tr`.
    pub tag: String,
    /// Rows in a section; 0 shows all.
    pub top: usize,
    /// What comes first in the report stands last, next to the prompt.
    pub reverse: bool,
    /// All tables of names are shown.
    pub who: bool,
    /// What it took: seconds and threads. Not shown where the same input is to give the same bytes.
    pub took: Option<(f64, usize)>,
}

pub(crate) struct TextPage<'a> {
    pub text: String,
    pub style: &'a TextStyle,
}

impl<'a> TextPage<'a> {
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Between parts; not at the top.
    pub(crate) fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.style.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Our English words in the reader's language.
    pub(crate) fn say<'w>(&self, english: &'w str) -> &'w str
    where
        'a: 'w,
    {
        self.style.words.translate(english)
    }

    /// Wrapped; what comes behind the first line stands `indent` columns in. Blanks in front are kept.
    pub(crate) fn indented(&mut self, text: &str, indent: usize) {
        let lead = text.len() - text.trim_start().len();
        let lines = wrap(text.trim_start(), self.style.width.saturating_sub(indent.max(lead)));
        for (at, line) in lines.iter().enumerate() {
            let lead = " ".repeat(if at == 0 { lead } else { indent });
            self.line(&format!("{lead}{line}"));
        }
    }

    /// Parts on one line, or on as many as the width asks for.
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

/// Breaks at blanks; where signs are two columns wide, wherever their script may be broken (UAX #14).
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let wide = text.chars().any(|sign| sign.width() == Some(2));
    let separator = if wide { WordSeparator::UnicodeBreakProperties } else { WordSeparator::AsciiSpace };
    let options = Options::new(width)
        .word_separator(separator)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).into_iter().map(Cow::into_owned).collect()
}

/// A word of ours as it is typed: `end of DATA`.
pub(crate) fn word<W: ValueEnum>(word: &W) -> String {
    word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Cuts what is too wide, and shows that it did.
pub(crate) fn fit(text: &str, width: usize, unicode: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = if unicode { "…" } else { ".." };
    let mut room = width.saturating_sub(mark.width());
    let mut cut = String::new();
    for sign in text.chars() {
        let Some(rest) = room.checked_sub(sign.width().unwrap_or(0)) else { break };
        room = rest;
        cut.push(sign);
    }
    format!("{}{mark}", cut.trim_end())
}

/// Fills up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
