//! Assigns each recipient domain a kind of mail server and lists the replies of each kind.

use super::names::{Domain, LOCAL_DOMAINS};
use super::reply::ReplyRow;
use super::rng::{Rng, mix};
use super::{delivered, permanent, transient};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Gmail,
    Outlook,
    Yahoo,
    Gmx,
    Postfix,
    Exim,
    /// Sendmail, qmail and filter appliances.
    Plain,
    /// The LMTP server on this machine.
    Mailbox,
}

impl ServerKind {
    /// The four busiest domains belong to the four large providers, which also host a share of the smaller ones.
    pub(crate) fn of(domain: Domain) -> Self {
        if domain.is_local() {
            return Self::Mailbox;
        }
        match domain.0 - LOCAL_DOMAINS {
            0 => Self::Gmail,
            1 => Self::Outlook,
            2 => Self::Yahoo,
            3 => Self::Gmx,
            rank => match mix(u64::from(rank)) % 100 {
                0..14 => Self::Gmail,
                14..34 => Self::Outlook,
                34..37 => Self::Yahoo,
                37..40 => Self::Gmx,
                40..66 => Self::Postfix,
                66..82 => Self::Exim,
                _ => Self::Plain,
            },
        }
    }

    pub(crate) const fn delivered(self) -> &'static [ReplyRow] {
        match self {
            Self::Gmail => delivered::GMAIL,
            Self::Outlook => delivered::OUTLOOK,
            Self::Yahoo => delivered::YAHOO,
            Self::Gmx => delivered::GMX,
            Self::Postfix => delivered::POSTFIX,
            Self::Exim => delivered::EXIM,
            Self::Plain => delivered::PLAIN,
            Self::Mailbox => delivered::MAILBOX,
        }
    }

    pub(crate) const fn transient(self) -> &'static [ReplyRow] {
        match self {
            Self::Gmail => transient::GMAIL,
            Self::Outlook => transient::OUTLOOK,
            Self::Yahoo => transient::YAHOO,
            Self::Gmx => transient::GMX,
            Self::Postfix => transient::POSTFIX,
            Self::Exim => transient::EXIM,
            Self::Plain => transient::PLAIN,
            Self::Mailbox => transient::MAILBOX,
        }
    }

    pub(crate) const fn permanent(self) -> &'static [ReplyRow] {
        match self {
            Self::Gmail => permanent::GMAIL,
            Self::Outlook => permanent::OUTLOOK,
            Self::Yahoo => permanent::YAHOO,
            Self::Gmx => permanent::GMX,
            Self::Postfix => permanent::POSTFIX,
            Self::Exim => permanent::EXIM,
            Self::Plain => permanent::PLAIN,
            Self::Mailbox => permanent::MAILBOX,
        }
    }
}

/// Draws a row; earlier rows are more likely.
pub(crate) fn draw_row(rng: &mut Rng, rows: &'static [ReplyRow]) -> &'static ReplyRow {
    &rows[rng.early(rows.len())]
}
