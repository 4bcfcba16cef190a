//! Holds what is known about replies: the rules and providers that tell reasons, and the tables of codes, reasons, advice
//! and translations.
//!
//! Promises: the same reply always has the same reason and the same advice, whichever command asks; a user's own rules come
//! before the built-in ones. A table that cannot be read is an error only if a user wrote it.
//! May use: collections, simd, smtp.

pub(crate) mod action;
pub(crate) mod advice;
pub(crate) mod by_server;
pub(crate) mod cause;
pub(crate) mod classify;
pub(crate) mod provider;
pub(crate) mod reason;
pub(crate) mod situation;
pub(crate) mod storms;
pub(crate) mod tables;
pub(crate) mod translation;
pub(crate) mod warning;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::action::{Action, Blame, is_own_fault};
pub(crate) use self::advice::{Advice, AdviceId, Fate, Situation, advise, find_advice};
pub(crate) use self::cause::{Cause, cause_row};
pub(crate) use self::classify::normalize::normalize;
pub(crate) use self::classify::rule::{Features, MatchedOn, RuleRow};
pub(crate) use self::classify::rules::{RuleId, Rules};
use self::provider::{ProviderRow, Providers};
pub(crate) use self::reason::{EnhancedPattern, Reason, ReasonKin, Retry, value_name};
pub(crate) use self::storms::{CommandRow, FORGED, StormRow, storms};
pub(crate) use self::tables::{
    CodeRow, EnhancedRow, ReasonRow, VariantRow, catalogue_date, codes, enhanced_codes, find_code,
    find_enhanced_detail, find_pair, find_table, reason_row, reasons, table, table_text,
};

/// The rules and providers that the classifier needs.
pub struct Catalog {
    pub rules: Rules,
    pub providers: Providers,
}

/// The text of a user's file of rules and providers, and its name for error messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleFile<'a> {
    pub file: &'a str,
    pub text: &'a str,
    /// The file is a configuration file; `cli::config` checks its other keys.
    pub with_options: bool,
}

/// The rows of a file, built-in or a user's. `IgnoredAny` as `R` or `P` skips the rows of that kind.
#[derive(Deserialize)]
struct RuleFileRows<R, P> {
    #[serde(default, rename = "rule")]
    rules: R,
    #[serde(default, rename = "provider")]
    providers: P,
}

#[derive(Error, Debug)]
pub enum CatalogError {
    #[error("cannot read {file}, line {line}: {what}")]
    Table { file: String, line: usize, what: String },
}

impl Catalog {
    pub fn built_in() -> Self {
        Self::with_own(&[], &[]).expect("tests compile the built-in tables")
    }

    /// Puts the users' rules and providers before the built-in ones: those rules are tried first, and those providers
    /// keep their host and domain names.
    pub fn with_own(rules: &[RuleFile], providers: &[RuleFile]) -> Result<Self, CatalogError> {
        let providers = read_providers(providers)?;
        Ok(Self { rules: read_rules(rules, &providers)?, providers })
    }
}

fn read_providers(own: &[RuleFile]) -> Result<Providers, CatalogError> {
    let mut providers = Providers::default();
    for table in own {
        table.check_keys()?;
        let rows: RuleFileRows<IgnoredAny, Vec<Spanned<ProviderRow>>> = table.rows()?;
        for row in rows.providers {
            let at = row.span().start;
            providers.add(row.into_inner()).map_err(|what| table.error(at, what))?;
        }
    }
    let ours: RuleFileRows<IgnoredAny, Vec<ProviderRow>> = table("providers");
    providers.add_built_in(ours.providers).map_err(|what| table_error("providers.toml", 1, what))?;
    Ok(providers)
}

fn read_rules(own: &[RuleFile], providers: &Providers) -> Result<Rules, CatalogError> {
    let mut rows = Vec::new();
    // The file and byte offset of each of the users' rules, for error messages.
    let mut places = Vec::new();
    for table in own {
        table.check_keys()?;
        let own: RuleFileRows<Vec<RuleRow>, IgnoredAny> = table.rows()?;
        rows.extend(own.rules);
        places.extend(table.id_offsets()?.into_iter().map(|at| (table, at)));
    }
    Rules::compile(&rows, providers).map_err(|(row, what)| match places.get(row) {
        Some((table, at)) => table.error(*at, what),
        None => table_error("providers.toml", 1, what),
    })
}

impl RuleFile<'_> {
    /// Fails if the file has a key other than `rule` and `provider`.
    fn check_keys(&self) -> Result<(), CatalogError> {
        if self.with_options {
            return Ok(());
        }
        let table = DeTable::parse(self.text).map_err(|cause| self.toml_error(&cause))?;
        let other = table.get_ref().keys().find(|key| !matches!(key.get_ref().as_ref(), "rule" | "provider"));
        other.map_or(Ok(()), |key| {
            let what =
                format!("unknown field `{}`, expected `rule` or `provider`", key.get_ref().escape_debug());
            Err(self.error(key.span().start, what))
        })
    }

    fn rows<R, P>(&self) -> Result<RuleFileRows<R, P>, CatalogError>
    where
        R: DeserializeOwned + Default,
        P: DeserializeOwned + Default,
    {
        toml::from_str(self.text).map_err(|cause| self.toml_error(&cause))
    }

    /// The byte offset of the id of each rule, or of the rule itself if it has none.
    fn id_offsets(&self) -> Result<Vec<usize>, CatalogError> {
        let table = DeTable::parse(self.text).map_err(|cause| self.toml_error(&cause))?;
        let rules = table.get_ref().get("rule").and_then(|rules| rules.get_ref().as_array());
        let id = |rule: &Spanned<DeValue>| {
            let id = rule.get_ref().as_table().and_then(|rule| rule.get("id"));
            id.map_or(rule.span().start, |id| id.span().start)
        };
        Ok(rules.into_iter().flatten().map(id).collect())
    }

    fn toml_error(&self, cause: &toml::de::Error) -> CatalogError {
        self.error(cause.span().map_or(0, |span| span.start), cause.message().to_owned())
    }

    /// `at` is a byte offset in the file; the message names its line.
    fn error(&self, at: usize, what: String) -> CatalogError {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        table_error(self.file, line, what)
    }
}

fn table_error(file: &str, line: usize, what: String) -> CatalogError {
    CatalogError::Table { file: file.to_owned(), line, what }
}
