//! Unwraps log lines: extracts the line from the JSON or the prefix that the journal, a container runtime, a log shipper or
//! grep put around it, and completes its header from the wrapper
//! (`{"log":"Nov 22 … postfix/smtp[12]: …\n","stream":"stdout","time":"2026-11-22T03:04:05Z"}`).
//!
//! Promises: a line without a wrapper is returned as it is. May use: the rest of parse.

pub(crate) mod colours;
pub(crate) mod completed_line;
pub(crate) mod earlier_lines;
pub(crate) mod file_name;
pub(crate) mod inner_line;
pub(crate) mod journal_fields;
pub(crate) mod json;
pub(crate) mod json_field;
pub(crate) mod json_value;
pub(crate) mod line_start;
pub(crate) mod metadata;
pub(crate) mod prefix;
pub(crate) mod rare_prefix;
pub(crate) mod record;
pub(crate) mod repeated;
pub(crate) mod timestamp;

use self::colours::without_colours;
use self::completed_line::write_line;
use self::earlier_lines::EarlierLines;
pub(crate) use self::inner_line::may_hold_line;
use self::inner_line::write_inner;
use self::metadata::WrapperMetadata;
use self::prefix::{may_wrap, without_prefix};
use self::repeated::write_repeated;
use super::header::LogLine;
use super::log_text::LogText;
use super::mta::{self, Program};

/// Greatest number of wrappers that are removed from one line: grep may read the output of `docker compose logs -t`, which
/// adds two prefixes to what may be an object, and the object of a shipper may contain that of a container.
const MAX_WRAPPERS: usize = 4;

/// The buffers of a caller that unwraps many lines.
#[derive(Default)]
pub(crate) struct LineBuffers {
    inside: Vec<u8>,
    inner: Vec<u8>,
}

/// A line without its wrapper.
#[derive(Clone, Copy)]
pub(crate) struct OpenedLine<'a> {
    /// The line inside, as one line without a newline.
    pub raw: &'a [u8],
    pub line: LogLine<'a>,
    /// How often it occurred: more than once for `message repeated 9 times: [ … ]`.
    pub times: u32,
}

/// The line inside a wrapper, as one line without a newline; `inside` is its buffer. A line that is not wrapped, or whose
/// JSON is broken, is returned unchanged. Lines that need others to be understood are not opened; see `open_line`.
///
/// The header of the line itself has priority; what it lacks comes from the wrapper.
pub fn unwrap_line<'a>(raw: &'a [u8], inside: &'a mut Vec<u8>) -> &'a [u8] {
    let mut buffers = LineBuffers { inside: std::mem::take(inside), ..LineBuffers::default() };
    let opened = open_line(raw, EarlierLines::default(), &mut buffers).raw;
    if opened.as_ptr() == raw.as_ptr() {
        *inside = buffers.inside;
        return raw;
    }
    let is_inner = opened.as_ptr() == buffers.inner.as_ptr();
    *inside = if is_inner { buffers.inner } else { buffers.inside };
    inside
}

/// Unwraps a line and parses its header.
pub(crate) fn open_line<'a>(
    raw: &'a [u8],
    earlier: EarlierLines,
    buffers: &'a mut LineBuffers,
) -> OpenedLine<'a> {
    let LineBuffers { inside, inner } = buffers;
    let outer = without_wrapper(raw, inside);
    let line = LogLine::read(outer);
    match find_inner(outer, &line, Program::of(&line), earlier, inner) {
        Some(times) => OpenedLine { raw: inner, line: LogLine::read(inner), times },
        None => OpenedLine { raw: outer, line, times: 1 },
    }
}

/// Removes what stands around a line and is recognized by its first bytes.
pub(crate) fn without_wrapper<'a>(raw: &'a [u8], inside: &'a mut Vec<u8>) -> &'a [u8] {
    if !may_wrap(raw) {
        return raw;
    }
    inside.clear();
    if unwrap(&WrapperMetadata::default(), raw, MAX_WRAPPERS, inside) { inside } else { raw }
}

/// Writes the line that the text of a line holds to `inner`: a line of a mail server that went through the syslog of another
/// program, or a message that syslog does not repeat. Returns how often it occurred. `None`: it holds none.
pub(crate) fn find_inner(
    raw: &[u8],
    line: &LogLine,
    writer: Program,
    earlier: EarlierLines,
    inner: &mut Vec<u8>,
) -> Option<u32> {
    let may_hold = writer.is_vague() && may_hold_line(line);
    if !may_hold && !matches!(line.text, [b'm', b'e', ..] | [b'l' | b'L', b'a', ..]) {
        return None;
    }
    inner.clear();
    let open = |metadata: &WrapperMetadata, text: &[u8], inner: &mut Vec<u8>| {
        if !unwrap(metadata, text, MAX_WRAPPERS, inner) {
            write_line(metadata, text, inner);
        }
    };
    let held = if may_hold { write_inner(raw, line, earlier, open, inner) } else { None };
    let times = held.or_else(|| {
        inner.clear();
        write_repeated(raw, line, earlier, inner).filter(|_| writer != Program::Foreign)
    });
    // No line becomes two.
    inner.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    times
}

/// Writes the innermost line of `text` to `inside`. `around` is the metadata of the outer wrappers. False: `text` is not a
/// wrapper, and nothing was written.
fn unwrap(around: &WrapperMetadata, text: &[u8], layers: usize, inside: &mut Vec<u8>) -> bool {
    if layers == 0 {
        return false;
    }
    let write_inner = |inside: &mut Vec<u8>, metadata: WrapperMetadata, text: &[u8]| {
        let metadata = metadata.or_outer(around);
        if !unwrap(&metadata, text, layers - 1, inside) {
            write_line(&metadata, text, inside);
        }
    };
    match text {
        // `journalctl -o json-seq` puts a record separator before each object (RFC 7464 §2.2); GELF over TCP puts a zero byte
        // behind it.
        [b'{', ..] | [0x1e, b'{', ..] => {
            // JSON is UTF-8 (RFC 8259 §8.1); other bytes are shown as U+FFFD anyway.
            let text = text.strip_prefix(b"\x1e").unwrap_or(text);
            let text = LogText(text.strip_suffix(b"\0").unwrap_or(text)).to_str();
            if mta::write_record(&text, inside) {
                return true;
            }
            json::read(&text).map(|object| write_inner(inside, object.metadata, &object.text)).is_some()
        }
        [0x1b, b'[', ..] => {
            write_inner(inside, WrapperMetadata::default(), &without_colours(text));
            true
        }
        [b'"', ..] => {
            record::read(text).map(|(metadata, text)| write_inner(inside, metadata, &text)).is_some()
        }
        _ => without_prefix(text).map(|(metadata, text)| write_inner(inside, metadata, text)).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn opens(raw: &str, want: &str) {
        let mut inside = Vec::new();
        assert_eq!(String::from_utf8_lossy(unwrap_line(raw.as_bytes(), &mut inside)), want, "{raw}");
    }

    #[track_caller]
    fn stays(raw: &str) {
        opens(raw, raw);
    }

    const SYSLOG: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: x";
    const EXIM: &str = "2026-11-22 03:04:05 1tABCd-000001-2x => a@example.org";

    #[test]
    fn reads_the_journal() {
        let front = r#""_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtp","_PID":"12""#;
        let time = r#""__REALTIME_TIMESTAMP":"1795316645123456""#;
        let want = "2026-11-22T03:04:05.123456Z mx1 postfix/smtp[12]: A1B2C3: x";
        opens(&format!(r#"{{{time},{front},"MESSAGE":"A1B2C3: x"}}"#), want);
        opens(&format!("\u{1e}{{{time},{front},\"MESSAGE\":\"A1B2C3: x\"}}"), want);
        let sent =
            r#""_SOURCE_REALTIME_TIMESTAMP":"1795316645123456","__REALTIME_TIMESTAMP":"1795316649000000""#;
        opens(&format!(r#"{{"MESSAGE":"A1B2C3: x",{sent},{front}}}"#), want);
        opens(&format!(r#"{{{time},{front},"SYSLOG_PID":"12","_PID":"9","MESSAGE":"A1B2C3: x"}}"#), want);
        // Text that is not UTF-8, and a field that occurs twice.
        let bytes = format!(r#"{{{time},{front},"MESSAGE":[65,49,58,32,228]}}"#);
        let mut inside = Vec::new();
        assert!(unwrap_line(bytes.as_bytes(), &mut inside).ends_with(b" mx1 postfix/smtp[12]: A1: \xe4"));
        opens(&format!(r#"{{{time},{front},"MESSAGE":["A1B2C3: x","y"]}}"#), want);
        stays(&format!(r#"{{{time},{front},"MESSAGE":null}}"#));
        stays(&format!(r"{{{time},{front}}}"));
    }

    #[test]
    fn reads_containers() {
        // Not the moment of the lines inside: they keep their stamps.
        let time = "2026-11-22T03:11:09.123456789Z";
        let docker = |log: &str| format!(r#"{{"log":"{log}\n","stream":"stdout","time":"{time}"}}"#);
        for line in [SYSLOG, EXIM, "<22>1 2026-11-22T02:40:41Z mx1 a/smtp 19 - - x"] {
            opens(&docker(line), line);
            opens(&format!("{time} stdout F {line}"), line);
            opens(&format!("{time} stderr P {line}"), line);
            opens(&format!("mail-1  | {line}"), line);
        }
        for line in [SYSLOG, EXIM] {
            opens(&format!("{time} {line}"), line);
            opens(&format!("mail-1  | {time} {line}"), line);
        }
        let bare = "postfix/smtp[12]: A1B2C3: x";
        let want = format!("{time} {bare}");
        opens(&docker(bare), &want);
        opens(&format!("{time} stdout F {bare}"), &want);
        opens(&format!("mail-1  | {want}"), &want);
        opens(&docker("mx1 exim[12]: x"), &format!("{time} mx1 exim[12]: x"));
        opens(&docker("postfix/smtp: x"), &format!("{time} postfix/smtp: x"));
        opens(&docker("listening on port 25"), "listening on port 25");
        let zone = "2026-11-22T03:04:09.5+01:00";
        opens(&format!("{zone} stdout F {bare}"), &format!("{zone} {bare}"));
    }

    #[test]
    fn takes_the_moment_of_a_containers_runtime_for_a_stamp_without_a_zone() {
        let time = "2026-11-22T02:04:06.5Z";
        let line = "Nov 22 03:04:05 mx1 postfix/smtp[12]: x";
        let want = format!("{time} mx1 postfix/smtp[12]: x");
        opens(&format!(r#"{{"log":"{line}\n","stream":"stdout","time":"{time}"}}"#), &want);
        opens(&format!("{time} stdout F {line}"), &want);
        opens(
            &format!("{time} stdout F Nov 22 03:04:05 postfix/smtp[12]: x"),
            &format!("{time} postfix/smtp[12]: x"),
        );
        let exim = "2026-11-22 03:04:05 1wKx5l-00000000014-2Abc => x";
        opens(&format!("{time} {exim}"), "2026-11-22 02:04:06.5 +0000 1wKx5l-00000000014-2Abc => x");
        // A shipper's time may be when it came by.
        opens(&format!(r#"{{"message":"{line}","@timestamp":"{time}"}}"#), line);
    }

    #[test]
    fn reads_shippers() {
        let want = "2026-11-22T03:04:05.123Z mx1 postfix/smtp[12]: A1B2C3: x";
        let time = "2026-11-22T03:04:05.123Z";
        let text = r#""message":"A1B2C3: x""#;
        for fields in [
            format!(
                r#""appname":"postfix/smtp","procid":12,"hostname":"mx1","host":"203.0.113.9","timestamp":"{time}""#
            ),
            format!(
                r#""program":"postfix/smtp","pid":"12","logsource":"mx1","timestamp":"Nov 22","@timestamp":"{time}""#
            ),
            format!(
                r#""@timestamp":"{time}","host":{{"name":"mx1"}},"process":{{"name":"postfix/smtp","pid":12}}"#
            ),
            format!(
                r#""@timestamp":"{time}","host":{{"name":"shipper"}},"log":{{"offset":1,"syslog":{{"hostname":"mx1","appname":"postfix/smtp","procid":"12"}}}}"#
            ),
            format!(r#""ident":"postfix/smtp","pid":"12","host":"mx1","time":"{time}""#),
            r#""ident":"postfix/smtp","pid":"12","host":"mx1","date":1795316645.123"#.to_owned(),
            r#""ident":"postfix/smtp","pid":"12","host":"mx1","time":1795316645123"#.to_owned(),
            format!(
                r#""tag":"postfix/smtp[12]:","host.name":"mx1","time":"{}""#,
                "2026-11-22 03:04:05,123 UTC"
            ),
        ] {
            opens(&format!("{{{fields},{text}}}"), want);
            opens(&format!("{{{text},{fields}}}"), want);
        }
        let fluentd = r#"{"host":"mx1","ident":"postfix/smtp","pid":"12","message":"A1B2C3: x"}"#;
        opens(&format!("{time}\tmail.info\t{fluentd}"), want);
    }

    #[test]
    fn prefers_the_front_of_the_text_and_fills_what_it_lacks() {
        let outer =
            r#""@timestamp":"2026-11-22T04:00:00Z","hostname":"node7","appname":"filebeat","procid":1"#;
        opens(&format!(r#"{{{outer},"message":"{SYSLOG}"}}"#), SYSLOG);
        opens(&format!(r#"{{{outer},"message":"{EXIM}"}}"#), EXIM);
        opens(
            &format!(r#"{{{outer},"message":"Nov 22 03:04:05 postfix/smtp[12]: x"}}"#),
            "Nov 22 03:04:05 node7 postfix/smtp[12]: x",
        );
        opens(
            &format!(r#"{{{outer},"message":"postfix/smtp[12]: x"}}"#),
            "2026-11-22T04:00:00Z node7 postfix/smtp[12]: x",
        );
        opens(
            &format!(r#"{{{outer},"message":"A1B2C3: x"}}"#),
            "2026-11-22T04:00:00Z node7 filebeat[1]: A1B2C3: x",
        );
        // As in a file of syslog whose Exim writes its stamp once more.
        let exim = r#""@timestamp":"2026-11-22T04:00:00Z","hostname":"mx1","appname":"exim""#;
        opens(
            &format!(r#"{{{exim},"message":"{EXIM}"}}"#),
            &format!("2026-11-22T04:00:00Z mx1 exim: {EXIM}"),
        );
    }

    #[test]
    fn opens_one_in_the_other_but_not_without_end() {
        let object = |text: &str| serde_json::json!({"message": text, "host": "mx1"}).to_string();
        opens(&object(&object(SYSLOG)), SYSLOG);
        opens(&object(&object(&object(&object(SYSLOG)))), SYSLOG);
        let five = object(&object(&object(&object(&object(SYSLOG)))));
        opens(&five, &object(SYSLOG));
        let inner = r#"{"program":"postfix/smtp","message":"A1: x"}"#;
        opens(&format!("2026-11-22T03:04:05Z stdout F {inner}"), "2026-11-22T03:04:05Z postfix/smtp: A1: x");
    }

    #[test]
    fn reads_what_viewers_of_containers_show() {
        let stamp = "2026-11-22T03:04:05Z";
        for front in [
            "[pod/mail-0/postfix] ",
            "[mail-1] | ",
            "mail_smtp.1.x2k9@node1    | ",
            "mail-0 postfix ",
            "prod mail-0 postfix ",
            "\u{1b}[36mmail-1  | \u{1b}[0m",
            "\u{1b}[36mmail-0\u{1b}[0m \u{1b}[35mpostfix\u{1b}[0m ",
            "2026-11-22T03:11:09Z {app=\"mail\", pod=\"mail} 0\"}   ",
            "2026-11-22T03:11:09.123Z {} ",
            "2026-11-22T03:11:09.123000+00:00 mail/postfix/1f ",
            "118 <22>1 ".strip_suffix("<22>1 ").unwrap(),
            "/var/log/mail.log:17:",
            "    ",
            "> ",
            "\u{feff}",
            "   17\t",
        ] {
            let line =
                if front == "118 " { "<22>Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: x" } else { SYSLOG };
            opens(&format!("{front}{line}"), line);
        }
        opens(
            &format!("[pod/mail-0/postfix] {stamp} A1B2C3D4: to=<a@b.example>, relay=none"),
            &format!("{stamp} postfix: A1B2C3D4: to=<a@b.example>, relay=none"),
        );
        opens("[33911.712345] mx1 postfix/smtp[12]: x", "mx1 postfix/smtp[12]: x");
        for text in ["[x] y", "[33911.712345] usb 1-1: x", "one two three four Nov 22 03:04:05 mx1 a[1]: x"] {
            stays(text);
        }
    }

    #[test]
    fn reads_lines_inside_the_syslog_of_others() {
        let node = "Nov 22 03:04:06 node7 docker/mail[99]:";
        opens(&format!("Nov 22 03:04:06 node7 postfix[99]: {SYSLOG}"), SYSLOG);
        stays("Nov 22 03:04:06 node7 postfix[99]: A1B2C3: x");
        opens(&format!("{node} {SYSLOG}"), SYSLOG);
        opens(
            &format!("{node} postfix/smtp[12]: A1B2C3: x"),
            "Nov 22 03:04:06 node7 postfix/smtp[12]: A1B2C3: x",
        );
        opens(&format!("{node} {EXIM}"), EXIM);
        opens(
            &format!("2026-11-22T04:04:06.5+01:00 node7 1f2e3d4c5b6a[99]: {SYSLOG}"),
            "2026-11-22T04:04:06.5+01:00 mx1 postfix/smtp[12]: A1B2C3: x",
        );
        for text in ["2026-11-22 03:04:05 UTC [1] LOG: x", "Nov 22 03:04:05 mx1 other[12]: x", "other[12]: x"]
        {
            stays(&format!("{node} {text}"));
        }
    }

    #[test]
    fn reads_lines_whose_program_is_a_unit_or_missing() {
        opens(
            "Sun 2026-11-22 03:04:05 UTC mx1 postfix@-.service[12]: A1B2C3: x",
            "Sun 2026-11-22 03:04:05 UTC mx1 postfix[12]: A1B2C3: x",
        );
        opens(
            "A1B2C3D4: to=<a@b.example>, relay=none, status=x",
            "postfix: A1B2C3D4: to=<a@b.example>, relay=none, status=x",
        );
        opens("1tABCd-000001-2x => a@b.example R=r T=t", "exim: 1tABCd-000001-2x => a@b.example R=r T=t");
        for text in
            ["Sun 2026-11-22 03:04:05 UTC mx1 cron.service[12]: x", "A1B2C3D4: x", "mx1 => a@b.example"]
        {
            stays(text);
        }
    }

    #[test]
    fn a_blank_before_the_text_is_not_part_of_it() {
        let want = "2026-11-22T03:04:05Z mx1 postfix/smtp[12]: A1B2C3: x";
        opens(
            r#"{"@timestamp":"2026-11-22T03:04:05Z","hostname":"mx1","tag":"postfix/smtp[12]:","program":"postfix","message":" A1B2C3: x"}"#,
            want,
        );
    }

    #[test]
    fn leaves_other_lines_as_they_are() {
        for raw in [
            SYSLOG,
            EXIM,
            "",
            "{",
            "{}",
            "{\"message\":\"x\"",
            "{\"message\":\"x\"} y",
            "{\"message\":{\"a\":1}}",
            "{'message': 'x'}",
            "[{\"message\":\"x\"}]",
            "2026-11-22T03:04:05Z mx1 postfix/smtp[12]: x",
            "2026-11-22T03:04:05Z stdout postfix/smtp[12]: x",
            "2026-11-22T03:04:05Z stdout X postfix/smtp[12]: x",
            "2026-11-22T03:04:0xZ stdout F x",
            "mail| x",
            "two words | x",
            "450 | x",
        ] {
            stays(raw);
        }
    }

    #[test]
    fn no_line_becomes_two_and_no_name_becomes_text() {
        let front = r#""time":"2026-11-22T03:04:05Z","program":"postfix/smtp","pid":"1""#;
        opens(
            &format!(r#"{{{front},"message":"a\nNov 22 03:04:05 mx1 postfix/smtp[1]: b\r\nc\r\n\n"}}"#),
            "2026-11-22T03:04:05Z postfix/smtp[1]: a Nov 22 03:04:05 mx1 postfix/smtp[1]: b  c",
        );
        for host in ["a b", "a\\n", "", "a:", "<b>", "a\\u0000", "[x"] {
            opens(
                &format!(r#"{{{front},"host":"{host}","message":"x"}}"#),
                "2026-11-22T03:04:05Z postfix/smtp[1]: x",
            );
        }
        for program in ["a b", "a: b", "", "a]", "x[1]y", "a\\n"] {
            opens(&format!(r#"{{"program":"{program}","host":"mx1","message":"x y"}}"#), "x y");
        }
    }
}
