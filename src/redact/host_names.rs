//! Detects host names that contain an IP address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// True for names such as `192-0-2-7.dyn.example.net`, `host007.002.000.192.example.net` and
/// `192000002007.example.net`, and for names with two octets of one of `ips`, or with the whole address in hexadecimal
/// digits.
pub(crate) fn contains_ip(name: &str, ips: &[IpAddr]) -> bool {
    let small = name.to_ascii_lowercase();
    let numbers = numbers(&small);
    has_dotted_octets(&small)
        || has_padded_octets(&small)
        || small.contains("ip6.arpa")
        || ips.iter().any(|ip| contains(&small, &numbers, *ip))
}

/// The runs of digits in a name.
fn numbers(name: &str) -> Vec<&str> {
    name.split(|sign: char| !sign.is_ascii_digit()).filter(|run| !run.is_empty()).collect()
}

fn octet(digits: &str) -> Option<u8> {
    (digits.len() <= 3).then(|| digits.parse().ok()).flatten()
}

/// The name has four numbers that can be octets, with one character between each two.
fn has_dotted_octets(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut row = 0;
    let mut at = 0;
    let mut ended = None;
    while let Some(byte) = bytes.get(at) {
        if !byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        let length = bytes.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
        let fits = name.get(at..at + length).and_then(octet).is_some();
        let joined = ended.is_some_and(|end| end + 1 == at);
        row = match (fits, joined) {
            (true, true) => row + 1,
            (true, false) => 1,
            (false, _) => 0,
        };
        if row >= 4 {
            return true;
        }
        at += length;
        ended = Some(at);
    }
    false
}

/// The name has a run of twelve digits that are four octets.
fn has_padded_octets(name: &str) -> bool {
    numbers(name).iter().any(|run| {
        let octets = run.as_bytes().chunks(3).map(|part| std::str::from_utf8(part).ok().and_then(octet));
        run.len() == 12 && octets.into_iter().all(|octet| octet.is_some())
    })
}

fn contains(name: &str, numbers: &[&str], ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => contains_v4(name, numbers, ip),
        IpAddr::V6(ip) => contains_v6(name, ip),
    }
}

fn contains_v4(name: &str, numbers: &[&str], ip: Ipv4Addr) -> bool {
    let octets = ip.octets();
    let [a, b, c, d] = octets;
    let hex = [format!("{a:02x}{b:02x}{c:02x}{d:02x}"), format!("{d:02x}{c:02x}{b:02x}{a:02x}")];
    let decimal = u32::from(ip).to_string();
    // Each number of the name matches at most one octet.
    let mut left: Vec<u8> = octets.to_vec();
    let mut found = 0;
    for number in numbers.iter().filter_map(|number| octet(number)) {
        if let Some(at) = left.iter().position(|octet| *octet == number) {
            left.swap_remove(at);
            found += 1;
        }
    }
    found >= 2 || hex.iter().any(|hex| name.contains(hex.as_str())) || numbers.contains(&decimal.as_str())
}

fn contains_v6(name: &str, ip: Ipv6Addr) -> bool {
    let words: Vec<&str> = name.split(['.', '-', '_']).collect();
    let groups: Vec<String> =
        ip.segments().iter().filter(|group| **group != 0).map(|group| format!("{group:x}")).collect();
    let named = |group: &&String| words.iter().any(|word| word.trim_start_matches('0') == group.as_str());
    let whole = format!("{:032x}", u128::from(ip));
    let joined: String = name.chars().filter(char::is_ascii_hexdigit).collect();
    groups.iter().filter(named).count() >= groups.len().clamp(2, 3) || joined.contains(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn contains(name: &str, ip: &str, wanted: bool) {
        assert_eq!(contains_ip(name, &[ip.parse().unwrap()]), wanted, "{name} and {ip}");
    }

    #[test]
    fn finds_an_address_in_a_name_however_it_is_written() {
        for name in [
            "192-0-2-77.dyn.example.net",
            "dyn-77.2.0.192.example.net",
            "ip192x0x2x77.example.net",
            "host-192-000-002-077.example.net",
            "192000002077.example.net",
            "c000024d.example.net",
            "77-2.pool.example.net",
            "3221226061.example.net",
        ] {
            contains(name, "192.0.2.77", true);
        }
        contains("2001-db8-0-0-0-0-0-7.example.net", "2001:db8::7", true);
        contains("h.2001-0db8-0000-0000-0000-0000-0000-0007.example.net", "2001:db8::7", true);
        contains("7.0.0.ip6.arpa", "2001:db8::7", true);
    }

    #[test]
    fn does_not_take_numbered_servers_for_addresses() {
        for name in [
            "mx1.example.net",
            "mail-2.example.net",
            "example.net",
            "a77.example.net",
            "mx-2026-11-22.example.net",
        ] {
            contains(name, "192.0.2.77", false);
        }
        contains("mail.db8.example.net", "2001:db8::7", false);
        assert!(!contains_ip("smtp.1und1.example", &[]));
    }
}
