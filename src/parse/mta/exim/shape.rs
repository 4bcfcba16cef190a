//! Knows the shapes of Exim's lines that need no event, from the calls of `log_write()` in its source
//! (`Start queue run: pid=29`, `failed to open DB file …: Permission denied`).
//!
//! A line of another shape is not understood: an ACL can log any text, and so can a newer version.

use super::client::RejectedClient;
use crate::parse::mta::parsed::{ParsedLine, address, begins, find, split_once, split_word};

/// A known shape of a line that needs no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineShape {
    /// A connection, a queue run, a signature: nothing is wrong here.
    Routine,
    /// Exim's own warning or panic: its configuration, its files or its memory need attention.
    Warning,
}

/// Parses a text that is no event and no queue record. `None`: its shape is not known.
pub(crate) fn read(text: &[u8]) -> Option<ParsedLine<'_>> {
    match find_shape(text)? {
        LineShape::Routine | LineShape::Warning => Some(ParsedLine::Routine),
    }
}

/// The shape of a text that is no event and no queue record. `None`: no version of Exim that we know logs it.
pub(crate) fn find_shape(text: &[u8]) -> Option<LineShape> {
    if begins_sorted(text, &WARNINGS) {
        return Some(LineShape::Warning);
    }
    if begins_sorted(text, &ROUTINE) {
        return Some(LineShape::Routine);
    }
    of_client(text)
        .or_else(|| of_host(text))
        .or_else(|| of_address(text))
        .or_else(|| of_driver(text))
        .or_else(|| of_label(text))
}

/// Whether the text begins with an entry of the table, which is sorted.
fn begins_sorted(text: &[u8], table: &[&[u8]]) -> bool {
    let from = table.partition_point(|start| start.first() < text.first());
    let of_first = table.get(from..).unwrap_or_default();
    of_first.iter().take_while(|start| start.first() == text.first()).any(|start| text.starts_with(start))
}

/// `H=mx (helo) [192.0.2.1] Warning: words`, `U=root sender verify fail for <a@b>: words` (Exim acl.c, acl_warn;
/// smtp_in.c).
fn of_client(text: &[u8]) -> Option<LineShape> {
    const MARKS: [&[u8]; 8] = [
        b"Warning: ",
        b"sender verify fail for <",
        b"sender verify defer for <",
        b"incomplete transaction (",
        b"TLS error on connection",
        b"rejected by DCC",
        b": rejected by DCC",
        b"X-",
    ];
    let (_, rest) = RejectedClient::read(text);
    let is_client = rest.len() < text.len();
    // With received_recipients, the recipients follow.
    (is_client && begins(rest.trim_ascii_start(), &MARKS)).then_some(LineShape::Routine)
}

/// `[192.0.2.1] SSL verify error: depth=0 …` (Exim tls-openssl.c), and `text: delivering unencrypted to H=mx [192.0.2.1] …`.
fn of_host(text: &[u8]) -> Option<LineShape> {
    let in_brackets = || {
        let (_, rest) = split_once(text.strip_prefix(b"[")?, b"] ")?;
        let marks: [&[u8]; 5] = [b"SSL verify ", b"SSL ", b"after QUIT, ", b"TLS ", b"certificate "];
        (begins(rest, &marks) || find(rest, b" Received TLS ").is_some()).then_some(LineShape::Routine)
    };
    let unencrypted = || {
        let marks: [&[u8]; 2] = [b": delivering unencrypted to ", b": callout unencrypted to "];
        marks.iter().any(|mark| find(text, mark).is_some()).then_some(LineShape::Routine)
    };
    // `192.0.2.1 RBL whitelisted example.org in skip_rbl_domains` of DirectAdmin's exim.conf.
    let whitelisted = || {
        let (host, rest) = split_word(text);
        let is_address = host.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        (is_address && begins(rest, &[b"whitelisted in ", b"RBL whitelisted "])).then_some(LineShape::Routine)
    };
    in_brackets().or_else(unencrypted).or_else(whitelisted)
}

/// `<a@b>: pipe transport output: words`, `a@b <c@d>: error ignored`, `"x" from env-from rewritten as "y" by rule 1` (Exim
/// deliver.c, rewrite.c).
fn of_address(text: &[u8]) -> Option<LineShape> {
    if let Some((_, rest)) = text.strip_prefix(b"<").and_then(address) {
        return rest.starts_with(b": ").then_some(LineShape::Warning);
    }
    if text.starts_with(b"\"") {
        return find(text, b" rewritten ").map(|_| LineShape::Routine);
    }
    let ends: [&[u8]; 4] = [
        b": error ignored",
        b": error ignored: RFC 3461 DSN, failure notify not requested",
        b": accepted by +include_unknown",
        b": accepted by +include_defer",
    ];
    ends.iter().any(|end| text.ends_with(end)).then_some(LineShape::Routine)
}

/// `dnslookup router: skipped error: …`, `plain authenticator (PLAIN): …`, `12 select() failures: …`.
fn of_driver(text: &[u8]) -> Option<LineShape> {
    const KINDS: [&[u8]; 11] = [
        b"router: ",
        b"router ",
        b"transport: ",
        b"transport process ",
        b"transport output: ",
        b"authenticator: ",
        b"authenticator (",
        b"authenticator cancelled authentication ",
        b"select() failure",
        b"accept() failure",
        b"unknown error (memory/cpu corruption?)",
    ];
    let (name, rest) = split_word(text);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (name.iter().all(is_name) && begins(rest, &KINDS)).then_some(LineShape::Warning)
}

/// `spam_score: 3.1`, `subject <words>`: what an administrator logs with the `logwrite` modifier of an ACL, where it begins
/// with a label and no word in it tells of mail that was not delivered (Exim acl.c). A label in capitals is mostly the name
/// of one of Exim's own modules, whose lines are in the tables.
fn of_label(text: &[u8]) -> Option<LineShape> {
    const FAILURES: [&[u8]; 10] = [
        b"eject", b"efus", b"efer", b"ounc", b"enied", b"eny", b"iscard", b"ropped", b"lock", b"ail",
    ];
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    let length = text.iter().take(40).take_while(|byte| is_label(byte)).count();
    let (label, rest) = text.split_at_checked(length)?;
    let is_labelled = label.iter().any(u8::is_ascii_lowercase)
        && (matches!(rest, [b':', b' ' | b'\t', ..] | [b'\t', ..] | [b' ', b'<', ..]) || rest == b":");
    let tells_failure = || FAILURES.iter().any(|word| find(rest, word).is_some());
    (is_labelled && !tells_failure()).then_some(LineShape::Routine)
}

/// Beginnings of lines about connections, queue runs, TLS and signatures. Sorted.
const ROUTINE: [&[u8]; 121] = [
    b"ARC: ",
    b"ATRN '",
    b"Abandon queue run",
    b"Accepting ",
    b"Authenticated ",
    b"Authentication ",
    b"Ci=",
    b"Completed",
    b"DANE ",
    b"DEBUG - ",
    b"DKIM: ",
    b"DMARC results: ",
    b"DMARC: ",
    b"DNS list lookup ",
    b"DNS lookup of ",
    b"Delivery deferred by system filter",
    b"Domain ",
    b"E-Mail account ",
    b"ETRN ",
    b"EXPN ",
    b"End '",
    b"End ODMR ",
    b"End queue run",
    b"Error or EOF on input from ",
    b"From: ",
    b"Greylisting ",
    b"Invalid TLS client certificate ",
    b"Invalid reverse DNS ",
    b"LOG: ",
    b"Long ",
    b"Message not encrypted with TLS",
    b"No TLS client certificate ",
    b"OCSP ",
    b"Outgoing mail ",
    b"PDKIM: ",
    b"PRDR ",
    b"PROXY ",
    b"Proxied ",
    b"Received TLS ",
    b"Required TLS certificate status",
    b"SA: ",
    b"SMTP call from ",
    b"SMTP command timeout on",
    b"SMTP connection ",
    b"SMTP data timeout (",
    b"SMTP error in ",
    b"SMTP input ",
    b"SMTP peer ",
    b"SMTP protocol error in ",
    b"SMTP protocol violation: ",
    b"SMTP syntax error in ",
    b"SPF ",
    b"SPF: ",
    b"SSL channel closed on write",
    b"SSL verify denied",
    b"SSL verify error",
    b"SSL_write",
    b"STARTTLS ",
    b"Sender ",
    b"Server certificate ",
    b"SpamAssassin ",
    b"Spool file for ",
    b"Spool file is locked",
    b"Start '",
    b"Start ODMR ",
    b"Start queue run",
    b"TLS ALPN (",
    b"TLS error (",
    b"TLS error on ",
    b"TLS session ",
    b"TLS session: ",
    b"Too many recipients",
    b"VRFY ",
    b"Whitelisted ",
    b"accept: ",
    b"address <",
    b"arc: ",
    b"authentication ",
    b"callout ",
    b"child process of ",
    b"closed ",
    b"cwd=",
    b"daemon started",
    b"dnssec fail on ",
    b"exim ",
    b"greylist ",
    b"host '",
    b"host name alias list truncated",
    b"hosts_avoid_tls ",
    b"ident connection from ",
    b"ident connection to ",
    b"ignoring AUTH=",
    b"listen backlog ",
    b"lowest numbered MX record points to local host",
    b"message ",
    b"moved from ",
    b"no IP address found for host ",
    b"no MAIL in ",
    b"no host name found for IP address ",
    b"no immediate delivery: ",
    b"notify triggered queue run",
    b"original recipients ignored (system filter)",
    b"peer close after all rcpt responses",
    b"pid ",
    b"proxy ",
    b"queued for ",
    b"rcpt ",
    b"recipient <",
    b"recipient verify ",
    b"recipients ",
    b"remote host address is the local host",
    b"responsible-mailbox truncated",
    b"retry time not reached",
    b"rewritten ",
    b"sender address changed to ",
    b"sender host ",
    b"sender verify ",
    b"spamd ",
    b"tls_verify ",
    b"unexpected EOF while reading SMTP",
    b"unexpected disconnection while reading SMTP",
];

/// Beginnings of warnings and panic texts. Sorted.
const WARNINGS: [&[u8]; 196] = [
    b"---",
    b"2nd fork ",
    b"ACL ",
    b"ACL:",
    b"ALPN unusable ",
    b"Attempt to ",
    b"Bad ",
    b"CNAME loop ",
    b"Can't ",
    b"Cannot ",
    b"Child mail process ",
    b"Connection aborted; ",
    b"Could not ",
    b"Couldn't ",
    b"DCC: ",
    b"DKIM: hash setup ",
    b"DKIM: message could not be signed",
    b"DKIM: signing ",
    b"DMARC failure ",
    b"Daemon cannot ",
    b"Delivery status for ",
    b"Duplicate lookup name ",
    b"EHLO/HELO response ",
    b"Error in ",
    b"Error loading ",
    b"Error reading spool file",
    b"Error while ",
    b"Error/short write ",
    b"Exim ",
    b"Expansion of ",
    b"Failed ",
    b"Fork failed ",
    b"Format error in spool file",
    b"Header modification ",
    b"IPv",
    b"Input from inetd ",
    b"Internal error",
    b"LDAP ",
    b"LDAP: ",
    b"Lookup module ",
    b"Loop detected in ",
    b"MIME acl condition ",
    b"MYSQL ",
    b"MYSQL: ",
    b"Malformed ",
    b"Message abandoned: ",
    b"Message removed because older than ",
    b"Module ",
    b"More than one path ",
    b"PGSQL ",
    b"PGSQL: ",
    b"Process ",
    b"REDIS ",
    b"REDIS: ",
    b"Rewrite of ",
    b"SEGV_",
    b"SIGINT ",
    b"SIGSEGV",
    b"SIGTERM ",
    b"SQLite ",
    b"Setting IPV6_V6ONLY ",
    b"Spool ",
    b"Stat failed on ",
    b"Taint mismatch",
    b"Tainted ",
    b"Temporary error with DCC",
    b"Timeout on nmh ",
    b"Unable to ",
    b"Unknown ",
    b"Unrecognised ",
    b"User ",
    b"WARNING: ",
    b"Warning: ",
    b"Wrong header from DCC",
    b"Wrong ownership on ",
    b"acl_smtp_mime: ",
    b"already initialised ",
    b"attempt to ",
    b"backtrace",
    b"bad ",
    b"bind of [",
    b"both ",
    b"bounce_message_file ",
    b"buffer underflow ",
    b"can't ",
    b"cannot ",
    b"clamd",
    b"configuration file ",
    b"configured error code ",
    b"could not ",
    b"couldn't ",
    b"daemon: ",
    b"debug tag ",
    b"deliver_datafile ",
    b"delivery re-exec ",
    b"delivery setrlimit",
    b"demime acl condition",
    b"dlfunc ",
    b"dmarc: ",
    b"dns_again_means_nonexist ",
    b"dnslist ",
    b"dnslists domain ",
    b"dsearch ",
    b"embedded Perl ",
    b"excessive memory ",
    b"exec of ",
    b"exim user lost privilege",
    b"exim: ",
    b"expansion of ",
    b"failed to ",
    b"failure to ",
    b"fork ",
    b"fork() ",
    b"fork: ",
    b"getrlimit(",
    b"getsockname() ",
    b"getsockopt() ",
    b"header snprintf ",
    b"home directory ",
    b"host lookup ",
    b"hosts ",
    b"initgroups failed ",
    b"internal ACL error",
    b"internal error",
    b"internal problem in ",
    b"internal scanner error",
    b"invalid ",
    b"link(",
    b"list matching forced to fail",
    b"listen() ",
    b"live variable ",
    b"local part longer ",
    b"local_scan() ",
    b"log_file_path ",
    b"log_write called ",
    b"lookup ",
    b"malformed ",
    b"malloc() failed",
    b"malware acl condition",
    b"mime_regex acl condition ",
    b"nmh lookup",
    b"no @ found ",
    b"no port specified ",
    b"no recipients found",
    b"non-existent configuration ",
    b"notquit ",
    b"null conn-context ",
    b"null list",
    b"overlong ",
    b"partial matching ",
    b"pid file path ",
    b"process ",
    b"qualify/rewrite: ",
    b"queue run: ",
    b"re-exec ",
    b"read from fakens ",
    b"readsock ",
    b"regex acl condition ",
    b"regular expression error",
    b"remote delivery process count ",
    b"reverse ",
    b"rewrite rule repeat ",
    b"rmdir(",
    b"routing loop for ",
    b"setitimer() ",
    b"setrlimit(",
    b"setsockopt(",
    b"setting SO_REUSEADDR ",
    b"setup fail for ",
    b"shadow transport ",
    b"signing: ",
    b"signing_init: ",
    b"smtp-wait database ",
    b"smtp_notquit",
    b"socket ",
    b"socks ",
    b"spam acl condition",
    b"spool_directory ",
    b"sqlite ",
    b"store_",
    b"string too ",
    b"string_",
    b"system filter ",
    b"tainted ",
    b"timed out while reading ",
    b"tls_require_ciphers ",
    b"tls_verify_certificates ",
    b"too many lookups ",
    b"transport: ",
    b"unable to ",
    b"uname() ",
    b"unknown ",
    b"unlink(",
    b"unrecognized ",
    b"warn_message_file ",
    b"warning: ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(ROUTINE.is_sorted() && WARNINGS.is_sorted());
    }

    #[test]
    fn tells_routine_from_warning_and_from_what_nobody_knows() {
        let (routine, warning) = (Some(LineShape::Routine), Some(LineShape::Warning));
        for (text, shape) in [
            ("Start queue run: pid=29", routine),
            ("exim 4.98 daemon started: pid=7, -q30m, listening for SMTP on port 25", routine),
            ("exim user lost privilege for using -C option", warning),
            ("H=mx (h) [192.0.2.1]:25 I=[192.0.2.9]:25 Warning: 550 rejected", routine),
            ("H=mx (h) [192.0.2.1]:25 has another text", None),
            ("U=root sender verify fail for <a@example.org>: Unrouteable address", routine),
            ("[192.0.2.1] SSL verify error: depth=0 error=self-signed certificate", routine),
            ("[192.0.2.1] another text", None),
            ("DKIM: d=example.org s=k c=relaxed/relaxed a=rsa-sha256 [verification succeeded]", routine),
            ("DKIM: signing failed: no key", warning),
            ("failed to open DB file /var/spool/exim/db/retry: Permission denied", warning),
            ("virtual router: skipped error: bad address", warning),
            ("virtual another text", None),
            ("<a@example.org>: address_pipe transport output: no", warning),
            ("a@example.org <b@example.org>: error ignored", routine),
            ("\"a@example.org\" from env-from rewritten as \"b@example.org\" by rule 1", routine),
            ("spam_score: 3.1", routine),
            ("spam_score: 9.1, message rejected", None),
            ("NEWMODULE: words", None),
            ("Score of this message is 7", None),
            ("", None),
        ] {
            assert_eq!(find_shape(text.as_bytes()), shape, "{text}");
        }
    }
}
