//! Personal data that a user may opt in to mask: e-mail addresses, telephone numbers, IBANs, IP addresses.
//!
//! The twin of `_personal.py`; telephone numbers are in `personal/phones`, IBANs in `personal/ibans`, and
//! the table of the classes, which Python has in `_text.py`, is `mask_class`.
//! Each rule is a search for places worth a look, and a judge beside it. No search can fail after an
//! unbounded repetition and no judge looks further than its place, so all are linear.
//! Letters and digits are ASCII: of `müller@example.com` the `mü` stays, `anna@müller.de` is not known.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr2_iter;
use regex::Regex;

use crate::addresses::mask_ip_addresses;
use crate::marks::MASKED;
use crate::policy::Class;

mod ibans;
mod phones;

pub use ibans::mask_ibans;
pub use phones::mask_phones;

/// As for the other rules; only a text made for it needs more than two, and is masked whole.
const ROUNDS_MAX: usize = 8;
const ESCAPE_SIGN_MAX: usize = 2; // `\u`

/// A place in a text: start and end.
pub(crate) type Span = (usize, usize);

/// Apply the rule of one class.
#[must_use]
pub fn mask_class(class: Class, text: &str) -> (Cow<'_, str>, u64) {
    match class {
        Class::Email => mask_emails(text),
        Class::Phone => mask_phones(text),
        Class::Iban => mask_ibans(text),
        Class::Ip => mask_ip_addresses(text),
    }
}

pub(crate) fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is constant, and a test compiles it")
}

/// Mask what `judge` says of each place that `search` finds from a given place on, and count.
///
/// The judge is told where the last mask ended and looks at nothing before it: what is masked is gone,
/// so the next pass, which sees the mark there, decides the same.
pub(crate) fn mask_each(
    text: &str,
    search: impl Fn(&str, usize) -> Option<Span>,
    judge: impl Fn(&str, Span, usize) -> Option<Span>,
) -> (Cow<'_, str>, u64) {
    let mut masked = String::new();
    let (mut done, mut place, mut count) = (0, 0, 0);
    while let Some(found) = search(text, place) {
        let Some((start, end)) = judge(text, found, done) else {
            place = found.1;
            continue;
        };
        masked.push_str(&text[done..start]);
        masked.push_str(MASKED);
        done = end;
        place = end;
        count += 1;
    }
    if count == 0 {
        return (Cow::Borrowed(text), 0);
    }
    masked.push_str(&text[done..]);
    (Cow::Owned(masked), count)
}

/// Apply two rules until the second finds nothing: what one masks was a neighbour to the other.
pub(crate) fn mask_in_turn(
    text: &str,
    first: fn(&str) -> (Cow<'_, str>, u64),
    second: fn(&str) -> (Cow<'_, str>, u64),
) -> (Cow<'_, str>, u64) {
    let mut masked: Option<String> = None;
    let mut count = 0;
    for _ in 0..ROUNDS_MAX {
        let mut last = 0;
        for rule in [first, second] {
            let (changed, found) = rule(masked.as_deref().unwrap_or(text));
            if let Cow::Owned(changed) = changed {
                masked = Some(changed);
            }
            last = found;
            count += found;
        }
        if last == 0 {
            return (masked.map_or(Cow::Borrowed(text), Cow::Owned), count);
        }
    }
    (Cow::Borrowed(MASKED), 1)
}

/// Tell whether a word may begin here: no letter or digit before it, or the last one of an escape.
pub(crate) fn begins(bytes: &[u8], start: usize, done: usize) -> bool {
    let before = &bytes[done..start];
    let last = before.last().copied().unwrap_or(b' ');
    !last.is_ascii_alphanumeric()
        || (1..=6).any(|size| before.len() >= size && escape_end(bytes, start - size) == Some(start))
}

/// Return the end of the escape that begins here. In texts that are still encoded, what seems to be the
/// beginning of a word is the end of an escape.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    match &bytes[at..] {
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Some(at + 2),
        [b'\\', b'u', digits @ ..] if digits.len() >= 4 && hex(&digits[..4]) => Some(at + 6),
        [b'%', digits @ ..] if digits.len() >= 2 && hex(&digits[..2]) => Some(at + 3),
        _ => None,
    }
}

/// Return where a run of characters goes on if it began within an escape, else `start`.
pub(crate) fn after_escape(bytes: &[u8], start: usize, done: usize) -> usize {
    for back in 1..=ESCAPE_SIGN_MAX {
        if start >= done + back && matches!(bytes[start - back], b'%' | b'\\') {
            return escape_end(bytes, start - back).unwrap_or(start);
        }
    }
    start
}

/// Return the end of the run of bytes from `at` on that pass the test, of `most` at most.
pub(crate) fn run(bytes: &[u8], at: usize, most: usize, test: impl Fn(u8) -> bool) -> usize {
    let window = &bytes[at..bytes.len().min(at.saturating_add(most))];
    at + window
        .iter()
        .position(|byte| !test(*byte))
        .unwrap_or(window.len())
}

/// RFC 5321 allows 64 bytes; percent-encoded they are three times as long.
const LOCAL_MAX: usize = 192;
// Labels and their number as RFC 1035 bounds them; hosts have `_` all the same.
const LABEL_MAX: usize = 63;
const LABELS_MAX: usize = 126;

// What else stands behind an @: `tool@v0.0.1-go1.22.linux`, `logo@2x.png`.
static NO_DOMAIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\A(?:v?[0-9]{1,9}\.[0-9]{1,9}\.[0-9]|[1-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|svg|avif)\z)")
});

/// Mask e-mail addresses, also with `%40`; `@scope/package`, `@decorator`, `[MASKED]@host` are none.
#[must_use]
pub fn mask_emails(text: &str) -> (Cow<'_, str>, u64) {
    mask_each(text, next_at, email_at)
}

/// Find `@` or `%40`.
fn next_at(text: &str, from: usize) -> Option<Span> {
    let bytes = &text.as_bytes()[from..];
    memchr2_iter(b'@', b'%', bytes).find_map(|at| match &bytes[at..] {
        [b'@', ..] => Some((from + at, from + at + 1)),
        [b'%', b'4', b'0', ..] => Some((from + at, from + at + 3)),
        _ => None,
    })
}

fn email_at(text: &str, (at, behind): Span, done: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let end = domain_end(bytes, behind)?;
    if NO_DOMAIN.is_match(&text[behind..end].to_ascii_lowercase()) {
        return None;
    }
    let window = &bytes[done.max(at.saturating_sub(LOCAL_MAX))..at];
    let local = window
        .iter()
        .rev()
        .take_while(|byte| is_local_sign(**byte))
        .count();
    let start = behind_quotes(bytes, at - local, at);
    // Nothing, or `\n@decorator` in an encoded text.
    if after_escape(bytes, start, done) >= at {
        return None;
    }
    // `git@github.com:owner/project` says where the code is and names nobody; any other user may be a person.
    if &bytes[start..at] == b"git" && bytes.get(end) == Some(&b':') {
        return None;
    }
    Some((start, end))
}

fn is_local_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'\'' | b'-')
}

/// `'anna@...'`, `b'anna@...'`: the quote belongs to the text.
fn behind_quotes(bytes: &[u8], mut start: usize, end: usize) -> usize {
    loop {
        start = match &bytes[start..end] {
            [b'\'', ..] => start + 1,
            [b'b' | b'B' | b'u' | b'U' | b'r' | b'R', b'\'', ..] => start + 2,
            _ => return start,
        };
    }
}

/// Return the end of the domain that begins here, as the pattern
/// `(?:[A-Za-z0-9_\-]{1,63}\.){1,126}(?:[xX][nN]--[A-Za-z0-9\-]{1,59}|[A-Za-z]{2,63})` finds it.
fn domain_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut labels = Vec::new();
    let mut next = at;
    while labels.len() < LABELS_MAX {
        let end = run(bytes, next, LABEL_MAX, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        });
        if end == next || bytes.get(end) != Some(&b'.') {
            break;
        }
        next = end + 1;
        labels.push(next);
    }
    labels
        .into_iter()
        .rev()
        .find_map(|label| top_level_end(bytes, label))
}

fn top_level_end(bytes: &[u8], at: usize) -> Option<usize> {
    if let [b'x' | b'X', b'n' | b'N', b'-', b'-', ..] = &bytes[at..] {
        let end = run(bytes, at + 4, LABEL_MAX - 4, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'-'
        });
        if end > at + 4 {
            return Some(end);
        }
    }
    let end = run(bytes, at, LABEL_MAX, |byte| byte.is_ascii_alphabetic());
    (end >= at + 2).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::{begins, mask_class, mask_emails, mask_in_turn};
    use crate::policy::Class;

    /// Addresses are masked in every dress that a text may give them.
    #[test]
    fn emails_are_masked() {
        for (text, masked) in [
            ("mail anna.b+c@mail.example.com.", "mail [MASKED]."),
            ("q=anna%40example.com&b=1", "q=[MASKED]&b=1"),
            ("b'anna@example.com'", "b'[MASKED]'"),
            ("müller@example.com", "mü[MASKED]"),
            ("a@x.xn--p1ai", "[MASKED]"),
        ] {
            assert_eq!(mask_emails(text), (masked.into(), 1));
        }
    }

    /// What only looks like an address stays.
    #[test]
    fn no_emails() {
        for text in [
            "@scope/a.b",
            "\\n@app.route",
            "logo@2x.png",
            "tool@v0.0.1-go1.linux",
            "git@a.com:b",
            "a@b",
            "[MASKED]@x.de",
        ] {
            assert_eq!(mask_emails(text), (text.into(), 0));
        }
    }

    /// A word begins behind an escape, unless a mask ended within it.
    #[test]
    fn escapes_end_before_a_word() {
        assert!(begins(b"x%20a", 4, 0));
        assert!(!begins(b"x%20a", 4, 2));
        assert!(begins(b"x%20a", 4, 4));
        assert!(begins(b"\\u0020a", 6, 0));
        assert!(!begins(b"xa", 1, 0));
    }

    /// Two rules that feed each other for ever end in a mask of all.
    #[test]
    fn endless_turns_mask_everything() {
        let grows = |text: &str| (std::borrow::Cow::Owned(format!("{text}x")), 1);
        assert_eq!(
            mask_in_turn("a", |text| (text.into(), 0), grows),
            ("[MASKED]".into(), 1)
        );
    }

    /// Every class has its rule.
    #[test]
    fn classes_have_rules() {
        for (class, text) in [
            (Class::Email, "a@example.com"),
            (Class::Phone, "+15550101234"),
            (Class::Iban, "DE89370400440532013000"),
            (Class::Ip, "10.0.0.1"),
        ] {
            assert_eq!(mask_class(class, text), ("[MASKED]".into(), 1));
        }
    }
}
