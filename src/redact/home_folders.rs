//! Finds the owners of home folders and mailboxes in paths: `anna` in `/home/anna/Maildir`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A path of a home folder or mailbox. Behind a folder of virtual mailboxes, the domain comes first.
static HOME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<folder>
            (?P<virtual> / (?: (?: home | srv | var | var/mail | var/spool | var/spool/mail ) / (?: vmail | vhosts | virtual )
                | vmail ) / )
            | / (?: home | Users | var/mail | var/spool/mail ) / )
        (?P<first> "(?:[^"\\]|\\.)*" | [^\s/:;,"'<>()\[\]*]+ )
        (?: / (?P<second> [^\s/:;,"'<>()\[\]*]+ ) )?"#,
    )
    .expect("a test reads it")
});

/// Accounts of programs; nobody is called so.
const PROGRAMS: [&str; 9] =
    ["dovecot", "exim", "exim4", "mail", "mailman", "postfix", "vhosts", "virtual", "vmail"];

/// The owners of the home folders and mailboxes in a text.
pub(crate) fn owners(text: &str) -> impl Iterator<Item = &str> {
    HOME.captures_iter(text).flat_map(|found| {
        let [first, second] = found_owners(&found);
        [first, second].into_iter().flatten()
    })
}

/// The text with another name in place of each owner.
pub(crate) fn hide_owners(text: &str, hidden: impl Fn(&str) -> String) -> String {
    let shown = HOME.replace_all(text, |found: &Captures| {
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        let owners = found_owners(found);
        let mut shown = part("folder").to_owned();
        for (at, (name, owner)) in ["first", "second"].into_iter().zip(owners).enumerate() {
            let name = part(name);
            if at > 0 && !name.is_empty() {
                shown.push('/');
            }
            let rest = owner.and_then(|owner| name.strip_prefix(owner));
            match owner.zip(rest) {
                Some((owner, rest)) => shown.extend([hidden(owner).as_str(), rest]),
                None => shown.push_str(name),
            }
        }
        shown
    });
    shown.into_owned()
}

/// Which of the two parts of a path behind the folder are the names of people, without `.lock` and a full stop.
fn found_owners<'t>(found: &Captures<'t>) -> [Option<&'t str>; 2] {
    let part = |name: &str| found.name(name).map(|part| owner(part.as_str()));
    let (first, second) = (part("first").filter(|first| !PROGRAMS.contains(first)), part("second"));
    let is_domain = |name: &str| name.contains('.') && !name.starts_with('.');
    // `/var/mail/example.org/anna`, but `/home/anna.smith/Maildir`.
    let behind_domain = second.filter(|second| first.is_some_and(is_domain) && !is_mail_folder(second));
    if found.name("virtual").is_some() && first.is_some_and(is_domain) {
        let alone = second.is_some() && behind_domain.is_none();
        return [first.filter(|_| alone), behind_domain];
    }
    [first, behind_domain]
}

fn owner(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    name.strip_suffix(".lock").unwrap_or(name)
}

fn is_mail_folder(name: &str) -> bool {
    const FOLDERS: [&str; 9] = ["Maildir", "mail", "Mail", "mbox", "mdbox", "sdbox", "cur", "new", "tmp"];
    FOLDERS.contains(&name) || name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_hidden_and_domains_stay() {
        for (path, shown) in [
            ("/home/anna/Maildir", "/home/~/Maildir"),
            ("/home/anna.smith/Maildir/new", "/home/~/Maildir/new"),
            ("open /home/anna: no", "open /home/~: no"),
            ("/home/\"anna b\"/Maildir", "/home/~/Maildir"),
            ("/var/mail/anna.lock", "/var/mail/~.lock"),
            ("/var/spool/mail/anna.", "/var/spool/mail/~."),
            ("/var/mail/example.org/anna", "/var/mail/~/~"),
            ("/var/vmail/example.org/anna/new", "/var/vmail/example.org/~/new"),
            ("/home/vmail/example.org/anna", "/home/vmail/example.org/~"),
            ("/var/mail/vhosts/example.org/anna", "/var/mail/vhosts/example.org/~"),
            ("/var/vmail/anna/Maildir", "/var/vmail/~/Maildir"),
            ("/var/vmail/anna.smith/Maildir", "/var/vmail/~/Maildir"),
            ("/var/vmail/example.org", "/var/vmail/example.org"),
            ("/home/*/Maildir", "/home/*/Maildir"),
            ("/home/postfix/main.cf", "/home/postfix/main.cf"),
            ("/vmail/example.org/anna", "/vmail/example.org/~"),
            ("/etc/postfix/virtual", "/etc/postfix/virtual"),
            ("/etc/postfix/virtual/domains", "/etc/postfix/virtual/domains"),
            ("/var/log/mail.log", "/var/log/mail.log"),
        ] {
            assert_eq!(hide_owners(path, |_| "~".to_owned()), shown);
        }
        assert_eq!(
            owners("/home/anna/x and /var/vmail/example.org/bert").collect::<Vec<_>>(),
            ["anna", "bert"]
        );
    }
}
