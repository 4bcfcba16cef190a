//! The floors of the house: a file uses what stands on a lower floor than its own, and never a file above it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. What stands on one floor may not know each other, but for the files of one folder.
const FLOORS: &[&[&str]] = &[
    &["lanes", "direct_mapped", "union_find"],
    &["reply", "names", "distinct"],
    &["event", "provider"],
    &["book"],
    &["reason"],
    &["language"],
    &["line"],
    &["year", "envelope"],
    &["time"],
    &["when"],
    &["error"],
    &["mta"],
    &["input", "reader"],
    &["filter", "state", "turn"],
    &["window", "condition"],
    &["walk"],
    &["group", "timeline", "hourly", "ledger"],
    &["record", "tally"],
    &["report", "entry", "story"],
    &["grouped", "delayed", "named", "notes", "messages", "storms", "baseline"],
    &["summary", "lookup", "verdict", "redact"],
    &["trace", "storm"],
    &["output"],
    &["watch"],
    &["cli"],
    &["config"],
    &["cmd"],
    &["main", "lib"],
];

/// Output shows reports, entries and records, and knows nothing of how they came about.
const OUTPUT_MAY_USE: &[&str] =
    &["language", "entry", "event", "output", "record", "reply", "report", "storms", "story"];

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|modules| modules.contains(&module))
        .unwrap_or_else(|| panic!("src/{module}.rs stands on no floor: give it one in tests/layers.rs"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The first word of each `crate::…` in the file, tests left out: they may look at anything.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    code.split("crate::").skip(1).map(word).collect()
}

fn uses() -> BTreeMap<(PathBuf, String), Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let named = |path: PathBuf| {
        let inside = path.strip_prefix(&root).unwrap().to_owned();
        let module = inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
        let uses = used(&fs::read_to_string(&path).unwrap());
        ((inside, module), uses)
    };
    files.into_iter().map(named).collect()
}

#[test]
fn imports_go_only_downwards() {
    for ((file, module), uses) in uses() {
        for used in uses {
            let known = used == module || floor(&used) < floor(&module);
            assert!(
                known,
                "src/{} uses crate::{used}, which stands on a higher floor or the same",
                file.display()
            );
        }
    }
}

#[test]
fn output_knows_only_reports_and_records() {
    for ((file, module), uses) in uses() {
        for used in uses.iter().filter(|_| module == "output") {
            assert!(OUTPUT_MAY_USE.contains(&used.as_str()), "src/{} uses crate::{used}", file.display());
        }
    }
}

#[test]
fn a_file_in_a_folder_takes_nothing_from_its_mod() {
    for ((file, _), _) in uses() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text).to_owned();
        let taken = code
            .split("super::")
            .skip(1)
            .find(|rest| rest.starts_with(|c: char| c == '*' || c.is_uppercase()));
        assert!(taken.is_none(), "src/{} takes something from the file above it", file.display());
    }
}

#[test]
fn only_main_prints_errors_and_exits() {
    for ((file, module), _) in uses() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text).to_owned();
        for word in ["eprintln!", "process::exit"] {
            assert!(module == "main" || !code.contains(word), "src/{} has {word}", file.display());
        }
    }
}
