//! What one client masks, as the rules need it: Python owns defaults, checks of options and the hash.

use crate::keys::Keyring;

/// A class of personal data that is masked only for who asks for it. The order is that of the rules:
/// addresses first, for `anna+15550101234@...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// International bank account numbers.
    Iban,
    /// IP addresses of both versions.
    Ip,
}

impl Class {
    /// Return the class that Python knows by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "email" => Some(Self::Email),
            "phone" => Some(Self::Phone),
            "iban" => Some(Self::Iban),
            "ip" => Some(Self::Ip),
            _ => None,
        }
    }
}

/// A compiled policy: immutable, safe to share between threads.
#[derive(Debug)]
pub struct Policy {
    /// The verdicts on keys.
    pub keyring: Keyring,
    /// Whether the value rules apply.
    pub mask_values: bool,
    /// The classes of personal data that are masked too, in the order of `Class`.
    pub classes: Vec<Class>,
}

impl Default for Policy {
    /// Return the built-in rules and nothing else.
    fn default() -> Self {
        Self {
            keyring: Keyring::default(),
            mask_values: true,
            classes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Policy};

    /// Each class is found by the name of the option, and nothing else is.
    #[test]
    fn classes_have_names() {
        let found: Vec<_> = ["email", "phone", "iban", "ip"]
            .into_iter()
            .filter_map(Class::named)
            .collect();
        assert_eq!(found, [Class::Email, Class::Phone, Class::Iban, Class::Ip]);
        assert_eq!(Class::named("Email"), None);
    }

    /// Threads share one policy without a lock.
    #[test]
    fn policy_is_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Policy::default());
    }
}
