//! What stands for a name: a secret and the name come in, a mark goes out, the same for the same two.

use std::net::IpAddr;

/// Replaces local parts of addresses, logins and IP addresses, with the names that hold one. Domains stay, and so do the
/// addresses of this machine to itself. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Redactor {
    key: [u8; 32],
}

/// 48 bits: of a million names, two have the same mark once in 560 logs.
pub(crate) const DIGITS: usize = 12;

impl Redactor {
    /// Any secret will do that nobody can guess; who knows it can try names.
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self { key: blake3::derive_key("smtplog redact 1", secret) }
    }

    fn pseudonym(&self, kind: &str, name: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(b" ").update(name.to_lowercase().as_bytes());
        let digits: String = hasher.finalize().to_hex().chars().take(DIGITS).collect();
        format!("{kind}-{digits}")
    }

    /// `anna` → `u-3f9a1c20b7e4`; letters' case aside.
    pub(crate) fn local(&self, local: &str) -> String {
        self.pseudonym("u", local)
    }

    /// `192.0.2.7` → `ip-…`. Loopback stays: it is nobody.
    pub(crate) fn ip(&self, ip: IpAddr) -> String {
        let plain = ip.to_canonical();
        if plain.is_loopback() || plain.is_unspecified() {
            ip.to_string()
        } else {
            self.pseudonym("ip", &plain.to_string())
        }
    }

    /// A name that holds an address: `192-0-2-7.dyn.example.net` → `h-….example.net`.
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
