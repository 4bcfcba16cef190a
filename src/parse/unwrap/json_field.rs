//! Lists the field names of log entries in JSON, and what each means.

/// The meaning of a field name. The number is its rank among the names with that meaning; the lowest rank wins.
#[derive(Clone, Copy)]
pub(crate) enum JsonField {
    Text(u8),
    /// The whole line as it arrived, beside a text that was cut out of it.
    Original(u8),
    Time(u8),
    Host(u8),
    Program(u8),
    Pid(u8),
    Other,
}

/// The object that a field is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonScope {
    /// The whole entry, or an object that holds one.
    Entry,
    /// `host` of the Elastic Common Schema (ECS).
    Host,
    /// `process` of ECS.
    Process,
    /// `log` of ECS.
    Log,
    /// `log.syslog` of ECS.
    Syslog,
    /// `event` of ECS.
    Event,
    /// `body` of OpenTelemetry, `lines` of ripgrep.
    Body,
}

/// What a field is if its value is no object. See [`scope_of_name`] for objects.
pub(crate) fn field_of_name(scope: JsonScope, name: &str) -> JsonField {
    match scope {
        JsonScope::Entry => of_entry(name),
        JsonScope::Host => match name {
            "name" => JsonField::Host(5),
            "hostname" => JsonField::Host(6),
            _ => JsonField::Other,
        },
        JsonScope::Process => match name {
            "name" | "program" => JsonField::Program(6),
            "pid" => JsonField::Pid(5),
            _ => JsonField::Other,
        },
        JsonScope::Syslog => match name {
            "hostname" | "host" => JsonField::Host(1),
            "appname" | "program" | "name" | "identifier" => JsonField::Program(1),
            "procid" | "pid" => JsonField::Pid(2),
            "message" => JsonField::Text(1),
            _ => JsonField::Other,
        },
        JsonScope::Body => match name {
            "text" | "stringValue" => JsonField::Text(8),
            _ => JsonField::Other,
        },
        JsonScope::Event | JsonScope::Log if name == "original" => JsonField::Original(0),
        JsonScope::Event | JsonScope::Log => JsonField::Other,
    }
}

/// What the fields of an object mean that is the value of this name. `None`: the object is skipped.
pub(crate) fn scope_of_name(scope: JsonScope, name: &str) -> Option<JsonScope> {
    match (scope, name) {
        (JsonScope::Entry, "host") => Some(JsonScope::Host),
        (JsonScope::Entry, "process") => Some(JsonScope::Process),
        (JsonScope::Entry, "log") => Some(JsonScope::Log),
        (JsonScope::Entry, "event") => Some(JsonScope::Event),
        (JsonScope::Entry | JsonScope::Log, "syslog") => Some(JsonScope::Syslog),
        (JsonScope::Entry, "body" | "lines") => Some(JsonScope::Body),
        // Google Cloud's entries, Elasticsearch's hits, Splunk's results, stern's extjson, Datadog's and
        // OpenTelemetry's entries, and ripgrep's matches.
        (
            JsonScope::Entry,
            "jsonPayload" | "_source" | "result" | "message" | "content" | "attributes" | "Attributes"
            | "data",
        ) => Some(JsonScope::Entry),
        _ => None,
    }
}

/// The names of: systemd.journal-fields(7); Docker's json-file; the syslog sources of Vector, Logstash and Fluent Bit; the
/// Elastic Common Schema with dots; rsyslog's properties and the names that its templates usually have; syslog-ng's macros;
/// GELF with the names that Graylog, syslog-ng and Docker give to additional fields; logcli, stern, CloudWatch, Splunk, NXLog and
/// Azure; and the journal's as Fluent Bit writes them in lower case or without underscores.
fn of_entry(name: &str) -> JsonField {
    match name {
        "MESSAGE" => JsonField::Text(0),
        "message" | "MSG" => JsonField::Text(1),
        "log" => JsonField::Text(2),
        "msg" => JsonField::Text(3),
        "@message" | "textPayload" => JsonField::Text(4),
        "line" => JsonField::Text(5),
        "short_message" => JsonField::Text(6),
        "syslog_message" | "full_message" | "SyslogMessage" | "Message" => JsonField::Text(7),
        "body" | "Body" => JsonField::Text(8),
        // Splunk's HTTP Event Collector; ECS has an object of this name.
        "event" => JsonField::Text(9),
        "event.original" => JsonField::Original(0),
        "rawmsg" | "_raw" => JsonField::Original(1),
        // The time at which the journal received the entry, which `journalctl -o short` shows. `__REALTIME_TIMESTAMP` is the
        // time at which it was written to the journal.
        "_SOURCE_REALTIME_TIMESTAMP" | "_source_realtime_timestamp" | "SOURCE_REALTIME_TIMESTAMP" => {
            JsonField::Time(0)
        }
        "__REALTIME_TIMESTAMP" | "__realtime_timestamp" | "REALTIME_TIMESTAMP" | "ISODATE" => {
            JsonField::Time(1)
        }
        "timestamp" | "timereported" | "S_ISODATE" | "EventTime" | "TimeGenerated" | "Timestamp" => {
            JsonField::Time(2)
        }
        "@timestamp" | "R_ISODATE" => JsonField::Time(3),
        "time" => JsonField::Time(4),
        "date" | "ts" | "_time" | "timegenerated" | "DATE" | "UNIXTIME" | "R_UNIXTIME" => JsonField::Time(5),
        "syslog_timestamp" | "receiveTimestamp" => JsonField::Time(6),
        // A shipper may write its own host into `host`, so that ranks late.
        "_HOSTNAME" | "_hostname" | "HOSTNAME" => JsonField::Host(0),
        "log.syslog.hostname" | "HOST" => JsonField::Host(1),
        "logsource" | "sysloghost" | "syslog_hostname" => JsonField::Host(2),
        "hostname" | "HostName" | "Hostname" => JsonField::Host(3),
        "host" => JsonField::Host(4),
        "host.name" => JsonField::Host(5),
        "host.hostname" => JsonField::Host(6),
        "source_host" | "source" | "fromhost" | "Computer" => JsonField::Host(7),
        "SYSLOG_IDENTIFIER" | "syslog_identifier" => JsonField::Program(0),
        "log.syslog.appname" | "syslog.identifier" | "PROGRAM" => JsonField::Program(1),
        "appname" | "app-name" | "app_name" | "application_name" => JsonField::Program(2),
        "program" => JsonField::Program(3),
        "programname" => JsonField::Program(4),
        "ident" => JsonField::Program(5),
        "process.name" => JsonField::Program(6),
        "tag" | "syslogtag" | "syslog-tag" | "syslog_tag" | "LEGACY_MSGHDR" => JsonField::Program(7),
        "syslog_program" | "_program" | "_application_name" | "_app_name" | "_appname" | "_ident"
        | "_SourceName" | "SourceName" | "ProcessName" => JsonField::Program(8),
        "_SYSTEMD_UNIT" | "_systemd_unit" | "SYSTEMD_UNIT" => JsonField::Program(9),
        "SYSLOG_PID" | "syslog_pid" => JsonField::Pid(0),
        "_PID" | "_pid" => JsonField::Pid(1),
        "log.syslog.procid" | "PID" => JsonField::Pid(2),
        "procid" => JsonField::Pid(3),
        "pid" => JsonField::Pid(4),
        "process.pid" => JsonField::Pid(5),
        "processid" | "process_id" | "proc_id" | "_procid" | "_process_id" | "_ProcessID" | "ProcessID" => {
            JsonField::Pid(7)
        }
        _ => JsonField::Other,
    }
}
