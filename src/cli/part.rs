//! Packs a part and writes its head, and tells which scans cannot make one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::args::ScanArgs;
use super::catalog::book_hash;
use super::error::CliError;
use super::output;
use super::session::Session;
use crate::input::atomic_file::folder_of;
use crate::input::checkpoint::resume::ReadPosition;
use crate::input::read::Source;
use crate::input::source::SourceOrigin;
use crate::messages::host_spans::{HOST_LIMIT, HostSpan};
use crate::parse::log_text::LogText;
use crate::part::LogPart;
use crate::part::file::{self, PackedPart};
use crate::part::head::{CountedWith, PartHead, PartHost, PartLimits, PartSource, SCHEMA};
use crate::redact::Redactor;
use crate::scan::count_plan::CountPlan;

/// An error if the scan cannot make a part.
pub(crate) fn check(args: &ScanArgs, plan: &CountPlan) -> Result<(), CliError> {
    if args.part.is_none() {
        return Ok(());
    }
    if plan.asks_for_senders() {
        return Err(CliError::NoPart {
            what: "with --from, or --by sender, user or client: lines before the part may state who sent a message",
        });
    }
    Ok(())
}

/// What a scan read, for the head of its part.
pub(crate) struct ReadForPart<'a> {
    pub sources: &'a [Source],
    pub reached: &'a [ReadPosition],
    pub spans: &'a BTreeMap<Vec<u8>, HostSpan>,
    pub notes: Vec<String>,
    pub problems: Vec<String>,
}

/// Packs a part for its place, which may be standard output.
pub(crate) fn pack(part: &mut LogPart, place: &Path) -> Result<PackedPart, CliError> {
    // A pipe or a device has no folder for a large part to wait in.
    let is_file = |path: &&Path| fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    let path = output::file(Some(place)).filter(is_file);
    file::pack(part, path.map(folder_of)).map_err(|source| match path {
        Some(path) => CliError::write_file(path)(source),
        None => CliError::Write(source),
    })
}

fn option(words: &str, redactor: Option<Redactor>) -> String {
    redactor.map_or_else(|| words.to_owned(), |redactor| redactor.option(words))
}

/// The hosts of a part. Names that are not UTF-8 may look the same, and are one host.
fn hosts(spans: &BTreeMap<Vec<u8>, HostSpan>) -> Vec<PartHost> {
    let mut hosts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (name, span) in spans {
        let Some((first, last)) = span.minutes else { continue };
        let minutes = hosts.entry(LogText(name).to_str().into_owned()).or_insert((first, last));
        *minutes = (minutes.0.min(first), minutes.1.max(last));
    }
    hosts.into_iter().map(|(name, (first, last))| PartHost { name, first, last }).collect()
}

/// The head of a part, without its sections.
pub(crate) fn head(args: &ScanArgs, session: &Session, read: ReadForPart) -> Result<PartHead, CliError> {
    let text = |text: String| session.redactor.map_or(text.clone(), |redactor| redactor.text(&text));
    let source = |(source, reached): (&Source, &ReadPosition)| PartSource {
        path: text(source.path.to_string_lossy().into_owned()),
        file: match source.origin {
            SourceOrigin::File(id) => Some((id.device, id.inode)),
            SourceOrigin::Stdin | SourceOrigin::Journal(_) | SourceOrigin::Pipe => None,
        },
        read: (source.within.map_or(0, |(start, _)| start), reached.end),
    };
    if read.spans.len() >= HOST_LIMIT {
        return Err(CliError::NoPart { what: "of logs that name 65,536 hosts or more" });
    }
    let providers = session.catalog.providers.all();
    Ok(PartHead {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        counted: CountedWith {
            book: book_hash(&args.rules)?,
            providers: providers.map(|(_, row)| row.id.clone()).collect(),
            filter: session.filter.words.iter().map(|words| option(words, session.redactor)).collect(),
            by: args.by.clone(),
            hops: args.hops,
            delays: true,
            seed: CountedWith::seed(),
            redact: session.redactor.map(|redactor| redactor.key_id()),
        },
        zone: session.inputs.calendar.zone.iana_name().map(str::to_owned),
        hosts: hosts(read.spans),
        sources: read.sources.iter().zip(read.reached).map(source).collect(),
        examples: args.examples.max(1),
        limits: PartLimits::CURRENT,
        notes: read.notes.into_iter().map(text).collect(),
        problems: read.problems.into_iter().map(text).collect(),
        sections: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_one_host() {
        let span = |first, last| HostSpan { minutes: Some((first, last)), lines: 1 };
        let spans = BTreeMap::from([
            (b"\xff\xfe\x80".to_vec(), span(4, 9)),
            (b"\xed\xa0\x80".to_vec(), span(1, 5)),
            (b"mx1".to_vec(), span(2, 3)),
        ]);
        let named = |name: &str, first, last| PartHost { name: name.to_owned(), first, last };
        assert_eq!(hosts(&spans), [named("mx1", 2, 3), named("\u{fffd}\u{fffd}\u{fffd}", 1, 9)]);
    }
}
