//! Holds how a command ended: its errors, its remarks and the exit status.

use super::error::CliError;
use crate::input::error::InputError;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::time_range::TimeRange;

/// A command that printed its answer.
pub struct Completion {
    /// To be said on stderr.
    pub problems: Vec<CliError>,
    /// Said on stderr too: nothing in the input was understood, or less than was asked for.
    pub complaint: Option<String>,
    /// Said on stderr, and no trouble.
    pub remarks: Vec<String>,
    /// There is nothing to show.
    nothing: bool,
    /// The answer to a question: what was asked for is not there, or what was not to be is.
    not_found: bool,
    /// The status that another program's rules want instead of ours.
    status: Option<u8>,
}

/// So many lines of a mail log without one that can be understood show that something is wrong.
const FEW: u64 = 100;

impl Completion {
    pub fn new(
        before: Vec<InputError>,
        during: Vec<InputError>,
        coverage: &Coverage,
        window: TimeRange,
        strict: bool,
    ) -> Self {
        let problems: Vec<CliError> = before.into_iter().chain(during).map(CliError::from).collect();
        let understood = coverage.event + coverage.routine;
        let lost = coverage.lines > 0 && understood == 0;
        let undated = coverage.lines == 0 && coverage.undated > 0 && coverage.outside.is_none();
        let complaint = if lost {
            Some(format!(
                "none of {} lines is a line of a mail server log that could be understood ({} are not mail at all)",
                coverage.lines, coverage.foreign
            ))
        } else if undated && !window.is_unbounded() {
            Some(format!(
                "none of {} lines shows its time, so none is since or until anything",
                coverage.undated
            ))
        } else if strict && understood * 100 < coverage.mail() * 99 {
            let share = understood as f64 * 100.0 / coverage.mail() as f64;
            Some(format!(
                "only {share:.1}% of {} mail lines were understood, --strict wants 99%",
                coverage.mail()
            ))
        } else {
            None
        };
        let nothing = lost || undated || coverage.bytes == 0 && !problems.is_empty();
        Self { problems, complaint, remarks: Vec::new(), nothing, not_found: false, status: None }
    }

    /// Of what is new since another run: a few lines that are not mail are nothing to complain about.
    #[must_use]
    pub fn of_a_part(self, coverage: &Coverage) -> Self {
        let few = coverage.lines > 0 && coverage.lines < FEW;
        if few && self.nothing { Self { complaint: None, nothing: false, ..self } } else { self }
    }

    #[must_use]
    pub fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }

    /// The end of a command that looks something up and reads no log.
    pub fn looked_up(found: bool) -> Self {
        let (problems, remarks) = (Vec::new(), Vec::new());
        Self { problems, complaint: None, remarks, nothing: false, not_found: !found, status: None }
    }

    /// Why the answer is not to be trusted. None: it is.
    pub fn trouble(&self) -> Option<String> {
        self.complaint.clone().or_else(|| self.problems.first().map(ToString::to_string))
    }

    /// What was not to be is: a condition is true, there is a storm.
    pub fn fail(&mut self) {
        self.not_found = true;
    }

    /// Ends with this status, whatever ours would be.
    pub fn end_with(&mut self, status: u8) {
        self.status = Some(status);
    }

    /// The same, and what was asked for is in no log that was read.
    #[must_use]
    pub fn without_a_find(self) -> Self {
        Self { not_found: true, ..self }
    }

    /// No input at all could be read, or nothing in it: what is on stderr says all.
    pub fn nothing_to_report(&self) -> bool {
        self.nothing
    }

    /// 2 and 3 are trouble; 1 is the answer to a question: what was asked for is not there.
    pub fn status(&self) -> u8 {
        if let Some(status) = self.status {
            status
        } else if !self.problems.is_empty() {
            2
        } else if self.complaint.is_some() {
            3
        } else {
            u8::from(self.not_found)
        }
    }
}
