//! Parses a reason as a report prints it or as its id: `no such user`, `user-unknown`, `connection lost`.

use std::ffi::OsStr;
use std::fmt;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error, ValueEnum};

use crate::catalog::cause::causes;
use crate::catalog::classify::{Classification, Reason};
use crate::catalog::{Cause, reasons, value_name};

/// A reason, or one of the causes behind reasons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReasonPattern {
    Reason(Reason),
    Cause(Cause),
}

impl ReasonPattern {
    /// None: nothing is called that.
    pub fn find(text: &str) -> Option<Self> {
        // A row of the report says in the same column who said it.
        let text = text.trim();
        let text = [" (by us)", " (here)"].iter().find_map(|side| text.strip_suffix(side)).unwrap_or(text);
        let is_title = |title: &str| title.eq_ignore_ascii_case(text);
        let reason = Reason::from_str(text, true).ok();
        let reason = reason.or_else(|| Some(reasons().iter().find(|row| is_title(&row.title))?.id));
        let cause = || {
            let id = Cause::from_str(text, true).ok();
            id.or_else(|| Some(causes().iter().find(|row| is_title(&row.title))?.id))
        };
        reason.map(Self::Reason).or_else(|| cause().map(Self::Cause))
    }

    pub(crate) fn fits(self, classification: Option<Classification>) -> bool {
        self.fits_both(classification.map(|found| found.reason), classification.and_then(|found| found.cause))
    }

    pub(crate) fn fits_both(self, reason: Option<Reason>, cause: Option<Cause>) -> bool {
        match self {
            Self::Reason(wanted) => reason == Some(wanted),
            Self::Cause(wanted) => cause == Some(wanted),
        }
    }
}

impl fmt::Display for ReasonPattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Reason(reason) => f.write_str(&value_name(*reason)),
            Self::Cause(cause) => f.write_str(&value_name(*cause)),
        }
    }
}

/// One value of `--reason`: a title, or ids separated by commas. Titles have commas too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReasonChoice(pub Vec<ReasonPattern>);

impl ReasonChoice {
    /// None: one of them is not known.
    pub fn find(text: &str) -> Option<Self> {
        match ReasonPattern::find(text) {
            Some(pattern) => Some(Self(vec![pattern])),
            None => text.split(',').map(ReasonPattern::find).collect::<Option<_>>().map(Self),
        }
    }
}

/// Reads a [`ReasonChoice`] for clap, and lists the reasons for completions and error messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReasonParser;

impl TypedValueParser for ReasonParser {
    type Value = ReasonChoice;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<ReasonChoice, Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value)?;
        ReasonChoice::find(&text).ok_or_else(|| {
            let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
            if let Some(arg) = arg {
                error.insert(ContextKind::InvalidArg, ContextValue::String(arg.to_string()));
            }
            error.insert(ContextKind::InvalidValue, ContextValue::String(text));
            let known = Reason::value_variants().iter().map(|reason| value_name(*reason));
            error.insert(ContextKind::ValidValue, ContextValue::Strings(known.collect()));
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Reason::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_title_and_every_id_is_understood() {
        for row in reasons() {
            let wanted = Some(ReasonPattern::Reason(row.id));
            assert_eq!(ReasonPattern::find(&row.title), wanted, "{}", row.title);
            assert_eq!(ReasonPattern::find(&value_name(row.id)), wanted);
        }
        for row in causes() {
            let found = ReasonPattern::find(&row.title);
            // Some causes have the title of a reason, and a title may stand for two causes.
            assert!(found.is_some(), "{}", row.title);
        }
        assert_eq!(ReasonPattern::find("No Such User"), Some(ReasonPattern::Reason(Reason::UserUnknown)));
        assert_eq!(
            ReasonPattern::find("server error (by us)"),
            Some(ReasonPattern::Reason(Reason::SystemError))
        );
        assert_eq!(ReasonPattern::find("sunshine"), None);
    }
}
