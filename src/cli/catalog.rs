//! Loads the catalogue, with the user's rules and providers before the built-in ones.

use std::fs;

use super::args::RulesArgs;
use super::error::CliError;
use crate::catalog::{Catalog, RuleFile, table_text};
use crate::collections::stable_hash::{PART_SEED, StableHash};

/// Loads the catalogue. Files of `--rules` come first, then the rules of configuration files.
pub(crate) fn load_catalog(args: &RulesArgs) -> Result<Catalog, CliError> {
    if !has_own_rules(args) {
        return Ok(Catalog::built_in());
    }
    let mut texts = Vec::new();
    let named = args.rules.iter().map(|path| (path, false));
    let configured = args.rules_of.iter().map(|path| (path, true));
    for (path, with_options) in named.chain(configured) {
        let text = fs::read_to_string(path).map_err(CliError::open_file(path))?;
        texts.push((path.display().to_string(), text, with_options));
    }
    let files: Vec<RuleFile> = texts
        .iter()
        .map(|(file, text, with_options)| RuleFile { file, text, with_options: *with_options })
        .collect();
    Ok(Catalog::with_own(&files, &files)?)
}

/// The tables that decide which reason, cause and provider an event has.
const DECIDING: [&str; 4] = ["rules", "providers", "reasons", "causes"];

/// The hash of what decides reasons: the built-in tables, and the user's own rules.
pub(crate) fn book_hash(args: &RulesArgs) -> Result<String, CliError> {
    let tables = DECIDING.into_iter().filter_map(table_text);
    let built_in = tables.fold(StableHash::new(PART_SEED), |hash, text| hash.text(text.as_bytes()));
    let own = args.rules.iter().chain(&args.rules_of).try_fold(built_in, |hash, path| {
        let text = fs::read(path).map_err(CliError::open_file(path))?;
        Ok::<_, CliError>(hash.text(&text))
    })?;
    Ok(format!("{:016x}", own.finish()))
}

/// Whether the user has rules of their own.
pub(crate) fn has_own_rules(args: &RulesArgs) -> bool {
    !args.rules.is_empty() || !args.rules_of.is_empty()
}
