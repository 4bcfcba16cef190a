//! Tells logs apart that name no host: logs whose times overlap are assumed to be of different hosts.

use std::path::PathBuf;
use std::sync::Arc;

use super::coverage::extend;
use crate::input::read::Source;
use crate::parse::mta::log_places;

/// The first and the last second of the lines of a file that name no host, since 1970. `None`: it has none.
pub(crate) type UnnamedSpan = Option<(i64, i64)>;

/// Gives each log whose time overlaps with another one's a host of its own; true if there are any. `spans` has an entry for
/// each source. The logs of one folder share a host as long as they do not overlap, and the parts of one log always do, as do
/// a log and the one that repeats its lines.
pub(crate) fn assume_hosts(sources: &mut [Source], spans: &[UnnamedSpan]) -> bool {
    let logs = logs(sources, spans);
    let mut units: Vec<HostLogs> = Vec::new();
    for folder in logs.chunk_by(|a, b| a.folder == b.folder) {
        let is_split = folder
            .iter()
            .enumerate()
            .any(|(at, log)| folder.iter().skip(at + 1).any(|other| overlap(log, other)));
        if is_split {
            units.extend(folder.iter().map(|log| HostLogs { logs: vec![log] }));
        } else {
            units.push(HostLogs { logs: folder.iter().collect() });
        }
    }
    let overlaps = |unit: &HostLogs, other: &HostLogs| {
        unit.logs.iter().any(|log| other.logs.iter().any(|other| overlap(log, other)))
    };
    let mut found = false;
    for (number, unit) in units.iter().enumerate() {
        let is_alone =
            units.iter().enumerate().all(|(other, others)| other == number || !overlaps(unit, others));
        if is_alone {
            continue;
        }
        found = true;
        // No host name begins with a zero byte; see LogLine::named_host.
        let host: Arc<[u8]> = format!("\0{number}").into_bytes().into();
        for &file in unit.logs.iter().flat_map(|log| &log.files) {
            if let Some(source) = sources.get_mut(file) {
                source.host = Some(host.clone());
            }
        }
    }
    found
}

/// The note on logs that name no host and are taken for those of different hosts.
pub(crate) fn on_hosts(sources: &[Source]) -> Option<String> {
    let is_assumed = |source: &&Source| source.host.as_ref().is_some_and(|host| host.first() == Some(&0));
    let mut paths = sources.iter().filter(is_assumed).map(|source| source.path.display().to_string());
    let (first, second) = (paths.next()?, paths.next()?);
    let more = paths.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "{first}, {second}{more} name no host and overlap in time: they are taken for logs of different hosts; name the hosts \
         with --host-from, such as 'logs/{{host}}/*', or with --host if all are of one host"
    ))
}

/// Extends the span of a file.
pub(crate) fn merge_span(spans: &mut [UnnamedSpan], file: usize, more: UnnamedSpan) {
    if let (Some(span), Some((first, last))) = (spans.get_mut(file), more) {
        extend(span, first);
        extend(span, last);
    }
}

/// All parts of a log.
struct UnnamedLog {
    folder: PathBuf,
    name: String,
    /// The numbers of its sources.
    files: Vec<usize>,
    span: (i64, i64),
}

/// Logs of one host.
struct HostLogs<'a> {
    logs: Vec<&'a UnnamedLog>,
}

/// A second that two logs share is where one ends and the next begins.
fn overlap(a: &UnnamedLog, b: &UnnamedLog) -> bool {
    a.span.0 < b.span.1 && b.span.0 < a.span.1
}

/// The logs that have lines without a host, sorted by folder.
fn logs(sources: &[Source], spans: &[UnnamedSpan]) -> Vec<UnnamedLog> {
    let mut logs: Vec<UnnamedLog> = Vec::new();
    for (file, (source, span)) in sources.iter().zip(spans).enumerate() {
        let Some((first, last)) = *span else { continue };
        if source.host.is_some() || !source.can_be_read_again() {
            continue;
        }
        let folder = source.log.parent().map(PathBuf::from).unwrap_or_default();
        let name = source.log.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = log_places::repeated_log(&name).unwrap_or(name);
        match logs.iter_mut().find(|log| log.folder == folder && log.name == name) {
            Some(log) => {
                log.files.push(file);
                log.span = (log.span.0.min(first), log.span.1.max(last));
            }
            None => logs.push(UnnamedLog { folder, name, files: vec![file], span: (first, last) }),
        }
    }
    logs.sort_by(|a, b| a.folder.cmp(&b.folder));
    logs
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::input::source::{FileId, SourceOrigin};

    #[track_caller]
    fn hosts(files: &[(&str, &str, i64, i64)], want: &[Option<&str>]) {
        let source = |&(path, log, ..): &(&str, &str, i64, i64)| {
            let origin = SourceOrigin::File(FileId { device: 1, inode: 1 });
            Source { log: log.into(), ..Source::new(path.into(), origin, SystemTime::UNIX_EPOCH) }
        };
        let mut sources: Vec<Source> = files.iter().map(source).collect();
        let spans: Vec<UnnamedSpan> = files.iter().map(|file| Some((file.2, file.3))).collect();
        let found = assume_hosts(&mut sources, &spans);
        let got: Vec<Option<&str>> = sources
            .iter()
            .map(|source| source.host.as_ref().map(|host| std::str::from_utf8(host).unwrap()))
            .collect();
        assert_eq!(got, want, "{files:?}");
        assert_eq!(found, want.iter().any(Option::is_some));
    }

    #[test]
    fn overlapping_logs_are_of_different_hosts() {
        let (one, two) = (Some("\0\x30"), Some("\0\x31"));
        hosts(&[("a/mainlog", "a/mainlog", 0, 9), ("b/mainlog", "b/mainlog", 5, 20)], &[one, two]);
        hosts(&[("a/x.log", "a/x.log", 0, 9), ("a/y.log", "a/y.log", 5, 20)], &[one, two]);
        hosts(
            &[
                ("a/mainlog.1", "a/mainlog", 0, 9),
                ("a/mainlog", "a/mainlog", 9, 20),
                ("a/rejectlog", "a/rejectlog", 3, 20),
                ("b/mainlog", "b/mainlog", 12, 13),
            ],
            &[one, one, one, two],
        );
    }

    #[test]
    fn parts_of_one_log_are_of_one_host() {
        hosts(&[("a/mainlog.1", "a/mainlog", 0, 9), ("a/mainlog", "a/mainlog", 5, 20)], &[None, None]);
        hosts(&[("a/part-1", "a/part-1", 0, 9), ("a/part-2", "a/part-2", 9, 20)], &[None, None]);
        hosts(&[("old/mainlog", "old/mainlog", 0, 9), ("new/mainlog", "new/mainlog", 10, 20)], &[None, None]);
        hosts(&[("a/mainlog", "a/mainlog", 0, 9)], &[None]);
    }
}
