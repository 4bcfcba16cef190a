//! Measures how much of the labelled corpus is read correctly.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::support;

#[test]
#[ignore = "needs the labelled corpus"]
fn reads_the_labelled_corpus_right() {
    let corpus = support::labelled().join("corpus");
    let scorer = corpus.join("score.py");
    let mut logs: Vec<_> =
        fs::read_dir(corpus.join("logs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    let mut args = vec!["events"];
    args.extend(logs.iter().map(|log| log.to_str().unwrap()));
    let mut events = tempfile::NamedTempFile::new().unwrap();
    events.write_all(support::answer(&args).0.as_bytes()).unwrap();
    let high = ["recall", "precision", "code", "enhanced", "class", "direction", "outcome"]
        .map(|f| format!("{f}=0.995"));
    let low =
        ["stage", "queue_id", "sender", "recipient", "peer_host", "peer_ip"].map(|f| format!("{f}=0.98"));
    let output = Command::new("python3")
        .arg(scorer)
        .arg("--gold")
        .arg(corpus.join("gold"))
        .arg("--events")
        .arg(events.path())
        .arg("--min-acc")
        .args(high.iter().chain(&low))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("detection"), "{said}");
}

#[test]
#[ignore = "needs the labelled corpus"]
fn understands_nearly_every_mail_line_of_the_labelled_corpus() {
    let logs = fs::read_dir(support::labelled().join("corpus/logs")).unwrap();
    let (mut mail, mut unread) = (0, 0);
    for log in logs.map(|entry| entry.unwrap().path()) {
        let (text, _) = support::answer(&["scan", "--format", "json", log.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let input = |name: &str| report["input"][name].as_u64().unwrap();
        assert_eq!(input("lines"), input("mail") + input("other"), "{log:?}");
        assert_eq!(input("mail"), input("understood") + input("not_understood"), "{log:?}");
        (mail, unread) = (mail + input("mail"), unread + input("not_understood"));
    }
    // Not for each log: some of Exim's test suite hold little but the texts that their ACLs log.
    assert!(unread <= mail / 200, "{unread} of {mail}");
}
