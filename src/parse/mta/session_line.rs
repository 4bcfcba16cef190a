//! Finds what an earlier line of a session says of a message: the login of its client, or that the client is this server.

use memchr::memmem::Finder;

use super::queue_record::QueueRecord;
use super::{Program, opensmtpd, sendmail};
use crate::parse::header::LogLine;
use crate::parse::process_tag::is_process;
use crate::smtp::event::Mta;

/// Two parts of the earlier line that may say more of a record: the one that all such lines have, and the one of this session.
/// `None`: the record's line says all.
#[inline]
pub(crate) fn marks<'a>(record: &QueueRecord<'a>) -> Option<(&'static Finder<'static>, &'a [u8])> {
    match record.mta {
        Mta::Sendmail => sendmail::queue_record::login_marks(record),
        Mta::Opensmtpd => opensmtpd::queue_record::session_marks(record),
        Mta::Postfix | Mta::Exim | Mta::Kumomta => None,
    }
}

/// The record with what an earlier line of its session says: the login of the client, or that this server itself is the
/// client. Each line comes with the whole of it. `None`: the earlier line is about something else.
pub(crate) fn with_session<'b>(
    record: &QueueRecord<'b>,
    (line, raw): (&LogLine, &[u8]),
    (earlier, earlier_raw): (&LogLine<'b>, &[u8]),
) -> Option<QueueRecord<'b>> {
    match (record.mta, Program::of(earlier)) {
        (Mta::Sendmail, Program::Sendmail) => {
            let tags = [tag(line, raw), tag(earlier, earlier_raw)];
            let is_same_process = matches!(tags, [Some(one), Some(other)] if one == other);
            let told = sendmail::queue_id(earlier.text);
            let login = sendmail::queue_record::login_of_session(record, is_same_process, told)?;
            Some(QueueRecord { login: Some(login), ..*record })
        }
        (Mta::Opensmtpd, Program::Opensmtpd) => opensmtpd::queue_record::with_session(record, earlier.text),
        _ => None,
    }
}

/// The program with its process id, `sm-mta[123]:`. `None`: the line shows none.
fn tag<'a>(line: &LogLine, raw: &'a [u8]) -> Option<&'a [u8]> {
    let header = raw.get(..raw.len().checked_sub(line.text.len())?)?.trim_ascii_end();
    let word = header.get(memchr::memrchr(b' ', header).map_or(0, |blank| blank + 1)..)?;
    is_process(word).then_some(word)
}
