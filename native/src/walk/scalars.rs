//! Numbers as the walk writes them: those that a parser could lose become texts, cards are masked.

use crate::cards::is_card;
use crate::json::{float_into, quote_into};
use crate::marks::MASKED;
use crate::rules::Rules;

/// No card number is shorter than 13 digits.
const INT_SMALL: u64 = 1_000_000_000_000;
/// Longer ones become strings, which every parser keeps.
const DIGITS_MAX: usize = 40;
/// What stands for a whole number of more than 4300 digits, where Python refuses and nobody reads on.
const HUGE: &str = "<int>";

/// Of the longest number of 64 bits, with its sign.
const LENGTH_MAX: usize = 20;

/// Append a whole number.
pub(super) fn int_into(out: &mut Vec<u8>, rules: &mut Rules<'_>, value: i64) {
    let mut buffer = [0; 2 * LENGTH_MAX];
    let at = write_digits(value, &mut buffer);
    if value.unsigned_abs() < INT_SMALL {
        // A copy of a length that is known is an instruction or two, one of any length a call.
        let end = out.len() + LENGTH_MAX - at;
        if let Some(digits) = buffer[at..].first_chunk::<LENGTH_MAX>() {
            out.extend_from_slice(digits);
        }
        out.truncate(end);
    } else {
        let digits = std::str::from_utf8(&buffer[at..LENGTH_MAX]).unwrap_or_default();
        digits_into(out, rules, digits);
    }
}

/// Write a number so that it ends in the middle of `buffer`, and return where it begins.
fn write_digits(value: i64, buffer: &mut [u8; 2 * LENGTH_MAX]) -> usize {
    let mut rest = value.unsigned_abs();
    let mut at = LENGTH_MAX;
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    at
}

/// Append a whole number of 13 digits or more.
pub(super) fn digits_into(out: &mut Vec<u8>, rules: &mut Rules<'_>, digits: &str) {
    let unsigned = digits.trim_start_matches('-');
    if unsigned.len() > DIGITS_MAX {
        quote_into(out, digits);
    } else if rules.policy.mask_values && is_card(unsigned) {
        rules.masked += 1;
        quote_into(out, MASKED);
    } else {
        out.extend_from_slice(digits.as_bytes());
    }
}

/// Append the mark of a whole number that is too large to be written.
pub(super) fn huge_into(out: &mut Vec<u8>) {
    quote_into(out, HUGE);
}

/// Append a number as `repr` writes it, or the name that JavaScript has for what JSON has no number for.
pub(super) fn number_into(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        float_into(out, value);
    } else if value.is_nan() {
        quote_into(out, "NaN");
    } else {
        quote_into(out, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}
