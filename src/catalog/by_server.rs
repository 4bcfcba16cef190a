//! Defines which mail servers the tables have texts of their own for, and holds one value for each of them.

use serde::Deserialize;

use crate::smtp::event::Mta;

/// One value for each mail server with texts of its own in the tables; a table names them by these keys.
///
/// A new server with texts needs a field and two arms here.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
pub struct ByServer<T> {
    #[serde(default)]
    postfix: T,
    #[serde(default)]
    exim: T,
}

/// One value for each mail server with commands of its own for storms; the table names them by these keys.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
pub(crate) struct ByAnyServer<T> {
    #[serde(default)]
    postfix: T,
    #[serde(default)]
    exim: T,
    #[serde(default)]
    sendmail: T,
    #[serde(default)]
    opensmtpd: T,
}

impl<T> ByAnyServer<T> {
    /// The server's own value. `None`: the table has only commands for all servers.
    pub(crate) fn get(&self, mta: Mta) -> Option<&T> {
        match mta {
            Mta::Postfix => Some(&self.postfix),
            Mta::Exim => Some(&self.exim),
            Mta::Sendmail => Some(&self.sendmail),
            Mta::Opensmtpd => Some(&self.opensmtpd),
            Mta::Kumomta => None,
        }
    }
}

/// Where each server logs an enhanced status code.
pub(crate) const ENHANCED_CODE_PLACES: ByServer<&str> =
    ByServer { postfix: "in the reply, and in dsn=", exim: "in the text of an ACL or router" };

impl<T> ByServer<T> {
    /// A value for each server, made by `make`.
    pub(crate) fn from_fn(make: impl Fn(Mta) -> T) -> Self {
        Self { postfix: make(Mta::Postfix), exim: make(Mta::Exim) }
    }

    /// The server's own value. `None`: the tables have only texts for all servers.
    pub(crate) fn get(&self, mta: Mta) -> Option<&T> {
        match mta {
            Mta::Postfix => Some(&self.postfix),
            Mta::Exim => Some(&self.exim),
            Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
        }
    }

    /// Each server that has a value, with the value, in the order of [`Mta`].
    pub fn iter(&self) -> impl Iterator<Item = (Mta, &T)> {
        Mta::ALL.into_iter().filter_map(|mta| Some((mta, self.get(mta)?)))
    }

    /// Applies `convert` to each value.
    pub(crate) fn map<U>(&self, convert: impl Fn(&T) -> U) -> ByServer<U> {
        ByServer { postfix: convert(&self.postfix), exim: convert(&self.exim) }
    }
}
