//! A part of a log and what is known come in; what it is known as goes out.

use std::io;

use super::listing::Listing;
use super::mark::Mark;
use super::source::{Origin, Source};
use super::text::{Fit, Text};
use crate::error::InputError;

/// A part of a log, and what it may be known as.
pub struct Found<'a> {
    pub source: &'a Source,
    pub text: Text,
    /// By the number of the mark. None: it is new.
    pub fit: Option<(usize, Fit)>,
}

/// None: it cannot be opened, which is said.
pub fn opened(source: &Source, listing: &mut Listing) -> Result<Option<Text>, InputError> {
    let same = |text: &Text| source.origin == Origin::File(text.id);
    match Text::open(&source.path) {
        Ok(text) if same(&text) => Ok(Some(text)),
        // It was rotated since it was listed.
        Ok(_) => Err(source.cannot_open(io::ErrorKind::NotFound.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(source.cannot_open(error)),
        Err(error) => {
            listing.problems.push(source.cannot_open(error));
            Ok(None)
        }
    }
}

/// Nothing is new in an older part.
pub fn ends_at(source: &Source, text: &Text, from: u64) -> Result<bool, InputError> {
    text.end(from, false).map(|end| end == from).map_err(|error| source.cannot_open(error))
}

/// The mark that knows most of the text; of its own file, if there is a choice.
pub fn best(text: &Text, marks: &[Mark]) -> io::Result<Option<(usize, Fit)>> {
    let mut best = None;
    for (at, mark) in marks.iter().enumerate() {
        let Some(fit) = text.fit(mark)? else { continue };
        let rank = (fit == Fit::Unchanged, mark.offset.unwrap_or(u64::MAX), fit, mark.id() == text.id);
        if best.is_none_or(|(_, _, highest)| rank > highest) {
            best = Some((at, fit, rank));
        }
    }
    Ok(best.map(|(at, fit, _)| (at, fit)))
}

/// None: it is empty.
pub fn left_alone(text: &Text) -> io::Result<Option<Mark>> {
    let offset = if text.packed { None } else { Some(text.end(0, false)?) };
    let tail = offset.map(|offset| text.tail(offset)).transpose()?;
    Ok((offset != Some(0)).then(|| Mark {
        device: text.id.device,
        inode: text.id.inode,
        size: text.size,
        written: text.written,
        offset,
        lines: 0,
        heads: text.heads_until(offset.unwrap_or(u64::MAX)),
        tail,
        current: false,
    }))
}
