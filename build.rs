//! The tables of the book come in, as TOML that people write; the same as JSON goes out, for the program to read.
//!
//! The tables are read at each start. As TOML they take 33 million instructions, as JSON 4 million.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// Under `src/book`.
const TABLES: [&str; 12] = [
    "advice",
    "codes",
    "enhanced",
    "providers",
    "reasons",
    "rules",
    "storms",
    "lang/hi",
    "lang/id",
    "lang/tr",
    "lang/vi",
    "lang/zh",
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    fs::create_dir_all(Path::new(&out).join("lang"))?;
    for name in TABLES {
        let path = format!("src/book/{name}.toml");
        println!("cargo::rerun-if-changed={path}");
        let table: toml::Table =
            fs::read_to_string(&path)?.parse().map_err(|cause| format!("cannot read {path}: {cause}"))?;
        fs::write(Path::new(&out).join(name).with_extension("json"), serde_json::to_string(&table)?)?;
    }
    Ok(())
}
