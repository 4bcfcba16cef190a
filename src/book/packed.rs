//! A table of the book comes in, as build.rs has packed it; what it says goes out.

use serde::Deserialize;

/// Our own tables alone; what users write is TOML, and may be wrong.
pub fn packed<'a, T: Deserialize<'a>>(table: &'a str) -> T {
    serde_json::from_str(table).expect("the tables are tested")
}
