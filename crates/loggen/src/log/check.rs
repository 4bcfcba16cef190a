//! Checks that the reply tables are well formed and that the totals match the log they were written with.

use std::io::sink;

use super::names::{Address, ClientKind, ClientSeed, Domain, Host, User};
use super::provider::ServerKind;
use super::reply::{POSTFIX_JOINT, ReplyContext, ReplyRow, ReplyStage, ReplyText, enhanced};
use super::spec::{Mta, Spec, Stamp};
use super::totals::LogTotals;
use super::week::write;

const PROVIDERS: [ServerKind; 8] = [
    ServerKind::Gmail,
    ServerKind::Outlook,
    ServerKind::Yahoo,
    ServerKind::Gmx,
    ServerKind::Postfix,
    ServerKind::Exim,
    ServerKind::Plain,
    ServerKind::Mailbox,
];

/// Panics at the first mismatch and names it.
pub fn check() {
    check_rows(60, 2, ServerKind::delivered);
    check_rows(96, 4, ServerKind::transient);
    check_rows(144, 5, ServerKind::permanent);
    for mta in [Mta::Postfix, Mta::Exim] {
        for stamp in [Stamp::Bsd, Stamp::Rfc3339] {
            check_log(&Spec { stamp, long_ids: stamp == Stamp::Rfc3339, ..Spec::new(mta, 1 << 20) });
        }
    }
    let postfix = Spec { stamp: Stamp::Exim, ..Spec::new(Mta::Postfix, 1) };
    assert!(write(&postfix, &mut sink()).is_err(), "postfix has no stamp of exim's kind");
}

/// Every code has `class` as its first digit, except in greetings, which may refuse permanently.
fn check_rows(count: usize, class: u16, rows: fn(ServerKind) -> &'static [ReplyRow]) {
    let all = PROVIDERS.iter().flat_map(|&provider| rows(provider)).collect::<Vec<_>>();
    assert_eq!(all.len(), count, "rows of class {class}");
    let words = ReplyContext {
        recipient: Address { user: User::new(1), domain: Domain(30) },
        sender: None,
        host: Host { domain: Domain(30), number: 1 },
        client: ClientSeed { origin: ClientKind::Server, domain: Domain(31), seed: 7 },
        salt: 1,
    };
    for row in all {
        let &(code, written, stage, text) = row;
        assert!((200..600).contains(&code), "{code} {text}");
        assert!(code / 100 == class || stage == ReplyStage::Greeting, "{code} {text}");
        let reply = ReplyText { row, words: &words, joint: POSTFIX_JOINT }.to_string();
        let last = format!("{code} {}", if written.starts_with('(') { "" } else { written });
        assert!(reply.contains(last.trim_end()), "{reply} has no {last}");
        let shown = enhanced(row);
        assert!(shown.is_empty() || shown.split('.').count() == 3, "{written} is no enhanced code");
        let first = text.split('\n').next_back().unwrap_or_default().split(' ').next().unwrap_or_default();
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_code = first.split('.').count() == 3 && first.split('.').all(is_number);
        assert!(!is_code, "{first} would be read as an enhanced code");
    }
}

fn check_log(spec: &Spec) {
    let (log, totals) = written(spec);
    assert_eq!((&log, &totals), (&written(spec).0, &written(spec).1), "the same spec gives the same log");
    assert_eq!(log.len() as u64, totals.bytes);
    assert!(totals.bytes >= spec.bytes && totals.bytes < spec.bytes + (16 << 10));
    assert_eq!(log.lines().count() as u64, totals.lines);
    let kinds = totals.kinds;
    assert_eq!(totals.events.values().sum::<u64>(), kinds.event);
    assert_eq!(kinds.event + kinds.routine + kinds.foreign, totals.lines);
    let m = totals.messages;
    assert_eq!(m.received, m.delivered + m.bounced + m.expired + m.discarded + m.queued);
    for (key, count) in &totals.suspended {
        assert!(totals.events[key] >= *count, "{key}: more suspended than counted");
    }
    check_domains(&totals);
    if spec.stamp == Stamp::Rfc3339 {
        let stamps = log.lines().filter_map(|line| line.get(..26));
        assert!(stamps.is_sorted(), "lines come in the order of time");
    }
}

/// Outbound and local events are counted by key and by domain; expired mail is left out, because Postfix names no recipient.
fn check_domains(totals: &LogTotals) {
    let by_key = |outcome: &str| {
        let of = |key: &str| key.split('|').nth(1) == Some(outcome) && !key.starts_with("inbound");
        totals.events.iter().filter(|(key, _)| of(key)).map(|(_, count)| count).sum::<u64>()
    };
    let domains = totals.domains.values();
    assert_eq!(by_key("delivered"), domains.clone().map(|domain| domain.delivered).sum::<u64>());
    assert_eq!(by_key("deferred"), domains.clone().map(|domain| domain.deferred).sum::<u64>());
    assert_eq!(by_key("bounced"), domains.map(|domain| domain.bounced).sum::<u64>());
}

fn written(spec: &Spec) -> (String, LogTotals) {
    let mut log = Vec::new();
    let totals = write(spec, &mut log).expect("a Vec takes all");
    (String::from_utf8(log).expect("all names and texts are UTF-8"), totals)
}
