//! Opens the HTML report in a real browser: its numbers, its tables, and the harmlessness of hostile names.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::tempdir;

use crate::support;

const CHROMIUM: &str = "/usr/bin/chromium";

/// Each tries to run a script, to load something, or to leave the place where it stands.
const HOSTILE: &str = concat!(
    "Nov 22 03:04:05 <img/src=x/onerror=document.title=1> postfix/smtp[12]: 4F1A2B3C41: ",
    "to=<a@\"<svg/onload=document.title='run'>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, ",
    "status=deferred (connect to <script>document.title='run'</script>[192.0.2.1]:25: Connection timed out)\n",
    "Nov 22 05:04:06 mx1 postfix/smtp[12]: 4F1A2B3C42: to=<a@'onmouseover='x'.example.org>, ",
    "relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host ",
    "mx.example.org[192.0.2.1] said: 550 5.1.1 </pre></td></table><script>document.title='run'</script>",
    "<img src=\"http://192.0.2.9/x.png\"> \u{202e}<style>*{display:none}</style> (in reply to RCPT TO command))\n",
);

fn page(args: &[&str]) -> String {
    let args =
        [&["scan", "--format", "html", "--tz", "UTC", "--year", "2026", "--lang", "en"], args].concat();
    support::answer(&args).0
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[test]
fn its_policy_allows_its_own_style_and_script_and_nothing_else() {
    let page = page(&[support::logs()[0].to_str().unwrap()]);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    for (kind, text) in [
        ("style", between(&page, "<style>", "</style>")),
        ("script", between(&page, "<script>", "</script>")),
    ] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        assert!(
            policy.contains(&format!("{kind}-src 'sha256-{hash}';")),
            "{kind} is sha256-{hash}: {policy}"
        );
    }
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    for word in [
        "url(",
        "@import",
        "<img",
        "<link",
        "<a ",
        "<iframe",
        " src=\"",
        " href=\"",
        " style=\"",
        " onclick=\"",
    ] {
        assert!(!page.contains(word), "the page has {word}");
    }
}

#[test]
fn has_the_sections_and_all_rows_of_the_text() {
    for log in support::logs() {
        let log = log.to_str().unwrap();
        let page = page(&["-n", "0", log]);
        let report = support::report(&[log]);
        let rows = report["rows"].as_array().unwrap();
        let shown = rows
            .iter()
            .filter(|row| !["delivered", "attempt", "probe"].contains(&row["outcome"].as_str().unwrap()));
        assert_eq!(page.matches("<td class=\"code\">").count(), shown.count(), "{log}");
    }
}

#[test]
fn speaks_the_language_it_is_asked_for() {
    let log = support::logs().remove(0);
    let args = ["scan", "--format", "html", "--lang", "tr", log.to_str().unwrap()];
    let page = support::answer(&args).0;
    assert!(page.contains("<html lang=\"tr\">") && page.contains("SMTP raporu"), "{page}");
}

/// The page's DOM when its scripts and `probe` have run.
fn dom(page: &str, probe: &str) -> String {
    // The probe stands for a person at the page: it clicks and looks. It is allowed by a hash of its own.
    let hash = BASE64_STANDARD.encode(Sha256::digest(probe));
    let page = page.replacen("script-src ", &format!("script-src 'sha256-{hash}' "), 1);
    let page = page.replacen("script-src &#39;", &format!("script-src 'sha256-{hash}' &#39;"), 1);
    let page = page.replace("</body>", &format!("<script>{probe}</script></body>"));
    let folder = tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page).unwrap();
    let output = Command::new(CHROMIUM)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap_or_else(|error| panic!("cannot start {CHROMIUM}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for trouble in ["CONSOLE", "Uncaught", "Refused to"] {
        assert!(!said.contains(trouble), "{said}");
    }
    String::from_utf8(output.stdout).unwrap()
}

/// What the probe left in the page's title, as JSON.
fn told(dom: &str) -> Value {
    let title = between(dom, "<title>", "</title>");
    let title = title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&title).unwrap_or_else(|error| panic!("{error}: {title}"))
}

#[test]
#[ignore = "needs chromium"]
fn the_browser_shows_the_numbers_of_the_report() {
    let logs = support::logs();
    let logs: Vec<&str> = logs
        .iter()
        .filter(|log| !log.to_str().unwrap().contains("syslog"))
        .map(|log| log.to_str().unwrap())
        .collect();
    let args: Vec<&str> = [&["-n", "0"], logs.as_slice()].concat();
    let probe = "const sum = (selector) => [...document.querySelectorAll(selector)]\
        .reduce((sum, cell) => sum + Number(cell.dataset.value), 0);\
        const tiles = [...document.querySelectorAll('.tiles b')].map((tile) => tile.textContent);\
        const last = document.querySelectorAll('.reasons tbody tr');\
        document.title = JSON.stringify({ attempts: sum('.rows tbody td.n:nth-child(3)'),\
        recipients: sum('.rows tbody td.n:nth-child(4)'), reasons: sum('.reasons td:nth-child(5)'), tiles,\
        images: document.querySelectorAll('svg[role=img] > title').length,\
        svgs: document.querySelectorAll('svg').length });";
    let dom = dom(&page(&args), probe);
    let told = told(&dom);
    let report = support::report(&logs);
    let rows = report["rows"].as_array().unwrap();
    let sum = |outcomes: &[&str], field: &str| {
        let of = rows.iter().filter(|row| outcomes.contains(&row["outcome"].as_str().unwrap()));
        of.map(|row| row[field].as_u64().unwrap()).sum::<u64>()
    };
    let failures = ["deferred", "bounced", "expired", "rejected"];
    let shown = [&failures[..], &["warned", "held", "discarded"]].concat();
    assert_eq!(told["attempts"], sum(&shown, "attempts"));
    assert_eq!(told["recipients"], sum(&shown, "recipients"));
    assert_eq!(told["reasons"], sum(&failures, "attempts"));
    let out = &report["totals"]["outbound"];
    let want =
        ["attempts", "delivered", "deferred", "bounced", "expired"].map(|field| out[field].to_string());
    for (tile, want) in told["tiles"].as_array().unwrap().iter().zip(want) {
        assert_eq!(tile.as_str().unwrap().replace(',', ""), want);
    }
    assert_eq!(told["images"], told["svgs"], "every chart has words");
}

#[test]
#[ignore = "needs chromium"]
fn nothing_of_a_log_runs_or_becomes_markup() {
    let folder = tempdir().unwrap();
    let log = folder.path().join("<svg onload=document.title=1>.log");
    fs::write(&log, HOSTILE).unwrap();
    let page = page(&["--advice", "full", log.to_str().unwrap()]);
    assert!(!page.contains('\u{202e}') && page.contains("\\u{202e}"), "{page}");
    let probe = "const count = (selector) => document.querySelectorAll(selector).length;\
        document.title = JSON.stringify({ title: document.title, images: count('img'), scripts: count('script'),\
        styles: count('style'), rows: count('.rows tbody tr'), bars: count('svg.hours'),\
        loads: performance.getEntriesByType('resource').length,\
        handlers: count('[onmouseover], [onload], [onerror], [style]'), text: document.body.textContent });";
    let dom = dom(&page, probe);
    let told = told(&dom);
    assert!(told["title"].as_str().unwrap().starts_with("SMTP report: "), "a script ran: {}", told["title"]);
    // Ours and the probe.
    let counts = ["images", "scripts", "styles", "rows", "bars", "loads", "handlers"].map(|name| &told[name]);
    assert_eq!(counts, [0, 2, 1, 2, 1, 0, 0], "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("<script>document.title='run'</script>") && text.contains("</pre></td></table>"));
}

#[test]
#[ignore = "needs chromium"]
fn tables_can_be_sorted() {
    let logs = support::logs();
    let log = logs.iter().find(|log| log.ends_with("postfix/out.log")).unwrap();
    let probe = "const table = document.querySelector('.rows');\
        const values = (n) => [...table.tBodies[0].rows].map((row) => row.cells[n].dataset.value ?? row.cells[n].textContent);\
        const sorted = (n) => { table.tHead.rows[0].cells[n].querySelector('button').click();\
        return { values: values(n), state: table.tHead.rows[0].cells[n].getAttribute('aria-sort') }; };\
        document.title = JSON.stringify({ before: values(2), up_or_down: [sorted(2), sorted(2)], code: sorted(0),\
        heads: table.querySelectorAll('[aria-sort]').length, foot: table.tFoot.rows.length,\
        advice: [...table.tBodies[0].rows].every((row) => row.querySelector('.advice')) });";
    let dom = dom(&page(&[log.to_str().unwrap()]), probe);
    let told = told(&dom);
    let numbers = |values: &Value| -> Vec<u64> {
        values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().parse().unwrap()).collect()
    };
    let [first, second] = [0, 1].map(|at| &told["up_or_down"][at]);
    assert_eq!(numbers(&first["values"]), numbers(&told["before"]), "most attempts first, as before");
    assert_eq!((&first["state"], &second["state"]), (&"descending".into(), &"ascending".into()));
    let rising = numbers(&second["values"]);
    assert!(rising.is_sorted() && rising[0] < rising[rising.len() - 1], "{rising:?}");
    let codes: Vec<&str> =
        told["code"]["values"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert!(codes[0] == "(no reply)" && codes[codes.len() - 1].starts_with('4'), "{codes:?}");
    assert_eq!((&told["heads"], &told["foot"], &told["advice"]), (&1.into(), &1.into(), &true.into()));
}
