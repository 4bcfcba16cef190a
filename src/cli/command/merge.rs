//! Runs `smtplog merge`, which adds up parts and prints the report of one scan over all of their logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use clap::Parser;
use foldhash::fast::RandomState;
use jiff::tz::TimeZone;

use super::scan::{Counted, as_plugin, print, report_options};
use super::storm::{self, StormLineInput};
use crate::catalog::Catalog;
use crate::cli::args::{InputArgs, MergeArgs, ScanArgs};
use crate::cli::catalog::{book_hash, load_catalog};
use crate::cli::error::CliError;
use crate::cli::exit::Completion;
use crate::cli::filter::filter;
use crate::cli::part;
use crate::cli::part_files::{FoundPart, PartPlace, files, find};
use crate::cli::redaction::redactor;
use crate::cli::time::{calendar, window};
use crate::cli::verdict::{EvaluationTime, VerdictRun};
use crate::collections::seed::seed;
use crate::input::read::Source;
use crate::input::source::{FileId, SourceOrigin};
use crate::messages::MessageSummary;
use crate::part::LogPart;
use crate::part::error::PartError;
use crate::part::expected::{expected_hosts, missing_hosts};
use crate::part::file::PackedPart;
use crate::part::head::{CountedWith, PartHead, PartHost};
use crate::part::order::{NamedHead, PartOrder, order};
use crate::pipeline::calendar::{Calendar, TimeResolution};
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::{Filter, FilterArgs};
use crate::pipeline::time_range::TimeRange;
use crate::redact::Redactor;
use crate::redact::report::hide_recipients;
use crate::render::{LINE, TEXT};
use crate::report::{Report, ReportExtent, VerdictFinding, VerdictState};
use crate::scan::count_plan::CountPlan;
use crate::scan::counter::Merger;
use crate::scan::far_lines::without_far_lines;
use crate::scan::input::ReadSummary;
use crate::scan::notes::on_hops;
use crate::scan::options::ReportOptions;
use crate::scan::summary::report;
use crate::storm::sample::merge::SampleMerger;
use crate::storm::sample::samples::Samples;
use crate::storm::sample::shared_thresholds::SharedThresholds;
use crate::storm::sample::wire::KeptStorms;
use crate::tally::Tally;
use crate::tally::by_hour::Hourly;

pub(crate) fn run(args: &MergeArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let result = merge(args, out);
    as_plugin(args.verdict.nagios, result, out)
}

/// The parts to merge, in the order of their lines.
struct SelectedParts {
    parts: Vec<(NamedHead, PartPlace)>,
    /// Times of which no part has lines, and hosts without a part.
    gaps: Vec<String>,
}

fn merge(args: &MergeArgs, out: &mut (impl Write + Send)) -> Result<Completion, CliError> {
    let started = Instant::now();
    let format = args.output.format(if args.verdict.nagios { LINE } else { TEXT })?;
    let mut notes = Vec::new();
    let redactor = redactor(&args.redact, &mut notes)?;
    let calendar = calendar(&args.input())?;
    let times = InputArgs { since: args.since.clone(), until: args.until.clone(), ..args.input() };
    let range = window(&times, &calendar)?;
    let catalog = load_catalog(&args.rules)?;
    let paths = files(&args.parts)?;
    let SelectedParts { parts, gaps } = selected(args, &paths, range, &calendar)?;
    let (first, _) = parts.first().ok_or(CliError::NoParts { why: "there is none" })?;
    check_book(args, first, &catalog)?;
    let (sources, filter_args) = (sources(&parts), filter_args(first)?);
    let filter = filter(&filter_args, &catalog)?;
    check_redact(args, &first.head)?;
    let scan = args.as_scan(sources.iter().map(|source| source.path.clone()).collect(), filter_args);
    let mut verdict_run = VerdictRun::new(&scan, format, &filter)?;
    let hasher = seed();
    let plan =
        plan((&first.head.counted, examples(args, &parts)), &calendar.zone, &filter, &catalog, &hasher);
    let Merged { merger, coverage, storms, part } = merged(&scan, plan, &parts)?;
    if storms.samples.is_none() && VerdictRun::asks_for_storms(&scan) {
        let why = "none keeps what storms are found in; make them without --no-storms";
        return Err(CliError::NoParts { why });
    }
    let given_up = merger.given_up;
    let (mut tally, closed) = merger.finish(Vec::new());
    let (near, far) = without_far_lines(&coverage, &mut tally, &calendar.zone);
    let read = ReadSummary {
        coverage: &near,
        window: TimeRange::default(),
        calendar: &calendar,
        sources: &sources,
        resolution: &TimeResolution::default(),
    };
    let notes_of_scan =
        [notes_of(&parts), on_hops(given_up).into_iter().chain(far).collect(), gaps.clone(), storms.unknown];
    let options = report_options(&scan, format, read, &catalog, &filter, (notes_of_scan.concat(), redactor));
    let (mut report, hourly) = counted_report((tally, closed), &options, args.delays);
    if let Some(samples) = storms.samples {
        let (providers, zone) = (&catalog.providers, &calendar.zone);
        let of = StormLineInput { providers, zone, coverage: &coverage, threads: 1, redactor };
        storm::complete(&mut report, samples, &of)?;
    }
    hide_people(&mut report, redactor, &parts);
    let completion = judge(&mut verdict_run, &scan, &mut report, hourly.as_ref(), (&near, &calendar), &parts);
    add_gaps(&mut report, gaps);
    report.notes.extend(notes);
    let counted = Counted {
        report,
        completion,
        verdict_run,
        paths,
        dates: Vec::new(),
        checkpoints: None,
        unparsed: None,
        part,
        redactor,
    };
    print(&scan, format, counted, None, (started, 1), out)
}

/// Adds the verdict to the report.
fn judge(
    verdict_run: &mut VerdictRun,
    scan: &ScanArgs,
    report: &mut Report,
    hourly: Option<&Hourly>,
    (coverage, calendar): (&Coverage, &Calendar),
    parts: &[(NamedHead, PartPlace)],
) -> Completion {
    let (window, is_strict) = (TimeRange::default(), scan.coverage.strict);
    let mut completion = Completion::new(Vec::new(), Vec::new(), coverage, window, is_strict);
    completion.problems.extend(incomplete(parts));
    let (now, zone) = (calendar.now, &calendar.zone);
    let when = EvaluationTime { coverage, window, now, zone, is_part: false };
    verdict_run.judge(scan, report, hourly, &when, &mut completion);
    completion
}

/// How the parts were counted; the number is that of the examples of a row.
fn plan<'a>(
    (counted, examples): (&'a CountedWith, usize),
    zone: &'a TimeZone,
    filter: &'a Filter,
    book: &'a Catalog,
    hasher: &'a RandomState,
) -> CountPlan<'a> {
    CountPlan {
        extent: ReportExtent::Whole,
        by: &counted.by,
        examples,
        hourly: true,
        delays: true,
        hops: counted.hops,
        zone,
        filter,
        book,
        for_parts: true,
        redactor: None,
        hasher,
    }
}

/// The report, and the counts of each hour. Parts always hold delays.
fn counted_report(
    (mut tally, closed): (Tally, MessageSummary),
    options: &ReportOptions,
    with_delays: bool,
) -> (Report, Option<Hourly>) {
    let hourly = tally.hourly.take().map(Hourly::finish);
    if !with_delays {
        tally.delays = None;
    }
    (report(tally, closed, options), hourly)
}

/// Makes times without lines and hosts without a part a matter of the verdict.
fn add_gaps(report: &mut Report, gaps: Vec<String>) {
    let Some(verdict) = &mut report.verdict else { return };
    let gap = |what: String| VerdictFinding {
        state: VerdictState::Watch,
        what,
        value: String::new(),
        usual: None,
        text: None,
        row: None,
    };
    verdict.state = if gaps.is_empty() { verdict.state } else { verdict.state.max(VerdictState::Watch) };
    verdict.findings.extend(gaps.into_iter().map(gap));
}

/// The parts that the options select, in their order.
fn selected(
    args: &MergeArgs,
    paths: &[PathBuf],
    range: TimeRange,
    calendar: &Calendar,
) -> Result<SelectedParts, CliError> {
    let is_within = |head: &PartHead| {
        let Some((first, last)) = head.minutes() else { return range.is_unbounded() };
        range.since.is_none_or(|since| last * 60 + 59 >= since.as_second())
            && range.until.is_none_or(|until| first * 60 < until.as_second())
    };
    let found = find(paths)?.into_iter().filter(|part| is_within(&part.named.head));
    let (heads, places): (Vec<NamedHead>, Vec<PartPlace>) = found.map(FoundPart::into_parts).unzip();
    let PartOrder { order, mut gaps } = order(&heads, &calendar.zone)
        .map_err(|refused| CliError::Part { name: refused.name, why: refused.why })?;
    if let Some(path) = &args.expect {
        let text = fs::read_to_string(path).map_err(CliError::open_file(path))?;
        let hosts: BTreeSet<&str> =
            heads.iter().flat_map(|part| part.head.hosts.iter().map(|host| host.name.as_str())).collect();
        gaps.extend(missing_hosts(&expected_hosts(&text), &hosts));
    }
    let mut parts: Vec<Option<(NamedHead, PartPlace)>> = heads.into_iter().zip(places).map(Some).collect();
    let parts = order.into_iter().filter_map(|number| parts.get_mut(number)?.take()).collect();
    Ok(SelectedParts { parts, gaps })
}

/// An error if this run has other rules than the parts were counted with.
fn check_book(args: &MergeArgs, first: &NamedHead, catalog: &Catalog) -> Result<(), CliError> {
    let counted = &first.head.counted;
    let providers = catalog.providers.all().map(|(_, row)| row.id.as_str());
    if counted.book == book_hash(&args.rules)? && providers.eq(counted.providers.iter().map(String::as_str)) {
        return Ok(());
    }
    let why = PartError::Different { what: "other rules", other: "this run has".to_owned() };
    Err(CliError::Part { name: first.name.clone(), why })
}

fn sources(parts: &[(NamedHead, PartPlace)]) -> Vec<Source> {
    parts.iter().flat_map(|(named, _)| named.head.sources.iter().map(source)).collect()
}

/// The source of a part, which cannot be read here.
fn source(source: &crate::part::head::PartSource) -> Source {
    let (device, inode) = source.file.unwrap_or_default();
    let origin = SourceOrigin::File(FileId { device, inode });
    Source::new(Path::new(&source.path).to_owned(), origin, SystemTime::UNIX_EPOCH)
}

/// The options of a filter, by themselves.
#[derive(Parser)]
struct FilterWords {
    #[command(flatten)]
    filter: FilterArgs,
}

/// The filter of the parts, as options.
fn filter_args(first: &NamedHead) -> Result<FilterArgs, CliError> {
    let words = first.head.counted.filter.iter().flat_map(|words| {
        let (option, value) = words.split_once(' ').unwrap_or((words, ""));
        [option.to_owned(), if value == "\"\"" { String::new() } else { value.to_owned() }]
    });
    let parsed = FilterWords::try_parse_from(std::iter::once("smtplog".to_owned()).chain(words));
    let damaged = |_| CliError::Part {
        name: first.name.clone(),
        why: PartError::Damaged { what: "its filter is not one" },
    };
    parsed.map(|words| words.filter).map_err(damaged)
}

/// Number of example lines of a row; the sum as a part keeps all that the parts have.
fn examples(args: &MergeArgs, parts: &[(NamedHead, PartPlace)]) -> usize {
    let most = || parts.iter().map(|(named, _)| named.head.examples).max().unwrap_or(1);
    if args.part.is_some() { most() } else { args.examples }
}

/// An error if the sum as a part would have to be redacted: hashes of addresses that stand in parts cannot be hidden any more.
fn check_redact(args: &MergeArgs, first: &PartHead) -> Result<(), CliError> {
    if args.part.is_some() && args.redact.redact && first.counted.redact.is_none() {
        return Err(CliError::NoPart {
            what: "with --redact of parts that name people: use --redact when the parts are made",
        });
    }
    Ok(())
}

/// Hides people in what the counts do not hold.
fn hide_people(report: &mut Report, redactor: Option<Redactor>, parts: &[(NamedHead, PartPlace)]) {
    if let Some(redactor) = redactor {
        redactor.report(report);
    } else if parts.iter().any(|(named, _)| named.head.counted.redact.is_some()) {
        hide_recipients(&mut report.sections);
    }
}

/// All parts, added up.
struct Merged<'a> {
    merger: Merger<'a>,
    coverage: Coverage,
    storms: MergedStorms,
    /// The sum as a part, if it is wanted.
    part: Option<PackedPart>,
}

/// What storms are found in.
struct MergedStorms {
    /// `None`: nobody asks for them, or no part has any.
    samples: Option<Samples>,
    /// Notes about parts without.
    unknown: Vec<String>,
}

/// A part with a value that no scan writes.
fn damaged(named: &NamedHead) -> CliError {
    CliError::Part {
        name: named.name.clone(),
        why: PartError::Damaged { what: "a section holds what it should not" },
    }
}

fn merged<'a>(
    scan: &ScanArgs,
    plan: CountPlan<'a>,
    parts: &[(NamedHead, PartPlace)],
) -> Result<Merged<'a>, CliError> {
    let into_part = scan.part.is_some();
    let (mut merger, mut coverage, mut files_before) = (plan.part_merger(into_part), Coverage::default(), 0);
    let sampler = SampleMerger::new(plan.hasher.clone(), plan.filter, SharedThresholds::default());
    let mut sampler = if into_part { sampler.for_parts() } else { sampler };
    let wants_storms = VerdictRun::wants_storms(scan);
    let (mut has_storms, mut unknown) = (false, Vec::new());
    for (named, place) in parts {
        let part = place.read(named, files_before)?;
        coverage.merge(part.coverage);
        merger.fold_part(part.counts, &plan.tally_options(files_before)).map_err(|_| damaged(named))?;
        files_before += named.head.sources.len();
        match part.storms {
            _ if !wants_storms => {}
            Some(kept) => {
                has_storms = true;
                sampler.fold_part(kept.samples(plan.hasher.clone()).ok_or_else(|| damaged(named))?);
            }
            None => unknown.push(format!(
                "{}: storms in the lines of this part are unknown, for it does not keep what they are found in",
                named.name
            )),
        }
    }
    let Some(place) = &scan.part else {
        let samples = has_storms.then(|| sampler.finish());
        let unknown = storms_unknown(unknown, has_storms);
        return Ok(Merged { merger, coverage, storms: MergedStorms { samples, unknown }, part: None });
    };
    let counts = merger.into_part(Vec::new());
    let sampled = has_storms.then(|| sampler.into_part());
    let storms = sampled.as_ref().map(KeptStorms::of);
    let mut head = head_of_sum(parts);
    // A sum without data about storms gets its own note when it is merged.
    head.notes.extend(unknown.iter().filter(|_| has_storms).cloned());
    let unknown = storms_unknown(unknown, has_storms);
    let mut sum = LogPart { head, coverage, counts, storms };
    let packed = part::pack(&mut sum, place)?;
    let mut merger = plan.part_merger(false);
    let refused = |_| CliError::NoParts { why: "their sum cannot be read" };
    merger.fold_part(sum.counts, &plan.tally_options(0)).map_err(refused)?;
    let samples = sampled.map(|sampled| sampled.samples);
    let storms = MergedStorms { samples, unknown };
    Ok(Merged { merger, coverage: sum.coverage, storms, part: Some(packed) })
}

/// The notes about parts without data about storms. If no part has any, one note is enough.
fn storms_unknown(notes: Vec<String>, has_storms: bool) -> Vec<String> {
    if has_storms || notes.is_empty() {
        return notes;
    }
    vec!["storms are unknown, for no part keeps what they are found in".to_owned()]
}

/// The head of the sum of several parts, without its sections.
fn head_of_sum(parts: &[(NamedHead, PartPlace)]) -> PartHead {
    let heads = || parts.iter().map(|(named, _)| &named.head);
    let mut hosts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for PartHost { name, first, last } in heads().flat_map(|head| &head.hosts) {
        let span = hosts.entry(name).or_insert((*first, *last));
        *span = (span.0.min(*first), span.1.max(*last));
    }
    let hosts =
        hosts.into_iter().map(|(name, (first, last))| PartHost { name: name.to_owned(), first, last });
    let mut zones = heads().map(|head| &head.zone);
    let zone = zones.next().cloned().flatten();
    let first = heads().next().expect("there is a part");
    PartHead {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        zone: zone.filter(|zone| zones.all(|other| other.as_ref() == Some(zone))),
        hosts: hosts.collect(),
        sources: heads().flat_map(|head| head.sources.clone()).collect(),
        examples: heads().map(|head| head.examples).min().unwrap_or(1),
        notes: notes_of(parts),
        problems: heads().flat_map(|head| head.problems.clone()).collect(),
        sections: Vec::new(),
        ..first.clone()
    }
}

/// The notes of all parts, each once.
fn notes_of(parts: &[(NamedHead, PartPlace)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let notes = parts.iter().flat_map(|(named, _)| &named.head.notes);
    notes.filter(|note| seen.insert(*note)).cloned().collect()
}

/// An error for each part that lacks lines.
fn incomplete(parts: &[(NamedHead, PartPlace)]) -> Vec<CliError> {
    let problems = parts.iter().flat_map(|(named, _)| {
        let one = |what: &String| CliError::IncompletePart { name: named.name.clone(), what: what.clone() };
        named.head.problems.iter().map(one)
    });
    problems.collect()
}
