//! Holds the built-in rules and phrases, which build.rs compiles into static data.

// The numbers are written by the build script.
#![allow(clippy::unreadable_literal)]

use std::borrow::Cow;

use super::phrases::{Phrase, PhrasePart, Phrases};
use super::prefix_index::{IndexedWord, PrefixIndex};
use super::rule::{Pattern, PhraseOwner, Rule, RuleSet};
use crate::catalog::cause::Cause;
use crate::catalog::provider::Provider;
use crate::catalog::reason::{EnhancedPattern, Reason, Retry};
use crate::smtp::event::{Direction, Mta, Stage};
use crate::smtp::reply::{Class, Code};

/// A reply code of a rule.
const fn code(number: u16) -> Code {
    Code::new(number).expect("a rule names reply codes")
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));
