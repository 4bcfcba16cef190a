//! The book: tables in TOML come in, rules and providers ready for use go out, and texts when they are asked for.

pub mod guide;
mod mask;
mod phrases;
mod rules;
mod texts;
mod words;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;
use toml::de::DeTable;

pub use self::mask::mask;
pub use self::rules::{Clues, Rule, RuleId, RuleRow, Rules, Sureness};
pub use self::texts::{
    Advice, AdviceRow, CodeRow, EnhancedRow, ReasonRow, advice, codes, enhanced_codes, find_advice,
    find_enhanced, reasons,
};
pub use self::words::{EnhancedPattern, Reason, Retry, slug};
use crate::provider::{ProviderRow, Providers};

/// What is needed to find reasons.
pub struct Book {
    pub rules: Rules,
    pub providers: Providers,
}

/// A table to read, and what to call it in an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table<'a> {
    pub file: &'a str,
    pub text: &'a str,
    /// It is a configuration file: options stand in it too, which others have looked at.
    pub with_options: bool,
}

const RULES: Table = Table { file: "rules.toml", text: include_str!("book/rules.toml"), with_options: false };
const PROVIDERS: Table =
    Table { file: "providers.toml", text: include_str!("book/providers.toml"), with_options: false };

#[derive(Error, Debug)]
pub enum BookError {
    #[error("cannot read {file}, line {line}: {what}")]
    Table { file: String, line: usize, what: String },
}

impl Book {
    pub fn built_in() -> Self {
        Self::read(&[RULES], &[PROVIDERS]).expect("the tables are tested")
    }

    /// The user's own tables before ours: his rules are asked first, and his rows of providers count first.
    pub fn with_own(rules: &[Table], providers: &[Table]) -> Result<Self, BookError> {
        Self::read(&[rules, &[RULES]].concat(), &[providers, &[PROVIDERS]].concat())
    }

    fn read(rules: &[Table], providers: &[Table]) -> Result<Self, BookError> {
        let providers = read_providers(providers)?;
        Ok(Self { rules: read_rules(rules, &providers)?, providers })
    }
}

fn read_providers(tables: &[Table]) -> Result<Providers, BookError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        provider: Vec<toml::Spanned<ProviderRow>>,
        #[serde(default, rename = "rule")]
        _rule: IgnoredAny,
    }
    let mut providers = Providers::default();
    for table in tables {
        table.holds_nothing_else()?;
        let file: File = toml::from_str(table.text).map_err(|cause| table.fault(&cause))?;
        for row in file.provider {
            let at = row.span().start;
            providers.add(row.into_inner()).map_err(|what| table.error(at, what))?;
        }
    }
    Ok(providers)
}

fn read_rules(tables: &[Table], providers: &Providers) -> Result<Rules, BookError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        rule: Vec<RuleRow>,
        #[serde(default, rename = "provider")]
        _provider: IgnoredAny,
    }
    let mut rows = Vec::new();
    let mut places = Vec::new();
    for table in tables {
        table.holds_nothing_else()?;
        let file: File = toml::from_str(table.text).map_err(|cause| table.fault(&cause))?;
        places.extend(file.rule.iter().map(|row| (table, row.id.span().start)));
        rows.extend(file.rule);
    }
    Rules::compile(rows, providers).map_err(|(row, what)| match places.get(row) {
        Some((table, at)) => table.error(*at, what),
        None => PROVIDERS.error(0, what),
    })
}

impl Table<'_> {
    fn holds_nothing_else(&self) -> Result<(), BookError> {
        if self.with_options {
            return Ok(());
        }
        let table = DeTable::parse(self.text).map_err(|cause| self.fault(&cause))?;
        let other = table.get_ref().keys().find(|key| !matches!(key.get_ref().as_ref(), "rule" | "provider"));
        other.map_or(Ok(()), |key| {
            let what =
                format!("unknown field `{}`, expected `rule` or `provider`", key.get_ref().escape_debug());
            Err(self.error(key.span().start, what))
        })
    }

    fn fault(&self, cause: &toml::de::Error) -> BookError {
        self.error(cause.span().map_or(0, |span| span.start), cause.message().to_owned())
    }

    /// `at` counts bytes.
    fn error(&self, at: usize, what: String) -> BookError {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        BookError::Table { file: self.file.to_owned(), line, what }
    }
}
