//! Checks the translations: what each language has and lacks, and that its texts fit where they are shown.

use std::io::Write;

use clap::ValueEnum;
use smtplog::internals::catalog;
use smtplog::internals::catalog::translation::{Language, Translations};
use smtplog::internals::smtp::reply::Code;
use unicode_width::UnicodeWidthStr;

fn others() -> impl Iterator<Item = (Language, Translations)> {
    let others = Language::value_variants().iter().filter(|language| **language != Language::En);
    others.map(|&language| (language, Translations::of(language)))
}

/// The texts that every language should have: the names of codes and reasons, and every line of advice.
fn needed() -> Vec<String> {
    let mut needed: Vec<String> = catalog::codes().iter().map(|row| row.name.clone()).collect();
    needed.extend(catalog::reasons().iter().map(|row| row.title.clone()));
    for row in catalog::advice() {
        let own = row.own.iter().flat_map(|(_, text)| text.lines());
        needed.extend(row.all.lines().chain(own).cloned());
    }
    needed
}

/// A missing translation is no failure, so that adding a code does not take five languages. It is shown in English, and
/// listed by this test.
#[test]
fn lists_what_is_not_translated_and_shows_it_in_english() {
    let needed = needed();
    assert!(needed.len() > 250, "only {} words are needed", needed.len());
    for (language, words) in others() {
        for english in needed.iter().filter(|english| !words.has(english)) {
            assert_eq!(words.translate(english), english);
            // Not eprintln!, which cargo hides.
            writeln!(std::io::stderr(), "note: {language:?} has no translation of: {english}").unwrap();
        }
    }
}

#[test]
fn every_language_has_a_table_and_every_table_a_language() {
    let mut tables: Vec<&str> = catalog::tables_under("lang").collect();
    let mut languages: Vec<String> = others().map(|(language, _)| catalog::value_name(language)).collect();
    tables.sort_unstable();
    languages.sort_unstable();
    assert_eq!(tables, languages);
}

#[test]
fn has_the_fixed_words_of_the_report() {
    let fixed = [
        "attempts",
        "failures by the hour",
        "failures by",
        "most",
        "rcpts",
        "cases",
        "where",
        "from",
        "DEFERRED",
        "BOUNCED",
        "REFUSED 4xx",
        "REFUSED 5xx",
        "OUT",
        "LOCAL",
        "IN",
        "MAIL",
        "messages",
        "still in the queue",
        "the oldest for",
        "deferred, then sent",
        "(no reply)",
        "(no code)",
        "4xx: kept, will be retried",
        "5xx: returned to sender",
        "DOMAINS with most failures",
        "DELAYS in seconds",
        "recipients",
        "longest",
        "slowest",
        "No line shows how long a delivery took.",
        "in all",
        "before the active queue",
        "in the active queue",
        "connecting, with DNS and TLS",
        "sending",
        "receiving and waiting",
        "connecting and sending",
        "receiving",
        "Most waited in the deferred or incoming queue: look at what was deferred, and at qshape deferred",
        "Most waited in the active queue for a slow or busy next hop: look at qshape active",
        "Look at DNS and at port 25 of the next hop: each dead address costs a time-out",
        "The next hop is slow to take the message: large mail, a slow line, or its filters",
        "Most waited for a queue run: look at what was deferred, at -q and at queue_run_max",
        "The next hop is slow to connect or to take mail: watch one with exim -v -M ID",
        "Clients are slow to send, or the checks at the end of DATA take long: look at your scanners",
        "WHO stands out",
        "sender",
        "user",
        "client",
        "SENDERS",
        "USERS",
        "CLIENTS",
        "DOMAINS",
        "PROVIDERS",
        "RELAYS",
        "INSTANCES",
        "most failures",
        "most mail",
        "refused",
        "(not known)",
        "5xx, but retryable",
        "WHEN YOU SEE IT",
        "HOW TO FIX IT",
        "KEY DIFFERENCES",
        "change",
        "new",
        "FAILED",
        "BAD",
        "WATCH",
        "handed on",
        "released",
        "deleted",
        "requeued",
        "notified",
        "no result in the logs",
        "login",
        "earlier one is not shown; -n 0 shows all",
        "earlier ones are not shown; -n 0 shows all",
        "notification to the sender",
        "a minute",
        "last hour",
        "no failure in the last hour",
        "nothing fits the filter",
        "no storm",
        "storm began",
        "storm ended",
    ];
    for (language, words) in others() {
        for english in fixed {
            assert!(words.has(english), "{language:?} lacks {english}");
        }
    }
}

#[test]
fn says_what_to_do_about_every_code_of_rfc_5321() {
    let codes = [
        211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455, 500, 501, 502, 503, 504, 550, 551,
        552, 553, 554, 555,
    ];
    for (language, words) in others() {
        for code in codes.map(|number| Code::new(number).unwrap()) {
            let row = catalog::find_code(code).unwrap();
            assert!(words.has(&row.you), "{language:?} lacks {code}: {}", row.you);
        }
    }
}

#[test]
fn fits_where_it_is_shown() {
    let reasons = catalog::reasons();
    for (language, words) in others() {
        for row in reasons {
            let title = words.translate(&row.title);
            assert!(title.width() <= 32, "{language:?}: {title} is {} columns wide", title.width());
        }
        for english in needed() {
            let own = words.translate(&english);
            assert!(
                own.width() <= 106 && !own.contains('\n'),
                "{language:?}: {own} is {} columns wide",
                own.width()
            );
        }
    }
}

#[test]
fn takes_the_language_from_the_environment() {
    let of = |name: &'static str, value: &'static str| {
        Language::of_environment(|asked| (asked == name).then(|| value.to_owned()))
    };
    assert_eq!(of("LANG", "tr_TR.UTF-8"), Language::Tr);
    assert_eq!(of("LC_ALL", "zh_CN.UTF-8"), Language::Zh);
    assert_eq!(of("LC_MESSAGES", "vi"), Language::Vi);
    assert_eq!(of("LANG", "C.UTF-8"), Language::En);
    assert_eq!(of("LC_TIME", "hi_IN"), Language::En);
}

#[test]
fn falls_back_to_english() {
    let words = Translations::of(Language::En);
    assert_eq!(words.translate("attempts"), "attempts");
    assert_eq!(Translations::of(Language::Tr).translate("no such words"), "no such words");
}
