//! The lines of messages as they stand in the logs, a blank line between two messages.

use std::io::{self, Write};

use crate::render::sanitize::printable;

/// `escaped`: they go to a terminal, which would obey what is in them.
pub(crate) fn show(messages: &[Vec<Vec<u8>>], escaped: bool, out: &mut dyn Write) -> io::Result<()> {
    for (number, lines) in messages.iter().enumerate() {
        if number > 0 {
            out.write_all(b"\n")?;
        }
        for line in lines {
            if escaped {
                out.write_all(printable(&String::from_utf8_lossy(line)).as_bytes())?;
            } else {
                out.write_all(line)?;
            }
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
