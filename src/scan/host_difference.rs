//! Finds hosts whose share of failed messages is too large to be chance.
//!
//! Fisher's exact test, one-sided: if the failures were dealt out to all messages at random, the number of them on one host
//! would have a hypergeometric distribution (R. A. Fisher, "The Logic of Inductive Inference", Journal of the Royal Statistical
//! Society 98, 1935). Each host is tested against all others together, so the level is divided by the number of hosts
//! (Bonferroni; O. J. Dunn, "Multiple Comparisons Among Means", Journal of the American Statistical Association 56, 1961).
//! Hosts do not have the same mail, and with many messages any difference is significant; so a difference must be large, too.

/// The messages of one host, or of several.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct FailedShare {
    pub failed: u64,
    pub messages: u64,
}

/// The probability that any host of a fleet without a difference is found.
const LEVEL: f64 = 0.01;
/// A host with fewer messages, or fewer failed ones, is not compared.
const LEAST_MESSAGES: u64 = 50;
const LEAST_FAILED: u64 = 10;
/// The share must be this many times that of the others,
const TIMES: f64 = 2.0;
/// and exceed it by this share of messages.
const POINTS: f64 = 0.02;

impl FailedShare {
    /// From 0 to 1; 0 of nothing.
    pub(crate) fn share(self) -> f64 {
        if self.messages == 0 { 0.0 } else { self.failed as f64 / self.messages as f64 }
    }

    fn without(self, part: Self) -> Self {
        Self { failed: self.failed - part.failed, messages: self.messages - part.messages }
    }
}

/// The share of all other hosts together, for each host that stands out; `None` for the others.
pub(crate) fn differences(hosts: &[FailedShare]) -> Vec<Option<FailedShare>> {
    let mut all = FailedShare::default();
    for host in hosts {
        all = FailedShare { failed: all.failed + host.failed, messages: all.messages + host.messages };
    }
    let tested = hosts.iter().filter(|host| host.messages > 0).count();
    let of_host = |host: &FailedShare| {
        let others = all.without(*host);
        let is_large = host.messages >= LEAST_MESSAGES
            && host.failed >= LEAST_FAILED
            && others.messages > 0
            && host.share() >= others.share() * TIMES
            && host.share() >= others.share() + POINTS;
        (is_large && chance(*host, all) * tested as f64 <= LEVEL).then_some(others)
    };
    hosts.iter().map(of_host).collect()
}

/// The probability of at least as many failures on the host, if all failures were dealt out at random. The host must have more
/// than its share, so that the terms of the sum fall.
fn chance(host: FailedShare, all: FailedShare) -> f64 {
    let FailedShare { failed, messages } = host;
    let others = all.without(host);
    let choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let first =
        choose(messages, failed) + choose(others.messages, others.failed) - choose(all.messages, all.failed);
    let mut term = first.exp();
    let mut sum = term;
    // The most failures that the host can have.
    for count in failed + 1..=messages.min(all.failed) {
        let (count, whole) = (count as f64, all.messages as f64);
        let (most, ours) = (all.failed as f64, messages as f64);
        term *= (most - count + 1.0) * (ours - count + 1.0) / (count * (whole - most - ours + count));
        sum += term;
        if term <= sum * 1e-9 {
            break;
        }
    }
    sum
}

/// The logarithm of n!, by Stirling's series from 20 on (NIST Digital Library of Mathematical Functions, 5.11.1); the error is
/// below 1e-12.
fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(|factor| factor as f64).product::<f64>().ln();
    }
    let n = n as f64;
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    n * n.ln() - n + (std::f64::consts::TAU * n).ln() / 2.0 + series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(failed: u64, messages: u64) -> FailedShare {
        FailedShare { failed, messages }
    }

    #[test]
    fn the_chance_is_that_of_tables_that_can_be_counted() {
        // Of 10 messages 5 fail; all 5 of one host fail in 1 of 252 ways.
        assert!((chance(share(5, 5), share(5, 10)) - 1.0 / 252.0).abs() < 1e-12);
        // Fisher's tea: 4 of 4 in 1 of 70 ways, at least 3 in 17 of 70.
        assert!((chance(share(4, 4), share(4, 8)) - 1.0 / 70.0).abs() < 1e-12);
        assert!((chance(share(3, 4), share(4, 8)) - 17.0 / 70.0).abs() < 1e-12);
        // scipy.stats.fisher_exact([[60, 940], [20, 980]], "greater") is 2.46e-6.
        let chance = chance(share(60, 1000), share(80, 2000));
        assert!((2e-6..4e-6).contains(&chance), "{chance}");
    }

    #[test]
    fn a_host_with_many_failures_stands_out_and_no_other() {
        let mut hosts = vec![share(20, 1000); 9];
        hosts.push(share(80, 1000));
        let found = differences(&hosts);
        assert_eq!(found[9], Some(share(180, 9000)));
        assert!(found[..9].iter().all(Option::is_none));
    }

    #[test]
    fn few_messages_and_small_differences_are_no_finding() {
        let none =
            |hosts: &[FailedShare]| assert!(differences(hosts).iter().all(Option::is_none), "{hosts:?}");
        none(&[]);
        none(&[share(500, 1000)]);
        none(&[share(0, 0), share(30, 30), share(0, 0)]);
        // Significant, but not twice as many.
        none(&[share(30_000, 100_000), share(20_000, 100_000)]);
        // Twice as many, but one in a hundred more.
        none(&[share(2_000, 100_000), share(900, 100_000)]);
        none(&[share(9, 60), share(0, 1000)]);
        // As likely as not among a thousand hosts.
        let mut hosts = vec![share(5, 100); 1000];
        hosts[3] = share(13, 100);
        none(&hosts);
    }

    #[test]
    fn huge_counts_are_compared_too() {
        let found = differences(&[share(4_000_000, 20_000_000), share(1_000_000, 2_000_000_000)]);
        assert!(found[0].is_some() && found[1].is_none());
        assert_eq!(differences(&[share(100, 100), share(0, 100)])[0], Some(share(0, 100)));
    }
}
