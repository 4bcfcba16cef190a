//! Compares the report of generated logs with the generator's totals.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use loggen::log::{Mta, Spec, Stamp, write};

use crate::support;

#[test]
fn a_generated_log_fits_its_own_totals() {
    loggen::log::check();
}

/// `direction|outcome|code|enhanced`, with `-` where there is none.
fn events(report: &serde_json::Value) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for row in report["rows"].as_array().unwrap() {
        let part = |key: &str| match &row[key] {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let key = ["direction", "outcome", "code", "enhanced"].map(part).join("|");
        *sums.entry(key).or_default() += row["attempts"].as_u64().unwrap();
    }
    sums
}

#[test]
fn finds_what_the_generator_wrote() {
    let size = 3 << 20;
    let postfix = Spec::new(Mta::Postfix, size);
    let exim = Spec::new(Mta::Exim, size);
    let specs = [
        ("postfix, RFC 3164", postfix.clone()),
        (
            "postfix, RFC 3339 and long ids",
            Spec { stamp: Stamp::Rfc3339, long_ids: true, seed: 2, ..postfix.clone() },
        ),
        ("exim", Spec { seed: 3, ..exim.clone() }),
        ("exim, 6-6-2 ids", Spec { long_ids: false, seed: 4, ..exim.clone() }),
        ("exim through syslog", Spec { stamp: Stamp::Bsd, seed: 5, ..exim }),
    ];
    for (name, spec) in specs {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut out = BufWriter::new(File::create(&path).unwrap());
        let totals = write(&spec, &mut out).unwrap();
        out.flush().unwrap();
        for (threads, block) in [("1", "262144"), ("2", "10007")] {
            let report =
                support::report(&["-n", "0", "-j", threads, "--block-size", block, path.to_str().unwrap()]);
            assert_eq!(events(&report), totals.events, "{name}");
            let input = &report["input"];
            assert_eq!(input["lines"], totals.lines, "{name}");
            assert_eq!(input["other"], totals.kinds.foreign, "{name}");
            assert_eq!(input["not_understood"], 0, "{name}: {}", input["not_understood_lines"]);
        }
    }
}
