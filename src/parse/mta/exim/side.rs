//! Decides whether a failure without a host concerns a remote domain, by the names of its router and transport.

use super::fields::{EximFields, name};
use crate::parse::mta::parsed::find;

/// Parts of the usual names of routers for remote mail. They have priority over [`LOCAL`]: `nonlocal`, `dnslookup_list`.
const REMOTE: [&[u8]; 15] = [
    b"dns",
    b"lookup",
    b"remote",
    b"smart",
    b"relay",
    b"manual",
    b"nonlocal",
    b"non_local",
    b"outgoing",
    b"outbound",
    b"external",
    b"internet",
    b"gateway",
    b"literal",
    b"forwarded",
];

/// Parts of the usual names of routers for addresses of this machine.
const LOCAL: [&[u8]; 22] = [
    b"local",
    b"user",
    b"alias",
    b"forward",
    b"virtual",
    b"list",
    b"mailman",
    b"mailbox",
    b"maildir",
    b"vacation",
    b"reply",
    b"catch",
    b"filter",
    b"redirect",
    b"procmail",
    b"account",
    b"group",
    b"pipe",
    b"quota",
    b"inbox",
    b"dovecot",
    b"cyrus",
];

/// Whether the transport hands over to a mailbox, a program or a socket of this host, as far as its name and that of its
/// router tell: `T=dovecot_lmtp`. It may still fail with `Connection refused`, as a remote server does.
pub(crate) fn hands_over_here(fields: &EximFields) -> bool {
    let Some(transport) = fields.transport.map(name) else { return false };
    let router = fields.router.map(name).unwrap_or_default();
    let has = |part: &[u8]| find(transport, part).is_some() || find(router, part).is_some();
    find(transport, b"lmtp").is_some()
        || find(transport, b"smtp").is_none()
            && LOCAL.iter().any(|part| has(part))
            && !REMOTE.iter().any(|part| has(part))
}

/// Whether the address is one of a remote domain, as far as the names tell. A router that fails before it has a transport
/// mostly fails mail for a remote domain: limits and holds of a hosting panel, and names that DNS does not know.
pub(crate) fn is_remote(fields: &EximFields, recipient: Option<&[u8]>) -> bool {
    let has = |name: &[u8], parts: &[&[u8]]| parts.iter().any(|part| find(name, part).is_some());
    match (fields.transport, fields.router) {
        (Some(transport), _) => find(name(transport), b"smtp").is_some(),
        (None, Some(_)) if recipient.is_none() => false,
        (None, Some(router)) => has(name(router), &REMOTE) || !has(name(router), &LOCAL),
        (None, None) => true,
    }
}
