//! Finds out whether a server's warning tells of a fault of its own that stops mail: then it counts as a failure.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::catalog::Cause;
use crate::catalog::classify::Reason;
use crate::catalog::warning::known_warnings;
use crate::collections::direct_mapped::DirectMappedCache;
use crate::parse::mta::server_warning::ServerWarning;
use crate::parse::mta::warning_text::mask_warning;

/// The reason and the cause of a fault.
pub(crate) type OwnFault = (Reason, Option<Cause>);

/// 8 KiB. A server has a few hundred warnings, and repeats the same ones.
const SLOTS: usize = 256;

/// Looks warnings up by their text without names and numbers, and remembers the latest answers.
pub(crate) struct OwnFaults {
    known: DirectMappedCache<Option<OwnFault>, SLOTS>,
    hasher: RandomState,
    /// Scratch space.
    masked: Vec<u8>,
}

impl Default for OwnFaults {
    fn default() -> Self {
        Self { known: DirectMappedCache::new(None), hasher: RandomState::default(), masked: Vec::new() }
    }
}

impl OwnFaults {
    /// `None`: mail goes on, or the warning is not known.
    pub(crate) fn find(&mut self, warning: &ServerWarning) -> Option<OwnFault> {
        // By far the commonest warning of Postfix, about names of clients that DNS does not confirm.
        if warning.text.starts_with(b"hostname ") {
            return None;
        }
        mask_warning(warning.text, &mut self.masked);
        let hash = self.hasher.hash_one((warning.mta, self.masked.as_slice()));
        if let Some(&known) = self.known.get(hash) {
            return known;
        }
        let row = known_warnings().find(warning.mta, &self.masked);
        let fault = row.and_then(|row| Some((row.reason?, row.cause)));
        self.known.insert(hash, fault);
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::mta::server_warning::Severity;
    use crate::smtp::event::Mta;

    #[test]
    fn tells_faults_that_stop_mail_from_other_warnings() {
        let mut faults = OwnFaults::default();
        let mut find = |mta: Mta, text: &str| {
            let (severity, text) = (Severity::Warning, text.as_bytes());
            faults.find(&ServerWarning { mta, severity, text })
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
