//! Names of files and folders come in; what is to be read goes out: each file once, the parts of one log together.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::journal::Bounds;
use super::packing::Packing;
use super::rotation::{Age, MAIL_LOGS, Part, is_mail_log, mainlog_of};
use super::source::{FileId, Origin, Source};
use super::twins::{by_text, same_bytes};
use crate::error::{InputError, shown};

/// What is to be read. The sources of a series stand together, oldest first; the series stand as they were named.
#[derive(Default, Debug)]
pub struct Listing {
    pub sources: Vec<Source>,
    /// What was left out since it would be read twice; no error.
    pub notes: Vec<String>,
    pub problems: Vec<InputError>,
    /// Of all files, as they lie on disk.
    pub bytes: u64,
}

/// A name, and what it tells.
struct Found {
    path: PathBuf,
    /// Somebody wrote the name; it was not found beside another or in a folder.
    named: bool,
    /// It lies beside a part that was named.
    beside: bool,
    /// The folder's true name, and the file's in it.
    place: (PathBuf, String),
    /// The log that it is a part of.
    log: String,
    age: Age,
}

impl Found {
    fn new(path: PathBuf, named: bool) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = folder(&path);
        let part = Part::read(&name);
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

/// A candidate, and how large it is.
struct Looked {
    found: Found,
    source: Source,
    size: u64,
}

/// `rotated`: also the other parts of each log that a file is named of.
pub fn list(named: &[PathBuf], rotated: bool, journal: Option<Bounds>) -> Listing {
    let mut listing = Listing::default();
    let mut found = Vec::new();
    for path in named {
        match expanded(path, rotated) {
            Ok(more) => found.extend(more),
            Err(error) => listing.problems.push(error),
        }
    }
    let found = without_rejectlogs(once(found, &mut listing), rotated);
    let mut looked: Vec<Looked> = Vec::new();
    for found in found {
        match look(found) {
            Ok(one) => looked.push(one),
            Err(error) => listing.problems.push(error),
        }
    }
    let looked = without_twins(looked, &mut listing.notes);
    listing.bytes = looked.iter().map(|one| one.size).sum();
    listing.sources = in_series(looked);
    if let Some(bounds) = journal {
        let series = listing.sources.last().map_or(0, |source| source.series + 1);
        let (path, newest) = (PathBuf::from("journal"), SystemTime::now());
        let journal = Source::new(path, Origin::Journal(bounds), newest);
        listing.sources.push(Source { series, ..journal });
    }
    listing
}

/// A folder is the mail logs in it; a file, if that is wanted, all parts of its log.
fn expanded(path: &Path, rotated: bool) -> Result<Vec<Found>, InputError> {
    if path == Path::new("-") {
        return Ok(vec![Found::new(path.to_owned(), true)]);
    }
    let is_folder = path.is_dir();
    if !is_folder && !rotated {
        return Ok(vec![Found::new(path.to_owned(), true)]);
    }
    let inside = if is_folder { path } else { folder(path) };
    let all = files(inside).map_err(InputError::open(inside))?;
    if is_folder {
        let logs: HashSet<String> = all.iter().map(|found| found.log.clone()).collect();
        let wanted = |found: &Found| {
            is_mail_log(&found.log) || mainlog_of(&found.log).is_some_and(|main| !logs.contains(&main))
        };
        let found: Vec<Found> = all.into_iter().filter(wanted).collect();
        let nothing = found.is_empty();
        return if nothing { Err(no_mail_log(path)) } else { Ok(found) };
    }
    // The named one first, also when it is not there: that is to be said.
    let own = Found::new(path.to_owned(), true);
    let written_so = |found: Found| Found {
        // As the user wrote the folder.
        path: path.with_file_name(&found.place.1),
        beside: true,
        ..found
    };
    let others: Vec<Found> = all
        .into_iter()
        .filter(|found| found.log == own.log && found.place.1 != own.place.1)
        .map(written_so)
        .collect();
    // Of a series that is named by its log, the log itself may be missing just after it was rotated away.
    let gone = own.age == Age::Current && !others.is_empty() && !path.exists();
    Ok(if gone { others } else { std::iter::once(own).chain(others).collect() })
}

fn no_mail_log(path: &Path) -> InputError {
    InputError::NoMailLog { path: path.to_owned(), looked_for: MAIL_LOGS.join(", ") }
}

/// The files of a folder by their names; pipes and folders are left out.
fn files(folder: &Path) -> io::Result<Vec<Found>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    Ok(paths.into_iter().map(|path| Found::new(path, false)).collect())
}

/// Each name once. What is both named and found is no news; what is named twice is.
fn once(found: Vec<Found>, listing: &mut Listing) -> Vec<Found> {
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
                kept.push(Found { beside, ..one });
            }
        }
    }
    kept
}

/// A rejectlog beside its mainlog says nothing new. Its parts may be counted differently, so where all parts are read
/// none is looked for by number.
fn without_rejectlogs(found: Vec<Found>, rotated: bool) -> Vec<Found> {
    let mains: HashSet<(PathBuf, String, Option<Age>)> = found
        .iter()
        .flat_map(|one| [None, Some(one.age)].map(|age| (one.place.0.clone(), one.log.clone(), age)))
        .collect();
    let repeats = |one: &Found| {
        let age = (!rotated).then_some(one.age);
        mainlog_of(&one.log).is_some_and(|main| mains.contains(&(one.place.0.clone(), main, age)))
    };
    found.into_iter().filter(|one| !repeats(one)).collect()
}

/// Looks at a file before it is read: is it there, and how old.
fn look(found: Found) -> Result<Looked, InputError> {
    use std::os::unix::fs::FileTypeExt;
    let path = found.path.clone();
    let (log, current, beside) = (found.place.0.join(&found.log), found.age == Age::Current, found.beside);
    let source = |origin, newest| {
        let source = Source::new(path.clone(), origin, newest);
        Source { log, current, beside, ..source }
    };
    if path == Path::new("-") {
        return Ok(Looked { source: source(Origin::Stdin, SystemTime::now()), found, size: 0 });
    }
    let metadata = fs::metadata(&path).map_err(InputError::open(&path))?;
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
        return Ok(Looked { source: source(Origin::Pipe, SystemTime::now()), found, size: 0 });
    }
    let written = metadata.modified().map_err(InputError::open(&path))?;
    let named = found.age.end_of_day().and_then(since_1970);
    let packed = gzip_time(&path).and_then(|second| since_1970(i64::from(second)));
    let newest = [named, packed].into_iter().flatten().fold(written, SystemTime::min);
    let source = source(Origin::File(FileId::of(&metadata)), newest);
    Ok(Looked { source, found, size: metadata.len() })
}

fn since_1970(second: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(second).ok()?))
}

/// When the text of a gzip file was last written, as its header says. RFC 1952 §2.3.1: MTIME, 0 is unknown.
fn gzip_time(path: &Path) -> Option<u32> {
    let mut head = [0; 8];
    File::open(path).ok()?.read_exact_at(&mut head, 0).ok()?;
    let [.., a, b, c, d] = head;
    let second = u32::from_le_bytes([a, b, c, d]);
    (Packing::of(&head) == Some(Packing::Gzip) && second > 0).then_some(second)
}

/// Each text once. The same file under two names is told by its inode; a copy by its bytes, if its size is the same;
/// and of a part that lies there compressed and plain, by its text. The one that is named first stays, or the longer.
fn without_twins(looked: Vec<Looked>, notes: &mut Vec<String>) -> Vec<Looked> {
    let mut kept: Vec<Looked> = Vec::new();
    'next: for one in looked {
        for other in &mut kept {
            let Some((order, why)) = twins(&one, other) else { continue };
            let longer = order == Ordering::Greater;
            let (left_out, stays) = if longer { (&*other, &one) } else { (&one, &*other) };
            let [left_out, stays] = [left_out, stays].map(|looked| shown(&looked.source.path));
            notes.push(format!("{left_out} is left out: it {why} {stays}"));
            if longer {
                *other = one;
            }
            continue 'next;
        }
        kept.push(one);
    }
    kept
}

/// In bytes: smaller files, of a line or two, may be alike and of two servers all the same.
const ALIKE: u64 = 16 << 10;

/// How the first compares to the second by length if one holds nothing that the other does not, and why it is so.
fn twins(a: &Looked, b: &Looked) -> Option<(Ordering, &'static str)> {
    let (Origin::File(id), Origin::File(other)) = (a.source.origin, b.source.origin) else { return None };
    if id == other {
        return Some((Ordering::Equal, "is the same file as"));
    }
    let [left, right] = [a, b].map(|looked| looked.source.path.as_path());
    // What cannot be opened will be said when it is read.
    if a.size == b.size && a.size >= ALIKE && same_bytes(left, right, a.size).unwrap_or(false) {
        return Some((Ordering::Equal, "is a copy of"));
    }
    let same_part =
        (&a.found.place.0, &a.found.log, a.found.age) == (&b.found.place.0, &b.found.log, b.found.age);
    let order = same_part.then(|| by_text(left, right)).and_then(Result::ok).flatten()?;
    Some((order, "holds nothing that is not in"))
}

/// Parts of one log together, oldest first, where the first of them was named.
fn in_series(mut looked: Vec<Looked>) -> Vec<Source> {
    let mut numbers: HashMap<(PathBuf, String), usize> = HashMap::new();
    let mut count = 0;
    for one in &mut looked {
        let fresh = count;
        let number = match one.source.origin {
            Origin::File(_) => {
                *numbers.entry((one.found.place.0.clone(), one.found.log.clone())).or_insert(fresh)
            }
            Origin::Stdin | Origin::Pipe | Origin::Journal(_) => fresh,
        };
        count += usize::from(number == fresh);
        one.source.series = number;
    }
    looked.sort_by_key(|one| (one.source.series, one.found.age));
    looked.into_iter().map(|one| one.source).collect()
}
