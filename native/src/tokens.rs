//! Secrets that are known by their own shape: JWTs, credentials after a scheme, PEM keys, vendor keys.
//!
//! The twin of `_tokens.py`. Every rule looks for a literal of its own and, once that is found, consumes
//! what it looked at: no text makes any of them look twice at the same place.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

use crate::marks::MASKED;

mod credentials;
mod vendors;

pub use credentials::mask_credentials;
pub use vendors::{mask_vendor_keys, VENDOR_LITERALS};

/// A text in the making: what was masked so far, and where the rest begins.
struct Masking<'t> {
    text: &'t str,
    masked: String,
    done: usize,
    count: u64,
}

impl<'t> Masking<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            masked: String::new(),
            done: 0,
            count: 0,
        }
    }

    fn mask(&mut self, start: usize, end: usize) {
        self.masked.push_str(&self.text[self.done..start]);
        self.masked.push_str(MASKED);
        self.done = end;
        self.count += 1;
    }

    fn finish(mut self) -> (Cow<'t, str>, u64) {
        if self.count == 0 {
            return (Cow::Borrowed(self.text), 0);
        }
        self.masked.push_str(&self.text[self.done..]);
        (Cow::Owned(self.masked), self.count)
    }
}

/// Apply a rule to what another one left.
fn then(
    (text, count): (Cow<'_, str>, u64),
    rule: impl for<'s> Fn(&'s str) -> (Cow<'s, str>, u64),
) -> (Cow<'_, str>, u64) {
    match text {
        Cow::Borrowed(text) => {
            let (masked, more) = rule(text);
            (masked, count + more)
        }
        Cow::Owned(text) => {
            let (masked, more) = rule(&text);
            let masked = match masked {
                Cow::Owned(masked) => Some(masked),
                Cow::Borrowed(_) => None, // unchanged
            };
            (Cow::Owned(masked.unwrap_or(text)), count + more)
        }
    }
}

/// Tell whether a secret may begin here: where a word begins, or behind an escape (`\n`) of a JSON text
/// that did not parse.
pub(crate) fn begins(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    let is_word = before.last().is_some_and(u8::is_ascii_alphanumeric);
    !is_word || matches!(before, [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'])
}

/// Return the end of the run of bytes from `at` on that pass the test.
fn run(bytes: &[u8], at: usize, test: impl Fn(u8) -> bool) -> usize {
    at + bytes[at..]
        .iter()
        .position(|byte| !test(*byte))
        .unwrap_or(bytes.len() - at)
}

fn is_key_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

const JWT_BEGIN: &str = "eyJ";
const JWT_HEADER_MIN: usize = 10; // `eyJhbGciOi` is the shortest header's beginning

/// Replace JSON web tokens; a header alone (no dot behind it) is none.
#[must_use]
pub fn mask_jwts(text: &str) -> (Cow<'_, str>, u64) {
    let bytes = text.as_bytes();
    let mut masking = Masking::new(text);
    let mut at = 0;
    while let Some(skipped) = memmem::find(&bytes[at..], JWT_BEGIN.as_bytes()) {
        let start = at + skipped;
        at = run(bytes, start, |byte| is_key_sign(byte) || byte == b'.');
        // A signed one has three parts, cut ones two, an encrypted one five.
        let header = text[start..at].trim_end_matches('.').split_once('.');
        if header.is_some_and(|(header, _)| header.len() >= JWT_HEADER_MIN) {
            masking.mask(start, at);
        }
    }
    masking.finish()
}

static PEM_BEGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----"));
static PEM_END: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}(?:-----|\z)"));

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is constant, and a test compiles it")
}

/// Replace private keys from BEGIN to END; one without an END runs to the end of the text.
#[must_use]
pub fn mask_pem(text: &str) -> (Cow<'_, str>, u64) {
    let mut masking = Masking::new(text);
    while let Some(begin) = PEM_BEGIN.find_at(text, masking.done) {
        let end = PEM_END.find_at(text, begin.end());
        masking.mask(begin.start(), end.map_or(text.len(), |end| end.end()));
    }
    masking.finish()
}

#[cfg(test)]
mod tests {
    use super::{mask_jwts, mask_pem};

    /// A token has a header and a second part; dots behind it go with it.
    #[test]
    fn tokens_have_two_parts() {
        assert_eq!(
            mask_jwts("é eyJhbGciOiJIUzI1NiJ9.e30.x.. y"),
            ("é [MASKED] y".into(), 1)
        );
        assert_eq!(
            mask_jwts("eyJhbGciOiJIUzI1NiJ9."),
            ("eyJhbGciOiJIUzI1NiJ9.".into(), 0)
        );
        assert_eq!(mask_jwts("eyJhbGciO.e30"), ("eyJhbGciO.e30".into(), 0));
        assert_eq!(mask_jwts("eyJhbGciOi..a"), ("[MASKED]".into(), 1));
    }

    /// A private key ends at its END line, or with the text if that is cut.
    #[test]
    fn private_keys_are_masked_to_their_end() {
        let key = "a -----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY----- b";
        assert_eq!(mask_pem(key), ("a [MASKED] b".into(), 1));
        assert_eq!(mask_pem(&key[..50]), ("a [MASKED]".into(), 1));
        assert_eq!(mask_pem("-----BEGIN PUBLIC KEY-----").1, 0);
    }
}
