//! Checks that the recorded servers know every Postfix parameter and Exim option that the catalogue names.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::support;

/// Names that are right and stand in neither list, and why.
const OTHERS: [&str; 23] = [
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

#[test]
fn names_no_setting_that_does_not_exist() {
    let (postfix, exim) = (words("fixtures/postfix/parameters.txt"), words("fixtures/exim/options.txt"));
    let name = Regex::new(r"[a-z][a-z0-9]*(_[a-z0-9]+)+").unwrap();
    let mut wrong = Vec::new();
    let mut named = 0;
    for entry in fs::read_dir(support::root().join("src/catalog/data")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "toml")
            || path.ends_with("rules.toml")
            || path.ends_with("causes.toml")
            || path.ends_with("warnings.toml")
            || path.ends_with("providers.toml")
        {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            // Keys of the tables are ours; what they hold is not.
            let Some((_, value)) = line.split_once('"') else { continue };
            for found in name.find_iter(value) {
                let before = value.get(..found.start()).and_then(|before| before.chars().last());
                // Part of a path, of a page's address, or of `NAME_destination_rate_delay`.
                if before.is_some_and(|sign| "/._".contains(sign)) && !OTHERS.contains(&found.as_str()) {
                    continue;
                }
                named += 1;
                let word = found.as_str();
                if !postfix.contains(word) && !exim.contains(word) && !OTHERS.contains(&word) {
                    wrong.push(format!("{}: {word} in {line}", path.display()));
                }
            }
        }
    }
    assert!(named > 150, "only {named} settings are named");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
