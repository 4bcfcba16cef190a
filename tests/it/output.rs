//! Checks `--output`: the format follows from the file name, and a file is either complete or absent.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;
use tempfile::tempdir;

fn smtplog(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(cargo_bin("smtplog"));
    command.args(args).current_dir(folder).env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR");
    command.output().unwrap()
}

fn log() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postfix/out.log").to_str().unwrap().to_owned()
}

#[track_caller]
fn ends_well(output: &Output) {
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_file_name_decides_the_format() {
    let folder = tempdir().unwrap();
    for (name, begins) in [
        ("r.txt", "out.log   mx1"),
        ("r.json", "{\n  \"schema\""),
        ("r.ndjson", "{\"direction\""),
        ("r.jsonl", "{\"direction\""),
        ("r.csv", "direction,outcome,code"),
        ("r.md", "# SMTP report"),
        ("r.html", "<!DOCTYPE html>"),
        ("r.HTM", "<!DOCTYPE html>"),
        ("r.prom", "# HELP smtplog_build_info"),
    ] {
        ends_well(&smtplog(folder.path(), &["scan", "-o", name, &log()]));
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.starts_with(begins), "{name}: {}", text.get(..60).unwrap());
        assert!(!text.contains('\x1b'), "{name} is coloured");
    }
    for (name, begins) in [("e.ndjson", "{\"file\""), ("e.csv", "file,line,time"), ("e.txt", "20")] {
        ends_well(&smtplog(folder.path(), &["events", "-o", name, &log()]));
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.starts_with(begins), "{name}: {}", text.get(..60).unwrap());
    }
    assert_eq!(names(folder.path()).len(), 12, "nothing else is left behind");
}

#[test]
fn a_name_without_a_known_suffix_is_an_error_unless_the_format_is_named() {
    let folder = tempdir().unwrap();
    for name in ["report", "report.log", ".html"] {
        let output = smtplog(folder.path(), &["scan", "-o", name, &log()]);
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("--format") && words.contains(".html .htm .prom"), "{words}");
    }
    assert!(names(folder.path()).is_empty());
    ends_well(&smtplog(folder.path(), &["scan", "-o", "report.html", "--format", "json", &log()]));
    assert!(fs::read_to_string(folder.path().join("report.html")).unwrap().starts_with('{'));
}

#[test]
fn a_dash_is_standard_output() {
    let folder = tempdir().unwrap();
    let output = smtplog(folder.path(), &["scan", "-o", "-", "--format", "csv", &log()]);
    assert!(output.status.success() && output.stdout.starts_with(b"direction,"));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_was_there_stays_when_the_answer_fails() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("e.csv"), "before").unwrap();
    fs::write(folder.path().join("rules.toml"), "no rule").unwrap();
    let output = smtplog(folder.path(), &["events", "-o", "e.csv", "--rules", "rules.toml", &log()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(fs::read_to_string(folder.path().join("e.csv")).unwrap(), "before");
    let output = smtplog(folder.path(), &["scan", "-o", "no/such/r.csv", &log()]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("cannot write no/such/r.csv: no such file"), "{words}");
    assert_eq!(names(folder.path()), ["e.csv", "rules.toml"]);
}

#[test]
fn a_report_of_nothing_does_not_replace_one_for_people() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("r.html"), "before").unwrap();
    fs::write(folder.path().join("other.log"), "nothing of mail\n").unwrap();
    let output = smtplog(folder.path(), &["scan", "-o", "r.html", "other.log"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_to_string(folder.path().join("r.html")).unwrap(), "before");
    // A program is told that there is nothing.
    let output = smtplog(folder.path(), &["scan", "-o", "r.prom", "other.log"]);
    assert_eq!(output.status.code(), Some(3));
    let text = fs::read_to_string(folder.path().join("r.prom")).unwrap();
    assert!(text.contains("smtplog_lines_total{kind=\"other\"} 1"), "{text}");
}

#[test]
fn the_file_has_the_mode_that_the_umask_leaves_and_a_new_name_in_its_folder() {
    let folder = tempdir().unwrap();
    let before = folder.path().join("before");
    fs::write(&before, "").unwrap();
    fs::write(folder.path().join("target.csv"), "old").unwrap();
    let old = fs::metadata(folder.path().join("target.csv")).unwrap().ino();
    symlink("target.csv", folder.path().join("link.csv")).unwrap();
    ends_well(&smtplog(folder.path(), &["scan", "-o", "link.csv", &log()]));
    assert!(fs::symlink_metadata(folder.path().join("link.csv")).unwrap().is_symlink());
    let new = fs::metadata(folder.path().join("target.csv")).unwrap();
    assert_ne!(new.ino(), old, "it was replaced, not written over");
    let usual = fs::metadata(before).unwrap().permissions().mode();
    assert_eq!(new.permissions().mode(), usual);
    // A new one is closed to others, whatever the umask.
    ends_well(&smtplog(folder.path(), &["scan", "-o", "new.csv", "--unparsed", "rest.txt", &log()]));
    for name in ["new.csv", "rest.txt"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, usual & 0o640, "{name}");
    }
    // One that was closed to others stays so.
    let closed = folder.path().join("closed.json");
    fs::write(&closed, "old").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o600)).unwrap();
    ends_well(&smtplog(folder.path(), &["scan", "-o", "closed.json", &log()]));
    assert_eq!(fs::metadata(&closed).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_log_that_is_read_is_never_the_output() {
    let folder = tempdir().unwrap();
    fs::copy(log(), folder.path().join("mail.csv")).unwrap();
    for command in ["scan", "events"] {
        let output = smtplog(folder.path(), &[command, "-o", "./mail.csv", "mail.csv"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("one of the input logs"));
    }
    assert_eq!(fs::read(folder.path().join("mail.csv")).unwrap(), fs::read(log()).unwrap());
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let folder = tempdir().unwrap();
    ends_well(&smtplog(folder.path(), &["scan", "--format", "html", "-o", "/dev/null", &log()]));
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn lines_that_were_not_understood_are_never_written_over_a_log() {
    let folder = tempdir().unwrap();
    let text = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C41: to=<a@example.org>, no more of it\n";
    for name in ["mail.log", "copy.log"] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::hard_link(folder.path().join("mail.log"), folder.path().join("link.log")).unwrap();
    for command in ["scan", "events"] {
        // The copy is left out, since it would be counted twice; it is a log all the same.
        for onto in ["mail.log", "link.log", "copy.log"] {
            let output = smtplog(folder.path(), &[command, "mail.log", "copy.log", "--unparsed", onto]);
            assert_eq!(output.status.code(), Some(2), "{command} --unparsed {onto}");
            assert_eq!(fs::read_to_string(folder.path().join(onto)).unwrap(), text, "{onto} is as it was");
        }
        let output = smtplog(folder.path(), &[command, "mail.log", "copy.log", "-o", "copy.log"]);
        assert_eq!(output.status.code(), Some(2), "{command} -o copy.log");
    }
}

#[test]
fn a_file_that_is_read_for_another_purpose_is_never_the_output() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("rules.toml"), "").unwrap();
    fs::write(path.join("config.toml"), "").unwrap();
    fs::write(path.join("key"), "0123456789abcdef0123456789abcdef").unwrap();
    fs::copy(log(), path.join("mail.log")).unwrap();
    fs::copy(log(), path.join("mail.log.1")).unwrap();
    fs::write(path.join("mail.log.2"), "an older part\n").unwrap();
    fs::create_dir(path.join("archive")).unwrap();
    symlink(path.join("rules.toml"), path.join("archive/link.toml")).unwrap();
    ends_well(&smtplog(path, &["scan", "-o", "r.csv", "--baseline", "base", "--state", "state", "mail.log"]));
    let files = ["rules.toml", "config.toml", "key", "mail.log", "mail.log.1", "mail.log.2", "base", "state"];
    let before = files.map(|name| fs::read(path.join(name)).unwrap());
    let common = ["--config", "config.toml", "--rules", "rules.toml", "--redact", "--redact-key-file", "key"];
    let targets = [&files[..], &["archive/link.toml", "./archive/../key", "base.lock"]].concat();
    for onto in targets {
        for command in ["scan", "events", "storm", "trace"] {
            let mut args = vec![command];
            args.extend(["--rotated"].iter().filter(|_| !onto.ends_with(".2")));
            if command == "trace" {
                args.push("a@example.org");
            }
            args.extend(common);
            args.push("mail.log");
            let has_state = matches!(command, "scan" | "events");
            if has_state {
                args.extend(["--state", "state"]);
            }
            if command == "scan" {
                args.extend(["--baseline", "base"]);
            }
            // A command that does not use the file may write it.
            if onto == "state" && !has_state || onto.starts_with("base") && command != "scan" {
                continue;
            }
            let format = if command == "trace" || command == "storm" { "json" } else { "csv" };
            for option in [&["-o", onto, "--format", format][..], &["--unparsed", onto]] {
                if command == "trace" && option[0] == "--unparsed" {
                    continue;
                }
                let output = smtplog(path, &[&args[..], option].concat());
                let words = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(2), "{command} {option:?}: {words}");
                assert!(words.contains("choose another file"), "{command} {option:?}: {words}");
            }
        }
    }
    assert!(files.map(|name| fs::read(path.join(name)).unwrap()) == before, "a file was overwritten");
    for option in
        [["-o", "same.csv", "--unparsed", "same.csv"], ["-o", "./same.csv", "--unparsed", "same.csv"]]
    {
        let output = smtplog(path, &[&["scan", "mail.log"][..], &option].concat());
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
    let output =
        smtplog(path, &["scan", "--state", "key", "--redact", "--redact-key-file", "key", "mail.log"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_link_in_a_folder_for_everybody_is_not_followed() {
    let folder = tempdir().unwrap();
    let (shared, victim) = (folder.path().join("shared"), folder.path().join("victim"));
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, shared.join("r.csv")).unwrap();
    for option in ["-o", "--unparsed", "--state", "--baseline"] {
        let output = smtplog(&shared, &["scan", option, "r.csv", &log()]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}: {words}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{option}");
    }
    assert_eq!(names(&shared), ["r.csv"]);
    // Nothing is wrong with a file of one's own there.
    ends_well(&smtplog(&shared, &["scan", "-o", "own.csv", &log()]));
}
