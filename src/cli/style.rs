//! Finds out what standard output can show: width, colour, character set and language.

use std::io::{IsTerminal, stderr, stdout};

use super::args::ColorChoice;
use crate::catalog::translation::{Language, Translations};
use crate::catalog::value_name;
use crate::render::text::page::TextStyle;

/// The style for standard output. The width is that of its terminal or, if it goes to a pager, of the terminal at standard
/// error; else COLUMNS, else 80; always from 60 to 140.
pub(crate) fn text_style(color: ColorChoice, lang: Option<Language>) -> TextStyle {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let terminal = stdout().is_terminal();
    let color = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal && !set("NO_COLOR") && std::env::var("TERM").is_ok_and(|term| term != "dumb")
        }
    };
    let width = terminal_size::terminal_size_of(stdout())
        .or_else(|| terminal_size::terminal_size_of(stderr()))
        .map(|(width, _)| usize::from(width.0))
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
        .unwrap_or(80);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let unicode = locale.is_some_and(|locale| locale.to_ascii_uppercase().replace('-', "").contains("UTF8"));
    let language = lang.unwrap_or_else(|| Language::of_environment(|name| std::env::var(name).ok()));
    TextStyle {
        width: width.clamp(60, 140),
        color,
        unicode,
        words: Translations::of(language),
        tag: value_name(language),
        top: 0,
        rows: None,
        codes: false,
        input: String::new(),
        reverse: false,
        who: false,
        took: None,
    }
}
