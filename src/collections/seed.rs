//! Makes the seed of a run's keyed hashes.

use foldhash::fast::RandomState;

/// A new random seed. All threads of a run must share one, so that they give equal keys to equal names; a sender of mail
/// cannot guess it, so nobody can choose names that collide.
pub fn seed() -> RandomState {
    RandomState::default()
}
