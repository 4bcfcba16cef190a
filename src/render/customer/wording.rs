//! Says in plain words what went wrong and what the customer can do.

use crate::catalog::{Action, Reason};

/// The heading of a section and its meaning, in English. `None`: it is not about the customer's mail.
pub(crate) fn heading(action: Action) -> Option<(&'static str, &'static str)> {
    match action {
        Action::FixHere => Some(("For us to solve", "You need not do anything.")),
        Action::CleanLists => {
            Some(("Addresses that do not work", "Correct them, or remove them from your lists."))
        }
        Action::AskOrChange => {
            Some(("For you or the recipient to solve", "These messages were not delivered."))
        }
        Action::JustWait => Some(("Tried again automatically", "You need not do anything.")),
        Action::Nothing => None,
    }
}

/// The state of a message, in English.
pub(crate) fn state_word(state: &'static str) -> &'static str {
    match state {
        "waiting" => "still being tried",
        "bounced" => "returned to the sender",
        "expired" => "not delivered in time, returned to the sender",
        "held" => "held for a check",
        state => state,
    }
}

/// What went wrong, in English.
pub(crate) fn what_went_wrong(reason: Reason) -> &'static str {
    match reason {
        Reason::UserUnknown => "The address does not exist.",
        Reason::MailboxDisabled => "The mailbox is switched off.",
        Reason::MailboxMoved => "The recipient has moved to another address.",
        Reason::MailboxFull => "The recipient's mailbox is full.",
        Reason::RecipientRestricted => "The recipient accepts mail from chosen senders only.",
        Reason::AddressSyntax => "The address is not written correctly.",
        Reason::BadDomain => "The part of the address after the @ does not exist or takes no mail.",
        Reason::DnsFailure => "The recipient's mail server could not be found.",
        Reason::ConnectionFailed => "The recipient's mail server could not be reached.",
        Reason::RoutingLoop => "The message went in a circle between servers.",
        Reason::QueueExpired => "The message could not be delivered in time.",
        Reason::SystemError => "The recipient's mail server has a fault.",
        Reason::SystemFull => "The recipient's mail server has no space left.",
        Reason::MessageTooLarge => "The message is too large.",
        Reason::TooManyRecipients => "The message has too many recipients.",
        Reason::RateLimited => "The recipient's mail server takes only a limited amount of mail at a time.",
        Reason::Greylisted => "The recipient's mail server lets new senders wait for some minutes.",
        Reason::Blocklisted => "The recipient's mail server blocks the sending server or domain.",
        Reason::BadReputation => "The recipient's mail server does not trust the sender.",
        Reason::ClientIdentity => {
            "The recipient's mail server does not accept the name of the sending server."
        }
        Reason::SenderAuthFailed => {
            "The recipient's mail server cannot tell that the message is from its sender."
        }
        Reason::SenderRejected => "The sender's address was not accepted.",
        Reason::RelayDenied => "The server does not take mail for that address.",
        Reason::SmtpAuth => "A login was missing or failed.",
        Reason::TlsFailure => "An encrypted connection was not possible.",
        Reason::SpamContent => "The message was taken for spam.",
        Reason::UnsafeContent => "The message contains a dangerous or forbidden attachment or link.",
        Reason::MessageFormat => "The message is not in a correct format.",
        Reason::PolicyBlocked => "The recipient's mail server refused the message by a rule of its own.",
        Reason::ProtocolError => "The two mail servers did not understand each other.",
        Reason::Unknown => "The recipient's mail server gave no reason.",
    }
}

/// What the customer can do, in English. `None`: nothing.
pub(crate) fn what_to_do(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::UserUnknown => "Check the spelling, or remove the address from your lists.",
        Reason::MailboxDisabled | Reason::MailboxFull => "Contact the recipient some other way.",
        Reason::MailboxMoved => "Ask the recipient for the new address.",
        Reason::RecipientRestricted | Reason::PolicyBlocked => "Ask the recipient to allow your mail.",
        Reason::AddressSyntax => "Correct the address.",
        Reason::BadDomain => "Check the spelling of the part after the @.",
        Reason::QueueExpired | Reason::ConnectionFailed | Reason::DnsFailure => {
            "Check the address, and send the message again later."
        }
        Reason::SystemError | Reason::SystemFull | Reason::Greylisted => "Send the message again later.",
        Reason::MessageTooLarge => "Send a smaller message, or a link to the file.",
        Reason::TooManyRecipients => "Send the message to fewer recipients at a time.",
        Reason::RateLimited => "Spread large mailings over more time.",
        Reason::BadReputation => "Send only to people who asked for your mail.",
        Reason::SenderAuthFailed => "Send from the mail service of your domain.",
        Reason::SenderRejected => "Check the sender's address in your mail program.",
        Reason::SmtpAuth => "Check the user name and the password in your mail program.",
        Reason::SpamContent => "Change the text, the links or the attachments.",
        Reason::UnsafeContent => "Remove the attachment or the link.",
        Reason::MessageFormat => "Write the message with another program.",
        Reason::RoutingLoop
        | Reason::Blocklisted
        | Reason::ClientIdentity
        | Reason::RelayDenied
        | Reason::TlsFailure
        | Reason::ProtocolError
        | Reason::Unknown => return None,
    })
}
