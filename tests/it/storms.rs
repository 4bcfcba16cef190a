//! Checks the generated storms: every line is understood, each storm is visible, and `smtplog storm` finds it.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use loggen::storm::{CasePlan, Pattern, StormCase, Style, build, judge};

use crate::support;

/// A day of a server that is no busier than the storm needs.
fn small(seed: u64, style: Style) -> CasePlan {
    let plan = CasePlan::with_storms(seed, style);
    let storms = plan.storms[..1].to_vec();
    let messages_per_day = storms[0].least_traffic().clamp(600, 8000);
    CasePlan { days: 1, messages_per_day, storms, ..plan }
}

fn write(case: &StormCase, path: &Path) {
    std::fs::write(path, &case.log).unwrap();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(case.end as u64);
    File::options().append(true).open(path).unwrap().set_modified(end).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for plan in [
        small(7, Style::Usual),
        small(8, Style::Other),
        CasePlan { days: 1, ..CasePlan::clean(3, Style::Usual) },
    ] {
        let (one, other) = (build(&plan), build(&plan));
        assert!(one.log == other.log, "{}", plan.name());
        assert_eq!(serde_json::to_string(&one.truth).unwrap(), serde_json::to_string(&other.truth).unwrap());
        let next = CasePlan { seed: plan.seed + 15, ..plan };
        assert!(build(&next).log != one.log, "another seed gives another log");
    }
}

#[test]
fn every_line_of_a_generated_storm_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=30 {
        for style in [Style::Usual, Style::Other] {
            let plan = small(seed, style);
            let path = folder.path().join("log");
            write(&build(&plan), &path);
            let report = support::report(&["--strict", path.to_str().unwrap()]);
            let input = &report["input"];
            assert!(input["lines"].as_u64().unwrap() > 500, "{}: {input}", plan.name());
            assert_eq!(
                (&input["not_understood"], &input["other"]),
                (&0.into(), &0.into()),
                "{} {style:?}: {input}",
                plan.name()
            );
        }
    }
}

#[test]
fn every_storm_is_visible_where_its_truth_says() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=15 {
        let plan = small(seed, Style::Usual);
        let case = build(&plan);
        let storm = &case.truth.storms[0];
        assert!(storm.first <= storm.visible && storm.first <= storm.last, "{storm:?}");
        if storm.pattern == Pattern::Silence {
            continue;
        }
        assert!(storm.peak >= 5 && storm.peak as f64 >= 3. * storm.usual, "{storm:?}");
        let path = folder.path().join("log");
        write(&case, &path);
        let is_within = |event: &serde_json::Value| {
            let at = event["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
            (storm.visible - 300..=storm.visible).contains(&at)
        };
        let seen = support::events(&path).into_iter().filter(is_within).count();
        assert!(seen >= 5, "{}: we read {seen} events where five should be: {storm:?}", plan.name());
    }
}

#[test]
fn finds_at_least_eleven_of_twelve_small_storms() {
    let program = env!("CARGO_BIN_EXE_smtplog");
    let folder = tempfile::tempdir().unwrap();
    let mut missed = Vec::new();
    for seed in 1..=12 {
        let case = build(&small(seed, Style::Usual));
        let path = folder.path().join("log");
        write(&case, &path);
        let said = Command::new(program)
            .args(["storm", "--format", "json"])
            .arg(&path)
            .env("TZ", "UTC")
            .env("SMTPLOG_NO_CONFIG", "1")
            .output()
            .unwrap();
        let answer = serde_json::from_slice(&said.stdout).map_err(|error| error.to_string());
        let score = judge(&case.truth, case.end, answer);
        assert_eq!(score.failure, None, "{}", score.name);
        missed.extend(
            score
                .storms
                .into_iter()
                .filter(|found| !found.is_found)
                .map(|found| (score.name.clone(), found.words)),
        );
    }
    // Some are made so weak that five events in five minutes are all there is of them.
    assert!(missed.len() <= 1, "{missed:#?}");
}
