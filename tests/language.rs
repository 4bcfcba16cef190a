//! The languages: what each has, what it lacks, and that it fits where it is shown.

use clap::ValueEnum;
use smtplog::book;
use smtplog::language::{Language, Words};
use smtplog::reply::Code;
use unicode_width::UnicodeWidthStr;

fn others() -> impl Iterator<Item = (Language, Words)> {
    let others = Language::value_variants().iter().filter(|language| **language != Language::En);
    others.map(|&language| (language, Words::of(language)))
}

/// All that a language must have: the names of codes and reasons, and every line of advice.
fn needed() -> Vec<String> {
    let mut needed: Vec<String> = book::codes().into_iter().map(|row| row.name).collect();
    needed.extend(book::reasons().into_iter().map(|row| row.title));
    for row in book::advice() {
        needed.extend(
            [row.all.line, row.postfix.line, row.exim.line].into_iter().filter(|line| !line.is_empty()),
        );
    }
    needed
}

#[test]
fn names_every_code_and_reason_and_gives_all_advice() {
    let needed = needed();
    assert!(needed.len() > 250, "only {} words are needed", needed.len());
    for (language, words) in others() {
        let gaps: Vec<&String> = needed.iter().filter(|english| !words.has(english)).collect();
        assert!(gaps.is_empty(), "{language:?} lacks {gaps:#?}");
    }
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
        "5xx, but retryable",
        "WHEN YOU SEE IT",
        "HOW TO FIX IT",
        "KEY DIFFERENCES",
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
            let row = book::guide::guide(code).unwrap();
            assert!(words.has(&row.you), "{language:?} lacks {code}: {}", row.you);
        }
    }
}

#[test]
fn fits_where_it_is_shown() {
    let reasons = book::reasons();
    for (language, words) in others() {
        for row in &reasons {
            let title = words.say(&row.title);
            assert!(title.width() <= 32, "{language:?}: {title} is {} columns wide", title.width());
        }
        for english in needed() {
            let own = words.say(&english);
            assert!(
                own.width() <= 96 && !own.contains('\n'),
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
    let words = Words::of(Language::En);
    assert_eq!(words.say("attempts"), "attempts");
    assert_eq!(Words::of(Language::Tr).say("no such words"), "no such words");
}
