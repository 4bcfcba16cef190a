//! The mail servers: a line comes in, a reading goes out.

pub mod exim;
pub mod opensmtpd;
pub mod postfix;
pub mod reading;
pub mod sendmail;

use crate::line::{Line, Stamp};
use crate::mta::reading::Reading;

/// Reads a line as what its program makes it: Postfix is told by its daemons, Exim by its name or, in its own
/// files, by having no program at all.
pub fn read<'a>(line: &Line<'a>) -> Reading<'a> {
    match (line.program, line.stamp) {
        (b"", Stamp::Iso(_)) => exim::read(line),
        (b"", _) => Reading::Foreign,
        (program, _) if program.starts_with(b"exim") => exim::read(line),
        _ => postfix::read(line)
            .or_else(|| sendmail::read(line))
            .or_else(|| opensmtpd::read(line))
            .unwrap_or(Reading::Foreign),
    }
}
