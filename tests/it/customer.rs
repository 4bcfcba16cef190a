//! Checks `--for customer`: plain words, and nothing of a person, of a server or of another customer.

use std::collections::BTreeSet;

use crate::support;

const FORMATS: [&str; 3] = ["text", "markdown", "html"];

fn customer(args: &[&str]) -> String {
    let fixed = ["scan", "--for", "customer", "--tz", "UTC", "--year", "2026", "--lang", "en"];
    let (out, status) = support::answer(&[&fixed[..], args].concat());
    assert_eq!(status, 0, "{args:?}: {out}");
    out
}

/// Words of a log that a customer must not see: addresses, domains and hosts of its events.
fn private(log: &str) -> BTreeSet<String> {
    let events = support::events(std::path::Path::new(log));
    let fields = ["sender", "recipient", "peer_host", "peer_ip", "host", "queue_id"];
    let values = events.iter().flat_map(|event| fields.map(|field| event[field].as_str().map(str::to_owned)));
    let values: Vec<String> = values.flatten().collect();
    let domains = values.iter().filter_map(|value| Some(value.rsplit_once('@')?.1.to_owned()));
    // A short word may be part of a plain one.
    values.iter().cloned().chain(domains).filter(|value| value.len() > 6).collect()
}

#[test]
fn shows_nothing_of_people_servers_and_other_customers() {
    for log in support::logs() {
        let log = log.to_str().unwrap();
        let private = private(log);
        for format in FORMATS {
            let shown = customer(&["--format", format, log]);
            let content = shown.split_once("<body>").map_or(shown.as_str(), |(_, body)| body);
            let content = content.split_once("<script>").map_or(content, |(body, _)| body);
            for word in &private {
                assert!(!content.contains(word.as_str()), "{log} as {format}: {word} in {content}");
            }
            for word in ["smtplog ", "smtp_", "postconf", "main.cf", "exim", "/var/"] {
                assert!(!content.contains(word), "{log} as {format}: {word} in {content}");
            }
        }
    }
}

#[test]
fn says_in_plain_words_what_happened_and_who_must_act() {
    let log = support::fixture("postfix/out.log");
    let text = customer(&[&log]);
    for line in [
        "22% of 125 messages delivered",
        "47  returned to the sender (38%)",
        "For us to solve",
        "Addresses that do not work",
        "15  The address does not exist. (12%)",
        "Tried again automatically",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn names_the_domains_of_one_customer_only() {
    let log = support::fixture("postfix/out.log");
    let from = customer(&["--from", "s-allno@example.org", &log]);
    assert!(from.contains("Domains to which mail failed") && from.contains("allno.example.net"), "{from}");
    assert!(!from.contains("s-allno"), "{from}");
    let to = customer(&["--to", "*@allno.example.net", &log]);
    assert!(!to.contains("allno.example.net"), "{to}");
}

#[test]
fn is_for_formats_that_people_read() {
    let log = support::fixture("postfix/out.log");
    let (status, _, said) = support::run(&["scan", "--for", "customer", "--format", "json", &log]);
    assert!(status == 2 && said.contains("--for customer needs --format text, markdown or html"), "{said}");
    let mail = customer(&["--mail-headers", "--now", "2026-11-23T00:00:00Z", &log]);
    assert!(mail.contains("Subject: Mail delivery report: 22% of 125 messages delivered\n"), "{mail}");
    assert!(mail.contains("For us to solve") && !mail.contains("smtplog trace"), "{mail}");
}
