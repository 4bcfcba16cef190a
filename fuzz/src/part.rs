//! Any bytes as a part, and as a section of a part whose checksums are right: they are refused, or a report comes of them.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use smtplog::internals::cli::command;
use smtplog::internals::cli::config::{ConfigPaths, Invocation, resolve};
use xxhash_rust::xxh3::xxh3_64;

/// The log of the part whose sections are replaced.
const LOG: &str = "2026-11-22 02:51:48 1xUxgC-000022-1C <= a@example.org H=mx.example.net [192.0.2.7] P=esmtp S=700\n\
2026-11-22 02:51:50 1xUxgC-000022-1C == b@example.net R=dns T=smtp defer (-44): SMTP error from remote mail server after \
RCPT TO:<b@example.net>: host mx.example.net [192.0.2.9]: 451 4.7.1 Try again later\n";

/// Merges the bytes, and a part that holds them in the section that the first byte chooses.
pub fn check(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("some.part");
    let merge = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("there is space for a small file");
        run(&["merge", "--format", "json", "--who", "--delays"], &path);
    };
    merge(bytes);
    if let Some((&chosen, content)) = bytes.split_first() {
        merge(&with_section(usize::from(chosen), content));
    }
}

/// What the program prints. Empty: it ends with an error.
fn run(arguments: &[&str], file: &Path) -> Vec<u8> {
    let fixed = ["--no-config", "--tz", "UTC", "--now", "2026-11-23T00:00:00Z"];
    let words = ["smtplog"].iter().chain(arguments).chain(&fixed).map(OsString::from);
    let words: Vec<OsString> = words.chain([file.into()]).collect();
    let places = ConfigPaths { system: "/nonexistent".into(), user: None };
    let Ok(Invocation::Run(cli)) = resolve(&words, &|_| None, &places) else {
        panic!("{arguments:?} is no command line");
    };
    let mut out = Vec::new();
    if command::run(&cli, &mut out).is_err() {
        out.clear();
    }
    out
}

/// A whole part.
fn whole() -> &'static [u8] {
    static PART: OnceLock<Vec<u8>> = OnceLock::new();
    PART.get_or_init(|| {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let log = folder.path().join("mainlog");
        std::fs::write(&log, LOG).expect("there is space for a small file");
        run(&["scan", "--host", "mx1", "--part", "-"], &log)
    })
}

/// The part with another content of one section, and with the checksums that belong to it.
fn with_section(chosen: usize, content: &[u8]) -> Vec<u8> {
    let whole = whole();
    let end = whole.iter().position(|byte| *byte == b'\n').expect("a part has a head") + 1;
    let (head, mut rest) = whole.split_at(end);
    let mut head: Value = serde_json::from_slice(head).expect("a head is JSON");
    let mut bytes = Vec::new();
    let entries = head["sections"].as_array_mut().expect("a head lists its sections");
    let chosen = chosen % entries.len();
    for (number, entry) in entries.iter_mut().enumerate() {
        let (section, behind) = rest.split_at(entry["packed"].as_u64().unwrap_or(0) as usize);
        rest = behind;
        if number != chosen {
            bytes.extend_from_slice(section);
            continue;
        }
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(content).expect("memory takes any bytes");
        let packed = packer.finish().expect("memory takes any bytes");
        entry["packed"] = packed.len().into();
        entry["bytes"] = content.len().into();
        entry["xxh3"] = format!("{:016x}", xxh3_64(&packed)).into();
        bytes.extend_from_slice(&packed);
    }
    // The name of the schema must come first, and serde_json sorts the fields.
    let fields = head.as_object_mut().expect("a head is an object");
    let schema = fields.remove("schema").expect("a head names its schema");
    let fields = serde_json::to_string(&head).expect("a head is JSON");
    let mut part = format!("{{\"schema\":{schema},{}\n", fields.trim_start_matches('{')).into_bytes();
    part.append(&mut bytes);
    let checksum = xxh3_64(&part);
    part.extend_from_slice(&checksum.to_le_bytes());
    part
}
