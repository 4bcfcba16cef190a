//! Translates our fixed words into the languages of people. Machine formats stay English.

use std::collections::BTreeMap;

use clap::ValueEnum;

use serde::Deserialize;

use super::by_server::ByServer;
use super::classify::Reason;
use crate::catalog;
use crate::smtp::event::Direction;
use crate::smtp::reply::Class;

/// To add one: a variant here, and a file of that name among the tables, `lang/tr.toml`. What the file lacks is shown in
/// English.
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
    /// The first of LC_ALL, LC_MESSAGES and LANG that is set decides, as everywhere (POSIX, "Environment
    /// Variables" §8.2): `tr_TR.UTF-8` is Turkish. English for what we do not have.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let locale = names.into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        let locale = locale.unwrap_or_default();
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
        Self::from_str(language, true).unwrap_or(Self::En)
    }

    /// None: English, which all others are translated from.
    fn table(self) -> Option<TranslationTable> {
        catalog::find_table(&format!("lang/{}", catalog::value_name(self)))
    }
}

/// Translations by the English words. English stands where a translation is missing.
#[derive(Clone, Default, Debug)]
pub struct Translations(BTreeMap<String, String>);

/// A language's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TranslationTable {
    /// The language's name for itself.
    #[serde(rename = "name")]
    _name: String,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    class: BTreeMap<Class, String>,
    #[serde(default)]
    code: BTreeMap<String, String>,
    #[serde(default)]
    reason: BTreeMap<Reason, String>,
    #[serde(default)]
    advice: Vec<TranslatedLine>,
}

/// A line of advice: what is good for any server, and what for one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TranslatedLine {
    reason: Reason,
    direction: Direction,
    line: Option<String>,
    #[serde(flatten)]
    own: ByServer<Option<String>>,
}

impl Translations {
    pub fn of(language: Language) -> Self {
        let Some(table) = language.table() else { return Self::default() };
        let mut words = Self(table.words);
        for (class, own) in table.class {
            words.add(class.to_possible_value().map(|value| value.get_name().to_owned()), Some(own));
        }
        for row in catalog::codes() {
            let own = table.code.get(&row.code.to_string());
            words.add(Some(row.name.to_lowercase()), own.cloned());
            words.add(Some(row.name.clone()), own.cloned());
        }
        for row in catalog::reasons() {
            words.add(Some(row.title.clone()), table.reason.get(&row.id).cloned());
        }
        for line in table.advice {
            if let Some(row) = catalog::find_advice(line.reason, line.direction) {
                words.add(Some(row.all.line.clone()), line.line);
                for ((_, advice), (_, own)) in row.own.iter().zip(line.own.iter()) {
                    words.add(Some(advice.line.clone()), own.clone());
                }
            }
        }
        words
    }

    fn add(&mut self, english: Option<String>, own: Option<String>) {
        if let (Some(english), Some(own)) = (english, own)
            && !english.is_empty()
        {
            self.0.entry(english).or_insert(own);
        }
    }

    /// The translation of English words that we print; the words themselves where there is none.
    pub fn translate<'a>(&'a self, english: &'a str) -> &'a str {
        if self.0.is_empty() {
            return english;
        }
        // The same words begin with a capital and end in a full stop where they stand as a sentence.
        let plain = || {
            let mut words = english.strip_suffix('.').unwrap_or(english).to_owned();
            words.get_mut(..1)?.make_ascii_lowercase();
            self.0.get(&words)
        };
        self.0.get(english).or_else(plain).map_or(english, String::as_str)
    }

    /// There is a translation.
    pub fn has(&self, english: &str) -> bool {
        self.0.contains_key(english)
    }
}
