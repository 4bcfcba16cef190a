//! Finds addresses, IP addresses and host names that contain one in text from a log, and replaces them with
//! pseudonyms.

use std::net::IpAddr;
use std::str::Chars;
use std::sync::LazyLock;

use mail_builder::encoders::base64::base64_encode;
use regex::{Captures, Regex};

use super::home_folders;
use super::host_names::contains_ip;
use super::known_names::KnownNames;
use super::pseudonym::{DIGITS, Redactor};

/// An address, in which `%40` may stand for the @ of a link. The local part is quoted, or any text in angle brackets,
/// or plain. A field label before it is not part of it.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<label> \b(?: sasl_username | sasl_sender | orig_to | to | from | user | username | login | email | e?mail_?address
            | mail | rcpt | recipient | sender | addr | address | set_id | prvs | login | id | q | F | U ) (?: = | %3[Dd] ) | \bA=[\w-]+: )?
        (?P<local> "(?:[^"\\]|\\.)*" | (?P<open> < ) (?: [^<>@=] | =[^\s<>@] ) [^<>@]* | [^\s<>@"(),:;/?&\[\]\\]+? )
        (?P<at> @ | %40 )
        (?P<domain> \[ [^\]\s]* \] | [\w.\-\u{80}-\u{10ffff}]* )"#,
    )
    .expect("a test reads it")
});

/// A candidate for an IP address, perhaps followed by a port or a dot.
static IP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:ipv6:)?[0-9a-f]*[:.][0-9a-f:.]*[0-9a-f:]").expect("a test reads it")
});

/// A candidate for a host name.
static HOST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?").expect("a test reads it"));

impl Redactor {
    /// Redacts a whole log line, or text that may be one.
    pub(crate) fn line(&self, raw: &str) -> String {
        self.text_with_names(raw, &KnownNames::of_line(raw))
    }

    /// Redacts text that is not a log line.
    pub(crate) fn text(&self, text: &str) -> String {
        self.text_with_names(text, &KnownNames::default())
    }

    /// Redacts text in which these names may occur alone.
    pub(crate) fn text_with_names(&self, text: &str, names: &KnownNames) -> String {
        let (mut names, mut text) = (names.clone(), text.to_owned());
        for name in names.whole() {
            text = replace_whole(&text, name, &self.address(name));
        }
        for owner in home_folders::owners(&text) {
            names.add(owner);
        }
        let text = home_folders::hide_owners(&text, |owner| self.local_part(owner));
        for found in ADDRESS.captures_iter(&text).filter(|found| !is_pseudonym(local(found))) {
            names.add(local(&found));
        }
        let ips = ips(&text);
        let text = ADDRESS.replace_all(&text, |found: &Captures| self.found_address(found, &ips));
        let text = HOST.replace_all(&text, |found: &Captures| self.found_host(found, &ips));
        let text = IP.replace_all(&text, |found: &Captures| self.found_ip(&found[0]));
        let mut text = text.into_owned();
        for name in names.iter().filter(|name| !is_pseudonym(name)) {
            text = self.replace_name(&text, name);
        }
        text
    }

    /// Redacts an address, a local part or a login; text without letters and digits stays.
    pub(crate) fn address(&self, address: &str) -> String {
        let has_letters = address.chars().any(char::is_alphanumeric);
        if !has_letters || address == "(others)" {
            return address.to_owned();
        }
        match address.rsplit_once('@') {
            Some((local, domain)) => format!("{}@{}", self.local_part(local), self.host(domain)),
            None => self.local_part(address),
        }
    }

    /// Redacts a Message-ID, whose local part a client chooses: all of it becomes one pseudonym.
    pub(crate) fn message_id(&self, id: &str) -> String {
        self.address(id)
    }

    /// The pseudonym that the same local part has in a line. A pseudonym stays as it is.
    fn local_part(&self, local: &str) -> String {
        if local.is_empty() || is_pseudonym(local) {
            local.to_owned()
        } else {
            self.local(local.trim_matches('"'))
        }
    }

    /// Redacts a host name, a domain or an IP address; a name that contains no address stays.
    pub(crate) fn host(&self, host: &str) -> String {
        self.host_at(host, None)
    }

    /// Redacts a host name. `ip` is its address, if known.
    pub(crate) fn host_at(&self, host: &str, ip: Option<&str>) -> String {
        if is_pseudonym(host) {
            return host.to_owned();
        }
        let inner = host.trim_start_matches('[').trim_end_matches(']');
        let inner =
            inner.get(..5).filter(|front| front.eq_ignore_ascii_case("ipv6:")).map_or(inner, |_| &inner[5..]);
        if let Ok(ip) = inner.parse::<IpAddr>() {
            return self.ip(ip);
        }
        let ips: Vec<IpAddr> = ip.and_then(|ip| ip.parse().ok()).into_iter().collect();
        if contains_ip(host, &ips) { self.without_ip(host, &ips) } else { host.to_owned() }
    }

    /// Replaces the labels before the domain, or the whole name if the domain contains an address too.
    fn without_ip(&self, host: &str, ips: &[IpAddr]) -> String {
        let mut labels = host.trim_end_matches('.').rsplitn(3, '.');
        let (top, second, rest) = (labels.next(), labels.next(), labels.next());
        match (top, second, rest) {
            (Some(top), Some(second), Some(_)) => {
                let domain = format!("{second}.{top}");
                // A label of digits alone is part of an address.
                let has_number =
                    second.chars().all(|sign| sign.is_ascii_digit()) || contains_ip(&domain, ips);
                if has_number { self.name(host) } else { format!("{}.{domain}", self.name(host)) }
            }
            _ => self.name(host),
        }
    }

    fn found_address(&self, found: &Captures, ips: &[IpAddr]) -> String {
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        let domain = part("domain");
        let inner = domain.trim_start_matches('[').trim_end_matches(']');
        let host = match inner.parse::<IpAddr>() {
            Ok(ip) => format!("[{}]", self.ip(ip)),
            Err(_) if domain.starts_with('[') => format!("[{}]", self.host(inner)),
            Err(_) if contains_ip(domain, ips) => self.without_ip(domain, ips),
            Err(_) => domain.to_owned(),
        };
        format!("{}{}{}{}{host}", part("label"), part("open"), self.local_part(local(found)), part("at"))
    }

    fn found_host(&self, found: &Captures, ips: &[IpAddr]) -> String {
        let name = &found[0];
        // Timestamps and versions have dots and hyphens too; a host name has letters and is not a pseudonym.
        let plain = !name.contains(['.', '-']) || name.parse::<IpAddr>().is_ok();
        let letters =
            name.chars().any(|sign| sign.is_ascii_alphabetic()) || name.matches(['.', '-']).count() > 3;
        if plain || !letters || is_pseudonym(name) || !contains_ip(name, ips) {
            name.to_owned()
        } else {
            self.without_ip(name, ips)
        }
    }

    fn found_ip(&self, found: &str) -> String {
        let (front, rest) = match found.get(..5) {
            Some(front) if front.eq_ignore_ascii_case("ipv6:") => (front, &found[5..]),
            _ => ("", found),
        };
        let text = rest.trim_end_matches(['.', ':']);
        let tail = &rest[text.len()..];
        // An address with a port: `192.0.2.7:25`.
        let (ip, port) = match text.split_once(':') {
            Some((ip, port)) if ip.contains('.') => (ip, format!(":{port}")),
            _ => (text, String::new()),
        };
        match ip.parse::<IpAddr>().or_else(|_| rest.parse()) {
            Ok(ip) if ip.to_string() == rest => format!("{front}{}", self.ip(ip)),
            Ok(ip) => format!("{front}{}{port}{tail}", self.ip(ip)),
            Err(_) => found.to_owned(),
        }
    }

    /// Replaces the name where it is a whole word, plain or in base64. Part of a domain is not a whole word.
    fn replace_name(&self, text: &str, name: &str) -> String {
        let mark = self.local(name);
        let text = replace_words(text, name, &mark);
        let encoded = base64_encode(name.as_bytes()).ok().and_then(|encoded| String::from_utf8(encoded).ok());
        match encoded.filter(|encoded| encoded.len() > 7) {
            Some(encoded) => replace_words(&text, encoded.trim_end(), &mark),
            None => text,
        }
    }
}

fn local<'t>(found: &Captures<'t>) -> &'t str {
    let local = found.name("local").map_or("", |local| local.as_str());
    local.strip_prefix('<').unwrap_or(local)
}

/// The text is a pseudonym, alone or before its domain.
fn is_pseudonym(name: &str) -> bool {
    let digits = ["u-", "ip-", "h-"].into_iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or_default();
    let digits = digits.split('.').next().unwrap_or_default();
    digits.len() == DIGITS && digits.chars().all(|sign| sign.is_ascii_hexdigit())
}

/// All IP addresses in a text.
fn ips(text: &str) -> Vec<IpAddr> {
    let found = IP.find_iter(text).filter_map(|found| {
        let text = found.as_str();
        let text =
            text.get(..5).filter(|front| front.eq_ignore_ascii_case("ipv6:")).map_or(text, |_| &text[5..]);
        let text = text.trim_end_matches('.');
        text.parse().ok().or_else(|| text.split_once(':')?.0.parse().ok())
    });
    found.collect()
}

/// Replaces the name where it is a whole word. Part of a domain is not a whole word.
fn replace_words(text: &str, name: &str, mark: &str) -> String {
    replace_unless(text, name, mark, |front, mut behind| {
        let inside = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == '-';
        let (next, then) = (behind.next(), behind.next());
        // Skips `example` in `mx.example.org` and in `anna@example.org`.
        let in_domain = matches!(front, Some('.' | '@')) || next == Some('.') && then.is_some_and(inside);
        front.is_some_and(inside) || next.is_some_and(inside) || in_domain || next == Some('@')
    })
}

/// Replaces an address or a login as it stands in a field, unless it is part of longer words.
fn replace_whole(text: &str, name: &str, mark: &str) -> String {
    let is_word = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
    let (first, last) = (is_word(name.chars().next()), is_word(name.chars().next_back()));
    replace_unless(text, name, mark, |front, mut behind| {
        first && is_word(front) || last && is_word(behind.next())
    })
}

/// Replaces the name, in upper or lower case, unless `is_other` says so of the character before it and those behind it.
fn replace_unless(
    text: &str,
    name: &str,
    mark: &str,
    is_other: impl Fn(Option<char>, Chars) -> bool,
) -> String {
    let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
    // ASCII lower case keeps the offsets of all characters.
    let (small, wanted) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
    for (at, _) in small.match_indices(&wanted) {
        let end = at + wanted.len();
        let (Some(before), Some(after)) = (text.get(from..at), text.get(end..)) else { continue };
        let front = text.get(..at).and_then(|front| front.chars().next_back());
        if is_other(front, after.chars()) {
            continue;
        }
        shown.push_str(before);
        shown.push_str(mark);
        from = end;
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares after every pseudonym is reduced to its kind.
    #[track_caller]
    fn becomes(line: &str, wanted: &str) {
        let marks = Regex::new(r"\b(u|ip|h)-[0-9a-f]{12}").unwrap();
        let shown = Redactor::new(b"secret").line(line);
        assert_eq!(marks.replace_all(&shown, "$1~"), wanted, "{line}\n{shown}");
    }

    #[test]
    fn addresses_keep_their_domain() {
        becomes("to=<anna@example.org>, relay=mx.example.org", "to=<u~@example.org>, relay=mx.example.org");
        becomes("sasl_username=anna@example.org", "sasl_username=u~@example.org");
        becomes("<\"anna b\"@example.org>", "<u~@example.org>");
        becomes("to=<anna b@example.org>", "to=<u~@example.org>");
        becomes("from=<bounce-anna=example.org@lists.example.net>", "from=<u~@lists.example.net>");
        becomes(
            "see https://example.org/?email=anna%40example.org&x=1",
            "see https://example.org/?email=u~%40example.org&x=1",
        );
        becomes("anna@[192.0.2.7] and <>", "u~@[ip~] and <>");
        becomes("m\u{fc}ller@example.org", "u~@example.org");
        becomes("from=<@example.org>", "from=<@example.org>");
        becomes("<= anna@example.org H=mx", "<= u~@example.org H=mx");
    }

    #[test]
    fn a_name_is_found_where_it_stands_alone() {
        becomes(
            "to=<anna@example.org> said: 550 anna: user unknown (anna.example.org)",
            "to=<u~@example.org> said: 550 u~: user unknown (anna.example.org)",
        );
        becomes(
            "sasl_username=anna; mailbox of ANNA. Not annabel",
            "sasl_username=u~; mailbox of u~. Not annabel",
        );
        becomes("sasl_username=anna.b failed: YW5uYS5i", "sasl_username=u~ failed: u~");
    }

    #[test]
    fn a_login_is_replaced_as_a_whole() {
        let postfix = "Nov 23 08:00:01 mx1 postfix/smtpd[195]: warning: unknown[192.0.2.9]: SASL LOGIN authentication failed: \
            UGFz, sasl_username=";
        let exim = "2026-11-23 08:00:02 login authenticator failed for (h) [192.0.2.9]: 535 Incorrect authentication data \
            (set_id=";
        let smtpd = "Nov 23 08:00:01 mx1 smtpd[7]: 838b69d3db000001 smtp authentication user=";
        for (login, shown) in [
            ("anna smith", "u~"),
            ("smith anna", "u~"),
            ("anna:@example.org", "u~@example.org"),
            ("anna]@example.org", "u~@example.org"),
            ("anna)@example.org", "u~@example.org"),
            ("anna, smith", "u~"),
        ] {
            becomes(&format!("{postfix}{login}"), &format!("{}{shown}", postfix.replace("192.0.2.9", "ip~")));
            becomes(&format!("{exim}{login})"), &format!("{}{shown})", exim.replace("192.0.2.9", "ip~")));
            becomes(&format!("{smtpd}{login} result=ok"), &format!("{smtpd}{shown} result=ok"));
            let redactor = Redactor::new(b"secret");
            let line = redactor.line(&format!("{exim}{login})"));
            assert!(line.ends_with(&format!("(set_id={})", redactor.address(login))), "{line}");
        }
    }

    #[test]
    fn a_message_id_is_replaced_as_a_whole() {
        let line = "2026-11-23 08:00:02 1r5g00-000001-0A <= carl@example.org H=c.example.com [192.0.2.9] P=esmtps S=343 id=";
        let shown = line.replace("carl@example.org", "u~@example.org").replace("192.0.2.9", "ip~");
        for id in ["20261123.anna;q", "a,anna", "a)anna", "a:anna:", "a]anna", "a.\"anna x\""] {
            becomes(
                &format!("{line}{id}@example.org T=\"hi\" for bert@example.net"),
                &format!("{shown}u~@example.org T=\"hi\" for u~@example.net"),
            );
        }
        let redactor = Redactor::new(b"secret");
        assert!(is_pseudonym(
            &redactor.message_id("20261123.anna;q@example.org").replace("@example.org", "")
        ));
    }

    #[test]
    fn the_owner_of_a_home_folder_is_hidden() {
        becomes(
            "Nov 23 08:00:01 mx1 postfix/local[1]: 4F1A2B3C4D: to=<anna smith@example.org>, relay=local, delay=1, \
            delays=0/0/0/1, dsn=5.2.2, status=bounced (cannot update mailbox /home/anna smith/mail. no)",
            "Nov 23 08:00:01 mx1 postfix/local[1]: 4F1A2B3C4D: to=<u~@example.org>, relay=local, delay=1, \
            delays=0/0/0/1, dsn=5.2.2, status=bounced (cannot update mailbox /home/u~/mail. no)",
        );
        becomes(
            "cannot open /home/anna/Maildir: * permission denied",
            "cannot open /home/u~/Maildir: * permission denied",
        );
        becomes(
            "cannot lock /var/mail/anna.lock for user anna.",
            "cannot lock /var/mail/u~.lock for user u~.",
        );
    }

    #[test]
    fn ip_addresses_and_names_that_hold_one_are_gone() {
        becomes("client=unknown[192.0.2.77]:4021", "client=unknown[ip~]:4021");
        becomes("connect to mx[2001:db8::7]:25: refused", "connect to mx[ip~]:25: refused");
        becomes("H=(x) [IPv6:2001:db8::7]", "H=(x) [IPv6:ip~]");
        becomes("192-0-2-77.dyn.example.net[192.0.2.77]", "h~.example.net[ip~]");
        becomes("c000024d.example.net [192.0.2.77]", "h~.example.net [ip~]");
        becomes(
            "host 192.0.2.77. Blocked by 77.2.0.192.zen.example.org.",
            "host ip~. Blocked by h~.example.org.",
        );
        becomes("192.0.2.77:25 and 127.0.0.1:10024 and ::1", "ip~:25 and 127.0.0.1:10024 and ::1");
    }

    #[test]
    fn stamps_codes_and_ids_stay() {
        for line in [
            "Nov 22 05:32:27 mx1 postfix/smtp[195]: 12F14DC03F: delays=0/0/0/0.01, dsn=5.2.2, status=bounced",
            "2026-11-22T02:40:41.904+00:00 mx1 550 5.7.606 TLSv1.3:TLS_AES_256_GCM_SHA384:256",
            "2026-11-22 02:40:41 1vMxyz-000000001Ab-0001 Completed",
        ] {
            becomes(line, line);
        }
    }

    #[test]
    fn an_address_has_the_same_mark_alone_and_in_a_line() {
        let redactor = Redactor::new(b"secret");
        for address in ["anna@example.org", "\"anna b\"@example.org", "anna+x@example.org"] {
            assert_eq!(
                redactor.line(&format!("to=<{address}>")),
                format!("to=<{}>", redactor.address(address))
            );
        }
        assert_eq!(redactor.address(""), "");
        let once = redactor.line("to=<anna@example.org> [192.0.2.7] 192-0-2-7.dyn.example.net: anna");
        assert_eq!(redactor.line(&once), once, "what is hidden stays as it is");
        assert_eq!(redactor.host("192.0.2.7"), redactor.text("192.0.2.7"));
    }
}
