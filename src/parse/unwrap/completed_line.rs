//! Writes the line from inside a wrapper, and completes its header from the metadata of the wrapper.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use super::metadata::WrapperMetadata;
use crate::parse::header::{LogLine, RawTimestamp};
use crate::parse::process_tag::is_process;

pub(crate) fn write_line(cover: &WrapperMetadata, text: &[u8], inside: &mut Vec<u8>) {
    let text = &*one_line(text);
    let line = LogLine::read(text);
    let named = !line.program.is_empty();
    let exim = cover.program.as_ref().is_some_and(|program| program.starts_with("exim"));
    match line.stamp {
        RawTimestamp::Bsd(stamp)
        | RawTimestamp::YearFirst(stamp)
        | RawTimestamp::Iso(stamp)
        | RawTimestamp::Unix(stamp) => {
            let end = memmem::find(text, stamp).map_or(0, |at| at + stamp.len() + 1);
            let rest = text.get(end..).unwrap_or_default();
            let when = cover.time.as_ref().filter(|when| cover.exact && when.is_moment_of(stamp));
            // A container often has another time zone than the host, and its timestamp shows neither zone nor year.
            if when.is_some_and(|when| if named { when.write(inside) } else { when.write_as_exim(inside) }) {
                if named && line.host.is_empty() && rest.starts_with(line.program) {
                    cover.write_host(inside);
                }
                inside.extend_from_slice(rest);
            } else if named && line.host.is_empty() && rest.starts_with(line.program) {
                inside.extend_from_slice(stamp);
                inside.push(b' ');
                cover.write_host(inside);
                inside.extend_from_slice(rest);
            } else if named || !exim {
                inside.extend_from_slice(text);
            } else {
                // The timestamp that the server writes itself stays in the text, as in syslog: the wrapper's has a zone.
                write_header(cover, inside);
                inside.extend_from_slice(text);
            }
        }
        RawTimestamp::Missing => {
            // A word before a colon may be a queue id; with a process id it is a program.
            let mut words = text.split(|&byte| byte == b' ');
            let word = words.next().unwrap_or_default();
            let first = is_process(word);
            let second = !word.ends_with(b":") && words.next().is_some_and(is_process);
            if first || cover.program.is_none() && named && !second {
                if cover.write_stamp(inside) {
                    cover.write_host(inside);
                }
            } else if second {
                cover.write_stamp(inside);
            } else if cover.program.is_some() {
                write_header(cover, inside);
            }
            inside.extend_from_slice(text);
        }
    }
}

/// Writes the whole header. The host is written only after a timestamp: without one it would be parsed as text.
fn write_header(cover: &WrapperMetadata, inside: &mut Vec<u8>) {
    if cover.write_stamp(inside) {
        cover.write_host(inside);
    }
    cover.write_program(inside);
}

/// Replaces newlines by blanks. Mail servers log no newlines, so the text was joined, or is forged to look like two lines.
fn one_line(text: &[u8]) -> Cow<'_, [u8]> {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let text = text.get(..end).unwrap_or_default();
    if memchr2(b'\n', b'\r', text).is_none() {
        return Cow::Borrowed(text);
    }
    let blank = |&byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    Cow::Owned(text.iter().map(blank).collect())
}
