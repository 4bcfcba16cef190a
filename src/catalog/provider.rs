//! Finds the provider that runs a relay's host or a recipient's domain.

use std::num::NonZeroU16;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::Deserialize;

/// A row of the book's providers, from 1; [`Providers::row`] has its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Provider(NonZeroU16);

impl Provider {
    /// Its row in the book, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    fn at(index: usize) -> Self {
        Self(NonZeroU16::MIN.saturating_add(index as u16))
    }
}

/// One mailbox or filter company.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRow {
    pub id: String,
    pub name: String,
    /// Ends of the names of its mail servers: `google.com` is also `mx.google.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Domains of its mailboxes, whole: `gmail.com`. Asked where no server was reached.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Words that no one else writes into a reply, in the shape of a rule's phrases.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Where it explains its replies or takes complaints.
    #[serde(default)]
    pub postmaster: String,
}

/// Host name ends, each under its last two labels, so that one look finds the few that can fit.
#[derive(Default)]
pub struct Providers {
    rows: Vec<ProviderRow>,
    hosts: ProviderNames<Vec<(Vec<u8>, Provider)>>,
    domains: ProviderNames<Provider>,
}

type ProviderNames<T> = HashMap<Vec<u8>, T, FixedState>;

/// No domain of the book, and no last two labels of a host name, are longer.
const NAME_LIMIT: usize = 64;

impl Providers {
    /// A row with an id that is there already adds to that row; the host ends and domains of the row that comes
    /// first win. Err: which host end is too short to tell anything.
    pub fn add(&mut self, row: ProviderRow) -> Result<(), String> {
        let provider = self.find(&row.id).unwrap_or(Provider::at(self.rows.len()));
        for host in &row.hosts {
            let host = host.to_ascii_lowercase().into_bytes();
            let Some(site) = site(&host) else {
                return Err(format!("the host end '{}' needs two labels", host.escape_ascii()));
            };
            let ends = self.hosts.entry(site.to_vec()).or_default();
            ends.push((host, provider));
            // Stable: of two ends of the same length the first stays first.
            ends.sort_by_key(|(host, _)| std::cmp::Reverse(host.len()));
        }
        for domain in &row.domains {
            self.domains.entry(domain.to_ascii_lowercase().into_bytes()).or_insert(provider);
        }
        match self.rows.get_mut(provider.index()) {
            Some(known) => {
                known.hosts.extend(row.hosts);
                known.domains.extend(row.domains);
                known.tokens.extend(row.tokens);
            }
            None => self.rows.push(row),
        }
        Ok(())
    }

    pub fn row(&self, provider: Provider) -> Option<&ProviderRow> {
        self.rows.get(provider.index())
    }

    pub fn all(&self) -> impl Iterator<Item = (Provider, &ProviderRow)> {
        self.rows.iter().enumerate().map(|(at, row)| (Provider::at(at), row))
    }

    /// By id, `google`.
    pub fn find(&self, id: &str) -> Option<Provider> {
        self.all().find(|(_, row)| row.id == id).map(|(provider, _)| provider)
    }

    /// `MX1.mail.example.org` → by its longest known end.
    pub fn of_host(&self, host: &[u8]) -> Option<Provider> {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let mut buffer = [0; NAME_LIMIT];
        let ends = self.hosts.get(lower(site(host)?, &mut buffer)?)?;
        ends.iter().find(|(end, _)| ends_with_labels(host, end)).map(|(_, provider)| *provider)
    }

    /// `someone@gmail.com` → by the domain.
    pub fn of_recipient(&self, address: &[u8]) -> Option<Provider> {
        let at = memchr::memrchr(b'@', address)?;
        let mut buffer = [0; NAME_LIMIT];
        self.domains.get(lower(address.get(at + 1..)?, &mut buffer)?).copied()
    }
}

/// The last two labels.
fn site(host: &[u8]) -> Option<&[u8]> {
    let last = memchr::memrchr(b'.', host)?;
    let start = memchr::memrchr(b'.', host.get(..last)?).map_or(0, |dot| dot + 1);
    host.get(start..).filter(|site| site.first() != Some(&b'.'))
}

fn ends_with_labels(host: &[u8], end: &[u8]) -> bool {
    let split = host.len().checked_sub(end.len()).and_then(|at| host.split_at_checked(at));
    split.is_some_and(|(front, back)| {
        back.eq_ignore_ascii_case(end) && (front.is_empty() || front.ends_with(b"."))
    })
}

/// None: too long to be known.
fn lower<'a>(name: &[u8], buffer: &'a mut [u8; NAME_LIMIT]) -> Option<&'a [u8]> {
    let buffer = buffer.get_mut(..name.len())?;
    buffer.copy_from_slice(name);
    buffer.make_ascii_lowercase();
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Providers {
        let mut providers = Providers::default();
        let row = |id: &str, host: &str, domain: &str| ProviderRow {
            id: id.into(),
            name: id.into(),
            hosts: vec![host.into()],
            domains: vec![domain.into()],
            tokens: vec![],
            postmaster: String::new(),
        };
        providers.add(row("wide", "example.org", "mail.example")).expect("two labels");
        providers.add(row("narrow", "mx.example.org", "other.example")).expect("two labels");
        providers
    }

    #[track_caller]
    fn host(name: &str, wanted: Option<&str>) {
        let providers = providers();
        let found = providers.of_host(name.as_bytes()).and_then(|provider| providers.row(provider));
        assert_eq!(found.map(|row| row.id.as_str()), wanted, "{name}");
    }

    #[test]
    fn finds_a_host_by_its_longest_end() {
        host("example.org", Some("wide"));
        host("A.Example.ORG.", Some("wide"));
        host("a.mx.example.org", Some("narrow"));
    }

    #[test]
    fn does_not_take_a_part_of_a_label_for_an_end() {
        host("badexample.org", None);
        host("example.org.evil.test", None);
        host("org", None);
        host("..", None);
        host("", None);
        host(&"a.".repeat(300), None);
    }

    #[test]
    fn finds_a_recipient_by_its_whole_domain() {
        let providers = providers();
        assert!(providers.of_recipient(b"a@MAIL.example").is_some());
        assert!(providers.of_recipient(b"a@sub.mail.example").is_none());
        assert!(providers.of_recipient(b"mail.example").is_none());
    }
}
