//! Writes and reads the file of a part: a line of JSON, sections of CBOR, each compressed by itself, and a checksum of all.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::Deserialize;
use tempfile::SpooledTempFile;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::LogPart;
use super::coverage::KeptCoverage;
use super::error::PartError;
use super::head::{PartHead, SCHEMA, SCHEMA_NAME};
use super::section_reader::SectionReader;
use super::section_writer::SectionWriter;
use crate::collections::wire::ByteText;
use crate::messages::open_messages::{KeptUpdates, OpenMessages};
use crate::messages::part::EndedMessages;
use crate::scan::counted_part::CountedPart;
use crate::storm::sample::wire::KeptStorms;
use crate::tally::wire::RowRecipients;

/// Bytes of the checksum behind the sections.
const CHECKSUM: usize = 8;

/// The last bytes of a part.
pub(crate) type Checksum = [u8; CHECKSUM];

/// The longest head.
const HEAD_LIMIT: usize = 64 << 20;

/// A part, ready to be written.
pub(crate) struct PackedPart {
    /// With the entries of the sections, and a newline.
    head: Vec<u8>,
    sections: SpooledTempFile,
}

/// Packs a part, the section entries of whose head are written anew. `folder` is where it will be; `None`: it will be no file,
/// and stays in memory. The keys of messages that ended and the queue ids are freed: nothing but the file needs them.
pub(crate) fn pack(part: &mut LogPart, folder: Option<&Path>) -> io::Result<PackedPart> {
    let LogPart { head, coverage, counts, storms } = part;
    let CountedPart { tally, messages, waiting, given_up, hosts, spans: _ } = counts;
    let mut sections = SectionWriter::new(folder);
    // The largest first: what they take is free before the others are packed.
    sections.add_hashes("ended", &messages.ended)?;
    messages.ended = EndedMessages::default();
    sections.add_hashes("seen", &messages.seen)?;
    messages.seen = ByteText::default();
    sections.add("coverage", &KeptCoverage::of(coverage))?;
    sections.add("names", &tally.names)?;
    sections.add_hashes("recipients", &RowRecipients(&tally.rows))?;
    sections.add("rows", &tally.rows)?;
    sections.add("tables", &tally.tables)?;
    sections.add("hosts", hosts)?;
    sections.add("timeline", &tally.timeline)?;
    sections.add_some("hourly", tally.hourly.as_ref())?;
    sections.add_some("delays", tally.delays.as_ref())?;
    sections.add("warnings", &tally.warnings)?;
    sections.add_some("groups", tally.groups.as_ref())?;
    sections.add("messages", &messages.sums)?;
    sections.add_hashes("failures", &messages.details)?;
    let (open, updates) = messages.open.packed();
    sections.add("open", &open)?;
    sections.add_hashes("updates", &updates)?;
    sections.add("waiting", &(given_up, waiting))?;
    sections.add_names("who", &messages.names)?;
    if let Some(storms) = storms {
        sections.add_names("storms", &storms.sample)?;
        sections.add_hashes("sample", &storms.events)?;
    }
    let (entries, packed) = sections.finish();
    let mut line = serde_json::to_vec(&PartHead { sections: entries, ..head.clone() })?;
    line.push(b'\n');
    Ok(PackedPart { head: line, sections: packed })
}

impl PackedPart {
    pub(crate) fn write_to(mut self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let mut hash = Xxh3::new();
        hash.update(&self.head);
        out.write_all(&self.head)?;
        self.sections.rewind()?;
        let mut some = vec![0; 64 << 10];
        loop {
            let length = self.sections.read(&mut some)?;
            let read = some.get(..length).filter(|read| !read.is_empty());
            let Some(read) = read else { break };
            hash.update(read);
            out.write_all(read)?;
        }
        out.write_all(&hash.digest().to_le_bytes())
    }
}

/// Reads the head of the part at the beginning of `bytes`, and returns its sections and what follows it.
pub(crate) fn read_head(bytes: &[u8]) -> Result<(PartHead, PartBytes<'_>, &[u8]), PartError> {
    let damaged = |what| PartError::Damaged { what };
    let searched = bytes.get(..HEAD_LIMIT).unwrap_or(bytes);
    let begins = bytes.starts_with(b"{\"schema\":\"smtplog.part/");
    let end = memchr::memchr(b'\n', searched).filter(|_| begins).ok_or(PartError::NotAPart)?;
    let (line, behind) = bytes.split_at_checked(end + 1).ok_or(PartError::NotAPart)?;
    let Schema { schema } = serde_json::from_slice(line).map_err(|_| damaged("its first line is no JSON"))?;
    if schema != SCHEMA {
        let is_part = schema.starts_with(SCHEMA_NAME);
        let newer = PartError::Newer { schema };
        return Err(if is_part { newer } else { PartError::NotAPart });
    }
    let head: PartHead = serde_json::from_slice(line)
        .map_err(|_| damaged("its first line lacks a field, or has a wrong one"))?;
    let length = head.sections.iter().try_fold(0_usize, |sum, section| sum.checked_add(section.packed));
    let length = length.ok_or_else(|| damaged("its sections are too long"))?;
    let (sections, behind) = behind.split_at_checked(length).ok_or_else(|| damaged("its end is missing"))?;
    let (checksum, rest) =
        behind.split_first_chunk::<CHECKSUM>().ok_or_else(|| damaged("its end is missing"))?;
    let whole = bytes.get(..end + 1 + length).unwrap_or_default();
    if xxh3_64(whole).to_le_bytes() != *checksum {
        return Err(damaged("its checksum is wrong"));
    }
    Ok((head, PartBytes(sections), rest))
}

/// The field of a head that every version has.
#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    schema: String,
}

/// The sections of a part whose head was read before, and that ended with this checksum then. `None`: the part has changed.
pub(crate) fn read_again(bytes: &[u8], checksum: Checksum) -> Option<PartBytes<'_>> {
    let (whole, last) = bytes.split_last_chunk::<CHECKSUM>()?;
    if *last != checksum || xxh3_64(whole).to_le_bytes() != checksum {
        return None;
    }
    whole.get(memchr::memchr(b'\n', whole)? + 1..).map(PartBytes)
}

/// Reads a whole part, and returns the names of its sections.
pub fn section_names(bytes: &[u8]) -> Result<Vec<String>, PartError> {
    let (head, sections, _) = read_head(bytes)?;
    let names = head.sections.iter().map(|section| section.name.clone()).collect();
    sections.read(head, 0)?;
    Ok(names)
}

/// The sections of a part that are not decompressed yet.
#[derive(Clone, Copy)]
pub(crate) struct PartBytes<'a>(&'a [u8]);

impl PartBytes<'_> {
    /// `files_before` is the number of files of the parts before.
    pub(crate) fn read(self, head: PartHead, files_before: usize) -> Result<LogPart, PartError> {
        let mut sections = SectionReader::new(&head.sections, self.0);
        let mut counts = CountedPart::default();
        counts.tally.names = sections.get("names")?;
        counts.tally.rows = sections.get("rows")?;
        // Parts of early versions keep them in the rows.
        if let Some(recipients) = sections.find("recipients")? {
            let set = counts.tally.set_recipients(recipients);
            set.ok_or(PartError::Damaged { what: "rows have no recipients" })?;
        }
        counts.tally.tables = sections.get("tables")?;
        // Parts of the first versions have none.
        counts.hosts = sections.find("hosts")?.unwrap_or_default();
        counts.tally.timeline = sections.get("timeline")?;
        counts.tally.hourly = sections.find("hourly")?;
        counts.tally.delays = sections.find("delays")?;
        counts.tally.warnings = sections.get("warnings")?;
        counts.tally.groups = sections.find("groups")?;
        counts.messages.sums = sections.get("messages")?;
        // Parts of early versions keep them in the sums.
        counts.messages.details = sections.find("failures")?.unwrap_or_default();
        // Parts of early versions keep them in the messages.
        let updates: KeptUpdates = sections.find("updates")?.unwrap_or_default();
        let open = OpenMessages::of(sections.get("open")?, &updates);
        counts.messages.open = open.ok_or(PartError::Damaged { what: "an update is damaged" })?;
        counts.messages.ended = sections.get("ended")?;
        counts.messages.seen = sections.get("seen")?;
        (counts.given_up, counts.waiting) = sections.get("waiting")?;
        counts.messages.names = sections.get("who")?;
        let coverage: KeptCoverage = sections.get("coverage")?;
        let storms = match sections.find("storms")? {
            // Parts of early versions have only one section of the sample.
            Some(sample) => Some(KeptStorms { sample, events: sections.find("sample")?.unwrap_or_default() }),
            None => None,
        };
        Ok(LogPart { coverage: coverage.coverage(files_before), counts, storms, head })
    }
}
