//! Opens the HTML report in a real browser: its numbers, its tables, and the harmlessness of hostile names.

use std::collections::BTreeSet;
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
    for word in
        ["url(", "@import", "<img", "<link", "<iframe", "<form", " src=\"", " style=\"", " onclick=\""]
    {
        assert!(!page.contains(word), "the page has {word}");
    }
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let before = format!(" {attribute}=\"");
    page.split(before.as_str()).skip(1).map(|rest| rest.split_once('"').unwrap().0).collect()
}

#[test]
fn every_link_leads_to_a_place_on_the_page() {
    for log in support::logs() {
        let page = page(&["-n", "0", log.to_str().unwrap()]);
        let ids = values(&page, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{}: {ids:?}", log.display());
        for link in values(&page, "href") {
            let place = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leaves the page"));
            assert!(unique.contains(place), "{}: nothing at {link}", log.display());
        }
    }
}

#[test]
fn has_a_row_and_a_section_for_each_reason_and_the_worst_one_at_the_top() {
    let log = support::fixture("postfix/out.log");
    let page = page(&[&log]);
    let report = support::report(&[&log]);
    let sections = report["sections"].as_array().unwrap();
    let count: usize = sections.iter().map(|section| section["rows"].as_array().unwrap().len()).sum();
    let ids = values(&page, "id");
    let reasons = ids.iter().filter(|id| id.strip_prefix('r').is_some_and(|id| id.parse::<u32>().is_ok()));
    assert_eq!(reasons.count(), count);
    let order: Vec<usize> =
        sections.iter().map(|section| page.find(&format!("id={}", section["action"])).unwrap()).collect();
    assert!(order.is_sorted(), "{order:?}");
    let worst = between(&page, "<p class=\"worst\">", "</p>");
    let first = &sections[0]["rows"][0];
    assert!(worst.contains(first["title"].as_str().unwrap()) && worst.contains("FIX HERE"), "{worst}");
    let out = &report["totals"]["messages"]["outgoing"];
    let headline = between(&page, "<h1>", "</h1>");
    assert_eq!(headline, format!("22% of {} outgoing messages delivered", out["messages"]));
    let domains = report["failing_domains"].as_array().unwrap();
    let first = domains[0]["name"].as_str().unwrap();
    let section = between(&page, "id=\"d1\"", "</section>");
    for word in [first, "replies", "senders", "latest lines", "smtplog --domain"] {
        assert!(section.contains(word), "{word}: {section}");
    }
}

#[test]
fn sums_up_what_it_does_not_list() {
    let log = support::fixture("postfix/out.log");
    let page = page(&["--by", "domain", "-n", "3", &log]);
    let foot = between(&page, "<tfoot>", "</tfoot>");
    let report = support::report(&["--by", "domain", &log]);
    let rows = report["groups"]["rows"].as_array().unwrap();
    let hidden: u64 = rows[3..].iter().map(|row| row["bounced"].as_u64().unwrap()).sum();
    assert!(hidden > 0 && foot.contains(&format!(">{hidden}<")), "{hidden}: {foot}");
    assert!(!between(&page, "<tbody>", "</tr>").contains("<td>-</td>"), "what has no name is not the first");
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
        const tiles = [...document.querySelectorAll('.tiles b')].map((tile) => Number(tile.dataset.value));\
        document.title = JSON.stringify({ attempts: sum('.rows tbody td.n:nth-child(3)'),\
        recipients: sum('.rows tbody td.n:nth-child(4)'), failed: sum('.faults tbody td.n'), tiles,\
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
    let shown = ["deferred", "bounced", "expired", "rejected", "warned", "held", "discarded"];
    assert_eq!(told["attempts"], sum(&shown, "attempts"));
    assert_eq!(told["recipients"], sum(&shown, "recipients"));
    let sections = report["sections"].as_array().unwrap();
    let of_sections = |field: &str| -> u64 {
        sections.iter().map(|section| section["totals"][field].as_u64().unwrap()).sum()
    };
    let failed = ["waiting", "held", "delayed", "bounced", "expired", "rejected"].map(of_sections);
    assert_eq!(told["failed"], failed.iter().sum::<u64>());
    let out = &report["totals"]["messages"]["outgoing"];
    let want = ["delivered", "waiting", "bounced", "expired"].map(|field| out[field].as_u64().unwrap());
    let want: Vec<u64> = want.into_iter().filter(|count| *count > 0).collect();
    let tiles: Vec<u64> =
        told["tiles"].as_array().unwrap().iter().map(|tile| tile.as_u64().unwrap()).collect();
    assert_eq!(tiles[..want.len()], want);
    assert_eq!(told["images"], told["svgs"], "every chart has words");
}

#[test]
#[ignore = "needs chromium"]
fn rows_can_be_searched_and_filtered() {
    let log = support::fixture("postfix/out.log");
    let probe = "const rows = () => [...document.querySelectorAll('.faults .item')].filter((row) => !row.hidden);\
        const query = document.querySelector('#query');\
        const type = (text) => { query.value = text; query.dispatchEvent(new Event('input')); return rows().map((row) => row.querySelector('a').textContent); };\
        const chip = (value) => document.querySelector(`#filter [data-value=${value}]`);\
        const all = rows().length;\
        const rate = type('rate LIMIT');\
        const empty = [...document.querySelectorAll('main > section')].filter((part) => !part.hidden && !part.querySelector('.item:not([hidden])') && part.querySelector('.item')).length;\
        type(''); chip('waiting').click();\
        const waiting = rows().every((row) => row.dataset.fate.includes('waiting')) && rows().length;\
        chip('waiting').click();\
        document.title = JSON.stringify({ all, rate, empty, waiting, again: rows().length, shown: document.querySelector('#filter').hidden });";
    let page = page(&[&log]);
    assert!(page.contains("id=\"filter\" role=\"search\" hidden"), "without scripts there is no search box");
    let told = told(&dom(&page, probe));
    let [all, waiting] = ["all", "waiting"].map(|name| told[name].as_u64().unwrap());
    assert_eq!(told["rate"], serde_json::json!(["rate limit"]), "{told}");
    assert!(waiting > 0 && waiting < all, "{told}");
    assert_eq!((&told["again"], &told["empty"], &told["shown"]), (&all.into(), &0.into(), &false.into()));
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
        styles: count('style'), rows: count('.rows tbody tr'), bars: count('#time svg.hours'),\
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
