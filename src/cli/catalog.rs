//! Loads the catalogue, with the user's rules and providers before the built-in ones.

use std::fs;

use super::args::RulesArgs;
use super::error::CliError;
use crate::catalog::{Catalog, RuleFile};

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

/// Whether the user has rules of their own.
pub(crate) fn has_own_rules(args: &RulesArgs) -> bool {
    !args.rules.is_empty() || !args.rules_of.is_empty()
}
