//! Computes the pseudonym of a name from a secret: the same name and secret have the same pseudonym.

use std::net::IpAddr;

use crate::collections::hash_secret::HashSecret;

/// Replaces local parts of addresses, logins, IP addresses, and host names that contain an IP address. Domains and
/// loopback addresses stay. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Redactor {
    key: [u8; 32],
}

/// Hexadecimal digits of a pseudonym, 48 bits. Of a million names, two have the same pseudonym in one of 560 logs.
pub(crate) const DIGITS: usize = 12;

impl Redactor {
    /// The secret must be hard to guess: whoever knows it can test names.
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self { key: blake3::derive_key("smtplog redact 1", secret) }
    }

    /// Identifies the key without telling anything of it: 16 hexadecimal digits.
    pub(crate) fn key_id(&self) -> String {
        let id = blake3::derive_key("smtplog redact key id 1", &self.key);
        let first = id.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        format!("{first:016x}")
    }

    /// The secret of hashes that stand in a part.
    pub(crate) fn hash_secret(&self) -> HashSecret {
        HashSecret::new(blake3::derive_key("smtplog redact hashes 1", &self.key))
    }

    fn pseudonym(&self, kind: &str, name: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(b" ").update(name.to_lowercase().as_bytes());
        let digits: String = hasher.finalize().to_hex().chars().take(DIGITS).collect();
        format!("{kind}-{digits}")
    }

    /// `anna` → `u-3f9a1c20b7e4`, regardless of case.
    pub(crate) fn local(&self, local: &str) -> String {
        self.pseudonym("u", local)
    }

    /// `192.0.2.7` → `ip-…`. Loopback and unspecified addresses stay: they identify nobody.
    pub(crate) fn ip(&self, ip: IpAddr) -> String {
        let plain = ip.to_canonical();
        if plain.is_loopback() || plain.is_unspecified() {
            ip.to_string()
        } else {
            self.pseudonym("ip", &plain.to_string())
        }
    }

    /// The pseudonym of a host name that contains an address: `192-0-2-7.dyn.example.net` → `h-…`.
    pub(crate) fn name(&self, name: &str) -> String {
        self.pseudonym("h", name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_has_the_same_mark_under_the_same_secret_alone() {
        let (one, other) = (Redactor::new(b"one"), Redactor::new(b"other"));
        assert_eq!(one.local("Anna"), one.local("anna"));
        assert_ne!(one.local("anna"), one.local("bert"));
        assert_ne!(one.local("anna"), other.local("anna"));
        assert_eq!(one.ip("::ffff:192.0.2.7".parse().unwrap()), one.ip("192.0.2.7".parse().unwrap()));
        assert_eq!(one.ip("127.0.0.1".parse().unwrap()), "127.0.0.1");
        assert_eq!(one.local("anna").len(), 2 + DIGITS);
    }
}
