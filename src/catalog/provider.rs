//! Finds the provider that runs a relay's host or a recipient's domain.

use std::num::NonZeroU16;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// A provider: its position in [`Providers`] plus 1, so that `Option<Provider>` takes 2 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub struct Provider(NonZeroU16);

impl Provider {
    /// The position in [`Providers`], from 0.
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// The provider at a position, from 0.
    pub(crate) const fn at(index: usize) -> Self {
        Self(NonZeroU16::MIN.saturating_add(index as u16))
    }
}

/// A company that runs mailboxes or filters mail.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderRow {
    /// As it is typed and printed in JSON: `google`.
    pub id: String,
    pub name: String,
    /// Suffixes of the names of its mail servers: `google.com` includes `mx.google.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Domains of its mailboxes, without their subdomains: `gmail.com`. Used if no server was reached.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Phrases that only this provider writes into a reply; see `RuleRow::words`.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// The page on which it explains its replies or takes complaints; empty if there is none.
    #[serde(default)]
    pub postmaster: String,
    /// The month in which the page was looked up, `2026-11`; empty if there is none.
    #[serde(default)]
    pub looked_up: String,
}

/// All providers, with hash maps by host and domain name.
#[derive(Default)]
pub struct Providers {
    rows: Vec<ProviderRow>,
    /// Suffixes of host names, keyed by their last two labels; the longest suffix of a key comes first.
    hosts: ProviderNames<Vec<(Vec<u8>, Provider)>>,
    /// Keyed by the whole domain.
    domains: ProviderNames<Provider>,
    /// The tokens that users added.
    own_tokens: Vec<(Provider, String)>,
    /// The providers of the built-in table, in its order.
    built_in: Vec<Provider>,
}

/// A map from a name in lower case.
type ProviderNames<T> = HashMap<Vec<u8>, T, FixedState>;

/// The largest length of a key of the maps, in bytes. A longer name is never found.
const NAME_LIMIT: usize = 64;

impl Providers {
    /// Adds a user's provider. If the id is known, the names are added to the known row. Of equal host suffixes or domains,
    /// the first one added wins. `Err` names a host suffix that has fewer than two labels.
    pub fn add(&mut self, row: ProviderRow) -> Result<(), String> {
        let tokens = row.tokens.clone();
        let provider = self.add_row(row)?;
        self.own_tokens.extend(tokens.into_iter().map(|token| (provider, token)));
        Ok(())
    }

    /// Adds the rows of the built-in table, behind those of the users.
    pub fn add_built_in(&mut self, rows: Vec<ProviderRow>) -> Result<(), String> {
        for row in rows {
            let provider = self.add_row(row)?;
            self.built_in.push(provider);
        }
        Ok(())
    }

    fn add_row(&mut self, row: ProviderRow) -> Result<Provider, String> {
        let provider = self.find(&row.id).unwrap_or(Provider::at(self.rows.len()));
        for host in &row.hosts {
            let host = host.to_ascii_lowercase().into_bytes();
            let Some(key) = last_two_labels(&host) else {
                return Err(format!("the host end '{}' needs two labels", host.escape_ascii()));
            };
            let suffixes = self.hosts.entry(key.to_vec()).or_default();
            suffixes.push((host, provider));
            // The sort is stable: of equal suffixes the first one added stays first.
            suffixes.sort_by_key(|(host, _)| std::cmp::Reverse(host.len()));
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
        Ok(provider)
    }

    /// The phrases that users added, with their providers.
    pub(crate) fn own_tokens(&self) -> impl Iterator<Item = (Provider, &str)> {
        self.own_tokens.iter().map(|(provider, token)| (*provider, token.as_str()))
    }

    /// The provider of each row of the built-in table. `None`: no user added a provider, so each has the number of its row.
    pub(crate) fn numbers_of_built_in(&self) -> Option<&[Provider]> {
        let is_numbered = |(at, provider): (usize, &Provider)| provider.index() == at;
        (!self.built_in.iter().enumerate().all(is_numbered)).then_some(&self.built_in)
    }

    pub fn row(&self, provider: Provider) -> Option<&ProviderRow> {
        self.rows.get(provider.index())
    }

    pub fn all(&self) -> impl Iterator<Item = (Provider, &ProviderRow)> {
        self.rows.iter().enumerate().map(|(at, row)| (Provider::at(at), row))
    }

    /// Finds a provider by its id, `google`.
    pub fn find(&self, id: &str) -> Option<Provider> {
        self.all().find(|(_, row)| row.id == id).map(|(provider, _)| provider)
    }

    /// Finds the provider of a host, `MX1.mail.example.org`, by the longest known suffix.
    pub fn of_host(&self, host: &[u8]) -> Option<Provider> {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let mut buffer = [0; NAME_LIMIT];
        let suffixes = self.hosts.get(to_lowercase(last_two_labels(host)?, &mut buffer)?)?;
        suffixes.iter().find(|(end, _)| ends_with_labels(host, end)).map(|(_, provider)| *provider)
    }

    /// Finds the provider of a recipient, `someone@gmail.com`, by the domain.
    pub fn of_recipient(&self, address: &[u8]) -> Option<Provider> {
        let at = memchr::memrchr(b'@', address)?;
        let mut buffer = [0; NAME_LIMIT];
        self.domains.get(to_lowercase(address.get(at + 1..)?, &mut buffer)?).copied()
    }
}

/// `mx1.mail.example.org` → `example.org`. None: there are fewer than two labels.
fn last_two_labels(host: &[u8]) -> Option<&[u8]> {
    let last = memchr::memrchr(b'.', host)?;
    let start = memchr::memrchr(b'.', host.get(..last)?).map_or(0, |dot| dot + 1);
    host.get(start..).filter(|labels| labels.first() != Some(&b'.'))
}

/// Whether the host is `end` or a subdomain of it.
fn ends_with_labels(host: &[u8], end: &[u8]) -> bool {
    let split = host.len().checked_sub(end.len()).and_then(|at| host.split_at_checked(at));
    split.is_some_and(|(front, back)| {
        back.eq_ignore_ascii_case(end) && (front.is_empty() || front.ends_with(b"."))
    })
}

/// The name in lower case. None: it is longer than any key.
fn to_lowercase<'a>(name: &[u8], buffer: &'a mut [u8; NAME_LIMIT]) -> Option<&'a [u8]> {
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
            looked_up: String::new(),
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
    fn finds_a_host_by_its_longest_suffix() {
        host("example.org", Some("wide"));
        host("A.Example.ORG.", Some("wide"));
        host("a.mx.example.org", Some("narrow"));
    }

    #[test]
    fn does_not_take_a_part_of_a_label_for_a_suffix() {
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
