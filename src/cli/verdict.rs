//! Compares a report with its baseline, and judges it by `--fail-on` and `--warn-on`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::ScanArgs;
use super::error::CliError;
use super::exit::Completion;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::Filter;
use crate::pipeline::time_range::TimeRange;
use crate::render::Format;
use crate::report::{MetCondition, Report, VerdictFinding, VerdictState};
use crate::scan::baseline::{self, OpenBaseline, ReadSpan};
use crate::scan::verdict::condition::{Condition, Subject};
use crate::scan::verdict::{met, verdict};
use crate::tally::by_hour::Hourly;

/// What is asked of a report besides its numbers.
pub(crate) struct VerdictRun {
    /// The history of `--baseline`. `None`: the option is not used.
    opened: Option<OpenBaseline>,
    /// Some option asks for a verdict.
    asked: bool,
}

/// When the lines of a run were written.
pub(crate) struct EvaluationTime<'a> {
    pub coverage: &'a Coverage,
    pub window: TimeRange,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

impl VerdictRun {
    pub(crate) fn new(args: &ScanArgs, format: Format, filter: &Filter) -> Result<Self, CliError> {
        let watch = &args.verdict;
        let open = |path: &std::path::PathBuf| baseline::open(path, &filter.words, watch.baseline_read_only);
        let opened = watch.baseline.as_ref().map(open).transpose()?;
        let asked = !watch.fail_on.is_empty()
            || !watch.warn_on.is_empty()
            || watch.quiet_ok
            || watch.nagios
            || args.mail.mail_headers
            || format.has_verdict;
        let asked = asked || opened.is_some();
        Ok(Self { opened, asked })
    }

    /// Each hour has to be counted by itself.
    pub(crate) fn wants_hours(&self) -> bool {
        self.opened.is_some()
    }

    /// The logs are to be searched for storms.
    pub(crate) fn wants_storms(args: &ScanArgs) -> bool {
        let of_storms = |condition: &Condition| condition.subject == Subject::Storm;
        args.verdict.storms || args.verdict.fail_on.iter().chain(&args.verdict.warn_on).any(of_storms)
    }

    /// Puts into the report what is asked for, and takes the hours of the run into the history.
    pub(crate) fn judge(
        &mut self,
        args: &ScanArgs,
        report: &mut Report,
        hourly: Option<&Hourly>,
        when: &EvaluationTime,
        done: &mut Completion,
    ) {
        if let (Some(opened), Some(hourly)) = (&mut self.opened, hourly) {
            match when.span() {
                Some(span) => {
                    if baseline::compare(report, &opened.history, span, hourly, when.zone).is_none() {
                        report.notes.push(
                            "the baseline has fewer than three earlier days with these hours: nothing is compared".to_owned(),
                        );
                    }
                    // Half of what there was is no day to compare others with.
                    if done.problems.is_empty() && done.complaint.is_none() {
                        opened.history.add(span, hourly);
                    } else {
                        report.notes.push(
                            "nothing was added to the baseline, since not all could be read".to_owned(),
                        );
                    }
                }
                None => {
                    report.notes.push("nothing was added to the baseline: no line shows its time".to_owned());
                }
            }
        }
        if !self.asked {
            return;
        }
        let holding = |conditions: &[Condition]| -> Option<Vec<MetCondition>> {
            let holding = conditions.iter().filter_map(|condition| met(report, condition));
            (!conditions.is_empty()).then(|| holding.collect())
        };
        let (failed, warned) = (holding(&args.verdict.fail_on), holding(&args.verdict.warn_on));
        let mut verdict = verdict(report, failed.as_deref(), warned.as_deref());
        let trouble = done.complaint.iter().cloned().chain(done.problems.iter().map(ToString::to_string));
        let trouble = trouble.map(|what| VerdictFinding {
            state: VerdictState::Bad,
            what,
            value: String::new(),
            usual: None,
            row: None,
        });
        let trouble: Vec<VerdictFinding> = trouble.collect();
        if !trouble.is_empty() {
            verdict.state = VerdictState::Bad;
            verdict.findings.splice(0..0, trouble);
        }
        if failed.as_ref().is_some_and(|failed| !failed.is_empty()) {
            done.fail();
        }
        report.failed = failed;
        report.verdict = Some(verdict);
    }

    /// Writes the history; after the report, so that one that could not be printed can be asked for again.
    pub(crate) fn save(&self, done: &mut Completion) {
        let saved = self.opened.as_ref().map_or(Ok(()), OpenBaseline::save);
        done.problems.extend(saved.err().map(CliError::from));
    }
}

impl EvaluationTime<'_> {
    /// From the first to the last minute with a mail line. Where a window begins or ends within the hour before or behind
    /// them, it is the window: there was nothing in between.
    fn span(&self) -> Option<ReadSpan> {
        let (first, last) = self.coverage.minutes?;
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let since = self.window.since.map(minute).filter(|since| (first - 60..=first).contains(since));
        let past = self.window.until.filter(|until| *until <= self.now);
        let until = past.map(minute).filter(|until| (last..=last + 60).contains(until));
        Some(ReadSpan { from: since.unwrap_or(first), until: until.unwrap_or(last + 1).max(last + 1) })
    }
}
