//! How a command ended: what to complain about, and with which exit status.

use crate::error::Error;
use crate::walk::Coverage;

/// A command that printed its answer.
pub struct Done {
    /// To be said on stderr.
    pub problems: Vec<Error>,
    /// Said on stderr too: the input was read, and nothing in it was understood.
    pub nothing_understood: Option<String>,
    empty: bool,
    /// The answer to a question: what was asked for is not there.
    not_found: bool,
}

impl Done {
    pub fn new(before: Vec<Error>, during: Vec<Error>, coverage: &Coverage) -> Self {
        let problems = before.into_iter().chain(during).collect();
        let lost = coverage.lines > 0 && coverage.event + coverage.routine == 0;
        let nothing_understood = lost.then(|| {
            format!(
                "none of {} lines is a line of a Postfix or Exim log that could be understood ({} are not mail at all)",
                coverage.lines, coverage.foreign
            )
        });
        Self { problems, nothing_understood, empty: coverage.lines == 0, not_found: false }
    }

    /// The end of a command that looks something up and reads no log.
    pub fn looked_up(found: bool) -> Self {
        Self { problems: Vec::new(), nothing_understood: None, empty: false, not_found: !found }
    }

    /// No input at all could be read, or nothing in it: what is on stderr says all.
    pub fn nothing_to_report(&self) -> bool {
        self.nothing_understood.is_some() || self.empty && !self.problems.is_empty()
    }

    /// 2 and 3 are trouble; 1 is the answer to a question: what was asked for is not there.
    pub fn status(&self) -> u8 {
        if !self.problems.is_empty() {
            2
        } else if self.nothing_understood.is_some() {
            3
        } else {
            u8::from(self.not_found)
        }
    }
}
