//! The properties of the fuzz targets hold for their seeds, and for seeds that were cut and changed at random.
//!
//! `SMTPLOG_FUZZ_ROUNDS=1000 cargo test --test it fuzz::` changes each seed more often than usual.

use std::collections::BTreeSet;
use std::fs;

use self::targets::TARGETS;
use crate::support;

// It is the library of the crate in `fuzz/`, so its items are public there.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// How often each seed is changed by default: a few seconds in all.
const ROUNDS: usize = 3;

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = support::root().join("fuzz/seeds").join(target);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).unwrap());
    let mut seeds: Vec<_> = files.map(named).collect();
    seeds.sort();
    seeds
}

/// xorshift64 (Marsaglia 2003): the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % limit.max(1)
    }

    /// Changes a few bytes, repeats a part, joins the seed with another, or cuts it.
    fn changed(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        const SIGNS: &[u8] = b" \n\r\t\0\x1b\x7f\xff\xc2\x9b<>[](){}\"'\\=,:;|&#%@.0129-+*?TZ";
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let (at, end) = (self.below(bytes.len()), self.below(bytes.len()));
            match self.below(6) {
                0 | 1 => {
                    bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = SIGNS[self.below(SIGNS.len())]);
                }
                2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
                3 => bytes.extend_from_within(at.min(end)..end),
                4 => bytes = [&bytes[..at], &other[self.below(other.len())..]].concat(),
                _ => bytes.truncate(at),
            }
        }
        bytes
    }
}

/// Prints the input that broke a property.
struct Input<'a> {
    seed: &'a str,
    bytes: &'a [u8],
}

impl Drop for Input<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}, changed to: {}", self.seed, self.bytes.escape_ascii());
        }
    }
}

/// Runs the property of a target over its seeds.
fn holds(target: &str) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let rounds = std::env::var("SMTPLOG_FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (name, seed) in &seeds {
        let run = |bytes: &[u8]| {
            let _input = Input { seed: name, bytes };
            check(bytes);
        };
        run(seed);
        for _ in 0..rounds {
            let other = random.below(seeds.len());
            let changed = random.changed(seed, &seeds[other].1);
            run(&changed);
        }
    }
}

#[test]
fn what_is_decompressed_does_not_depend_on_how_it_arrives() {
    holds("decompress");
}

#[test]
fn what_is_read_from_a_line_lies_within_it() {
    holds("line");
}

#[test]
fn threads_and_blocks_change_no_answer() {
    holds("log");
}

#[test]
fn no_way_to_read_a_log_changes_its_answers() {
    holds("ways");
}

#[test]
fn any_section_of_a_part_is_refused_or_reported() {
    holds("part");
}

#[test]
fn an_error_in_rules_or_configuration_names_a_line() {
    holds("rules");
}

#[test]
fn no_format_lets_through_what_others_obey() {
    holds("sanitize");
}

#[test]
fn a_state_or_baseline_that_is_saved_reads_back() {
    holds("state");
}

#[test]
fn a_time_that_is_shown_reads_back() {
    holds("time");
}

#[test]
fn a_condition_or_pattern_that_is_shown_reads_back() {
    holds("words");
}

#[test]
fn a_wrapped_line_comes_out_as_it_went_in() {
    holds("wrapper");
}

#[test]
fn every_target_has_a_file_and_a_row_and_a_property() {
    let root = support::root().join("fuzz");
    let wanted: BTreeSet<String> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    let files = fs::read_dir(root.join("fuzz_targets")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(files, wanted);
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let rows = manifest["bin"].as_array().unwrap().iter();
    assert_eq!(rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), wanted);
}
