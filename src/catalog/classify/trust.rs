//! Decides how far a classification is trusted: what a model may guess, and when an address may be removed.

use super::guess::guess;
use super::rule::{Features, MatchedOn, Rule};
use crate::catalog::reason::{Reason, Retry};
use crate::smtp::event::Stage;
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// What a rule says of a reply, or what is left of it.
#[derive(Clone, Copy)]
pub(super) struct Conclusion {
    pub reason: Reason,
    pub matched_on: MatchedOn,
    /// Whether a retry helps, if it is not what the reason and the class say.
    pub retry: Option<Retry>,
}

/// Takes the guess of the model if the rule allows one, and takes back a removal on which words, code and stage do not agree.
/// The text of the features is normalized.
/// `doubted`: the text has a phrase of `data/doubts.toml`.
pub(super) fn settle(
    said: Conclusion,
    rule: Option<&Rule>,
    features: &Features,
    doubted: bool,
) -> Conclusion {
    let guessed = rule.filter(|rule| rule.guess).and_then(|_| guess(features));
    let known = match guessed {
        Some(reason) => Conclusion { reason, matched_on: MatchedOn::Guess, retry: None },
        None => said,
    };
    let removes = known.retry.map_or(known.reason.has_no_recipient(), |retry| retry == Retry::Suppress);
    // A rule that itself says `suppress` holds the words by which a provider says so, whatever else they look like.
    let doubted = doubted && rule.is_none_or(|rule| rule.retry != Some(Retry::Suppress));
    let agreed = !doubted && may_suppress(known, features);
    if removes && features.class == Some(Class::Permanent) && !agreed {
        return Conclusion { retry: Some(Retry::Ask), ..known };
    }
    known
}

/// Whether rule, code and stage agree that this recipient does not exist or is closed for good.
fn may_suppress(known: Conclusion, features: &Features) -> bool {
    let trusted = match known.matched_on {
        MatchedOn::Provider | MatchedOn::Text => true,
        MatchedOn::Enhanced => features.enhanced.is_some_and(|code| code.subject <= 2),
        MatchedOn::Stage | MatchedOn::Code | MatchedOn::Guess | MatchedOn::Nothing => false,
    };
    trusted
        && is_stage_of_recipient(features.stage)
        && features.code.is_none_or(is_code_of_recipient)
        && features.enhanced.is_none_or(|code| is_number_of_recipient(code, known.reason))
}

/// What answers the greeting, a login or MAIL is never about the recipient.
fn is_stage_of_recipient(stage: Option<Stage>) -> bool {
    match stage {
        None | Some(Stage::Rcpt | Stage::Data | Stage::EndOfData) => true,
        Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth | Stage::Mail) => false,
    }
}

/// RFC 5321 §4.2.3: 500 to 504 are about the command and its syntax, 53x about login and encryption.
fn is_code_of_recipient(code: Code) -> bool {
    matches!(code.number(), 510..=529 | 540..=569)
}

/// Whether an enhanced code can mean that the recipient is gone. Subject 7, security, has a few that do: RFC 6710, RFC 7293,
/// and those of Exchange Online for an address that its directory does not hold.
fn is_number_of_recipient(code: EnhancedCode, reason: Reason) -> bool {
    match (code.subject, code.detail) {
        (1, 3 | 7 | 8) | (2, 2 | 3) => false,
        (0..=2, _) | (7, 13 | 17 | 18 | 504 | 505) | (4, 1) | (5, 0) => true,
        (4, 4) => reason == Reason::BadDomain,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;
    use crate::catalog::classify::{Classifier, Retry};
    use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
    use crate::smtp::reply::Reply;

    /// Whether the address is removed after this reply.
    fn removes(text: &str, stage: Option<Stage>) -> bool {
        let catalog = Catalog::built_in();
        let reply = Reply::read(text.as_bytes()).expect("a reply");
        let event = Event {
            code: Some(reply.code),
            enhanced: reply.enhanced,
            stage,
            text: text.as_bytes(),
            ..Event::new(Mta::Postfix, Direction::Outbound, Outcome::Bounced)
        };
        let known = Classifier::new(&catalog).classify(&event).expect("a failure");
        known.retry.map_or(known.reason.has_no_recipient(), |retry| retry == Retry::Suppress)
    }

    #[test]
    fn a_missing_mailbox_is_removed() {
        for text in [
            "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
            "550 No such user here",
            "553 5.1.1 Unknown recipient",
            "550 5.4.1 Recipient address rejected: Access denied",
            "550 5.2.1 This account is closed",
            "551 5.1.6 The user has moved, try <b@example.net>",
            "556 5.1.10 This domain does not accept mail",
        ] {
            assert!(removes(text, Some(Stage::Rcpt)), "{text}");
        }
    }

    #[test]
    fn an_address_is_kept_unless_words_code_and_stage_agree() {
        for (text, stage) in [
            ("550 5.7.8 Incorrect user or password", Some(Stage::Auth)),
            ("550 Unknown user", Some(Stage::Auth)),
            ("550 Unknown user", Some(Stage::Mail)),
            ("550 Unknown user", Some(Stage::Connect)),
            ("501 5.1.3 Invalid recipient address", Some(Stage::Rcpt)),
            ("501 Unknown user", Some(Stage::Rcpt)),
            (
                "550 <a@example.org>: Sender address rejected: undeliverable address: user unknown",
                Some(Stage::Rcpt),
            ),
            ("554 5.7.1 Recipient address rejected: Access denied", Some(Stage::Rcpt)),
            ("550 5.7.1 User unknown by policy", Some(Stage::Rcpt)),
            ("550 Sorry, a@example.org", Some(Stage::Rcpt)),
            ("550 5.1.2 Domain not found: DNS lookup failed, try again", Some(Stage::Rcpt)),
            ("550 User unknown, try again later", Some(Stage::Rcpt)),
            ("550 5.0.0 <a@example.org>: Recipient address rejected: On hold", Some(Stage::Rcpt)),
            ("550 5.2.1 This account is on hold", Some(Stage::Rcpt)),
            ("550 Mailbox disabled, under investigation", Some(Stage::Rcpt)),
        ] {
            assert!(!removes(text, stage), "{text}");
        }
    }
}
