//! Keys of well-known vendors, which carry their vendor's prefix.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;

use super::{begins, is_key_sign, run, then, Masking};

/// How far a key without words is looked at for its first digit.
const WORDS_MAX: usize = 64;

/// What every vendor's key holds, in the order of the rules.
pub const VENDOR_LITERALS: [&str; 18] = [
    "AKIA",
    "ASIA",
    "AIza",
    "SK",
    "_live_",
    "_test_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "npm_",
    "glpat-",
    "xox",
    "sk-",
    "pypi-",
    "SG.",
];

/// Replace keys that carry their vendor's prefix.
#[must_use]
pub fn mask_vendor_keys(text: &str) -> (Cow<'_, str>, u64) {
    let mut state = (Cow::Borrowed(text), 0);
    for (literal, finder) in VENDOR_LITERALS.iter().zip(&*FINDERS) {
        state = then(state, |text| mask_keys_of(literal, finder, text));
    }
    state
}

/// To make one takes as long as to search a short text.
static FINDERS: LazyLock<Vec<memmem::Finder<'static>>> = LazyLock::new(|| {
    let finders = VENDOR_LITERALS.iter().map(memmem::Finder::new);
    finders.collect()
});

fn mask_keys_of<'t>(literal: &str, finder: &memmem::Finder<'_>, text: &'t str) -> (Cow<'t, str>, u64) {
    let bytes = text.as_bytes();
    let mut masking = Masking::new(text);
    let mut from = 0;
    while let Some(skipped) = finder.find(&bytes[from..]) {
        let at = from + skipped;
        let before = if literal.starts_with('_') { 2 } else { 0 }; // `sk_live_`
        let start = at
            .checked_sub(before)
            .filter(|start| *start >= masking.done && begins(bytes, *start));
        let end = start.and_then(|start| key_end(literal, bytes, start, at + literal.len()));
        if let (Some(start), Some(end)) = (start, end) {
            masking.mask(start, end);
            from = end;
        } else {
            from = at + 1;
        }
    }
    masking.finish()
}

/// Return the end of the key whose prefix begins at `start` and ends at `at`.
fn key_end(literal: &str, bytes: &[u8], start: usize, at: usize) -> Option<usize> {
    let alnum = |byte: u8| byte.is_ascii_alphanumeric();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match literal {
        "AKIA" | "ASIA" => exactly(bytes, at, 16, |byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit()
        }),
        "SK" => exactly(bytes, at, 32, |byte| {
            byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
        }),
        "AIza" => at_least(bytes, at, 30, is_key_sign),
        "_live_" if matches!(&bytes[start..start + 2], b"sk" | b"rk" | b"rs" | b"tr" | b"tb") => {
            at_least(bytes, at, 6, word)
        }
        "_test_" if matches!(&bytes[start..start + 2], b"sk" | b"rk") => at_least(bytes, at, 6, word),
        "ghp_" | "gho_" | "ghu_" | "ghs_" | "ghr_" => at_least(bytes, at, 16, alnum),
        "github_pat_" => at_least(bytes, at, 16, word),
        "npm_" => at_least(bytes, at, 30, alnum), // 36; `npm_config_...` are variables
        "glpat-" => at_least(bytes, at, 16, is_key_sign),
        "xox" => match bytes.get(at..at + 2) {
            Some([b'a'..=b'z', b'-']) => at_least(bytes, at + 2, 10, |byte| alnum(byte) || byte == b'-'),
            _ => None,
        },
        "sk-" if has_digit_ahead(bytes, at) => at_least(bytes, at, 20, is_key_sign),
        "pypi-" if has_digit_ahead(bytes, at) => at_least(bytes, at, 16, is_key_sign),
        "SG." => {
            let dot = at_least(bytes, at, 16, is_key_sign)?;
            if bytes.get(dot) == Some(&b'.') {
                at_least(bytes, dot + 1, 16, is_key_sign)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn at_least(bytes: &[u8], at: usize, minimum: usize, test: impl Fn(u8) -> bool) -> Option<usize> {
    let end = run(bytes, at, test);
    (end - at >= minimum).then_some(end)
}

fn exactly(bytes: &[u8], at: usize, size: usize, test: impl Fn(u8) -> bool) -> Option<usize> {
    let end = at + size;
    let whole = bytes.get(at..end)?.iter().all(|byte| test(*byte));
    (whole && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)).then_some(end)
}

/// Words joined by dashes have no digit.
fn has_digit_ahead(bytes: &[u8], at: usize) -> bool {
    let near = &bytes[at..bytes.len().min(at + WORDS_MAX + 1)];
    let words = near
        .iter()
        .position(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')));
    words.is_some_and(|end| near[end].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{mask_vendor_keys, VENDOR_LITERALS};

    /// The shortest key of each vendor is masked, and what is one shorter is not.
    #[test]
    fn keys_of_every_vendor() {
        let rests = [
            ("", 16),
            ("", 16),
            ("", 30),
            ("", 32),
            ("rs", 6),
            ("rk", 6),
            ("", 16),
            ("", 16),
            ("", 16),
            ("", 16),
            ("", 16),
            ("", 16),
            ("", 30),
            ("", 16),
            ("", 12),
            ("", 20),
            ("", 16),
            ("", 33),
        ];
        for (literal, (prefix, size)) in VENDOR_LITERALS.into_iter().zip(rests) {
            let rest = match literal {
                "xox" => format!("b-{}", "1".repeat(size - 2)),
                "SG." => format!("{0}.{0}", "1".repeat(16)),
                _ => "1".repeat(size),
            };
            let key = format!("é {prefix}{literal}{rest}");
            assert_eq!(mask_vendor_keys(&key), ("é [MASKED]".into(), 1), "{key}");
            assert_eq!(mask_vendor_keys(&key[..key.len() - 1]).1, 0, "{key}");
            assert_eq!(mask_vendor_keys(&key.replace(' ', "x")).1, 0, "{key}");
        }
    }

    /// A key is masked once, however many prefixes it holds, and words joined by dashes are none.
    #[test]
    fn words_are_no_keys() {
        assert_eq!(mask_vendor_keys("sk_live_sk_live_1").1, 1);
        assert_eq!(mask_vendor_keys("sk-learn-is-a-library-of-models").1, 0);
        assert_eq!(mask_vendor_keys("AKIA0123456789ABCDEF0").1, 0);
    }
}
