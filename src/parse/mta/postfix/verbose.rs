//! Knows the lines that Postfix logs only at a higher log level: with `-v`, for a peer in debug_peer_list, or with a TLS log
//! level of 2 or more.

use crate::parse::mta::parsed::{begins, peer, split_once, split_word};

/// Details of TLS connections, `smtp_tls_loglevel = 2` and `smtpd_tls_loglevel = 2`, and lines about one session:
/// `mx.example.org[192.0.2.1]:25: depth=0 verify=1 subject=/CN=mx.example.org` (postfix tls_client.c, tls_server.c,
/// tls_verify.c, tls_dane.c).
pub(crate) fn is_tls_detail(text: &[u8]) -> bool {
    const DETAILS: [&[u8]; 24] = [
        b"TLS cipher list ",
        b"SNI hostname: ",
        b"Issuing session ticket, ",
        b"Decrypting session ticket, ",
        b"looking up session ",
        b"reloaded session ",
        b"remove session ",
        b"save session ",
        b"Reusing old session",
        b"subject_CN=",
        b"re-using session with untrusted ",
        b"raw public key fingerprint=",
        b"certificate fingerprint=",
        b"fingerprint=",
        b"depth=",
        b"verify=",
        b"Matched ",
        b"matched peername: ",
        b"replacing command ",
        b"replacing server reply ",
        b"discarding EHLO keywords: ",
        b"Peer verification: ",
        // qmqpd
        b"lost connection while ",
        b"timeout while ",
    ];
    let details = peer(text).and_then(|(_, rest)| rest.strip_prefix(b": "));
    details.is_some_and(|rest| begins(rest, &DETAILS))
}

/// Beginnings of these lines.
const STARTS: [&[u8]; 119] = [
    b"> ",
    b"< ",
    b">>> ",
    b"--- ",
    b"====",
    b"`",
    b"send attr ",
    b"input attribute ",
    b"trying... [",
    b"report ",
    b"skipping event ",
    b"skipping non-protocol event ",
    b"skipping reply for event ",
    b"SASL authentication info: ",
    b"SASL authentication debug: ",
    b"SASL authentication trace: ",
    b"SASL authentication pass: ",
    b"reply: SMFIR_",
    b"event: SMFIC_",
    b"abort all milters",
    b"disconnect event to all milters",
    b"query milter states ",
    b"inspect content by all milters",
    b"free ",
    b"override ",
    b"initial envelope ",
    b"extracted envelope ",
    b"client flags = ",
    b"server flags = ",
    b"start move queue ",
    b"end move queue ",
    b"start sorted recipient list",
    b"end sorted recipient list",
    b"wakeup ",
    b"record ",
    b"request: ",
    b"request ignored",
    b"defer transport ",
    b"defer site ",
    b"enable transport ",
    b"enable site ",
    b"recipient limit ",
    b"enabling VERP ",
    b"placed in ",
    b"spawn command ",
    b"throttle released ",
    b"throttling command ",
    b"start conditional timer ",
    b"got sigchld",
    b"received master trigger",
    b"process generation: ",
    b"daemon started",
    b"connection established",
    b"connection closed",
    b"idle timeout -- ",
    b"master disconnect -- ",
    b"time to retire -- ",
    b"connect to subsystem ",
    b"connecting to ",
    b"host name lookup methods: ",
    b"starting new SASL client",
    b"disposing SASL state information",
    b"begin ",
    b"pref ",
    b"end ",
    b"Using ESMTP PIPELINING",
    b"Using LMTP PIPELINING",
    b"effective TLS level: ",
    b"global TLS level: ",
    b"lookup ",
    b"frag_len=",
    b"source=",
    b"origin=",
    b"chroot ",
    b"setugid: ",
    b"loaded ",
    b"open ",
    b"close ",
    b"pausing to let ",
    b"myflock(",
    b"allowlisting ",
    b"whitelisting ",
    b"PUT ",
    b"GOT ",
    b"PROBE ",
    b"site ",
    b"subject=",
    b"issuer=",
    b"read ",
    b"write ",
    b"Read ",
    b"Write ",
    b"put ",
    b"delete ",
    b"skip ",
    b"flags for ",
    b"before input_transp_cleanup: ",
    b"after input_transp_cleanup: ",
    b"PUSH boundary ",
    b"POP boundary ",
    b"garbage in ",
    b"expanded and quoted query: ",
    b"mysql host_init: ",
    b"pgsql host_init: ",
    b"export MAIL_",
    b"myhostname=",
    b"skipping mynetworks setting ",
    b"skipping inet_interfaces setting ",
    b"EGD server ",
    b"cannot write to EGD server ",
    b"cannot read from EGD server ",
    b"cannot read entropy file ",
    b"cannot seek entropy file ",
    b"Compiled against Berkeley DB",
    b"Run-time linked against Berkeley DB",
    b"fd=",
    b"forward delivered=",
    b"chdir ",
    b"MX name ",
];

/// Words within these lines.
const INSIDE: [&[u8]; 9] = [
    b" asciified to ",
    b"._tcp.",
    b" TLSA record: ",
    b" lookup: \"",
    b" update: \"",
    b" delete: \"",
    b": skipping lookup of '",
    b": successful query result from host ",
    b": using backwards-compatible default setting ",
];

/// Whether the line is one that daemons log only with `-v` in master.cf, for a peer in debug_peer_list, or at a TLS log
/// level above 2. Most begin with the name of the C function: `match_string: mynetworks ~? debug_peer_list`.
pub(crate) fn is_verbose(text: &[u8]) -> bool {
    // The dump of a TLS connection: `0000 16 03 01 …`, `0010 - <SPACES/NULLS>`.
    let is_dump = || matches!(text, [b'0'..=b'9' | b'a'..=b'f', _, _, _, b' ', ..] if text.get(..4).is_some_and(|at| at.iter().all(u8::is_ascii_hexdigit)));
    begins(text, &STARTS)
        || is_function_note(text)
        || is_attribute_note(text)
        || INSIDE.iter().any(|mark| split_once(text, mark).is_some())
        || text.ends_with(b" stream disconnect")
        || text.ends_with(b" option ignored")
        || is_dump()
}

/// Notes that begin with the name of a C function, mostly one of several words: `smtpd_check_addr: addr=a@b`,
/// `local_deliver[1]: …`, `dict_alloc("hash", …)`, `tls_proxy_context_scan ret=9`.
fn is_function_note(text: &[u8]) -> bool {
    let in_name = |byte: &&u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let length = text.iter().take(48).take_while(in_name).count();
    let Some((name, rest)) = text.split_at_checked(length) else { return false };
    let of_several_words = name.contains(&b'_') && name != b"reject_warning";
    match rest {
        [b':', b' ', ..] => {
            of_several_words || matches!(name, b"fsspace" | b"reply" | b"forward" | b"masquerade")
        }
        [] | [b'[' | b'(' | b'{' | b'=' | b'/', ..] | [b' ', b'(', ..] => of_several_words,
        // `anvil_remote_lookup fd=9 ident=…`
        [b' ', rest @ ..] => of_several_words && split_word(rest).0.contains(&b'='),
        _ => false,
    }
}

/// `private/anvil: wanted attribute: status`, `public/cleanup socket: terminator (consumed)` (postfix attr_scan0.c).
fn is_attribute_note(text: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b": wanted attribute: ", b": terminator (", b": non-terminator "];
    MARKS.iter().any(|mark| split_once(text, mark).is_some())
        || begins(text, &[b"private/", b"public/"]) && text.ends_with(b": EOF")
        || begins(text, &[b"send ", b"receive "]) && text.ends_with(b" milters")
}
