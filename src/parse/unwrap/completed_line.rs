//! Writes the line from inside a wrapper, and completes its header from the metadata of the wrapper.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use super::metadata::WrapperMetadata;
use crate::parse::header::{LogLine, RawTimestamp};
use crate::parse::mta;
use crate::parse::process_tag::{is_process, without_padded_pid};

/// Appends the line to `output`, as one line without a newline, with the time, host and program that it lacks.
pub(crate) fn write_line(wrapper: &WrapperMetadata, text: &[u8], output: &mut Vec<u8>) {
    let text = &*one_line(text);
    // rsyslog's property msg begins with the blank that stands behind the tag.
    let text = text.trim_ascii_start();
    let line = LogLine::read(text);
    let has_tag = !line.program.is_empty();
    let has_own_stamp =
        wrapper.program.as_ref().is_some_and(|program| mta::writes_lines_without_tag(program.as_bytes()));
    match line.stamp {
        RawTimestamp::Bsd(stamp)
        | RawTimestamp::YearFirst(stamp)
        | RawTimestamp::Iso(stamp)
        | RawTimestamp::Unix(stamp) => {
            let end = memmem::find(text, stamp).map_or(0, |at| at + stamp.len() + 1);
            let rest = text.get(end..).unwrap_or_default();
            let time = wrapper.time.as_ref().filter(|time| wrapper.exact && time.is_moment_of(stamp));
            // A container often has another time zone than the host, and its timestamp shows neither zone nor year.
            if time
                .is_some_and(|time| if has_tag { time.write(output) } else { time.write_with_blank(output) })
            {
                if has_tag && line.host.is_empty() && rest.starts_with(line.program) {
                    wrapper.write_host(output);
                }
                output.extend_from_slice(rest);
            } else if has_tag && line.host.is_empty() && rest.starts_with(line.program) {
                output.extend_from_slice(stamp);
                output.push(b' ');
                wrapper.write_host(output);
                output.extend_from_slice(rest);
            } else if has_tag || !has_own_stamp {
                output.extend_from_slice(text);
            } else {
                // The timestamp that the server writes itself stays in the text, as in syslog: the wrapper's has a zone.
                write_header(wrapper, output);
                output.extend_from_slice(text);
            }
        }
        RawTimestamp::Missing => {
            // A word before a colon may be a queue id; with a process id it is a program.
            let mut words = text.split(|&byte| byte == b' ');
            let word = words.next().unwrap_or_default();
            let begins_with_tag = is_process(word);
            let has_host_and_tag = !word.ends_with(b":") && words.next().is_some_and(is_process);
            let is_tag = || has_tag && !has_host_and_tag && mta::program_of_text(text).is_none();
            if begins_with_tag || wrapper.program.is_none() && is_tag() {
                if wrapper.write_stamp(output) {
                    wrapper.write_host(output);
                }
            } else if has_host_and_tag || without_padded_pid(text).is_some() {
                wrapper.write_stamp(output);
            } else if wrapper.program.is_some() {
                write_header(wrapper, output);
            } else if let Some(program) = mta::program_of_text(text) {
                let program = Some(Cow::Borrowed(program));
                write_header(&WrapperMetadata { program, ..wrapper.clone() }, output);
            }
            output.extend_from_slice(text);
        }
    }
}

/// Writes the whole header. The host is written only after a timestamp: without one it would be parsed as text.
fn write_header(wrapper: &WrapperMetadata, output: &mut Vec<u8>) {
    if wrapper.write_stamp(output) {
        wrapper.write_host(output);
    }
    wrapper.write_program(output);
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
