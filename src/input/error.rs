//! Defines the errors of reading logs, the journal and the state file.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// An error of reading. Messages name the file; paths are shown with control characters escaped.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("cannot open {path}: {why}{hint}", path = shown(.path), why = why(.source), hint = permission_hint(.path, .source))]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {path} past byte {offset}: {why}; the report covers the part before it",
        path = shown(.path), why = why(.source))]
    Read { path: PathBuf, offset: u64, source: io::Error },
    /// `offset` counts bytes of the decompressed text.
    #[error("cannot decompress {path} past byte {offset} of its text: {source}; the report covers the part before it",
        path = shown(.path))]
    Decompress { path: PathBuf, offset: u64, source: io::Error },
    #[error("{path} shrank while it was read: the report lacks {missing} bytes of it", path = shown(.path))]
    Shrank { path: PathBuf, missing: u64 },
    #[error("cannot read {path}: it was truncated again each time it was read; nothing was counted, so try again later",
        path = shown(.path))]
    Restless { path: PathBuf },
    #[error("no mail log found in {path} (looked for {looked_for} and their rotated files); name the log files",
        path = shown(.path))]
    NoMailLog { path: PathBuf, looked_for: String },
    #[error("cannot follow {path}: it is compressed, so nothing is appended to it; read it with smtplog scan",
        path = shown(.path))]
    FollowCompressed { path: PathBuf },
    #[error("cannot read the journal: {}", escaped(&.source.to_string()))]
    Journal { source: io::Error },
    #[error("--state does not work with {}, only with files and --journal", if *path == Path::new("-") {
        "standard input".to_owned()
    } else {
        format!("{}, which is not a regular file", shown(path))
    })]
    NotResumable { path: PathBuf },
    #[error("cannot use the state file {path}: {why}", path = shown(.path), why = why(.source))]
    State { path: PathBuf, source: io::Error },
    #[error("cannot use the state file {path}: another smtplog process is using it; give each job its own state file",
        path = shown(.path))]
    StateInUse { path: PathBuf },
    #[error("cannot use the state file {path}: {}; nothing was read or changed; remove the file to start over",
        escaped(.what), path = shown(.path))]
    StateFormat { path: PathBuf, what: String },
    #[error("cannot write {path}: {why}", path = shown(.path), why = why(.source))]
    Pending { path: PathBuf, source: io::Error },
    #[error("cannot start {threads} threads: {source}; try --threads 1")]
    Threads { threads: usize, source: rayon::ThreadPoolBuildError },
}

impl InputError {
    /// For `map_err` of whatever needs the file to be there.
    pub fn open(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Open { path: path.clone(), source }
    }

    /// For `map_err` of putting a file into its place.
    pub fn pending(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Pending { path: path.clone(), source }
    }

    /// The intact file, or `journal`, that was not read to its end: a later run can do better. `None`: another run would
    /// fail in the same way.
    pub fn unread(&self) -> Option<&Path> {
        match self {
            Self::Open { path, .. } | Self::Read { path, .. } | Self::Shrank { path, .. } => Some(path),
            Self::Journal { .. } => Some(Path::new("journal")),
            Self::Decompress { .. }
            | Self::NoMailLog { .. }
            | Self::FollowCompressed { .. }
            | Self::Restless { .. }
            | Self::NotResumable { .. }
            | Self::State { .. }
            | Self::StateInUse { .. }
            | Self::StateFormat { .. }
            | Self::Pending { .. }
            | Self::Threads { .. } => None,
        }
    }

    /// The damaged file, which was read up to the damage. `None`: another error.
    pub fn damaged(&self) -> Option<&Path> {
        if let Self::Decompress { path, .. } = self { Some(path) } else { None }
    }

    /// Whether the file does not exist, or was truncated while it was looked at: as in the middle of a rotation.
    pub fn is_missing(&self) -> bool {
        let kinds = [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof];
        matches!(self, Self::Open { source, .. } if kinds.contains(&source.kind()))
    }
}

/// The text of a system error without its number.
pub(crate) fn why(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => source.to_string(),
    }
}

/// What lets the user read a file that only others may read: the group that may, or root. Empty: another error.
pub(crate) fn permission_hint(path: &Path, source: &io::Error) -> String {
    use std::os::unix::fs::MetadataExt;
    const GROUP_READS: u32 = 0o040;
    if source.kind() != io::ErrorKind::PermissionDenied {
        return String::new();
    }
    let group = fs::metadata(path).ok().filter(|file| file.mode() & GROUP_READS != 0 && file.gid() != 0);
    match group.and_then(|file| group_name(file.gid())) {
        Some(group) => format!(
            "; the group {group} may read it: run sudo usermod -aG {group} $USER and log in again, or use sudo"
        ),
        None => "; use sudo".to_owned(),
    }
}

/// The name of a group in /etc/group (group(5)): `adm:x:4:syslog`.
fn group_name(gid: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let is_it = fields.nth(1)?.parse() == Ok(gid);
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (is_it && !name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
    })
}

/// A path for messages, with control characters escaped, since others may have chosen the name.
pub(crate) fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// Escapes control characters for messages.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
