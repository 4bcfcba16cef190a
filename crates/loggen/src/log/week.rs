//! Writes the whole log that a spec describes.

use std::io::{self, Write};

use super::spec::{Mta, Spec, Stamp};
use super::totals::LogTotals;
use super::writer::LogWriter;
use super::{exim, postfix};

/// Writes the log and returns what a correct parser counts in it.
///
/// Fails if `out` fails, or if the spec asks for Postfix with the stamps of Exim.
pub fn write(spec: &Spec, out: &mut impl Write) -> io::Result<LogTotals> {
    let log = LogWriter::new(spec, out);
    match (spec.mta, spec.stamp) {
        (Mta::Postfix, Stamp::Exim) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "postfix has no stamp of exim's kind"))
        }
        (Mta::Postfix, Stamp::Bsd | Stamp::Rfc3339) => postfix::write(spec, log),
        (Mta::Exim, _) => exim::write(spec, log),
    }
}
