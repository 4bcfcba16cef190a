//! Recognizes OpenSMTPD's lines that report no result, by their verbs or their beginnings.

use crate::parse::mta::parsed::begins;

/// Whether it is a verb of smtp_session.c, mta_session.c or mda.c, of 5.9 or later.
pub(crate) fn is_known_verb(part: &[u8], verb: &[u8]) -> bool {
    match part {
        b"smtp" => matches!(
            verb,
            b"connected"
                | b"disconnected"
                | b"closed"
                | b"tls"
                | b"starttls"
                | b"cert-check"
                | b"client-cert-check"
                | b"authentication"
                | b"message"
                | b"envelope"
        ),
        b"mta" => matches!(
            verb,
            b"connecting"
                | b"connected"
                | b"disconnected"
                | b"closed"
                | b"closing"
                | b"tls"
                | b"starttls"
                | b"cert-check"
                | b"server-cert-check"
                | b"host-rejects-all-mails"
        ),
        _ => false,
    }
}

/// Whether the text begins like a line of OpenSMTPD that reports no result.
pub(crate) fn is_known(text: &[u8]) -> bool {
    begins(text, &STARTS)
}

/// Beginnings of the texts of log_info() and log_warn() in 5.x to 7.x. A filter's own lines have its name in front.
const STARTS: [&[u8]; 43] = [
    b"smtp-in: New session ",
    b"smtp-in: Accepted ",
    b"smtp-in: Authentication ",
    b"smtp-in: Closing session ",
    b"smtp-in: Received disconnect ",
    b"smtp-in: Disconnecting session ",
    b"smtp-in: Started TLS ",
    b"smtp-in: Client certificate ",
    b"smtp-in: session ",
    b"smtp-out: Connecting to ",
    b"smtp-out: Connected on ",
    b"smtp-out: Started TLS ",
    b"smtp-out: Server certificate ",
    b"smtp-out: Closing session ",
    b"smtp-out: Disconnecting session ",
    b"smtp-out: Remote host seems ",
    b"smtp-out: Error on ",
    b"smtp-out: TLS Error on ",
    b"smtp-out: Too many errors on ",
    b"smtp-out: Failed to resolve MX ",
    b"smtp-out: No MX found for ",
    b"smtp-out: No valid route for ",
    b"smtp-out: Address family mismatch ",
    b"smtp-out: Enabling route ",
    b"smtp-out: Disabling route ",
    b"smtp-out: hiwat reached ",
    b"smtp-out: back to lowat ",
    b"smtp-out: routing: ",
    b"smtp-out: session ",
    b"warn: ",
    b"warn",
    b"info: ",
    b"debug: ",
    b"fatal",
    b"version: ",
    b"queue: ",
    b"smtp: ",
    b"smtpd: ",
    b"smtp_session_imsg: ",
    b"filter",
    b"Exiting",
    b"failed to push dataline",
    b"commands executed from aliases ",
];
