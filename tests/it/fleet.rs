//! Checks what is for fleets: hosts side by side, hourly parts, the scripts in `contrib/fleet` and the manual's first steps.

use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::parts::{FORMATS, assert_same, make_part, printed, report, text};
use crate::support::{self, root};

/// Messages of one host on one day, of which some bounce.
fn host_log(host: &str, day: u32, messages: u32, bounced: u32) -> String {
    let mut log = String::new();
    for number in 0..messages {
        let (minute, second) = (number / 60, number % 60);
        let stamp = format!("2026-11-{day:02}T05:{minute:02}:{second:02}+00:00 {host}");
        let id = format!("{host}{day}{number:05}").to_uppercase();
        let end = if number < bounced {
            "dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.9] said: 550 5.1.1 user unknown (in reply to RCPT TO \
            command))"
        } else {
            "dsn=2.0.0, status=sent (250 2.0.0 Ok)"
        };
        let _ = write!(
            log,
            "{stamp} postfix/smtpd[1]: {id}: client=c.example.org[192.0.2.9]\n\
             {stamp} postfix/qmgr[1]: {id}: from=<a@example.org>, size=1, nrcpt=1 (queue active)\n\
             {stamp} postfix/smtp[1]: {id}: to=<b{number}@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=1, \
             delays=0/0/0/1, {end}\n\
             {stamp} postfix/qmgr[1]: {id}: removed\n"
        );
    }
    log
}

fn write(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    text(&path)
}

fn parsed(report: &str) -> Value {
    serde_json::from_str(report).unwrap()
}

#[test]
fn a_host_whose_mail_fails_much_more_often_is_named() {
    let folder = tempdir().unwrap();
    let bounced = [4, 3, 60, 5];
    let logs: Vec<String> = (1..=4)
        .map(|host| {
            write(
                &folder,
                &format!("mx{host}.log"),
                &host_log(&format!("mx{host}"), 22, 200, bounced[host - 1]),
            )
        })
        .collect();
    let parts: Vec<String> = logs
        .iter()
        .map(|log| {
            let part = PathBuf::from(log).with_extension("part");
            make_part(&[], std::slice::from_ref(log), &part);
            text(&part)
        })
        .collect();
    for options in [&[][..], &["--who"], &["--codes"]] {
        for format in FORMATS {
            let whole = report("scan", options, format, &logs);
            assert_same(format, &whole, &report("merge", options, format, &parts));
        }
    }
    let whole = parsed(&report("scan", &[], "json", &logs));
    let rows = whole["by_host"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["name"], "mx3");
    assert_eq!(
        (&rows[0]["messages"], &rows[0]["bounced"], &rows[0]["lines"]),
        (&json!(200), &json!(60), &json!(800))
    );
    assert_eq!(
        (&rows[0]["failed_percent"], &rows[0]["differs"]),
        (&json!(30.0), &json!({"others_percent": 2.0}))
    );
    assert_eq!(
        (&rows[0]["first"], &rows[0]["last"]),
        (&json!("2026-11-22T05:00:00+00:00"), &json!("2026-11-22T05:03:00+00:00"))
    );
    assert!(rows[1..].iter().all(|row| row.get("differs").is_none()), "{rows:?}");
    let findings = whole["verdict"]["findings"].to_string();
    assert!(
        findings.contains("host mx3: 30.0% of its messages failed, 2.0% on the other hosts"),
        "{findings}"
    );
    let screen = report("scan", &[], "text", &logs);
    assert!(screen.contains("host mx3: 30.0% of its messages failed"), "{screen}");
    assert!(screen.contains("HOSTS") && screen.lines().count() <= 40, "{screen}");
    for format in ["html", "markdown"] {
        let page = report("scan", &[], format, &logs);
        assert!(page.contains("HOSTS") && page.contains("mx3"), "{page}");
    }
    // One host alone has no table.
    let one = parsed(&report("scan", &[], "json", &logs[..1]));
    assert!(one.get("by_host").is_none());
    let groups = parsed(&report("scan", &["--by", "host"], "json", &logs));
    assert_eq!(groups["groups"]["rows"].as_array().unwrap().len(), 4);
}

#[test]
fn whole_parts_are_selected_by_time_and_gaps_are_told() {
    let folder = tempdir().unwrap();
    let part = |name: &str, day: u32, options: &[&str]| {
        let log = write(&folder, &format!("{name}.log"), &host_log("mx1", day, 60, 0));
        let part = folder.path().join(format!("{name}.part"));
        make_part(options, &[log], &part);
        text(&part)
    };
    let (a, b) = (part("a", 20, &[]), part("b", 22, &[]));
    let both = parsed(&report("merge", &[], "json", &[b.clone(), a.clone()]));
    assert_eq!(both["input"]["files"].as_array().unwrap().len(), 2);
    assert!(
        both["notes"].to_string().contains("no part has a line of mx1 between 2026-11-20T05:00"),
        "{}",
        both["notes"]
    );
    assert!(both["verdict"]["findings"].to_string().contains("no part has a line of mx1"));
    for (options, day) in [
        (&["--since", "2026-11-22"][..], "22"),
        (&["--until", "2026-11-21"], "20"),
        (&["--since", "2026-11-22 05:00", "--until", "2026-11-22 05:01"], "22"),
    ] {
        let some = parsed(&report("merge", options, "json", &[a.clone(), b.clone()]));
        let first = some["range"]["first"].as_str().unwrap().to_owned();
        assert!(first.starts_with(&format!("2026-11-{day}")), "{options:?}: {first}");
        assert_eq!(some["input"]["files"].as_array().unwrap().len(), 1, "{options:?}");
    }
    let refused = |parts: &[&str], words: &str| {
        let (status, out, err) = support::run(&[&["merge"], parts].concat());
        assert!(status == 2 && out.is_empty() && err.contains(words), "{parts:?}: {status} {err}");
    };
    refused(&["--since", "2026-11-23", &a], "there is none");
    // The same minutes of the same host, from another file.
    let [c, d] = ["c", "d"].map(|name| {
        let messages = if name == "c" { 1500 } else { 1600 };
        let log = write(&folder, &format!("{name}.log"), &host_log("mx1", 21, messages, 0));
        let part = folder.path().join(format!("{name}.part"));
        make_part(&[], &[log], &part);
        text(&part)
    });
    refused(&[&a, &c, &d], "hold lines of mx1");
    refused(&[&a, &part("e", 22, &["--by", "host"])], "another --by than");
    let rules = write(
        &folder,
        "own.toml",
        "[[rule]]\nid = \"ours\"\nreason = \"policy-blocked\"\nwords = [\"mailbox full\"]\n",
    );
    let ours = part("f", 22, &["--rules", &rules]);
    refused(&[&a, &ours], "other rules than");
    refused(&[&ours], "other rules than");
    assert_eq!(support::run(&["merge", "--format", "json", "--rules", &rules, &ours]).0, 0);
}

/// A day's log, which is rotated twice, is counted in pieces; each piece begins in the middle of messages.
#[test]
fn hourly_parts_of_a_rotated_log_merge_to_the_exact_day() {
    let folder = tempdir().unwrap();
    let whole_log = fs::read(support::fixture("postfix/out.log")).unwrap();
    let whole = write(&folder, "whole/mail.log", std::str::from_utf8(&whole_log).unwrap());
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole_log).map(|end| end + 1).collect();
    let (log, state) = (folder.path().join("mail.log"), text(&folder.path().join("state.json")));
    let (mut start, mut parts) = (0, Vec::new());
    for piece in 1..=6_usize {
        let end = ends[(ends.len() * piece / 6).max(1) - 1];
        if piece == 3 || piece == 5 {
            // What was written since the last run is in the old file only.
            let (old, new) = (start + (end - start) / 2, end);
            let cut = ends.iter().copied().find(|at| *at >= old).unwrap();
            append(&log, &whole_log[start..cut]);
            fs::rename(&log, folder.path().join(format!("mail.log.{piece}"))).unwrap();
            append(&log, &whole_log[cut..new]);
        } else {
            append(&log, &whole_log[start..end]);
        }
        start = end;
        let part = folder.path().join(format!("hour-{piece}.part"));
        let path = text(&part);
        printed(&[
            "scan",
            "--year",
            "2026",
            "--tz",
            "UTC",
            "--now",
            "2026-11-23T00:00:00Z",
            "--format",
            "json",
            "--state",
            &state,
            "--part",
            &path,
            &text(&log),
        ]);
        parts.push(path);
    }
    let options: &[&str] = &["--delays", "--examples", "1"];
    let day = parsed(&report("scan", &[&["--year", "2026"], options].concat(), "json", &[whole]));
    let merged = parsed(&report("merge", options, "json", &parts));
    for field in [
        "range", "totals", "sections", "rows", "senders", "users", "clients", "domains", "relays", "delays",
        "timeline",
    ] {
        assert_eq!(day[field], merged[field], "{field}");
    }
    for field in ["lines", "mail", "understood", "bytes"] {
        assert_eq!(day["input"][field], merged["input"][field], "{field}");
    }
    assert!(day["senders"].as_array().unwrap().len() > 5);
}

fn append(log: &Path, text: &[u8]) {
    let mut content = fs::read(log).unwrap_or_default();
    content.extend_from_slice(text);
    // Not replaced: the file keeps its inode.
    let mut file = File::options().create(true).append(true).open(log).unwrap();
    std::io::Write::write_all(&mut file, text).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// A folder of programs that stand for ssh and rsync, and the program itself.
fn programs(folder: &TempDir) -> PathBuf {
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin("smtplog"), bin.join("smtplog")).unwrap();
    let script = |name: &str, text: &str| {
        let path = bin.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // rsync OPTIONS -- HOST:PATH/ DIR/
    script(
        "rsync",
        "#!/bin/sh\nfor last; do :; done\nwhile [ \"$1\" != -- ]; do shift; done\nhost=${2%%:*}\n\
         cp \"$REMOTE/$host\"/*.part \"$last\"\n",
    );
    // ssh OPTIONS -- HOST COMMAND
    script(
        "ssh",
        "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\ncd \"$REMOTE/$2\" && exec sh -c \"$3\"\n",
    );
    bin
}

fn run_script(
    folder: &TempDir,
    bin: &Path,
    script: &str,
    variables: &[(&str, &str)],
    args: &[&str],
) -> Output {
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    Command::new("sh")
        .arg(root().join("contrib/fleet").join(script))
        .args(args)
        .current_dir(folder.path())
        .env("PATH", path)
        .env("SMTPLOG_NO_CONFIG", "1")
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .env("REMOTE", folder.path().join("remote"))
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn hosts_make_parts_and_a_collector_prints_one_report() {
    let folder = tempdir().unwrap();
    let bin = programs(&folder);
    let mut logs = Vec::new();
    for host in ["mx1", "mx2"] {
        let log = write(&folder, &format!("{host}/mail.log"), &host_log(host, 22, 60, 1));
        let dir = text(&folder.path().join(host).join("lib"));
        let variables = [("SMTPLOG_DIR", dir.as_str()), ("SMTPLOG_HOST", host)];
        // Two runs in one second: the second one has nothing new, and the first part stays.
        for _ in 0..2 {
            let made = run_script(&folder, &bin, "smtplog-part", &variables, &[&log]);
            assert!(made.status.success(), "{made:?}");
        }
        append(Path::new(&log), host_log(host, 23, 60, 1).as_bytes());
        let made = run_script(&folder, &bin, "smtplog-part", &variables, &[&log]);
        assert!(made.status.success(), "{made:?}");
        let parts: Vec<_> = fs::read_dir(folder.path().join(host).join("lib/parts")).unwrap().collect();
        assert!(parts.len() >= 2, "{parts:?}");
        fs::create_dir_all(folder.path().join("remote")).unwrap();
        fs::rename(folder.path().join(host).join("lib/parts"), folder.path().join("remote").join(host))
            .unwrap();
        logs.push(log);
    }
    let hosts = write(&folder, "hosts", "mx1  # the first\n\n  mx2\n");
    let dir = text(&folder.path().join("fleet"));
    let collect = |variables: &[(&str, &str)], hosts: &str| {
        run_script(
            &folder,
            &bin,
            "smtplog-collect",
            variables,
            &[hosts, &dir, "--format", "json", "--tz", "UTC"],
        )
    };
    let output = collect(&[], &hosts);
    let (status, out, err) = support::taken_apart(&output);
    assert_eq!(status, 0, "{err}");
    let (merged, whole) = (parsed(&out), parsed(&report("scan", &[], "json", &logs)));
    for field in ["totals", "rows", "sections", "senders", "by_host", "timeline"] {
        assert_eq!(merged[field], whole[field], "{field}");
    }
    // A host that is not there: the report of the others, and its name.
    let more = write(&folder, "more", "mx1\nmx9\nmx2\n");
    let (status, out, err) = support::taken_apart(&collect(&[], &more));
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("cannot fetch the parts of mx9;") && out.contains("no part is of mx9"), "{err}");
    // Without anything on the hosts but the program.
    fs::remove_dir_all(&dir).unwrap();
    for (host, log) in ["mx1", "mx2"].iter().zip(&logs) {
        fs::copy(log, folder.path().join("remote").join(host).join("mail.log")).unwrap();
        fs::create_dir_all(folder.path().join("var")).unwrap();
    }
    let (status, _, err) =
        support::taken_apart(&collect(&[("SMTPLOG_FETCH", "ssh"), ("SMTPLOG_LOG", &logs[0])], &hosts));
    assert!(
        status == 2 && err.contains("both made from"),
        "one log is not that of two hosts: {status} {err}"
    );
}

#[test]
fn a_hostile_name_in_the_list_of_hosts_runs_nothing() {
    let folder = tempdir().unwrap();
    let bin = programs(&folder);
    let mark = folder.path().join("pwned");
    let dir = text(&folder.path().join("fleet"));
    for name in [
        "-oProxyCommand=touch pwned",
        "$(touch pwned)",
        "`touch pwned`",
        "mx1;touch pwned",
        "mx1 touch",
        "../remote/mx1",
        "mx1/../../x",
        ".hidden",
        "mx1\u{1b}[31m",
        "'mx1'",
        "*",
        "mx1|touch pwned",
        "mx1:x",
    ] {
        for fetch in ["rsync", "ssh"] {
            let hosts = write(&folder, "hosts", &format!("mx1\n{name}\n"));
            let output =
                run_script(&folder, &bin, "smtplog-collect", &[("SMTPLOG_FETCH", fetch)], &[&hosts, &dir]);
            let (status, out, err) = support::taken_apart(&output);
            assert!(
                status == 2 && out.is_empty() && err.contains("no name of a host"),
                "{name}: {status} {err}"
            );
            assert!(!err.contains('\u{1b}'), "{name}");
            assert!(!mark.exists() && !Path::new(&dir).exists(), "{name}");
        }
        let output = run_script(
            &folder,
            &bin,
            "smtplog-part",
            &[("SMTPLOG_HOST", name), ("SMTPLOG_DIR", &dir)],
            &["x"],
        );
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(!mark.exists() && !Path::new(&dir).exists(), "{name}");
    }
    let hosts = write(&folder, "hosts", "mx1\n");
    for variable in ["SMTPLOG_LOG", "SMTPLOG_REMOTE"] {
        for path in ["/var/log/$(touch pwned)", "mail.log", "/var/log/x;touch pwned", "/a b", ""] {
            let output = run_script(&folder, &bin, "smtplog-collect", &[(variable, path)], &[&hosts, &dir]);
            // An empty variable is the default.
            assert!(output.status.code() == Some(2) && !mark.exists(), "{variable}={path}: {output:?}");
        }
    }
}

/// The commands under "Try it" in the manual, in a folder that has the recorded logs.
#[test]
fn a_stranger_who_follows_the_manual_gets_one_report_of_three_folders() {
    let folder = tempdir().unwrap();
    let bin = programs(&folder);
    std::os::unix::fs::symlink(root().join("fixtures"), folder.path().join("fixtures")).unwrap();
    let manual = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let part = manual.split("\n## ").find(|part| part.starts_with("Try it")).unwrap();
    let blocks: Vec<&str> =
        part.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 3, "{blocks:?}");
    let mut printed = Vec::new();
    for block in blocks {
        let output = Command::new("sh")
            .args(["-e", "-c", block])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()))
            .env("SMTPLOG_NO_CONFIG", "1")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert!(output.status.success(), "{block}: {output:?}");
        printed.push(String::from_utf8(output.stdout).unwrap());
    }
    let report = printed.iter().find(|out| out.contains("HOSTS")).unwrap();
    assert!(["mx1", "mx2", "mx3"].iter().all(|host| report.contains(host)), "{report}");
    assert!(printed.iter().any(|out| out.contains("no part is of mx4")), "{printed:?}");
}
