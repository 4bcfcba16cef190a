//! Parses file names of rotated logs: which log the file is a part of, and how old the part is (`mail.log-20261121.gz`).

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A file name split into the name of the log and what rotation put behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RotatedName<'a> {
    /// `mail.log`; for logrotate's option `extension`, as in `mail-20261121.log`, the two ends of the name.
    pub stem: (&'a str, &'a str),
    pub age: RotationAge,
    /// The name ends in the suffix of a compressed file.
    pub is_packed: bool,
}

/// Ordered from the oldest. A log has dates or numbers; where it has both, the scheme was changed and the dates are older.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum RotationAge {
    /// The day in the name, and the hour or the second if the name has one. Later lines go to another file.
    Dated(Date, u64),
    /// The number negated: `.9` is older than `.1`.
    Numbered(i32),
    /// The part that is being written.
    Current,
}

const PACKED: [&str; 4] = [".gz", ".bz2", ".xz", ".zst"];

impl<'a> RotatedName<'a> {
    /// Parses a file name, whose compression suffix is ignored.
    pub(crate) fn read(name: &'a str) -> Self {
        let plain = PACKED.iter().find_map(|end| name.strip_suffix(end));
        let (is_packed, name) = (plain.is_some(), plain.unwrap_or(name));
        if let Some((stem, age)) = rotated(name) {
            return Self { stem: (stem, ""), age, is_packed };
        }
        if let Some((stem, age)) = name.strip_suffix(".log").and_then(rotated) {
            return Self { stem: (stem, ".log"), age, is_packed };
        }
        Self { stem: (name, ""), age: RotationAge::Current, is_packed }
    }

    /// The name of the log.
    pub(crate) fn log(&self) -> String {
        [self.stem.0, self.stem.1].concat()
    }
}

impl RotationAge {
    /// The end of the day in the name, in UTC, in seconds since 1970.
    pub(crate) fn end_of_day(self) -> Option<i64> {
        let Self::Dated(day, _) = self else { return None };
        Some(day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
    }
}

/// Splits the name and the age of `mail.log.2`, `mainlog.01`, `mail.log-20261121`, `mail.log-20261121-1763700000`, `mail.log.2026-11-21`.
fn rotated(name: &str) -> Option<(&str, RotationAge)> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cut = |length: usize| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(length)?)?;
        let stem = stem.strip_suffix(['-', '.', '_']).filter(|stem| !stem.is_empty())?;
        Some((stem, end))
    };
    // logrotate's `dateformat -%Y%m%d-%s`, and `-%Y%m%d%H` and `-%Y%m%d-%H`.
    for length in [19, 17, 15, 13, 11, 10, 8] {
        let Some((stem, end)) = cut(length) else { continue };
        let Some((day, rest)) = day(end) else { continue };
        let rest = rest.strip_prefix(['-', '_', '.']).unwrap_or(rest);
        if rest.is_empty() || digits(rest) {
            return Some((stem, RotationAge::Dated(day, rest.parse().unwrap_or(0))));
        }
    }
    // `-%s` alone: seconds since 1970, from 2001 on.
    if let Some((stem, end)) = cut(10).filter(|(_, end)| digits(end) && !end.starts_with('0')) {
        let second = end.parse::<i64>().ok()?;
        let day = jiff::Timestamp::from_second(second).ok()?.to_zoned(TimeZone::UTC).date();
        return Some((stem, RotationAge::Dated(day, second.unsigned_abs())));
    }
    // savelog, newsyslog and exicyclog use numbers; four digits would be a year.
    let (stem, number) = name.rsplit_once('.')?;
    let counts = digits(number) && number.len() <= 3 && !stem.is_empty();
    counts.then(|| (stem, RotationAge::Numbered(-number.parse().unwrap_or(0))))
}

/// Parses `20261121` or `2026-11-21`, and returns the rest.
fn day(text: &str) -> Option<(Date, &str)> {
    let number = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i16>().ok()).flatten()
    };
    let (year, rest) = text.split_at_checked(4)?;
    let (month, rest) = rest.strip_prefix('-').unwrap_or(rest).split_at_checked(2)?;
    let (day, rest) = rest.strip_prefix('-').unwrap_or(rest).split_at_checked(2)?;
    let year = number(year).filter(|year| (1980..=2200).contains(year))?;
    let day = Date::new(year, number(month)? as i8, number(day)? as i8).ok()?;
    Some((day, rest))
}

/// Names of the logs that hold mail. The caller adds what is known of mail servers; `*` matches anything.
#[derive(Clone, Copy, Debug)]
pub struct LogNames {
    /// Names of the files that mail servers write themselves, one list per server.
    pub by_server: &'static [&'static [&'static str]],
    /// The log that repeats every line of the named one, which is then read only where the other is missing:
    /// `exim_rejectlog` → `exim_mainlog`.
    pub repeated: fn(&str) -> Option<String>,
}

/// Names that syslog daemons give to the log of mail. Where a system also writes mail.info, mail.warn and mail.err
/// (Debian), they repeat mail.log.
const OF_SYSLOG: [&str; 4] = [
    "mail.log",  // Debian, Ubuntu, Alpine
    "maillog",   // Red Hat, the BSDs
    "mail",      // SUSE
    "smtp*.log", // rsyslog's templates by program
];

impl LogNames {
    /// Every pattern.
    pub fn patterns(&self) -> impl Iterator<Item = &'static str> {
        OF_SYSLOG.into_iter().chain(self.by_server.iter().copied().flatten().copied())
    }

    /// Whether the log has one of the names.
    pub fn has(&self, log: &str) -> bool {
        self.patterns().any(|pattern| match pattern.split_once('*') {
            Some((begin, end)) => {
                log.len() >= begin.len() + end.len() && log.starts_with(begin) && log.ends_with(end)
            }
            None => log == pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn reads(name: &str, log: &str, age: RotationAge) {
        let part = RotatedName::read(name);
        assert_eq!((part.log().as_str(), part.age), (log, age), "{name}");
    }

    fn on(day: i8, rest: u64) -> RotationAge {
        RotationAge::Dated(date(2026, 11, day), rest)
    }

    #[test]
    fn tells_the_parts_of_a_log_by_their_names() {
        reads("mail.log", "mail.log", RotationAge::Current);
        reads("mail.log.1", "mail.log", RotationAge::Numbered(-1));
        reads("mail.log.12.gz", "mail.log", RotationAge::Numbered(-12));
        reads("maillog.0.bz2", "maillog", RotationAge::Numbered(0));
        reads("mainlog.01", "mainlog", RotationAge::Numbered(-1));
        reads("mail.log-20261121", "mail.log", on(21, 0));
        reads("mail.log-20261121.zst", "mail.log", on(21, 0));
        reads("mail.log-20261121-1763700000", "mail.log", on(21, 1_763_700_000));
        reads("mail.log-2026112103.xz", "mail.log", on(21, 3));
        reads("mail.log-20261121-03", "mail.log", on(21, 3));
        reads("mail.log.2026-11-21.gz", "mail.log", on(21, 0));
        reads("mail-20261121.log.gz", "mail.log", on(21, 0));
        reads("mail.2.log", "mail.log", RotationAge::Numbered(-2));
        reads("mail.log-1795226400", "mail.log", on(21, 1_795_226_400));
        reads("main.log-20261121", "main.log", on(21, 0));
    }

    #[test]
    fn takes_nothing_else_for_a_part() {
        for name in
            ["in-all.log", "log", "1", ".1", "20261121", "mail.log.old", "mail.log.1a", "mail.log-2026"]
        {
            reads(name, name, RotationAge::Current);
        }
        reads("mail.log-20261321", "mail.log-20261321", RotationAge::Current);
        reads("mail.log.2026", "mail.log.2026", RotationAge::Current);
    }

    #[test]
    fn the_oldest_part_comes_first() {
        let mut ages = ["m", "m.1", "m.10.gz", "m.2", "m-20261121", "m-20261120.xz", "m-20261121-07"]
            .map(|name| (RotatedName::read(name).age, name));
        ages.sort();
        let names = ages.map(|(_, name)| name);
        assert_eq!(names, ["m-20261120.xz", "m-20261121", "m-20261121-07", "m.10.gz", "m.2", "m.1", "m"]);
    }

    #[test]
    fn knows_the_names_of_mail_logs() {
        let names = LogNames { by_server: &[&["one.log", "two*.log"]], repeated: |_| None };
        for name in ["mail.log", "maillog", "one.log", "two.log", "two-out.log"] {
            assert!(names.has(name), "{name}");
        }
        for name in ["mail.info", "mail.err", "one", "one.log.x", "twolog", "mail.logx", "syslog", ""] {
            assert!(!names.has(name), "{name}");
        }
    }
}
