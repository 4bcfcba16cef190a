//! Checks that the recorded servers know every Postfix parameter, Exim option and program that the catalogue names.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use toml::Value;

use crate::support;

/// Names that are right and stand in neither list, and why.
const OTHERS: [&str; 27] = [
    // An option of ACL conditions, written behind a slash.
    "defer_ok",
    // Known to an Exim built with DMARC.
    "dmarc_tld_file",
    // An option of the manualroute router; the binary keeps it as the end of a longer word.
    "route_list",
    // Lists that Debian's configuration of Exim names.
    "local_domains",
    "relay_from_hosts",
    "relay_to_domains",
    // Variables of Exim, a program of Exim, and a field of Postfix's log.
    "authenticated_id",
    "h_from",
    "exim_tidydb",
    "sasl_username",
    // Settings of Dovecot, of Docker Compose, and a file of postgrey.
    "unix_listener",
    "network_mode",
    "whitelist_clients",
    // Options of openssl s_client, a provider's address, and the end of a page's address.
    "verify_return_error",
    "tls1_2",
    "abuse_rbl",
    "sfr_in_xxx",
    // Types of nftables, and sets in its table that storms make.
    "block_ip",
    "block_ip6",
    "ipv4_addr",
    "ipv6_addr",
    // Not settings: a command of openssl, files of Postfix's and Exim's sources, and the start of many parameters.
    "s_client",
    "smtp_in",
    "smtp_proto",
    "smtpd_check",
    "smtp_tls",
    "access_map",
];

fn words(path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(support::root().join(path)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Keys whose values are words of replies and log lines, not of ours.
const WORDS_OF_OTHERS: [&str; 6] = ["words", "and", "unless", "example", "tokens", "source"];
/// Tables of such words alone.
const TABLES_OF_OTHERS: [&str; 1] = ["rules.toml"];

/// Programs that a usual Linux server has, and smtplog itself.
const USUAL_PROGRAMS: [&str; 41] = [
    "[",
    "awk",
    "cat",
    "date",
    "df",
    "dig",
    "dmesg",
    "du",
    "echo",
    "getent",
    "grep",
    "head",
    "host",
    "ip",
    "journalctl",
    "ls",
    "openssl",
    "pgrep",
    "ps",
    "rm",
    "sed",
    "smtplog",
    "sort",
    "ss",
    "systemctl",
    "tail",
    "tee",
    "timedatectl",
    "wc",
    "xargs",
    "zcat",
    // Asked for with a word about it.
    "chronyc",
    "doveadm",
    "nft",
    // Words of the shell.
    "if",
    "then",
    "else",
    "fi",
    "top",
    "uniq",
    "uptime",
];

/// Every text of the catalogue's tables, with its table and key. Texts of other programs are left out.
fn texts() -> Vec<(String, String, String)> {
    fn collect(value: &Value, key: &str, add: &mut impl FnMut(&str, &str)) {
        match value {
            Value::String(text) => add(key, text),
            Value::Array(values) => values.iter().for_each(|value| collect(value, key, add)),
            Value::Table(table) => table.iter().for_each(|(key, value)| collect(value, key, add)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    for entry in fs::read_dir(support::root().join("src/catalog/data")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|end| end != "toml") || TABLES_OF_OTHERS.contains(&name.as_str()) {
            continue;
        }
        let table = Value::Table(fs::read_to_string(&path).unwrap().parse().unwrap());
        collect(&table, "", &mut |key, text| {
            if !WORDS_OF_OTHERS.contains(&key) {
                texts.push((name.clone(), key.to_owned(), text.to_owned()));
            }
        });
    }
    texts
}

#[test]
fn names_no_setting_that_does_not_exist() {
    let (postfix, exim) = (words("fixtures/postfix/parameters.txt"), words("fixtures/exim/options.txt"));
    let name = Regex::new(r"[a-z][a-z0-9]*(_[a-z0-9]+)+").unwrap();
    let mut wrong = Vec::new();
    let mut named = BTreeSet::new();
    for (table, _, text) in texts() {
        for found in name.find_iter(&text) {
            let before = text.get(..found.start()).and_then(|before| before.chars().last());
            // Part of a path, of a page's address, or of `NAME_destination_rate_delay`.
            if before.is_some_and(|sign| "/._@".contains(sign)) && !OTHERS.contains(&found.as_str()) {
                continue;
            }
            named.insert(table.clone());
            let word = found.as_str();
            if !postfix.contains(word) && !exim.contains(word) && !OTHERS.contains(&word) {
                wrong.push(format!("{table}: {word} in {text}"));
            }
        }
    }
    for table in ["advice.toml", "codes.toml", "storms.toml", "warnings.toml"] {
        assert!(named.contains(table), "{table} names no setting");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each command is one of the mail servers' own programs or a usual one.
#[test]
fn names_no_program_that_does_not_exist() {
    let known: BTreeSet<String> = ["fixtures/postfix/programs.txt", "fixtures/exim/programs.txt"]
        .into_iter()
        .flat_map(words)
        .chain(USUAL_PROGRAMS.map(str::to_owned))
        .collect();
    let quoted = Regex::new("'[^']*'").unwrap();
    let assigned = Regex::new(r"^[a-z]+=").unwrap();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (table, key, text) in texts() {
        let is_shell = (table == "storms.toml" && matches!(key.as_str(), "shell" | "undo"))
            || (table == "warnings.toml" && key == "check");
        if !is_shell {
            continue;
        }
        let bare = quoted.replace_all(&text, "Q").replace("$(", ";").replace('"', "");
        for command in bare.split(['|', ';', '&']) {
            // A loop over values runs what stands behind `do`.
            if command.trim_start().starts_with("for ") || command.trim() == "done" {
                continue;
            }
            // `then`, `else`, `do` and an assignment stand before the program.
            let mut before = command
                .split_whitespace()
                .skip_while(|word| ["if", "then", "else", "do"].contains(word) || assigned.is_match(word));
            let Some(program) =
                before.next().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit() || c == '>'))
            else {
                continue;
            };
            seen.insert(program.to_owned());
            if !known.contains(program) {
                wrong.push(format!("{table}: {program} in {text}"));
            }
        }
    }
    for program in ["postconf", "postqueue", "exiqgrep", "exim", "nft"] {
        assert!(seen.contains(program), "no command runs {program}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
