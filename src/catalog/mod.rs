//! Holds what is known about replies: rules and providers that tell reasons, and the tables of texts.

pub(crate) mod advice;
pub(crate) mod by_server;
pub(crate) mod classify;
pub(crate) mod provider;
pub(crate) mod reason;
pub(crate) mod storms;
pub(crate) mod tables;
pub(crate) mod translation;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::advice::{Advice, advice_for, advice_line, advice_on, find_advice, is_softened};
pub(crate) use self::classify::normalize::normalize;
pub(crate) use self::classify::rules::{Features, MatchedOn, RuleId, RuleRow, Rules};
use self::provider::{ProviderRow, Providers};
pub(crate) use self::reason::{EnhancedPattern, Reason, Retry, value_name};
pub(crate) use self::storms::{CommandRow, StormRow, storms};
pub(crate) use self::tables::{
    CodeRow, EnhancedRow, ReasonRow, VariantRow, catalogue_date, codes, enhanced_codes, find_code,
    find_enhanced_detail, find_pair, find_table, reason_row, reasons, table,
};

/// The rules and providers that the classifier needs.
pub struct Catalog {
    pub rules: Rules,
    pub providers: Providers,
}

/// A user's table to read, and its name for errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleFile<'a> {
    pub file: &'a str,
    pub text: &'a str,
    /// The file is a configuration file, whose options the configuration has checked.
    pub with_options: bool,
}

/// The rows of a table, ours or a user's; each file may hold both kinds.
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
        Self::with_own(&[], &[]).expect("the tables are tested")
    }

    /// The user's own tables come before ours: their rules are tried first, and their providers win.
    pub fn with_own(rules: &[RuleFile], providers: &[RuleFile]) -> Result<Self, CatalogError> {
        let providers = read_providers(providers)?;
        Ok(Self { rules: read_rules(rules, &providers)?, providers })
    }
}

fn read_providers(own: &[RuleFile]) -> Result<Providers, CatalogError> {
    let mut providers = Providers::default();
    for table in own {
        table.holds_nothing_else()?;
        let rows: RuleFileRows<IgnoredAny, Vec<Spanned<ProviderRow>>> = table.rows()?;
        for row in rows.providers {
            let at = row.span().start;
            providers.add(row.into_inner()).map_err(|what| table.error(at, what))?;
        }
    }
    let ours: RuleFileRows<IgnoredAny, Vec<ProviderRow>> = table("providers");
    for row in ours.providers {
        providers.add(row).map_err(|what| line_of("providers.toml", 1, what))?;
    }
    Ok(providers)
}

fn read_rules(own: &[RuleFile], providers: &Providers) -> Result<Rules, CatalogError> {
    let mut rows = Vec::new();
    let mut places = Vec::new();
    for table in own {
        table.holds_nothing_else()?;
        let own: RuleFileRows<Vec<RuleRow>, IgnoredAny> = table.rows()?;
        rows.extend(own.rules);
        places.extend(table.ids()?.into_iter().map(|at| (table, at)));
    }
    let ours: RuleFileRows<Vec<RuleRow>, IgnoredAny> = table("rules");
    rows.extend(ours.rules);
    Rules::compile(rows, providers).map_err(|(row, what)| match places.get(row) {
        Some((table, at)) => table.error(*at, what),
        None => line_of("providers.toml", 1, what),
    })
}

impl RuleFile<'_> {
    fn holds_nothing_else(&self) -> Result<(), CatalogError> {
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

    fn rows<R, P>(&self) -> Result<RuleFileRows<R, P>, CatalogError>
    where
        R: DeserializeOwned + Default,
        P: DeserializeOwned + Default,
    {
        toml::from_str(self.text).map_err(|cause| self.fault(&cause))
    }

    /// The offset of each rule's id, in bytes.
    fn ids(&self) -> Result<Vec<usize>, CatalogError> {
        let table = DeTable::parse(self.text).map_err(|cause| self.fault(&cause))?;
        let rules = table.get_ref().get("rule").and_then(|rules| rules.get_ref().as_array());
        let id = |rule: &Spanned<DeValue>| {
            let id = rule.get_ref().as_table().and_then(|rule| rule.get("id"));
            id.map_or(rule.span().start, |id| id.span().start)
        };
        Ok(rules.into_iter().flatten().map(id).collect())
    }

    fn fault(&self, cause: &toml::de::Error) -> CatalogError {
        self.error(cause.span().map_or(0, |span| span.start), cause.message().to_owned())
    }

    /// `at` is an offset in bytes.
    fn error(&self, at: usize, what: String) -> CatalogError {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        line_of(self.file, line, what)
    }
}

fn line_of(file: &str, line: usize, what: String) -> CatalogError {
    CatalogError::Table { file: file.to_owned(), line, what }
}
