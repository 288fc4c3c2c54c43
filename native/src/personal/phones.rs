//! Telephone numbers: with `+` and country, or as North America writes them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::{begins, mask_each, mask_in_turn, pattern, run, Span};

const DIGITS_MIN: usize = 8; // the shortest numbers with their country; what is shorter is a signed number
const DIGITS_MAX: usize = 15; // E.164; what is longer is some other number

// Groups are joined by one of ` . - /` and parentheses. No country begins with 0, but `+01:00`, `+002024-` do.
static INTERNATIONAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\+|%2[Bb])\(?[1-9][0-9]{0,15}(?:(?:[ ./\-]\(?|\)[ ./\-]?\(?|\()[0-9]{1,16}){0,14}")
});
// Without a country only North America's way of writing is plain: blanks join any numbers, dots versions.
static NATIONAL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\([0-9]{3}\)[ .\-]?[0-9]{3}[ .\-][0-9]{4}|(?:1-)?[0-9]{3}-[0-9]{3}-[0-9]{4}"));

/// Mask telephone numbers: with `+` and country, or written as `(555) 010-1234` or `555-010-1234`.
///
/// An order number of three, three and four digits cannot be told apart, unless a `#` stands before it.
#[must_use]
pub fn mask_phones(text: &str) -> (Cow<'_, str>, u64) {
    mask_in_turn(text, mask_international, mask_national)
}

fn mask_international(text: &str) -> (Cow<'_, str>, u64) {
    mask_each(
        text,
        |text, from| {
            INTERNATIONAL
                .find_at(text, from)
                .map(|found| (found.start(), found.end()))
        },
        |text, found, done| international_at(text.as_bytes(), found, done),
    )
}

fn mask_national(text: &str) -> (Cow<'_, str>, u64) {
    mask_each(text, next_national, |text, found, done| {
        national_at(text.as_bytes(), found, done)
    })
}

/// Take as many whole groups as a number may have: a date or a price may follow behind a blank.
fn international_at(bytes: &[u8], (start, found_end): Span, done: usize) -> Option<Span> {
    if !begins(bytes, start, done) || (start > done && bytes[start - 1] == b'+') {
        return None; // base64, `q=a+b`, `1.0.0+20240101`, `C++`
    }
    let begin = start + if bytes[start] == b'+' { 1 } else { 3 };
    let end = end_of_groups(&bytes[..found_end], begin)?;
    let number = &bytes[begin..end];
    let fraction = matches!(&bytes[end..], [b'.', b'0'..=b'9', ..]);
    if (fraction || number.contains(&b'.')) && is_decimal(number) {
        return None;
    }
    // 14: the longest is `:00.123456789 `.
    if is_offset(number) && ends_with_time(&bytes[done.max(start.saturating_sub(14))..start]) {
        return None;
    }
    Some((start, end))
}

/// Return the end of the last group that fits into a number, if there are digits enough.
fn end_of_groups(bytes: &[u8], begin: usize) -> Option<usize> {
    let (mut digits, mut end, mut at) = (0, begin, begin);
    while let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + skipped;
        at = run(bytes, start, usize::MAX, |byte| byte.is_ascii_digit());
        if digits + (at - start) > DIGITS_MAX {
            break;
        }
        digits += at - start;
        end = at;
    }
    (digits >= DIGITS_MIN).then_some(end)
}

/// Tell whether it is a decimal number. RFC 5733 writes `+1.5550101234`; a float has 6 places.
fn is_decimal(number: &[u8]) -> bool {
    let point = run(number, 0, usize::MAX, |byte| byte.is_ascii_digit());
    if point == number.len() {
        return true;
    }
    let places = number.len() - point - 1;
    let whole = point > 0 && number[point] == b'.' && places > 0;
    let is_registrar = point <= 3 && (8..=12).contains(&places);
    whole && number[point + 1..].iter().all(u8::is_ascii_digit) && !is_registrar
}

/// Tell whether it begins like an offset, `10:00:00 +1000 2024`; the others begin with 0.
fn is_offset(number: &[u8]) -> bool {
    let four = run(number, 0, 5, |byte| byte.is_ascii_digit()) == 4;
    let quarters = [&b"00"[..], b"15", b"30", b"45"];
    four && matches!(number, [b'1', b'0'..=b'4', ..]) && quarters.contains(&&number[2..4])
}

/// Tell whether it ends as `:[0-9]{2}(?:[.,][0-9]{1,9})? ` does.
fn ends_with_time(before: &[u8]) -> bool {
    let Some(time) = before.strip_suffix(b" ") else {
        return false;
    };
    let seconds = |text: &[u8]| matches!(text, [.., b':', a, b] if a.is_ascii_digit() && b.is_ascii_digit());
    let places = time.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = &time[..time.len() - places];
    seconds(time) || ((1..=9).contains(&places) && matches!(whole, [head @ .., b'.' | b','] if seconds(head)))
}

/// Find what `NATIONAL` finds; behind the form with parentheses no digit may follow.
fn next_national(text: &str, mut from: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    loop {
        let found = NATIONAL.find_at(text, from)?;
        if bytes[found.start()] != b'(' || !bytes.get(found.end()).is_some_and(u8::is_ascii_digit) {
            return Some((found.start(), found.end()));
        }
        from = found.start() + 1;
    }
}

fn national_at(bytes: &[u8], (start, end): Span, done: usize) -> Option<Span> {
    if bytes[start] == b'(' {
        return Some((start, end));
    }
    let before = |back: usize| {
        start
            .checked_sub(back)
            .filter(|at| *at >= done)
            .map(|at| bytes[at])
    };
    let (after, next) = (bytes.get(end).copied(), bytes.get(end + 1).copied());
    if !begins(bytes, start, done) || before(1) == Some(b'#') || is_joined(before(1), before(2)) {
        return None;
    }
    // An `x` or `ext` announces an extension.
    let longer = after.is_some_and(|byte| byte.is_ascii_alphanumeric() && !b"xXeE".contains(&byte));
    (!longer && !is_joined(after, next)).then_some((start, end))
}

/// Tell whether the two characters beside a number, the nearest first, make it longer: `-1`, `.5`.
fn is_joined(near: Option<u8>, far: Option<u8>) -> bool {
    matches!(near, Some(b'-' | b'.')) && far.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::mask_phones;

    /// Numbers are masked with their country and without, also encoded.
    #[test]
    fn phones_are_masked() {
        for (text, masked) in [
            ("tel +49 (0)30 1234567, ", "tel [MASKED], "),
            ("q=%2B4915112345678", "q=[MASKED]"),
            ("+1.5550101234", "[MASKED]"),
            ("é(555) 010-1234", "é[MASKED]"),
            ("1-555-010-1234 ext 5", "[MASKED] ext 5"),
            ("555-010-1234x5", "[MASKED]x5"),
            ("+155501012345 2024-01-02", "[MASKED] 2024-01-02"),
        ] {
            assert_eq!(mask_phones(text), (masked.into(), 1), "{text}");
        }
    }

    /// Signed numbers, offsets, versions and orders stay.
    #[test]
    fn other_numbers_stay() {
        for text in [
            "+1.234567",
            "+1234567",
            "10:00:00 +1000 2024",
            "10:00:00.123456789 +1430 2024",
            "1.0.0+20240101",
            "#555-010-1234",
            "9-555-010-1234",
            "555-010-12345",
            "(555) 010-12345",
            "C++12345678",
        ] {
            assert_eq!(mask_phones(text), (text.into(), 0));
        }
    }
}
