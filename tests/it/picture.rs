//! Keeps the picture of the report in the README up to date: `docs/report.svg`, a terminal as SVG.

use std::fs;

use anstyle_svg::Term;

use crate::support::{command, root};

/// The picture shows what this command prints in the folder of the fixtures.
const SHOWN: [&str; 3] = ["-n", "3", "out.log"];

/// The report as a terminal of 80 columns shows it, with the command above it. With SMTPLOG_BLESS=1 the picture is drawn anew
/// instead of compared.
#[test]
fn the_picture_shows_the_report_of_today() {
    let output = command(&SHOWN)
        .args(["--color", "always"])
        .current_dir(root().join("fixtures/postfix"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains('\u{1b}'), "the report has no colour");
    let shell = format!("\u{1b}[2m$\u{1b}[0m smtplog {}\n{report}", SHOWN.join(" "));
    let drawn = Term::new().palette(anstyle_svg::WIN10_CONSOLE).render_svg(shell.trim_end());
    let picture = root().join("docs/report.svg");
    if std::env::var_os("SMTPLOG_BLESS").is_some() {
        fs::write(&picture, &drawn).unwrap();
    }
    assert!(
        drawn == fs::read_to_string(&picture).unwrap_or_default(),
        "docs/report.svg is not what smtplog prints today; draw it anew with SMTPLOG_BLESS=1"
    );
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("(docs/report.svg)"), "the README does not show the picture");
}
