//! The handshake between the extension and `replaystack`.
//!
//! Both sides are published separately, so an old wheel may meet a new core. The number names the
//! set of functions and their meaning; the seam in `replaystack` compares it with the one it was
//! written for and falls back to Python when they differ.

/// The contract that this build speaks. Raise it with every change that an older core would
/// misunderstand; `replaystack` must be raised in the same commit.
pub const VERSION: u32 = 3;

/// The version of the distribution, as in `Cargo.toml` (all distributions share one number).
pub const DISTRIBUTION_VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::{DISTRIBUTION_VERSION, VERSION};

    /// Contract 3 has texts and URLs as methods of a policy; a change of this number is a decision, not an accident.
    #[test]
    fn contract_is_the_one_core_expects() {
        assert_eq!(VERSION, 3);
    }

    /// Three dotted numbers: the pins `==` between the distributions rely on it.
    #[test]
    fn distribution_version_has_three_numbers() {
        let parts: Vec<_> = DISTRIBUTION_VERSION.split('.').map(str::parse::<u32>).collect();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(Result::is_ok));
    }
}
