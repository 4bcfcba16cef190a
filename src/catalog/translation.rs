//! Translates the fixed words of human-readable output. Machine formats stay English.

use std::collections::BTreeMap;

use clap::ValueEnum;

use serde::Deserialize;

use super::cause::Cause;
use super::classify::Reason;
use crate::catalog;
use crate::smtp::reply::Class;

/// A language of human-readable output. To add one: a variant here, and a table `lang/tr.toml` with its name. Text that
/// the table lacks is shown in English.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Bahasa Indonesia
    Id,
    /// हिन्दी
    Hi,
    /// 简体中文
    Zh,
    /// Türkçe
    Tr,
    /// Tiếng Việt
    Vi,
}

impl Language {
    /// The first of LC_ALL, LC_MESSAGES and LANG that is set decides (POSIX, "Environment Variables" §8.2):
    /// `tr_TR.UTF-8` is Turkish. A language without a variant is English.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let locale = names.into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        let locale = locale.unwrap_or_default();
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
        Self::from_str(language, true).unwrap_or(Self::En)
    }

    /// None: English, which the tables translate from.
    fn table(self) -> Option<TranslationTable> {
        catalog::find_table(&format!("lang/{}", catalog::value_name(self)))
    }
}

/// Translations into one language, keyed by the English text.
#[derive(Clone, Default, Debug)]
pub struct Translations(BTreeMap<String, String>);

/// The table of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TranslationTable {
    /// The language's name for itself.
    #[serde(rename = "name")]
    _name: String,
    /// Fixed words of the output, keyed by the English text.
    #[serde(default)]
    words: BTreeMap<String, String>,
    /// Names of classes.
    #[serde(default)]
    class: BTreeMap<Class, String>,
    /// Names of reply codes, keyed by the number.
    #[serde(default)]
    code: BTreeMap<String, String>,
    /// Titles of reasons.
    #[serde(default)]
    reason: BTreeMap<Reason, String>,
    /// Titles of causes.
    #[serde(default)]
    cause: BTreeMap<Cause, String>,
    /// Lines of advice, keyed by the English line: a line that changes in English is shown in English until it is translated
    /// again.
    #[serde(default)]
    advice: BTreeMap<String, String>,
}

impl Translations {
    pub fn of(language: Language) -> Self {
        let Some(table) = language.table() else { return Self::default() };
        let mut words = Self(table.words);
        for (class, translated) in table.class {
            words.add(class.to_possible_value().map(|value| value.get_name().to_owned()), Some(translated));
        }
        for row in catalog::codes() {
            let translated = table.code.get(&row.code.to_string());
            words.add(Some(row.name.to_lowercase()), translated.cloned());
            words.add(Some(row.name.clone()), translated.cloned());
        }
        for row in catalog::reasons() {
            words.add(Some(row.title.clone()), table.reason.get(&row.id).cloned());
        }
        for (cause, title) in table.cause {
            words.add(Some(catalog::cause_row(cause).title.clone()), Some(title));
        }
        for (english, translated) in table.advice {
            words.add(Some(english), Some(translated));
        }
        words
    }

    /// The first translation of a text wins. Nothing is added if either is `None` or the English text is empty.
    fn add(&mut self, english: Option<String>, translated: Option<String>) {
        if let (Some(english), Some(translated)) = (english, translated)
            && !english.is_empty()
        {
            self.0.entry(english).or_insert(translated);
        }
    }

    /// The translation of an English text, or the text itself if there is none.
    pub fn translate<'a>(&'a self, english: &'a str) -> &'a str {
        if self.0.is_empty() {
            return english;
        }
        // A sentence is looked up without its capital and its full stop.
        let plain = || {
            let mut words = english.strip_suffix('.').unwrap_or(english).to_owned();
            words.get_mut(..1)?.make_ascii_lowercase();
            self.0.get(&words)
        };
        self.0.get(english).or_else(plain).map_or(english, String::as_str)
    }

    /// Whether there is a translation of exactly this text.
    pub fn has(&self, english: &str) -> bool {
        self.0.contains_key(english)
    }
}
