//! The book, with the user's own rules and providers before ours.

use std::fs;

use crate::book::{Book, Table};
use crate::cli::RulesArgs;
use crate::error::Error;

pub fn book(args: &RulesArgs) -> Result<Book, Error> {
    if args.rules.is_empty() {
        return Ok(Book::built_in());
    }
    let mut own = Vec::new();
    for path in &args.rules {
        let text = fs::read_to_string(path).map_err(|source| Error::Open { path: path.clone(), source })?;
        own.push((path.display().to_string(), text));
    }
    let tables: Vec<Table> = own.iter().map(|(file, text)| Table { file, text }).collect();
    Ok(Book::with_own(&tables, &tables)?)
}
