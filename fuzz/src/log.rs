//! Any bytes as a log: the number of threads and the size of blocks change no answer, and each line counts once.

use std::fs;

use serde_json::Value;

use super::program::answer;

/// The first two bytes choose the threads and the size of the blocks; the others are the log.
pub fn check(bytes: &[u8]) {
    let Some((&[threads, size], log)) = bytes.split_first_chunk() else { return };
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("mail.log");
    fs::write(&file, log).expect("there is space for a small file");
    let threads = (2 + threads % 4).to_string();
    let size = (16 + usize::from(size) * 5).to_string();
    for command in [&["scan", "--format", "json", "--delays"][..], &["events"]] {
        let whole = answer(&[command, &["-j", "1"]].concat(), &file);
        let parts = answer(&[command, &["-j", &threads, "--block-size", &size]].concat(), &file);
        assert_eq!(whole, parts, "{command:?}: {threads} threads, blocks of {size} bytes");
        if command[0] == "scan" {
            every_line_counts_once(&whole, log);
        }
    }
}

fn every_line_counts_once(report: &str, log: &[u8]) {
    let report: Value = serde_json::from_str(report).expect("a report is JSON");
    let count = |name: &str| report["input"][name].as_u64().expect("a count is a number");
    assert_eq!(count("mail") + count("other"), count("lines"));
    assert_eq!(count("understood") + count("not_understood"), count("mail"));
    // What begins like a compressed file is not counted as it stands.
    if log.first().is_none_or(|first| first.is_ascii_alphanumeric() && *first != b'B') {
        assert_eq!(count("bytes"), log.len() as u64);
    }
}
