//! Compares a report with its baseline, and judges it by `--fail-on` and `--warn-on`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::ScanArgs;
use super::error::CliError;
use super::exit::Completion;
use crate::input::atomic_file::StagedFile;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::Filter;
use crate::pipeline::time_range::TimeRange;
use crate::render::Format;
use crate::report::{MetCondition, Report, VerdictFinding, VerdictState};
use crate::scan::baseline::{self, OpenBaseline, ReadSpan};
use crate::scan::verdict::condition::{Condition, Subject};
use crate::scan::verdict::silence::AskedPeriod;
use crate::scan::verdict::{met, suspects, verdict};
use crate::tally::by_hour::Hourly;

/// The options about the verdict in one run.
pub(crate) struct VerdictRun {
    /// The history of `--baseline`. `None`: the option is not used.
    opened: Option<OpenBaseline>,
    /// The verdict is for a scheduled job or a monitor.
    scheduled: bool,
}

/// When the lines of a run were written.
pub(crate) struct EvaluationTime<'a> {
    pub coverage: &'a Coverage,
    pub window: TimeRange,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    /// Only lines that are new since an earlier run were read.
    pub is_part: bool,
}

impl VerdictRun {
    pub(crate) fn new(args: &ScanArgs, format: Format, filter: &Filter) -> Result<Self, CliError> {
        let options = &args.verdict;
        let open =
            |path: &std::path::PathBuf| baseline::open(path, &filter.words, options.baseline_read_only);
        let opened = options.baseline.as_ref().map(open).transpose()?;
        let scheduled = !options.fail_on.is_empty()
            || !options.warn_on.is_empty()
            || options.quiet_ok
            || options.nagios
            || args.mail.mail_headers
            || format.is_for_monitors;
        Ok(Self { opened, scheduled })
    }

    /// Whether events must also be counted by the hour.
    pub(crate) fn wants_hours(&self) -> bool {
        self.opened.is_some()
    }

    /// Whether the walk must also find storms.
    pub(crate) fn wants_storms(args: &ScanArgs) -> bool {
        !args.verdict.no_storms || Self::asks_for_storms(args)
    }

    /// Whether an option asks for storms.
    pub(crate) fn asks_for_storms(args: &ScanArgs) -> bool {
        let of_storms = |condition: &Condition| condition.subject == Subject::Storm;
        args.verdict.storms || args.verdict.fail_on.iter().chain(&args.verdict.warn_on).any(of_storms)
    }

    /// Adds the comparison and the verdict to the report, and the hours of the run to the history.
    pub(crate) fn judge(
        &mut self,
        args: &ScanArgs,
        report: &mut Report,
        hourly: Option<&Hourly>,
        when: &EvaluationTime,
        completion: &mut Completion,
    ) {
        if let (Some(opened), Some(hourly)) = (&mut self.opened, hourly) {
            let now = when.now.as_second().div_euclid(60);
            opened.history.forget_after(now);
            let read = when.span();
            let covered = read.and_then(|span| span.covered(hourly, now));
            if read.is_some() && read != covered {
                report.notes.push(
                    "some lines are dated weeks before or after all events, or later than now: the baseline leaves that time out"
                        .to_owned(),
                );
            }
            match when.asked_span(self.scheduled).or(covered) {
                Some(asked) => {
                    if baseline::compare(report, &opened.history, asked, hourly, when.zone).is_none() {
                        report.notes.push(
                            "the baseline has fewer than three earlier days with these hours: nothing is compared".to_owned(),
                        );
                    }
                    // A run that could not read everything must not be compared with later ones.
                    if completion.problems.is_empty() && completion.complaint.is_none() {
                        if let Some(span) = covered {
                            opened.history.add(span, hourly);
                        }
                    } else {
                        report.notes.push(
                            "nothing was added to the baseline, since not all could be read".to_owned(),
                        );
                    }
                }
                None if read.is_none() => {
                    report.notes.push("nothing was added to the baseline: no line shows its time".to_owned());
                }
                None => {}
            }
        }
        let true_ones = |conditions: &[Condition]| -> Option<Vec<MetCondition>> {
            let met = conditions.iter().filter_map(|condition| met(report, condition));
            (!conditions.is_empty()).then(|| met.collect())
        };
        let (failed, warned) = (true_ones(&args.verdict.fail_on), true_ones(&args.verdict.warn_on));
        let mut verdict = verdict(report, failed.as_deref(), warned.as_deref(), &when.asked(self.scheduled));
        let trouble = trouble(completion);
        if !trouble.is_empty() {
            verdict.state = VerdictState::Bad;
            verdict.findings.splice(0..0, trouble);
        }
        // What cannot be judged is not well.
        if failed.as_ref().is_some_and(|failed| !failed.is_empty() || verdict.silent) {
            completion.fail();
        }
        report.failed = failed;
        report.verdict = Some(verdict);
        suspects::put_first(report);
    }

    /// Writes the history, which must still be put into its place: together with the state, once the report is printed.
    pub(crate) fn stage(&self) -> Result<Option<StagedFile>, CliError> {
        Ok(self.opened.as_ref().map(OpenBaseline::stage).transpose()?.flatten())
    }
}

/// What could not be read or understood, as findings.
fn trouble(completion: &Completion) -> Vec<VerdictFinding> {
    let complaints = completion.complaint.iter().cloned();
    let complaints = complaints.chain(completion.strange.clone());
    let trouble = complaints.chain(completion.problems.iter().map(ToString::to_string));
    let finding = |what| VerdictFinding {
        state: VerdictState::Bad,
        what,
        value: String::new(),
        usual: None,
        text: None,
        row: None,
    };
    trouble.map(finding).collect()
}

impl EvaluationTime<'_> {
    fn asked(&self, scheduled: bool) -> AskedPeriod<'_> {
        let minutes = self.coverage.minutes;
        let (is_part, is_scheduled) = (self.is_part, scheduled);
        AskedPeriod { window: self.window, now: self.now, zone: self.zone, minutes, is_part, is_scheduled }
    }

    /// The minutes of the period that was asked for, which may have had no mail. `None`: the report covers what is in the
    /// logs.
    fn asked_span(&self, scheduled: bool) -> Option<ReadSpan> {
        let asked = self.asked(scheduled);
        let is_bounded = self.window.since.is_some() && !self.is_part || self.coverage.minutes.is_none();
        let (from, until) = asked.bounds().filter(|_| is_bounded)?;
        Some(ReadSpan { from, until })
    }

    /// From the first to the last minute with a mail line. An end of the time range that is less than an hour away from them
    /// counts instead, because there were no lines in between.
    fn span(&self) -> Option<ReadSpan> {
        let (first, last) = self.coverage.minutes?;
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let since = self.window.since.map(minute).filter(|since| (first - 60..=first).contains(since));
        let past = self.window.until.filter(|until| *until <= self.now);
        let until = past.map(minute).filter(|until| (last..=last + 60).contains(until));
        Some(ReadSpan { from: since.unwrap_or(first), until: until.unwrap_or(last + 1).max(last + 1) })
    }
}
