//! International bank account numbers: country, length and sum must agree.

use std::borrow::Cow;

use super::{begins, mask_each, Span};

/// No country's is shorter.
const LENGTH_MIN: usize = 15;
const BEGIN: usize = 4;
const BLOCK: usize = 4;

/// Length by country: the register of ISO 13616, and the countries that use the form without being in it.
/// Others are no IBANs: a sum that one in 97 identifiers passes is too little to know them by.
fn length_of(country: [u8; 2]) -> Option<usize> {
    let length = match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FK" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"AO" | b"CV" | b"GW" | b"LY" | b"MZ" | b"PT" | b"ST" => 25,
        b"DZ" | b"IR" | b"IS" | b"TR" => 26,
        b"BI" | b"CF" | b"CG" | b"CM" | b"DJ" | b"FR" | b"GA" | b"GQ" | b"GR" | b"IT" | b"KM" | b"MC"
        | b"MG" | b"MR" | b"SM" | b"TD" => 27,
        b"AL" | b"AZ" | b"BF" | b"BJ" | b"BY" | b"CI" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB"
        | b"MA" | b"ML" | b"NE" | b"NI" | b"PL" | b"SN" | b"SV" | b"TG" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    };
    Some(length)
}

/// Mask IBANs of either case, in one piece or in blocks of four.
#[must_use]
pub fn mask_ibans(text: &str) -> (Cow<'_, str>, u64) {
    if text.len() < LENGTH_MIN {
        return (Cow::Borrowed(text), 0);
    }
    mask_each(text, next_begin, |text, found, done| {
        iban_at(text.as_bytes(), found, done)
    })
}

/// Find two letters and two digits.
fn next_begin(text: &str, from: usize) -> Option<Span> {
    let bytes = &text.as_bytes()[from..];
    let at = bytes.windows(BEGIN).position(|begin| {
        begin[..2].iter().all(u8::is_ascii_alphabetic) && begin[2..].iter().all(u8::is_ascii_digit)
    })?;
    Some((from + at, from + at + BEGIN))
}

fn iban_at(bytes: &[u8], (start, behind): Span, done: usize) -> Option<Span> {
    let length = length_of([
        bytes[start].to_ascii_uppercase(),
        bytes[start + 1].to_ascii_uppercase(),
    ])?;
    if !begins(bytes, start, done) {
        return None;
    }
    let end = rest_end(bytes, behind, length - BEGIN)?;
    let signs = bytes[behind..end]
        .iter()
        .chain(&bytes[start..behind])
        .filter(|byte| **byte != b' ');
    let sum = signs.fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    (sum == 1).then_some((start, end))
}

/// Return the end of what follows the check digits: blocks of four, a blank between them or none.
fn rest_end(bytes: &[u8], mut at: usize, mut left: usize) -> Option<usize> {
    while left > 0 {
        let size = left.min(BLOCK);
        at += usize::from(bytes.get(at) == Some(&b' '));
        if !bytes.get(at..at + size)?.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        at += size;
        left -= size;
    }
    (!bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::mask_ibans;

    /// Account numbers are masked in one piece and in blocks, in either case.
    #[test]
    fn ibans_are_masked() {
        for (text, masked) in [
            ("é DE89370400440532013000.", "é [MASKED]."),
            ("gb29 nwbk 6016 1331 9268 19", "[MASKED]"),
            ("NO9386011117947", "[MASKED]"),
            ("%20DE89 3704 0044 0532 0130 00", "%20[MASKED]"),
        ] {
            assert_eq!(mask_ibans(text), (masked.into(), 1));
        }
    }

    /// A wrong sum, country, length or neighbour is none.
    #[test]
    fn other_identifiers_stay() {
        for text in [
            "DE88370400440532013000",
            "ZZ89370400440532013000",
            "DE893704004405320130000",
            "xDE89370400440532013000",
            "DE89 3704 0044",
        ] {
            assert_eq!(mask_ibans(text), (text.into(), 0));
        }
    }
}
