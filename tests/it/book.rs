//! Checks the catalogue: every code, reason and rule is there, every rule is reached by its example, and every reason has
//! advice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::ValueEnum;
use serde::Deserialize;
use smtplog::Cause;
use smtplog::internals::catalog::classify::{Classification, Classifier, Reason, Retry};
use smtplog::internals::catalog::{self, Catalog, MatchedOn, Rule, RuleFile, RuleId};
use smtplog::internals::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use smtplog::internals::smtp::reply::{Class, EnhancedCode, Reply};

use crate::support;

/// The event that a parser makes of a reply.
fn event(text: &str) -> Event<'_> {
    let reply = Reply::read(text.as_bytes());
    let bare = || EnhancedCode::read(text.as_bytes()).map(|(code, _)| code);
    Event {
        mta: Mta::Postfix,
        direction: Direction::Outbound,
        outcome: Outcome::Bounced,
        queue_id: None,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced).or_else(bare),
        dsn: None,
        hint: None,
        stage: None,
        sender: None,
        recipient: None,
        peer: Peer::default(),
        text: text.as_bytes(),
        suspended: false,
        durations: b"",
    }
}

fn judge(event: &Event) -> Classification {
    let book = Catalog::built_in();
    Classifier::new(&book).classify(event).expect("not delivered")
}

#[track_caller]
fn means(text: &str, wanted: Reason) {
    let verdict = judge(&event(text));
    assert_eq!(verdict.reason, wanted, "{text}, by {}", name(&Catalog::built_in(), verdict.rule));
}

fn name(book: &Catalog, rule: Option<RuleId>) -> String {
    rule.and_then(|id| book.rules.rule(id)).map_or("no rule".to_owned(), |rule| rule.id.to_string())
}

fn no_doubles<T: Ord + std::fmt::Debug>(things: impl IntoIterator<Item = T>) {
    let mut seen = BTreeSet::new();
    for thing in things {
        assert!(!seen.contains(&thing), "{thing:?} is there twice");
        seen.insert(thing);
    }
}

#[test]
fn has_every_code_of_the_rfcs() {
    let codes: Vec<u16> = catalog::codes().iter().map(|row| row.code.number()).collect();
    // RFC 5321 §4.2.3, RFC 4954 §6, RFC 3207 §4, RFC 7504 §3 and §4; RFC 6531 §3.5 uses 550, 553 and 252.
    let wanted = [
        211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 421, 432, 450, 451, 452, 454, 455, 500, 501, 502,
        503, 504, 521, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556,
    ];
    for code in wanted {
        assert!(codes.contains(&code), "{code} is missing");
    }
    assert!(codes.is_sorted(), "codes.toml is not in order");
    no_doubles(codes);
}

#[test]
fn has_every_enhanced_code_of_the_registry() {
    let rows = catalog::enhanced_codes();
    // The number of details that the IANA registry has under each subject, from 0.
    for (subject, last) in [(0, 0), (1, 10), (2, 4), (3, 6), (4, 7), (5, 6), (6, 10), (7, 30)] {
        for detail in 0..=last {
            let code = EnhancedCode::new(5, subject, detail).expect("a code");
            assert!(catalog::find_enhanced(code).is_some(), "x.{subject}.{detail} is missing");
        }
    }
    no_doubles(rows.iter().map(|row| (row.code.subject, row.code.first)));
    assert!(rows.iter().all(|row| row.code.class.is_none() && row.code.first == row.code.last));
}

#[test]
fn has_every_rule_and_provider_of_its_files() {
    let book = Catalog::built_in();
    let written = |file: &str, head: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/data").join(file);
        std::fs::read_to_string(path).unwrap().lines().filter(|line| *line == head).count()
    };
    assert_eq!(book.rules.all().count(), written("rules.toml", "[[rule]]"));
    assert_eq!(book.rules.causes().count(), written("causes.toml", "[[match]]"));
    assert_eq!(book.providers.all().count(), written("providers.toml", "[[provider]]"));
}

#[test]
fn has_a_row_for_every_reason() {
    let rows = catalog::reasons();
    let ids: Vec<Reason> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, Reason::value_variants());
    for row in rows {
        assert!((1..=30).contains(&row.title.chars().count()), "'{}' is too long for a title", row.title);
        assert!(row.meaning.ends_with('.'), "{:?} has no sentence", row.id);
        // A 4xx is never a reason to remove an address.
        assert_ne!(row.retry_transient, Retry::Suppress, "{:?}", row.id);
    }
    no_doubles(rows.iter().map(|row| row.title.as_str()));
}

/// An event that meets the conditions of a rule other than its phrases, with the rule's example as text.
fn case<'a>(book: &'a Catalog, rule: &'a Rule) -> Event<'a> {
    let provider = rule.providers.first().and_then(|provider| book.providers.row(*provider));
    let host = provider.and_then(|row| row.hosts.first());
    Event {
        mta: rule.mtas.first().copied().unwrap_or(Mta::Postfix),
        direction: rule.directions.first().copied().unwrap_or(Direction::Outbound),
        stage: rule.stages.first().copied(),
        hint: rule.classes.first().copied(),
        peer: Peer { host: host.map(String::as_bytes), ip: None, port: None },
        ..event(&rule.example)
    }
}

#[test]
fn every_rule_is_reached_by_its_example() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let mut faults = Vec::new();
    for (id, rule) in book.rules.all() {
        let verdict = judge.classify(&case(&book, rule)).expect("not delivered");
        if verdict.rule != Some(id) {
            faults.push(format!("{}: '{}' goes to {}", rule.id, rule.example, name(&book, verdict.rule)));
        }
        assert!(
            !rule.example.is_empty() && !rule.source.is_empty(),
            "{} lacks an example or a source",
            rule.id
        );
    }
    assert!(faults.is_empty(), "{} rules are not reached:\n{}", faults.len(), faults.join("\n"));
    no_doubles(book.rules.all().map(|(_, rule)| &rule.id));
    no_doubles(book.providers.all().map(|(_, row)| &row.id));
}

/// A page is dated, and no home page on which no postmaster finds anything.
#[test]
fn the_page_of_a_provider_is_about_mail() {
    for (_, row) in Catalog::built_in().providers.all().filter(|(_, row)| !row.postmaster.is_empty()) {
        let page = &row.postmaster;
        let (host, path) = page.split_once("://").and_then(|(_, rest)| rest.split_once('/')).expect("a URL");
        let speaks_of_mail =
            ["postmaster.", "ipcheck.", "sendertool."].iter().any(|start| host.starts_with(start));
        assert!(!path.is_empty() || speaks_of_mail, "{}: {page} is a home page", row.id);
        assert_eq!(row.looked_up.len(), "2026-11".len(), "{}: {page} has no date", row.id);
    }
}

#[test]
fn every_cause_is_reached_by_its_examples() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let mut faults = Vec::new();
    let mut reached = BTreeSet::new();
    for (_, rule) in book.rules.causes() {
        let cause = rule.cause.unwrap_or_else(|| panic!("{} names no cause", rule.id));
        assert!(smtplog::cause_row(cause).reason.contains(&rule.reason), "{}: {:?}", rule.id, rule.reason);
        assert!(!rule.source.is_empty(), "{} lacks a source", rule.id);
        // The words of another reason of the cause may have no reply of their own that is known.
        if rule.example.is_empty() {
            continue;
        }
        let verdict = judge.classify(&case(&book, rule)).expect("not delivered");
        if (verdict.reason, verdict.cause) != (rule.reason, Some(cause)) {
            let by = name(&book, verdict.rule);
            faults.push(format!(
                "{}: '{}' is {:?}, {:?} (rule {by})",
                rule.id, rule.example, verdict.reason, verdict.cause
            ));
        }
        reached.insert(cause);
    }
    reached.extend(book.rules.all().filter_map(|(_, rule)| rule.cause));
    // What the event says beside its reply decides about these; see `by_event`.
    reached.extend([Cause::SmartHostName, Cause::TlsWrongPort]);
    let never = Cause::value_variants().iter().filter(|cause| !reached.contains(cause));
    faults.extend(never.map(|cause| format!("{cause:?} is never given")));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    no_doubles(book.rules.causes().map(|(_, rule)| &rule.id));
}

#[test]
fn the_last_rule_takes_anything() {
    let book = Catalog::built_in();
    let (_, last) = book.rules.all().last().expect("rules");
    assert_eq!((last.reason, last.matched_on()), (Reason::Unknown, MatchedOn::Nothing));
    means("", Reason::Unknown);
    means("554", Reason::Unknown);
}

#[test]
fn words_beat_numbers() {
    means("552 5.1.1 <a@example.org> recipient overquota", Reason::MailboxFull);
    means("550 5.1.1 client [192.0.2.7] is listed at zen.spamhaus.org", Reason::Blocklisted);
    means("452 4.1.1 <a@example.org> user over quota", Reason::MailboxFull);
    means("550 5.1.1 a@example.org has sent to too many recipients this hour", Reason::RateLimited);
    means("550 5.1.1", Reason::UserUnknown);
}

#[test]
fn the_same_words_differ_by_number() {
    means("554 5.7.1 <a@example.org>: Recipient address rejected: Access denied", Reason::PolicyBlocked);
    means("550 5.4.1 Recipient address rejected: Access denied", Reason::UserUnknown);
    means("450 4.3.2 Service currently unavailable", Reason::Greylisted);
    means("550 5.3.2 Service currently unavailable", Reason::PolicyBlocked);
    means("554 Service currently unavailable", Reason::SystemError);
}

#[test]
fn reads_failures_that_no_server_sent() {
    means("connect to mx.example.org[192.0.2.7]:25: Connection refused", Reason::ConnectionFailed);
    means("lost connection with mx.example.org[192.0.2.7] while sending RCPT TO", Reason::ConnectionFailed);
    means(
        "conversation with mx.example.org[192.0.2.7] timed out while sending MAIL FROM",
        Reason::ConnectionFailed,
    );
    means(
        "Host or domain name not found. Name service error for name=x.example type=MX: Host not found",
        Reason::BadDomain,
    );
    means(
        "Host or domain name not found. Name service error for name=x.example type=MX: Host not found, try again",
        Reason::DnsFailure,
    );
    means("mail for x.example loops back to myself", Reason::RoutingLoop);
    means("TLS is required, but was not offered by host mx.example.org[192.0.2.7]", Reason::TlsFailure);
    means("Server certificate not trusted", Reason::TlsFailure);
    means(
        "SASL authentication failed; server mx.example.org[192.0.2.7] said: 535 5.7.8 Error: authentication failed",
        Reason::SmtpAuth,
    );
    means("unknown user: \"bob\"", Reason::UserUnknown);
    means("mail transport unavailable", Reason::SystemError);
    means("temporary failure", Reason::SystemError);
    means("message size 1 exceeds size limit 2 of server mx.example.org[192.0.2.7]", Reason::MessageTooLarge);
    means("retry timeout exceeded", Reason::QueueExpired);
    means("retry time not reached for any host for 'x.example'", Reason::ConnectionFailed);
    means("all relevant MX records point to non-existent hosts", Reason::BadDomain);
    means("an MX or SRV record indicated no SMTP service", Reason::BadDomain);
    means("lowest numbered MX record points to local host", Reason::RoutingLoop);
    means("remote host address is the local host", Reason::RoutingLoop);
    means("Unrouteable address", Reason::UserUnknown);
    means("SMTP timeout after EHLO", Reason::ConnectionFailed);
    means("Connection timed out", Reason::ConnectionFailed);
    means("mailbox is full", Reason::MailboxFull);
    means("local delivery failed", Reason::SystemError);
    means("host lookup did not complete", Reason::DnsFailure);
    means("relay not permitted", Reason::RelayDenied);
    means("Sender verify failed", Reason::SenderRejected);
    means("Could not complete sender verify callout", Reason::SenderRejected);
    means("domain missing or malformed", Reason::AddressSyntax);
    means("Too many connections", Reason::RateLimited);
    means(
        "SMTP protocol synchronization error (input sent without waiting for greeting)",
        Reason::ProtocolError,
    );
}

#[test]
fn delivered_mail_has_no_reason() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let delivered = Event { outcome: Outcome::Delivered, ..event("550 5.1.1 No such user") };
    assert_eq!(judge.classify(&delivered), None);
    assert_eq!(judge.classify(&event("250 2.0.0 Ok: queued as 1234")), None);
}

#[test]
fn knows_a_provider_by_host_then_by_domain_then_by_words() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let mut id = |host: Option<&str>, recipient: &str, direction, text| {
        let peer = Peer { host: host.map(str::as_bytes), ip: None, port: None };
        let event = Event { peer, direction, recipient: Some(recipient.as_bytes()), ..event(text) };
        let provider = judge.classify(&event).and_then(|verdict| verdict.provider);
        provider.and_then(|provider| book.providers.row(provider)).map(|row| row.id.clone())
    };
    let some = |id: &str| Some(id.to_owned());
    let out = Direction::Outbound;
    assert_eq!(
        id(Some("GMAIL-smtp-in.l.Google.com"), "a@example.org", out, "550 no - gsmtp"),
        some("google")
    );
    assert_eq!(id(Some("mx.example.org"), "a@example.org", out, "550 no - gsmtp"), some("google"));
    assert_eq!(id(None, "a@gmx.de", out, "Connection refused"), some("united-internet"));
    assert_eq!(id(Some("mx.example.org"), "a@gmx.de", Direction::Inbound, "550 no - gsmtp"), None);
    assert_eq!(id(Some("notgoogle.com"), "a@gmail.com", out, "550 no"), None);
}

#[test]
fn a_cached_classification_is_the_same() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let first = judge.classify(&event("550 5.1.1 <a@example.org>: No such user"));
    let again = judge.classify(&event("550 5.1.1 <b@example.net>: No such user"));
    assert_eq!(first, again);
    let stage = Event { stage: Some(Stage::Mail), ..event("550 Host unknown") };
    assert_ne!(judge.classify(&stage), judge.classify(&event("550 Host unknown")));
}

#[test]
fn an_own_rule_comes_first() {
    let rules =
        "[[rule]]\nid = \"ours\"\nreason = \"greylisted\"\nwords = [\"blue moon\"]\nprovider = [\"us\"]\n";
    let providers = "[[provider]]\nid = \"us\"\nname = \"Us\"\nhosts = [\"example.org\"]\n";
    let book = Catalog::with_own(
        &[RuleFile { file: "rules", text: rules, with_options: false }],
        &[RuleFile { file: "providers", text: providers, with_options: false }],
    );
    let book = book.expect("good tables");
    let peer = Peer { host: Some(b"mx.example.org"), ip: None, port: None };
    let verdict =
        Classifier::new(&book).classify(&Event { peer, ..event("451 User unknown until a blue moon") });
    assert_eq!(verdict.map(|verdict| verdict.reason), Some(Reason::Greylisted));
}

#[test]
fn an_error_names_file_line_and_fault() {
    #[track_caller]
    fn fails(text: &str, wanted: &str) {
        let error = Catalog::with_own(&[RuleFile { file: "own.toml", text, with_options: false }], &[])
            .err()
            .expect("a fault");
        let shown = error.to_string();
        assert!(shown.starts_with("cannot read own.toml, line ") && shown.contains(wanted), "{shown}");
    }
    fails("[[rule]]\nid = \"a\"\nreason = \"boredom\"\n", "line 3: unknown variant `boredom`");
    fails("[[rule]]\nid = \"a\"\nreason = \"unknown\"\nword = [\"x\"]\n", "line 4: unknown field `word`");
    fails(
        "\n[[rule]]\nid = \"a\"\nreason = \"unknown\"\nprovider = [\"nobody\"]\n",
        "line 3: no provider is called",
    );
    fails("[[rule]]\nid = \"a\"\nreason = \"unknown\"\npattern = \"(\"\n", "line 2: ");
    fails("[[rule]]\nid = \"a\"\nreason = \"unknown\"\ncode = [99]\n", "99 is no reply code");
    fails("[[rule]]\nid = \"a\"\nreason = \"unknown\"\nwords = [\"*\"]\n", "has no words");
    fails("[[rule]]\nid = \"a\"\nreason = \"unknown\"\nenhanced = [\"9.1.1\"]\n", "9.1.1");
}

#[test]
fn no_reply_makes_it_panic() {
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    for length in 0..40 {
        for byte in 0..=255u8 {
            let text = vec![byte; length];
            judge.classify(&Event { text: &text, ..event("") });
        }
    }
}

/// A reply and the reason that a person assigned to it.
#[derive(Deserialize)]
struct Labelled {
    reply: String,
    reason: Reason,
    #[serde(default)]
    group: String,
    direction: Option<Direction>,
    stage: Option<String>,
}

impl Labelled {
    fn event(&self) -> Event<'_> {
        let stage = self.stage.as_deref().and_then(|stage| match stage {
            "CONNECT" => Some(Stage::Connect),
            "HELO" => Some(Stage::Ehlo),
            "MAIL" => Some(Stage::Mail),
            "RCPT" => Some(Stage::Rcpt),
            // A log says DATA of the command and end of DATA of the text; these replies were given to the text.
            "DATA" => Some(Stage::EndOfData),
            other => Stage::from_str(other, true).ok(),
        });
        Event { stage, direction: self.direction.unwrap_or(Direction::Outbound), ..event(&self.reply) }
    }
}

#[test]
#[ignore = "needs the labelled corpus"]
fn agrees_with_the_people_of_the_labelled_corpus() {
    let text = std::fs::read_to_string(support::labelled().join("book/eval-dev.ndjson")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Labelled>(line).expect("a labelled reply"));
    let rows: Vec<Labelled> = rows.collect();
    let book = Catalog::built_in();
    let mut judge = Classifier::new(&book);
    let dead = [Reason::UserUnknown, Reason::MailboxMoved, Reason::BadDomain, Reason::MailboxDisabled];
    let (mut right, mut unknown, mut marked, mut hits, mut wanted) = (0, 0, 0, 0, 0);
    let mut groups: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in &rows {
        let event = row.event();
        let verdict = judge.classify(&event).expect("not delivered");
        let group = groups.entry(&row.group).or_default();
        group.1 += 1;
        if verdict.reason == row.reason {
            right += 1;
            group.0 += 1;
        } else {
            println!(
                "{:?}, not {:?} ({}): {}",
                row.reason,
                verdict.reason,
                name(&book, verdict.rule),
                row.reply
            );
            unknown += usize::from(verdict.reason == Reason::Unknown);
        }
        let permanent = event.class() == Some(Class::Permanent);
        let (said, is) = (dead.contains(&verdict.reason), dead.contains(&row.reason));
        marked += usize::from(permanent && said);
        wanted += usize::from(permanent && is);
        hits += usize::from(permanent && said && is);
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    for (group, (right, all)) in &groups {
        println!("{group}: {right} of {all}");
    }
    let (accuracy, blanks) = (share(right, rows.len()), share(unknown, rows.len()));
    let (precision, recall) = (share(hits, marked), share(hits, wanted));
    println!(
        "right {accuracy:.3}, unknown {blanks:.3}, dead addresses: precision {precision:.3}, recall {recall:.3}"
    );
    assert!(accuracy >= 0.95 && blanks <= 0.02 && precision >= 0.97 && recall >= 0.85);
}
