//! Holds how a command ended: its errors, its remarks and the exit status.

use super::error::CliError;
use crate::input::error::InputError;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::time_range::TimeRange;

/// How a command ended that printed its output.
pub struct Completion {
    /// Errors for standard error.
    pub problems: Vec<CliError>,
    /// For standard error too: nothing in the input was understood, or less than `--strict` requires.
    pub complaint: Option<String>,
    /// Logs of which nothing was understood, beside others that were.
    pub strange: Option<String>,
    /// Notes for standard error; they do not change the exit status.
    pub remarks: Vec<String>,
    /// There is nothing to print.
    nothing: bool,
    /// The answer is no: nothing was found, a condition of `--fail-on` is true, or there is a storm.
    not_found: bool,
    /// The exit status of a Nagios plugin, instead of ours.
    status: Option<u8>,
}

/// With fewer new lines than this, it is not an error that none was understood.
pub(crate) const ENOUGH_LINES: u64 = 100;

/// Whether the lines of a run that reads only new ones are too few to say anything about the log.
pub(crate) fn is_few(coverage: &Coverage) -> bool {
    coverage.lines > 0 && coverage.lines < ENOUGH_LINES
}

fn none_understood(coverage: &Coverage) -> String {
    let what = "was understood as a line of a mail server log";
    match (coverage.lines, coverage.foreign) {
        (1, 0) => "the only line was not understood as a line of a mail server log".to_owned(),
        (1, _) => "the only line is no line of a mail server log".to_owned(),
        (lines, 1) => format!("none of {lines} lines {what} (1 is no mail line)"),
        (lines, foreign) => format!("none of {lines} lines {what} ({foreign} are not mail lines)"),
    }
}

impl Completion {
    pub fn new(
        before: Vec<InputError>,
        during: Vec<InputError>,
        coverage: &Coverage,
        window: TimeRange,
        strict: bool,
    ) -> Self {
        let problems: Vec<CliError> = before.into_iter().chain(during).map(CliError::from).collect();
        let understood = coverage.understood();
        let lost = coverage.lines > 0 && understood == 0 && !coverage.is_quiet_time();
        let undated = coverage.lines == 0 && coverage.undated > 0 && coverage.outside.is_none();
        let complaint = if lost {
            Some(none_understood(coverage))
        } else if undated && !window.is_unbounded() {
            Some(match coverage.undated {
                1 => "the only line has no time, so --since and --until do not match it".to_owned(),
                lines => {
                    format!("none of {lines} lines has a time, so --since and --until match none of them")
                }
            })
        } else if strict && understood * 100 < coverage.mail() * 99 {
            let share = understood as f64 * 100.0 / coverage.mail() as f64;
            Some(format!(
                "only {share:.1}% of {} mail lines were understood; --strict requires 99%",
                coverage.mail()
            ))
        } else {
            None
        };
        let nothing = lost || undated || coverage.bytes == 0 && !problems.is_empty();
        let (remarks, strange) = (Vec::new(), None);
        Self { problems, complaint, strange, remarks, nothing, not_found: false, status: None }
    }

    /// For a run that reads only new lines (`--state`): a few lines that are not mail are no error.
    #[must_use]
    pub fn of_a_part(self, coverage: &Coverage) -> Self {
        if is_few(coverage) && self.nothing {
            Self { complaint: None, remarks: Vec::new(), nothing: false, ..self }
        } else {
            self
        }
    }

    #[must_use]
    pub fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }

    /// For a command that looks something up and reads no log.
    pub fn looked_up(found: bool) -> Self {
        let (problems, remarks) = (Vec::new(), Vec::new());
        let (complaint, strange) = (None, None);
        Self { problems, complaint, strange, remarks, nothing: false, not_found: !found, status: None }
    }

    /// Why the output cannot be trusted. `None`: it can.
    pub fn trouble(&self) -> Option<String> {
        self.complaint.clone().or_else(|| self.problems.first().map(ToString::to_string))
    }

    /// Exit status 1: a condition is true, or there is a storm.
    pub fn fail(&mut self) {
        self.not_found = true;
    }

    /// Sets the exit status.
    pub fn end_with(&mut self, status: u8) {
        self.status = Some(status);
    }

    /// Exit status 1: nothing was found.
    #[must_use]
    pub fn without_a_find(self) -> Self {
        Self { not_found: true, ..self }
    }

    /// Whether there is nothing to print, because no input could be read or understood; standard error says why.
    pub fn nothing_to_report(&self) -> bool {
        self.nothing
    }

    /// The exit status: 0 success, 1 the answer is no, 2 an error, 3 too little was understood.
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
