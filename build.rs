//! Packs the TOML tables of the catalogue as JSON into one Rust file, `tables.rs`, for the program to embed.
//!
//! The program reads a table when it first needs it. Reading all of them takes 33 million instructions as TOML and 4
//! million as JSON.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The folder of the tables. A file `codes.toml` is the table `codes`, and `lang/tr.toml` is `lang/tr`.
const TABLES: &str = "src/catalog/data";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={TABLES}");
    let mut paths = Vec::new();
    collect_tables(Path::new(TABLES), &mut paths)?;
    paths.sort();
    let mut code = "pub(super) const TABLES: &[(&str, &str)] = &[\n".to_owned();
    for path in paths {
        let error = |cause| format!("cannot read {}: {cause}", path.display());
        let mut table: toml::Table =
            fs::read_to_string(&path)?.parse().map_err(|cause: toml::de::Error| error(cause.to_string()))?;
        let name = path.strip_prefix(TABLES)?.with_extension("");
        for rule in table.get_mut("rule").and_then(toml::Value::as_array_mut).into_iter().flatten() {
            for list in ["words", "and", "unless"] {
                if let Some(phrases) = rule.get_mut(list).and_then(toml::Value::as_array_mut) {
                    drop_covered(phrases);
                }
            }
        }
        let name = name.to_str().ok_or("the name of a table is not UTF-8")?.replace('\\', "/");
        writeln!(code, "    ({name:?}, {:?}),", serde_json::to_string(&table)?)?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("tables.rs"), code)?;
    Ok(())
}

/// Appends the paths of all TOML files in a folder and its subfolders to `found`.
fn collect_tables(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_tables(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

/// Drops the phrases of a list that match only where another phrase of the list matches too: `ip is blocked` beside
/// `is blocked`. Each phrase that is loaded makes a start slower, and one in seven is covered.
fn drop_covered(phrases: &mut Vec<toml::Value>) {
    let plain: Vec<String> =
        phrases.iter().map(|phrase| plain_words(phrase.as_str().unwrap_or_default())).collect();
    let is_covered = |at: usize, phrase: &str| {
        plain
            .iter()
            .enumerate()
            .any(|(other, by)| other != at && covers(by, phrase) && (by != phrase || other < at))
    };
    let kept: Vec<bool> = plain.iter().enumerate().map(|(at, phrase)| !is_covered(at, phrase)).collect();
    let mut kept = kept.into_iter();
    phrases.retain(|_| kept.next().unwrap_or(true));
}

/// The phrase as normalization leaves it, as far as phrases hold what is normalized.
fn plain_words(phrase: &str) -> String {
    let mut plain = String::new();
    for letter in phrase.chars() {
        match letter {
            '\'' | '"' | '`' => {}
            '-' | '_' | ' ' if plain.is_empty() || plain.ends_with(' ') => {}
            '-' | '_' | ' ' => plain.push(' '),
            _ => plain.push(letter.to_ascii_lowercase()),
        }
    }
    plain
}

/// Whether `phrase` holds the words of `by`, so that it matches only where `by` does. Only a `by` without a `*`, or with one
/// at its end, is looked at.
fn covers(by: &str, phrase: &str) -> bool {
    let (words, open) = match by.strip_suffix('*') {
        Some(words) if !words.ends_with(' ') => (words, true),
        Some(_) | None => (by, false),
    };
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    // A `*` beside the words may stand for more letters of the same word.
    let ends = |letter: Option<char>| !is_word(letter) && letter != Some('*');
    !words.is_empty()
        && !words.contains('*')
        && phrase.match_indices(words).any(|(at, _)| {
            let (before, after) = (&phrase[..at], &phrase[at + words.len()..]);
            (ends(before.chars().next_back()) || !is_word(words.chars().next()))
                && (open || ends(after.chars().next()) || !is_word(words.chars().next_back()))
        })
}
