//! Validates every report, event and trace of the recordings against the JSON Schemas.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support;

fn schema(of: &str) -> (Value, Validator) {
    let schema: Value = serde_json::from_str(&support::answer(&["schema", of]).0).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap_or_else(|error| panic!("{of}: {error}"));
    (schema, validator)
}

#[track_caller]
fn is_valid(validator: &Validator, value: &Value, of: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{of}:\n{}", errors.join("\n"));
}

/// All names of fields that a schema knows, anywhere in it.
fn known(schema: &Value, names: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(fields) => fields.values().for_each(|value| known(value, names)),
        Value::Array(values) => values.iter().for_each(|value| known(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fields(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            names.extend(object.keys().cloned());
            object.values().for_each(|value| fields(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[track_caller]
fn knows_all_fields(schema: &Value, value: &Value) {
    let (mut there, mut in_schema) = (Vec::new(), Vec::new());
    fields(value, &mut there);
    known(schema, &mut in_schema);
    there.retain(|name| !in_schema.contains(name));
    assert!(there.is_empty(), "the schema does not know {there:?}");
}

#[test]
fn every_report_is_valid() {
    let (schema, validator) = schema("report");
    for log in support::logs() {
        let args = ["scan", "--format", "json", "--advice", "full", log.to_str().unwrap()];
        let report: Value = serde_json::from_str(&support::answer(&args).0).unwrap();
        is_valid(&validator, &report, log.to_str().unwrap());
        knows_all_fields(&schema, &report);
    }
    let log = support::fixture("postfix/out.log");
    let shaped = ["--by", "domain,stage,hour", "--examples", "2", "--code", "5xx", "--sort", "name", "-r"];
    let shaped = [&["scan", "--format", "json"], &shaped[..], &[&log]].concat();
    let report: Value = serde_json::from_str(&support::answer(&shaped).0).unwrap();
    is_valid(&validator, &report, "groups, examples and filters");
}

#[test]
fn every_event_is_valid() {
    let (schema, validator) = schema("event");
    let mut events = 0;
    for log in support::logs() {
        for event in support::events(&log) {
            is_valid(&validator, &event, log.to_str().unwrap());
            knows_all_fields(&schema, &event);
            events += 1;
        }
    }
    assert!(events > 500, "only {events}");
}

#[test]
fn every_trace_is_valid() {
    let (schema, validator) = schema("trace");
    for log in support::logs() {
        let args = ["trace", "--format", "json", "-n", "0", "*@*", log.to_str().unwrap()];
        let (text, status) = support::answer(&args);
        // A log may hold nothing but refused connections.
        if status == 0 {
            let trace: Value = serde_json::from_str(&text).unwrap();
            is_valid(&validator, &trace, log.to_str().unwrap());
            knows_all_fields(&schema, &trace);
        }
    }
}

#[test]
fn what_is_not_a_report_or_an_event_is_not_valid() {
    let (_, report) = schema("report");
    let (_, validator) = schema("event");
    assert!(!report.is_valid(&json!({"schema": "smtplog.report/1"})));
    let event = support::events(&support::logs()[0]).remove(0);
    assert!(validator.is_valid(&event));
    for (field, wrong) in [
        ("line", json!(0)),
        ("file", Value::Null),
        ("code", json!(199)),
        ("code", json!("550")),
        ("enhanced", json!("5.1")),
        ("enhanced", json!("3.1.1")),
        ("time", json!("Nov 22")),
        ("direction", json!("sideways")),
        ("stage", json!("RCPT")),
        ("peer_port", json!(70_000)),
    ] {
        let mut other = event.clone();
        other[field] = wrong.clone();
        assert!(!validator.is_valid(&other), "{field} may be {wrong}");
        other.as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&other), "{field} may be missing");
    }
}
