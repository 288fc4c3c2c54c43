//! Payment card numbers in text (MASKING.md section 2).
//!
//! The twin of `_cards.py`. Linear: a start has at most 19 ends to try, and each looks at a bounded
//! neighbourhood.

use std::borrow::Cow;

use crate::marks::MASKED;

mod digits;

/// No card number is shorter.
pub const DIGITS_MIN: usize = 13;
/// No card number is longer.
pub const DIGITS_MAX: usize = 19;
/// A card in groups has no group of one or two digits; lists of small numbers have.
const GROUP_MIN: usize = 3;
/// As long as a SHA-256 in hex.
const WORD_MAX: usize = 64;
const UUID_LENGTH: usize = 36;
/// Where the dashes of a UUID stand.
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

/// First prefix, last prefix (of equal length), lengths of the number.
type Issuer = (&'static [u8], &'static [u8], &'static [usize]);

const ISSUERS: [Issuer; 24] = [
    (b"4", b"4", &[13, 16, 19]), // Visa
    (b"51", b"55", &[16]),       // Mastercard
    (b"2221", b"2720", &[16]),
    (b"34", b"34", &[15]), // American Express
    (b"37", b"37", &[15]),
    (b"6011", b"6011", &[16, 17, 18, 19]), // Discover
    (b"644", b"659", &[16, 17, 18, 19]),
    (b"62", b"62", &[16, 17, 18, 19]),     // UnionPay
    (b"3528", b"3589", &[16, 17, 18, 19]), // JCB
    (b"300", b"305", &[14, 16, 19]),       // Diners Club
    (b"3095", b"3095", &[14, 16, 19]),
    (b"36", b"36", &[14, 16, 19]),
    (b"38", b"39", &[14, 16, 19]),
    (b"5018", b"5018", &[13, 15, 16, 18, 19]), // Maestro
    (b"5020", b"5020", &[13, 15, 16, 18, 19]),
    (b"5038", b"5038", &[13, 15, 16, 18, 19]),
    (b"5893", b"5893", &[13, 15, 16, 18, 19]),
    (b"6304", b"6304", &[13, 15, 16, 18, 19]),
    (b"6759", b"6759", &[13, 15, 16, 18, 19]),
    (b"6761", b"6763", &[13, 15, 16, 18, 19]),
    (b"2200", b"2204", &[16, 17, 18, 19]), // Mir
    (b"60", b"60", &[16]),                 // RuPay
    (b"81", b"82", &[16]),
    (b"508", b"508", &[16]),
];

/// Tell whether there is a run of digits as long as a card's, or two groups of them.
#[must_use]
pub fn may_hold_card(text: &str) -> bool {
    digits::hold_number(text.as_bytes())
}

/// Tell whether 13 to 19 digits are a card number: issuer prefix, length and Luhn's sum.
#[must_use]
pub fn is_card(digits: &str) -> bool {
    is_card_number(digits.as_bytes())
}

fn is_card_number(digits: &[u8]) -> bool {
    let size = digits.len();
    if !(DIGITS_MIN..=DIGITS_MAX).contains(&size) || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let issued = ISSUERS.iter().any(|(first, last, sizes)| {
        let prefix = &digits[..first.len()];
        *first <= prefix && prefix <= *last && sizes.contains(&size)
    });
    issued && luhn_sum(digits) % 10 == 0
}

fn luhn_sum(digits: &[u8]) -> u32 {
    let places = digits
        .iter()
        .rev()
        .map(|digit| u32::from(digit - b'0'))
        .enumerate();
    places
        .map(|(place, digit)| {
            if place % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum()
}

/// Return the places of card numbers, in order.
#[must_use]
pub fn find_cards(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut groups = Vec::new();
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + skipped;
        at = chain_of_groups(bytes, start, &mut groups);
        if at - start < DIGITS_MIN {
            continue;
        }
        let mut first = 0;
        while first < groups.len() {
            if let Some(last) = card_at(bytes, &groups, first) {
                found.push((groups[first].0, groups[last].1));
                first = last;
            }
            first += 1;
        }
    }
    found
}

/// Gather the groups of digits from `start` on that are joined by single blanks or dashes; return the end.
fn chain_of_groups(bytes: &[u8], start: usize, groups: &mut Vec<(usize, usize)>) -> usize {
    groups.clear();
    let mut begin = start;
    loop {
        let end = begin + run_of(&bytes[begin..], u8::is_ascii_digit);
        groups.push((begin, end));
        let joined = matches!(bytes.get(end), Some(b' ' | b'-'));
        if !joined || !bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            return end;
        }
        begin = end + 1;
    }
}

fn run_of(bytes: &[u8], test: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !test(byte)).unwrap_or(bytes.len())
}

/// Return the last group of the longest card that begins with group `first`.
fn card_at(bytes: &[u8], groups: &[(usize, usize)], first: usize) -> Option<usize> {
    let mut digits = [0; DIGITS_MAX];
    let mut size = 0;
    let mut answer = None;
    for (last, &(start, end)) in groups.iter().enumerate().skip(first) {
        let group = end - start;
        if size + group > DIGITS_MAX || (last > first && group < GROUP_MIN) {
            break;
        }
        digits[size..size + group].copy_from_slice(&bytes[start..end]);
        size += group;
        if is_card_number(&digits[..size]) && stands_alone(bytes, groups[first].0, end) {
            answer = Some(last);
        }
        if group < GROUP_MIN {
            break;
        }
    }
    answer
}

/// Tell whether the digits are no part of a decimal number, a UUID or a hash.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let decimal_before = start >= 2 && bytes[start - 1] == b'.' && bytes[start - 2].is_ascii_digit();
    let decimal_after = bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    if decimal_before || decimal_after || is_in_uuid(bytes, start, end) {
        return false;
    }
    let window = &bytes[start.saturating_sub(WORD_MAX)..start];
    let mut left = &window[window
        .iter()
        .rposition(|byte| !byte.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1)..];
    if window[..window.len() - left.len()].ends_with(b"\\") {
        left = left.get(1..).unwrap_or_default(); // `\b4242...` in JSON
    }
    let window = &bytes[end..bytes.len().min(end + WORD_MAX)];
    let right = &window[..run_of(window, u8::is_ascii_alphanumeric)];
    (left.is_empty() && right.is_empty()) || !left.iter().chain(right).all(u8::is_ascii_hexdigit)
}

/// Tell whether one of the UUIDs around, read from the left, overlaps the digits.
fn is_in_uuid(bytes: &[u8], start: usize, end: usize) -> bool {
    let mut at = start.saturating_sub(UUID_LENGTH);
    while at < end {
        if !is_uuid_at(bytes, at) {
            at += 1;
        } else if at + UUID_LENGTH > start {
            return true;
        } else {
            at += UUID_LENGTH;
        }
    }
    false
}

fn is_uuid_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + UUID_LENGTH).is_some_and(|uuid| {
        uuid.iter().enumerate().all(|(place, byte)| {
            if UUID_DASHES.contains(&place) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
    })
}

/// Return `text` with each card number masked, and how many there were.
#[must_use]
pub fn mask_cards(text: &str) -> (Cow<'_, str>, u64) {
    let found = find_cards(text);
    if found.is_empty() {
        return (Cow::Borrowed(text), 0);
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for &(start, end) in &found {
        masked.push_str(&text[at..start]);
        masked.push_str(MASKED);
        at = end;
    }
    masked.push_str(&text[at..]);
    (Cow::Owned(masked), found.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::{is_card, mask_cards, may_hold_card};

    /// A number is a card's by issuer, length and sum together.
    #[test]
    fn cards_have_issuer_length_and_sum() {
        assert!(is_card("4242424242424242"));
        assert!(is_card("378282246310005"));
        assert!(!is_card("4242424242424241"));
        assert!(!is_card("9242424242424244"));
        assert!(!is_card("42424242424242"));
        assert!(!is_card(""));
    }

    /// Cards are masked in one piece and in groups, and a card behind another one is found too.
    #[test]
    fn cards_are_masked() {
        assert_eq!(mask_cards("é4242424242424242!").0, "é[MASKED]!");
        let (masked, count) = mask_cards("4242-4242-4242-4242 4242 4242 4242 4242");
        assert_eq!((&*masked, count), ("[MASKED] [MASKED]", 2));
        assert_eq!(mask_cards("\\b4242424242424242").0, "\\b[MASKED]");
        assert_eq!(mask_cards("x4242424242424242").0, "x[MASKED]");
    }

    /// Decimals, UUIDs and hashes keep their digits.
    #[test]
    fn other_numbers_stay() {
        for text in [
            "0.4242424242424242",
            "4242424242424242.5",
            "a4242424242424242",
            "12345678-4242-4242-4242-424242424242",
            "1 4242424242424242 1",
        ] {
            assert_eq!(mask_cards(text).1, u64::from(text.starts_with("1 ")), "{text}");
        }
    }

    /// The look that costs little sees a long run or two groups, whatever the separator.
    #[test]
    fn a_cheap_look_sees_every_card() {
        for text in ["4242424242424", "a 123-456", "12 345 678"] {
            assert!(may_hold_card(text), "{text}");
        }
        for text in ["424242424242", "123--456", "12 345", "", "123 45 678"] {
            assert!(!may_hold_card(text), "{text}");
        }
    }
}
