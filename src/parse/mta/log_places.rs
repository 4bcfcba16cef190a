//! Tells where each mail server writes its logs: systemd units, names of files, and their default paths.

use super::exim;
use crate::smtp::event::Mta;

/// The systemd units under which a server runs.
pub(super) const fn journal_units(mta: Mta) -> &'static [&'static str] {
    match mta {
        Mta::Postfix => &["postfix.service", "postfix@-.service"],
        Mta::Exim => &["exim4.service", "exim4-base.service", "exim.service"],
        Mta::Sendmail => &["sendmail.service"],
        Mta::Opensmtpd => &["opensmtpd.service", "smtpd.service"],
        Mta::Kumomta => &["kumomta.service"],
    }
}

/// The names of log files that a server writes itself, not through syslog; `*` matches anything. A paniclog is for the
/// administrator and holds no mail; a rejectlog repeats its mainlog, see [`repeated_log`].
const fn log_names(mta: Mta) -> &'static [&'static str] {
    match mta {
        // Postfix's maillog_file, one for each instance.
        Mta::Postfix => &["postfix*.log"],
        Mta::Exim => &[
            "mainlog",      // Exim's default, and Debian's
            "main.log",     // Exim of Red Hat
            "exim_mainlog", // cPanel
            "exim*.log",    // Exim in containers, and the BSDs' names
        ],
        Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => &[],
    }
}

/// The default paths of such log files: Debian, Red Hat, and the server's own makefile.
const fn log_paths(mta: Mta) -> &'static [&'static str] {
    match mta {
        Mta::Exim => &["/var/log/exim4/mainlog", "/var/log/exim/main.log", "/var/log/exim/mainlog"],
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => &[],
    }
}

/// The log that repeats every line of a log of this name: `exim_rejectlog` → `exim_mainlog`.
pub(crate) fn repeated_log(log: &str) -> Option<String> {
    let of = |mta| match mta {
        Mta::Exim => exim::mainlog_of(log),
        Mta::Postfix | Mta::Sendmail | Mta::Opensmtpd | Mta::Kumomta => None,
    };
    Mta::ALL.into_iter().find_map(of)
}

/// Where the mail servers write their logs; one entry per server, in the order of [`Mta`].
pub(crate) struct LogPlaces {
    pub units: [&'static [&'static str]; Mta::COUNT],
    pub names: [&'static [&'static str]; Mta::COUNT],
    pub paths: [&'static [&'static str]; Mta::COUNT],
}

/// See [`journal_units`], [`log_names`] and [`log_paths`].
pub(crate) static LOG_PLACES: LogPlaces = {
    let none: [&[&str]; Mta::COUNT] = [&[]; Mta::COUNT];
    let (mut units, mut names, mut paths) = (none, none, none);
    let mut at = 0;
    while at < Mta::COUNT {
        let mta = Mta::ALL[at];
        (units[at], names[at], paths[at]) = (journal_units(mta), log_names(mta), log_paths(mta));
        at += 1;
    }
    LogPlaces { units, names, paths }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_log_that_a_rejectlog_repeats() {
        assert_eq!(repeated_log("exim_rejectlog").as_deref(), Some("exim_mainlog"));
        assert_eq!(repeated_log("reject.log").as_deref(), Some("main.log"));
        assert_eq!(repeated_log("rejected.log"), None);
    }
}
