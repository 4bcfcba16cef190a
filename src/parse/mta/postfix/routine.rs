//! Knows the lines of Postfix that hold nothing to count, by the daemon that writes them.
//!
//! A line that no parser and no table here knows is not understood. The tables follow the calls of `msg_info` in Postfix's
//! sources, up to 3.12; what a higher log level adds is in [`verbose`](super::verbose).

use super::daemon::Daemon;
use super::verbose::{is_tls_detail, is_verbose};
use crate::parse::mta::parsed::{begins, split_once};

/// Whether the line is routine. `text` follows the queue id, if there is one.
pub(crate) fn is_routine(daemon: Daemon, text: &[u8]) -> bool {
    let own = match daemon {
        Daemon::Client => begins(text, &CLIENT) || is_about_features(text),
        Daemon::Smtpd => begins(text, &SMTPD),
        Daemon::Cleanup => begins(text, &CLEANUP),
        Daemon::Qmgr => begins(text, &QMGR),
        Daemon::Postscreen => begins(text, &POSTSCREEN),
        Daemon::Postsuper => begins(text, &POSTSUPER) || text == b"expired",
        Daemon::Bounce => begins(text, &BOUNCE),
        Daemon::Quiet => begins(text, &QUIET),
        // A script may pass any text to the command postlog.
        Daemon::Postlog => true,
        Daemon::Unnamed => {
            [&CLIENT[..], &SMTPD, &CLEANUP, &QMGR, &POSTSCREEN, &POSTSUPER, &BOUNCE, &QUIET]
                .iter()
                .any(|starts| begins(text, starts))
                || is_about_features(text)
                || text == b"expired"
        }
        Daemon::Local => begins(text, &LOCAL),
        Daemon::Error | Daemon::Discard | Daemon::Pickup | Daemon::MailScanner | Daemon::PmgFilter => false,
    };
    own || begins(text, &LIBRARY) || is_tls_detail(text) || is_cache_note(text) || is_verbose(text)
}

/// smtp and lmtp.
const CLIENT: [&[u8]; 16] = [
    b"enabling PIX workarounds",
    b"breaking line",
    b"Host offered STARTTLS",
    b"using backup DNS",
    b"offered unsupported",
    b"connect from",
    b"discarding EHLO keywords",
    b"skipping SRV lookup for ",
    b"SMTPS wrappermode (TCP port 465) requires setting ",
    // smtp_header_checks and its neighbours
    b"warn: ",
    b"info: ",
    b"replace: ",
    b"prepend: ",
    b"ignore: ",
    b"strip: ",
    b"server features: ",
];

/// `host mx[192.0.2.1] offers SMTPUTF8 support, but not 8BITMIME` (postfix smtp_proto.c).
fn is_about_features(text: &[u8]) -> bool {
    text.starts_with(b"host ") && text.ends_with(b" offers SMTPUTF8 support, but not 8BITMIME")
}

/// smtpd and qmqpd.
const SMTPD: [&[u8]; 15] = [
    b"connect from ",
    b"disconnect from ",
    b"lost connection ",
    b"timeout after ",
    b"discarding EHLO keywords",
    b"reply filter in: ",
    b"reply filter out: ",
    b"mapping DSN status ",
    b"milter ",
    b"proxymap ",
    b"unknown_address_tempfail_action = ",
    b"unverified_recipient_tempfail_action = ",
    b"unverified_sender_tempfail_action = ",
    b"unknown_helo_hostname_tempfail_action = ",
    b"Relaying allowed for ",
];

const CLEANUP: [&[u8]; 4] = [
    b"resent-message-id=",
    b"milter ",
    b"ignoring redundant or conflicting milter reply",
    b"masquerade_exceptions map lookup problem",
];

const QMGR: [&[u8]; 1] = [b"skipped, still being delivered"];

/// postscreen. The lines in capitals are about its tests; only a reject is an answer to the client.
const POSTSCREEN: [&[u8]; 21] = [
    b"CONNECT ",
    b"DISCONNECT ",
    b"PASS OLD ",
    b"PASS NEW ",
    b"PREGREET ",
    b"HANGUP after ",
    b"DNSBL rank ",
    b"WHITELISTED ",
    b"ALLOWLISTED ",
    b"BLACKLISTED ",
    b"DENYLISTED ",
    b"WHITELIST VETO ",
    b"ALLOWLIST VETO ",
    b"BARE NEWLINE from ",
    b"COMMAND ",
    b"NON-SMTP COMMAND from ",
    b"DATA without valid RCPT from ",
    b"BDAT without valid RCPT from ",
    b"entering STRESS mode with ",
    b"leaving STRESS mode with ",
    b"cache ",
];

const POSTSUPER: [&[u8]; 11] = [
    b"Requeued: ",
    b"Deleted: ",
    b"Force-expired: ",
    b"Placed on hold: ",
    b"Released from hold: ",
    b"Renamed to match inode number: ",
    b"removed file ",
    b"renamed file ",
    b"remove directory ",
    b"remove subdirectory ",
    b"queue: ",
];

/// local and virtual, with `-v`: the attributes of a delivery (postfix deliver_attr.c).
const LOCAL: [&[u8]; 15] = [
    b"level: ",
    b"path: ",
    b"fp: ",
    b"offset: ",
    b"sender: ",
    b"recipient: ",
    b"domain: ",
    b"local: ",
    b"user: ",
    b"extension: ",
    b"unmatched: ",
    b"owner: ",
    b"delivered: ",
    b"relay: ",
    b"why: ",
];

/// bounce, defer and trace.
const BOUNCE: [&[u8]; 4] = [
    b"sender ",
    b"postmaster ",
    b"not sending trace/success notification for ",
    b"no trace file -- not sending ",
];

/// The other daemons and commands.
const QUIET: [&[u8]; 38] = [
    // dnsblog
    b"addr ",
    b"client socket not found for fd=",
    b"remove ",
    // tlsproxy
    b"CONNECT ",
    b"DISCONNECT ",
    b"TLS handshake failed for service=",
    // tlsmgr
    b"cannot read from entropy device ",
    b"lost connection to EGD server ",
    b"exiting to reopen external entropy source ",
    b"TLS support is not compiled in -- exiting",
    // master
    b"daemon started -- version ",
    b"reload -- version ",
    b"reload configuration ",
    b"terminating on signal ",
    b"master exit time has arrived",
    b"ignoring status update from child ",
    b"flags: ",
    b"name: ",
    b"type: ",
    b"wakeup: ",
    b"path: ",
    b"arg[",
    b"children: ",
    b"next: ",
    // postfix and postfix-script
    b"starting the Postfix mail system",
    b"stopping the Postfix mail system",
    b"aborting the Postfix mail system",
    b"refreshing the Postfix mail system",
    b"waiting for the Postfix mail system to terminate",
    b"the Postfix mail system is ",
    b"Postfix is using backwards-compatible default settings",
    b"Postfix is running with backwards-compatible default settings",
    b"See http",
    b"To disable backwards compatibility use ",
    // set-gid and post-install
    b"changing ownership of ",
    b"Editing ",
    // nbdb_reindexd
    b"target file '",
    b"successfully executed '",
];

/// What Postfix's libraries log in any daemon (postfix src/global, src/util, src/tls).
const LIBRARY: [&[u8]; 40] = [
    b"using backwards-compatible default setting ",
    b"using using backwards-compatible default setting ",
    b"table ",
    b"status=deferred (",
    b"passing <",
    b"ignoring DNS RR: ",
    b"running: ",
    b"database ",
    b"close database ",
    b"redirecting ",
    b"skipping address family ",
    b"Anonymous TLS connection",
    b"Untrusted TLS connection",
    b"Trusted TLS connection",
    b"Verified TLS connection",
    b"TLS connection established ",
    b"initializing the ",
    b"setting up TLS connection",
    b"certificate verification failed for ",
    b"certificate peer name verification failed",
    b"server certificate verification failed ",
    b"client certificate verification failed ",
    b"TLS SNI ",
    b"TLSRPT: ",
    b"TLS protocol trace for ",
    b"skipping TLS trace output",
    b"cannot load Certification Authority data, ",
    b"cannot set default OpenSSL certificate verification paths",
    b"SSL_connect",
    b"SSL_accept",
    b"SSL_set_fd error ",
    b"SSL3 ",
    b"looking for session ",
    b"reloaded session ",
    b"save session ",
    b"remove session ",
    b"verify error:",
    b"statistics: ",
    // the Cyrus SASL library
    b"sql_select option missing",
    b"auxpropfunc error ",
];

/// `cache btree:/var/lib/postfix/verify_cache full cleanup: retained=3 dropped=0 entries` (postfix dict_cache.c).
fn is_cache_note(text: &[u8]) -> bool {
    text.starts_with(b"cache ") && split_once(text, b" cleanup: retained=").is_some()
        || split_once(text, b" cache cleanup will start after ").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_no_row_that_another_row_hides() {
        for table in
            [&CLIENT[..], &SMTPD, &CLEANUP, &POSTSCREEN, &POSTSUPER, &LOCAL, &BOUNCE, &QUIET, &LIBRARY]
        {
            for (at, row) in table.iter().enumerate() {
                let hides = |(other, start): (usize, &&[u8])| other != at && row.starts_with(start);
                assert!(!table.iter().enumerate().any(hides), "{}", String::from_utf8_lossy(row));
            }
        }
    }
}
