//! Writes the notes of a report: limits that were reached, estimates, and doubtful dates.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use jiff::{Timestamp, ToSpan};

use super::input::ReadSummary;
use crate::input::error::shown;
use crate::input::source::{Source, SourceOrigin};
use crate::messages::MessageSummary;
use crate::pipeline::assumed_hosts::on_hosts;
use crate::pipeline::coverage::{Coverage, FileCoverage};
use crate::pipeline::seek::dated_range;
use crate::report::{Remainder, Remainders};
use crate::tally::FinishedTally;

/// Notes on limits of the tally.
pub(crate) fn on_limits(tally: &FinishedTally) -> Vec<String> {
    let full = tally.names.is_full().then(|| {
        "there are more names of domains, relays and clients than are kept: some are counted as (others)"
            .to_owned()
    });
    let groups = tally.groups.as_ref().filter(|groups| groups.others > 0 || groups.names.is_full());
    let groups = groups.map(|groups| {
        format!("there are more groups than are kept: {} events of others are in none", groups.others)
    });
    let cut = tally.timeline.is_cut.then(|| {
        "there are more hours in the logs than are kept: the timeline holds the latest ones".to_owned()
    });
    let folded = tally.is_folded.then(|| {
        "there are more kinds of replies than are kept: some are counted without their enhanced code, command, provider and \
        cause"
            .to_owned()
    });
    full.into_iter().chain(groups).chain(cut).chain(folded).collect()
}

/// Notes on tables of names that dropped names.
pub(crate) fn on_names(rests: &Remainders) -> Vec<String> {
    let kinds = [("sender", rests.senders), ("client", rests.clients), ("user", rests.users)];
    let full = kinds.into_iter().filter(|(_, rest)| rest.may_lack > 0);
    let note = |(kind, rest): (&str, Remainder)| {
        format!(
            "{kind} counts are approximate (each up to {} too low): there are too many {kind}s to keep",
            rest.may_lack
        )
    };
    full.map(note).collect()
}

/// Notes on estimated recipient counts. `exact` has one entry for each row.
pub(crate) fn on_estimates(exact: &[bool]) -> Vec<String> {
    let note = "recipients beyond 100,000 in a row are estimated, to within 2 %";
    exact.contains(&false).then(|| note.to_owned()).into_iter().collect()
}

/// Notes on messages beyond the limit of open messages.
pub(crate) fn on_messages(messages: &MessageSummary) -> Vec<String> {
    let forgotten = messages.totals.forgotten;
    let note = || {
        format!(
            "more messages were open at a time than are kept: {forgotten} are in no sum of messages, and some that had \
            no end in sight were taken for done"
        )
    };
    (forgotten > 0).then(note).into_iter().collect()
}

/// Notes on hand-offs that were counted as deliveries because too many waited.
pub(crate) fn on_hops(given_up: u64) -> Option<String> {
    let note = || {
        format!(
            "{given_up} deliveries to inner relays name queue ids that were not found in time; they are counted as \
            deliveries, even where such an id comes later"
        )
    };
    (given_up > 0).then(note)
}

/// Notes on timestamps and the time range.
pub(crate) fn on_time(read: &ReadSummary) -> Vec<String> {
    let mut notes = Vec::new();
    let zone = &read.calendar.zone;
    let now = read.calendar.now;
    let moment = |minute: i64| Timestamp::from_second(minute * 60).ok();
    let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%F %H:%M %:z").to_string();
    if let Some(last) = read.coverage.minutes.and_then(|(_, last)| moment(last)) {
        if now.checked_add(24.hours()).is_ok_and(|tomorrow| last > tomorrow) {
            notes.push(format!(
                "the last line is dated {}, which is still to come: look at --tz, --year and that host's clock",
                shown(last)
            ));
        }
        if now.checked_sub((366 * 24).hours()).is_ok_and(|year| last < year) {
            notes.push(format!("the last line is dated {}, more than a year ago", shown(last)));
        }
    }
    if read.coverage.lines == 0 && !read.window.is_unbounded() {
        let outside = read.coverage.outside.and_then(|(first, last)| Some((moment(first)?, moment(last)?)));
        // Of a long file, only the part near the range was read.
        let narrowed = (0..).zip(read.sources).filter(|(_, source)| source.within.is_some());
        let whole = narrowed.filter_map(|(at, source)| dated_range(at, source, read.calendar).ok().flatten());
        let outside = whole.chain(outside).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        notes.extend(outside.map(|(first, last)| {
            format!("nothing in that time range; the log covers {} to {}", shown(first), shown(last))
        }));
    }
    if read.coverage.undated > 0 {
        notes.push(match read.coverage.undated {
            1 => "1 line shows no time and was left out".to_owned(),
            lines => format!("{lines} lines show no time and were left out"),
        });
    }
    notes.extend(on_sources(read));
    notes
}

/// Number of logs that a note names.
const LOGS_NAMED: usize = 3;

/// A note on logs of which nothing was understood, beside others that were. `enough`: fewer lines say nothing about a log.
pub(crate) fn on_strange_logs(coverage: &Coverage, sources: &[Source], enough: u64) -> Option<String> {
    // The parts of a log are judged together: one of them may be short.
    let mut logs: BTreeMap<usize, (&Source, FileCoverage)> = BTreeMap::new();
    for (file, found) in &coverage.files {
        let source = sources.get(*file)?;
        let (latest, all) = logs.entry(source.series).or_insert((source, FileCoverage::default()));
        *latest = source;
        // The rest of a log that was read in part may be mail.
        all.merge(FileCoverage { is_known: found.is_known || source.within.is_some(), ..*found });
    }
    let is_strange = |(_, all): &&(&Source, FileCoverage)| all.lines >= enough.max(1) && !all.is_known;
    let strange: Vec<_> = logs.values().filter(is_strange).collect();
    if strange.is_empty() || coverage.understood() == 0 {
        return None;
    }
    let lines: u64 = strange.iter().map(|(_, all)| all.lines).sum();
    let names = strange.iter().take(LOGS_NAMED).map(|(source, _)| shown(&source.path));
    let mut names = names.collect::<Vec<_>>().join(", ");
    if strange.len() > LOGS_NAMED {
        names = format!("{names} and {} more", strange.len() - LOGS_NAMED);
    }
    let lines = if lines == 1 { "1 line".to_owned() } else { format!("{} lines", HumanCount(lines)) };
    Some(format!("nothing in {names} was understood as a line of a mail server log ({lines})"))
}

/// Notes on files whose dates or hosts are guessed.
pub(crate) fn on_sources(read: &ReadSummary) -> Vec<String> {
    let mut notes = Vec::new();
    let doubtful =
        (0..read.sources.len()).filter(|&file| read.resolution.of(file) != read.calendar.resolution.of(file));
    notes.extend(doubtful.filter_map(|file| read.sources.get(file)).map(|source| {
        let hint = if source.can_be_read_again() { "use --year" } else { "read it from a file, or use --year" };
        format!(
            "the stamps of {} show no year and go past the end of one, or of summer time: their dates may be wrong; {hint}",
            source.path.display()
        )
    }));
    let guessed = |file: &&usize| {
        let source = read.sources.get(**file);
        let is_pipe = source.is_some_and(|source| {
            matches!(source.origin, SourceOrigin::Stdin | SourceOrigin::Pipe)
                && read.resolution.of(**file) == read.calendar.resolution.of(**file)
        });
        read.calendar.year.is_none() && is_pipe
    };
    notes.extend(read.coverage.without_year.iter().find(guessed).map(|_| {
        "the timestamps show no year: the latest year that is not in the future was assumed; use --year for an older log"
            .to_owned()
    }));
    notes.extend(on_hosts(read.sources));
    notes
}
