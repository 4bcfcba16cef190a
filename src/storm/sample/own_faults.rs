//! Finds out whether a server's warning tells of a fault of its own that stops mail: then it counts as a failure.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::catalog::Cause;
use crate::catalog::classify::Reason;
use crate::catalog::warning::known_warnings;
use crate::collections::direct_mapped::DirectMappedCache;
use crate::pipeline::sink::LoggedWarning;

/// The reason and the cause of a fault.
pub(crate) type OwnFault = (Reason, Option<Cause>);

/// 8 KiB. A server has a few hundred warnings, and repeats the same ones.
const SLOTS: usize = 256;

/// Looks warnings up by their text without names and numbers, and remembers the latest answers.
pub(crate) struct OwnFaults {
    known: DirectMappedCache<Option<OwnFault>, SLOTS>,
    hasher: RandomState,
}

impl Default for OwnFaults {
    fn default() -> Self {
        Self { known: DirectMappedCache::new(None), hasher: RandomState::default() }
    }
}

impl OwnFaults {
    /// `None`: mail goes on, or the warning is not known.
    pub(crate) fn find(&mut self, logged: &LoggedWarning) -> Option<OwnFault> {
        let mta = logged.warning.mta;
        // By far the commonest warning of Postfix, about names of clients that DNS does not confirm.
        if logged.warning.text.starts_with(b"hostname ") {
            return None;
        }
        let hash = self.hasher.hash_one((mta, logged.masked()));
        if let Some(&known) = self.known.get(hash) {
            return known;
        }
        let row = known_warnings().find(mta, logged.masked());
        let fault = row.and_then(|row| Some((row.reason?, row.cause)));
        self.known.insert(hash, fault);
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta::server_warning::{ServerWarning, Severity};
    use crate::pipeline::sink::LineOffset;
    use crate::smtp::event::Mta;

    #[test]
    fn tells_faults_that_stop_mail_from_other_warnings() {
        let mut faults = OwnFaults::default();
        let mut find = |mta: Mta, text: &str| {
            let (severity, text) = (Severity::Warning, text.as_bytes());
            let (line, place) = (LogLine::read(text), LineOffset { file: 0, offset: 0 });
            faults.find(&LoggedWarning::new(ServerWarning { mta, severity, text }, place, &line, text, None))
        };
        for (text, reason, cause) in [
            (
                "not enough free space in mail queue: 1024 bytes < 1.5*message size limit",
                Reason::SystemFull,
                Cause::QueueDiskFull,
            ),
            ("mysql:/etc/postfix/vmail.cf: table lookup problem", Reason::SystemError, Cause::LookupFailed),
            (
                "SASL: Connect to private/auth failed: Connection refused",
                Reason::SmtpAuth,
                Cause::LoginBackend,
            ),
            (
                "connect to Milter service inet:127.0.0.1:8891: Connection refused",
                Reason::SystemError,
                Cause::MilterDown,
            ),
        ] {
            assert_eq!(find(Mta::Postfix, text), Some((reason, Some(cause))), "{text}");
        }
        for text in [
            "hostname mx.example.org does not resolve to address 192.0.2.7",
            "TLS library problem: error:0A000126",
        ] {
            assert_eq!(find(Mta::Postfix, text), None, "{text}");
        }
    }
}
