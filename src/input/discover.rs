//! Finds the files to read from the names of files and folders: each text once, the parts of one log together.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{InputError, shown};
use super::journal::JournalBounds;
use super::read::compression::Compression;
use super::regular_file::open_regular;
use super::rotation::{LogNames, RotatedName, RotationAge};
use super::same_content::{by_text, hash_of_ends, same_bytes};
use super::source::{FileId, Source, SourceOrigin};
use super::stop_point::stop_point;

/// The sources to read. Sources of a series are adjacent, oldest first; the series are in the order of the names.
#[derive(Default, Debug)]
pub struct LogListing {
    pub sources: Vec<Source>,
    /// Notes on files that were skipped because they would be read twice; no errors.
    pub notes: Vec<String>,
    pub problems: Vec<InputError>,
    /// All files that were found, also those that are not read: no output may replace them.
    pub found: Vec<PathBuf>,
    /// The size of all files on disk.
    pub bytes: u64,
}

/// A file name, and what it says about the file.
struct NamedLog {
    path: PathBuf,
    /// The user named the file; it was not found beside another or in a folder.
    named: bool,
    /// The file lies beside a part that was named.
    beside: bool,
    /// The canonical path of the folder, and the file's name in it.
    place: (PathBuf, String),
    /// The name of the log that the file is a part of.
    log: String,
    age: RotationAge,
}

impl NamedLog {
    fn new(path: PathBuf, named: bool) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = folder(&path);
        let part = RotatedName::read(&name);
        let (log, age) = (part.log(), part.age);
        Self {
            place: (fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()), name),
            log,
            age,
            named,
            beside: false,
            path,
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that exists, and its size in bytes.
struct InspectedLog {
    found: NamedLog,
    source: Source,
    size: u64,
}

/// `rotated`: also the other parts of each log that a file is named of. `names`: which files of a folder are mail logs.
pub fn list(
    named: &[PathBuf],
    rotated: bool,
    journal: Option<JournalBounds>,
    names: &LogNames,
) -> LogListing {
    let mut listing = LogListing::default();
    let mut found = Vec::new();
    for path in named {
        match expanded(path, rotated, names) {
            Ok(more) => found.extend(more),
            Err(error) => listing.problems.push(error),
        }
    }
    listing.found = found.iter().map(|one| one.path.clone()).collect();
    let found = without_repetitions(without_repeated_names(found, &mut listing), rotated, names);
    let mut inspected: Vec<InspectedLog> = Vec::new();
    for found in found {
        match inspect(found) {
            Ok(one) => inspected.push(one),
            Err(error) => listing.problems.push(error),
        }
    }
    let inspected = without_duplicates(inspected, &mut listing.notes);
    listing.bytes = inspected.iter().map(|one| one.size).sum();
    listing.sources = in_series(inspected);
    if let Some(bounds) = journal {
        let series = listing.sources.last().map_or(0, |source| source.series + 1);
        let (path, newest) = (PathBuf::from("journal"), SystemTime::now());
        let journal = Source::new(path, SourceOrigin::Journal(bounds), newest);
        listing.sources.push(Source { series, ..journal });
    }
    listing
}

/// A folder is the mail logs in it; a file, if that is wanted, all parts of its log.
fn expanded(path: &Path, rotated: bool, names: &LogNames) -> Result<Vec<NamedLog>, InputError> {
    if path == Path::new("-") {
        return Ok(vec![NamedLog::new(path.to_owned(), true)]);
    }
    let is_folder = path.is_dir();
    if !is_folder && !rotated {
        return Ok(vec![NamedLog::new(path.to_owned(), true)]);
    }
    let inside = if is_folder { path } else { folder(path) };
    let all = files(inside).map_err(InputError::open(inside))?;
    if is_folder {
        let logs: HashSet<String> = all.iter().map(|found| found.log.clone()).collect();
        let wanted = |found: &NamedLog| {
            names.has(&found.log) || (names.repeated)(&found.log).is_some_and(|main| !logs.contains(&main))
        };
        let found: Vec<NamedLog> = all.into_iter().filter(wanted).collect();
        let nothing = found.is_empty();
        return if nothing { Err(no_mail_log(path, names)) } else { Ok(found) };
    }
    // The named file comes first, even if it does not exist: that must be reported.
    let own = NamedLog::new(path.to_owned(), true);
    let written_so = |found: NamedLog| NamedLog {
        // The folder as the user wrote it.
        path: path.with_file_name(&found.place.1),
        beside: true,
        ..found
    };
    let others: Vec<NamedLog> = all
        .into_iter()
        .filter(|found| found.log == own.log && found.place.1 != own.place.1)
        .map(written_so)
        .collect();
    // Just after a rotation the log itself may be missing, and its parts are there.
    let gone = own.age == RotationAge::Current && !others.is_empty() && !path.exists();
    Ok(if gone { others } else { std::iter::once(own).chain(others).collect() })
}

fn no_mail_log(path: &Path, names: &LogNames) -> InputError {
    InputError::NoMailLog {
        path: path.to_owned(),
        looked_for: names.patterns().collect::<Vec<_>>().join(", "),
    }
}

/// The regular files of a folder, sorted by name.
fn files(folder: &Path) -> io::Result<Vec<NamedLog>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            stop_point();
            path.is_file()
        })
        .collect();
    paths.sort();
    Ok(paths.into_iter().map(|path| NamedLog::new(path, false)).collect())
}

/// Keeps each name once. A file that is both named and found is merged silently; one that is named twice gets a note.
fn without_repeated_names(found: Vec<NamedLog>, listing: &mut LogListing) -> Vec<NamedLog> {
    let mut places: HashMap<(PathBuf, String), bool> = HashMap::new();
    let asked_for: HashSet<(PathBuf, String)> =
        found.iter().filter(|one| !one.beside).map(|one| one.place.clone()).collect();
    let mut kept = Vec::new();
    for one in found {
        match places.get_mut(&one.place) {
            Some(named) if *named && one.named => {
                listing.notes.push(format!("{} is named twice, and read once", shown(&one.path)));
            }
            Some(named) => *named |= one.named,
            None => {
                places.insert(one.place.clone(), one.named);
                let beside = !asked_for.contains(&one.place);
                kept.push(NamedLog { beside, ..one });
            }
        }
    }
    kept
}

/// Leaves out each log that only repeats another one beside it, as Exim's rejectlog repeats its mainlog. Its parts may be
/// counted differently, so where all parts are read none is looked for by number.
fn without_repetitions(found: Vec<NamedLog>, rotated: bool, names: &LogNames) -> Vec<NamedLog> {
    let mains: HashSet<(PathBuf, String, Option<RotationAge>)> = found
        .iter()
        .flat_map(|one| [None, Some(one.age)].map(|age| (one.place.0.clone(), one.log.clone(), age)))
        .collect();
    let repeats = |one: &NamedLog| {
        let age = (!rotated).then_some(one.age);
        (names.repeated)(&one.log).is_some_and(|main| mains.contains(&(one.place.0.clone(), main, age)))
    };
    found.into_iter().filter(|one| !repeats(one)).collect()
}

/// Finds out the kind, size and age of a file before it is read.
fn inspect(found: NamedLog) -> Result<InspectedLog, InputError> {
    use std::os::unix::fs::FileTypeExt;
    let path = found.path.clone();
    let (log, current, beside) =
        (found.place.0.join(&found.log), found.age == RotationAge::Current, found.beside);
    let source = |origin, newest| {
        let source = Source::new(path.clone(), origin, newest);
        Source { log, current, beside, ..source }
    };
    if path == Path::new("-") {
        return Ok(InspectedLog { source: source(SourceOrigin::Stdin, SystemTime::now()), found, size: 0 });
    }
    stop_point();
    let metadata = fs::metadata(&path).map_err(InputError::open(&path))?;
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
        return Ok(InspectedLog { source: source(SourceOrigin::Pipe, SystemTime::now()), found, size: 0 });
    }
    let written = metadata.modified().map_err(InputError::open(&path))?;
    let named = found.age.end_of_day().and_then(since_1970);
    let packed = gzip_time(&path).and_then(|second| since_1970(i64::from(second)));
    let newest = [named, packed].into_iter().flatten().fold(written, SystemTime::min);
    let source = source(SourceOrigin::File(FileId::of(&metadata)), newest);
    Ok(InspectedLog { source, found, size: metadata.len() })
}

fn since_1970(second: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(second).ok()?))
}

/// When the text of a gzip file was last written, by its header: MTIME of RFC 1952 §2.3.1, where 0 means unknown.
fn gzip_time(path: &Path) -> Option<u32> {
    let mut head = [0; 8];
    open_regular(path).ok()?.read_exact_at(&mut head, 0).ok()?;
    let [.., a, b, c, d] = head;
    let second = u32::from_le_bytes([a, b, c, d]);
    (Compression::of(&head) == Some(Compression::Gzip) && second > 0).then_some(second)
}

/// Keeps each text once. The same file under two names is recognised by its inode, a copy by equal size and bytes, and a
/// part that exists both compressed and plain by its text. The longer one is kept; of equal ones the first.
fn without_duplicates(inspected: Vec<InspectedLog>, notes: &mut Vec<String>) -> Vec<InspectedLog> {
    let mut kept: Vec<InspectedLog> = Vec::new();
    // The logs that another one may equal, by what both have in common: there may be 40,000.
    let mut alike: HashMap<CommonTrait, Vec<usize>> = HashMap::new();
    'next: for one in inspected {
        let traits = common_traits(&one);
        let mut candidates: Vec<usize> =
            traits.iter().filter_map(|key| alike.get(key)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        for at in candidates {
            let Some(other) = kept.get_mut(at) else { continue };
            let Some((order, why)) = compare_logs(&one, other) else { continue };
            let longer = order == Ordering::Greater;
            let (left_out, stays) = if longer { (&*other, &one) } else { (&one, &*other) };
            let [left_out, stays] = [left_out, stays].map(|inspected| shown(&inspected.source.path));
            notes.push(format!("{left_out} is left out: it {why} {stays}"));
            if longer {
                *other = one;
                for key in traits {
                    alike.entry(key).or_default().push(at);
                }
            }
            continue 'next;
        }
        for key in traits {
            alike.entry(key).or_default().push(kept.len());
        }
        kept.push(one);
    }
    kept
}

/// What two files have in common if one may repeat the other.
#[derive(PartialEq, Eq, Hash)]
enum CommonTrait {
    File(FileId),
    /// Size, and hash of both ends.
    Ends(u64, u64),
    Part(PathBuf, String, RotationAge),
}

fn common_traits(one: &InspectedLog) -> Vec<CommonTrait> {
    let SourceOrigin::File(id) = one.source.origin else { return Vec::new() };
    let found = &one.found;
    let mut traits =
        vec![CommonTrait::File(id), CommonTrait::Part(found.place.0.clone(), found.log.clone(), found.age)];
    if one.size >= COPY_MIN_BYTES
        && let Ok(hash) = hash_of_ends(&one.source.path, one.size)
    {
        traits.push(CommonTrait::Ends(one.size, hash));
    }
    traits
}

/// Smaller files, in bytes, are not taken for copies: logs of a line or two may be equal on two servers.
const COPY_MIN_BYTES: u64 = 16 << 10;

/// Whether one file holds nothing that the other lacks: how the first compares to the second by length, and why.
fn compare_logs(a: &InspectedLog, b: &InspectedLog) -> Option<(Ordering, &'static str)> {
    let (SourceOrigin::File(id), SourceOrigin::File(other)) = (a.source.origin, b.source.origin) else {
        return None;
    };
    if id == other {
        return Some((Ordering::Equal, "is the same file as"));
    }
    let [left, right] = [a, b].map(|inspected| inspected.source.path.as_path());
    // A file that cannot be opened is reported when it is read.
    if a.size == b.size && a.size >= COPY_MIN_BYTES && same_bytes(left, right, a.size).unwrap_or(false) {
        return Some((Ordering::Equal, "is a copy of"));
    }
    let same_part =
        (&a.found.place.0, &a.found.log, a.found.age) == (&b.found.place.0, &b.found.log, b.found.age);
    let order = same_part.then(|| by_text(left, right)).and_then(Result::ok).flatten()?;
    Some((order, "holds nothing that is not in"))
}

/// Groups the parts of each log, oldest first, at the place of the part that was named first.
fn in_series(mut inspected: Vec<InspectedLog>) -> Vec<Source> {
    let mut numbers: HashMap<(PathBuf, String), usize> = HashMap::new();
    let mut count = 0;
    for one in &mut inspected {
        let fresh = count;
        let number = match one.source.origin {
            SourceOrigin::File(_) => {
                *numbers.entry((one.found.place.0.clone(), one.found.log.clone())).or_insert(fresh)
            }
            SourceOrigin::Stdin | SourceOrigin::Pipe | SourceOrigin::Journal(_) => fresh,
        };
        count += usize::from(number == fresh);
        one.source.series = number;
    }
    inspected.sort_by_key(|one| (one.source.series, one.found.age));
    inspected.into_iter().map(|one| one.source).collect()
}
