//! Reads the hosts that must have a part (`merge --expect`).

use std::collections::BTreeSet;

/// The hosts that a file names, one a line; `#` begins a comment.
pub(crate) fn expected_hosts(text: &str) -> BTreeSet<String> {
    let names = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A note for each host that is missing.
pub(crate) fn missing_hosts(
    expected: &BTreeSet<String>,
    hosts: &BTreeSet<&str>,
) -> impl Iterator<Item = String> {
    let missing = expected.iter().filter(|host| !hosts.contains(host.as_str()));
    missing.map(|host| format!("no part is of {host}, which --expect names"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_hosts_without_a_part() {
        let expected = expected_hosts("mx1 # the first\n\n# none\n  mx2\n");
        let missing: Vec<String> = missing_hosts(&expected, &BTreeSet::from(["mx1"])).collect();
        assert_eq!(missing, ["no part is of mx2, which --expect names"]);
    }
}
