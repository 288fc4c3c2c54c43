//! Digits as card numbers have them, found 64 signs at a time: most texts with many digits hold no card.

/// Signs that are looked at together.
const BLOCK: usize = 64;
/// Two blocks share as many signs as the longest pattern has, so each pattern stands whole in one of them.
const STEP: usize = BLOCK - 16;
/// Stands behind a text: neither a digit nor what may join two groups.
const PADDING: u8 = b'.';

/// Tell whether there are 13 digits in a row, or three before a single blank or dash and three behind it.
///
/// A card in groups has no group of one or two digits; lists of small numbers have.
pub(super) fn hold_number(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(block) = rest.first_chunk() {
        if stands_in(block) {
            return true;
        }
        rest = &rest[STEP..];
    }
    let mut block = [PADDING; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    stands_in(&block)
}

fn stands_in(block: &[u8; BLOCK]) -> bool {
    let (digits, joints) = places_in(block);
    let three = digits & digits >> 1 & digits >> 2;
    let four = digits & three >> 1;
    let eight = four & four >> 4;
    let thirteen = eight & eight >> 5;
    let groups = three & joints >> 3 & three >> 4;
    thirteen | groups != 0
}

/// Return the places of the digits, and those of blanks and dashes; the first sign is the lowest bit.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a byte at a time takes ten times as long")]
fn places_in(block: &[u8; BLOCK]) -> (u64, u64) {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
        _mm_sub_epi8,
    };
    let (mut digits, mut joints) = (0, 0);
    for (at, part) in block.chunks_exact(16).enumerate() {
        // SAFETY: every processor of x86-64 has SSE2, and a part has the 16 bytes that are read.
        let (digit, joint) = unsafe {
            let signs = _mm_loadu_si128(part.as_ptr().cast());
            let above = _mm_sub_epi8(signs, _mm_set1_epi8(b'0' as i8));
            let digit = _mm_cmpeq_epi8(above, _mm_min_epu8(above, _mm_set1_epi8(9)));
            let joint = _mm_or_si128(
                _mm_cmpeq_epi8(signs, _mm_set1_epi8(b' ' as i8)),
                _mm_cmpeq_epi8(signs, _mm_set1_epi8(b'-' as i8)),
            );
            (_mm_movemask_epi8(digit), _mm_movemask_epi8(joint))
        };
        digits |= u64::from(digit as u16) << (16 * at);
        joints |= u64::from(joint as u16) << (16 * at);
    }
    (digits, joints)
}

#[cfg(not(target_arch = "x86_64"))]
fn places_in(block: &[u8; BLOCK]) -> (u64, u64) {
    places_one_by_one(block)
}

/// The same on any processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn places_one_by_one(block: &[u8; BLOCK]) -> (u64, u64) {
    let places_of = |is_one: fn(u8) -> bool| {
        let signs = block.iter().enumerate();
        signs.fold(0, |places, (at, &sign)| places | u64::from(is_one(sign)) << at)
    };
    (
        places_of(|sign| sign.is_ascii_digit()),
        places_of(|sign| matches!(sign, b' ' | b'-')),
    )
}

#[cfg(test)]
mod tests {
    use super::{hold_number, places_in, places_one_by_one, BLOCK};

    /// The pattern, sign by sign.
    fn holds(text: &[u8]) -> bool {
        let (mut run, mut before) = (0, 0); // digits here, and before the single separator here
        for sign in text {
            if sign.is_ascii_digit() {
                run += 1;
                if run >= 13 || (run >= 3 && before >= 3) {
                    return true;
                }
            } else {
                before = if matches!(sign, b' ' | b'-') { run } else { 0 };
                run = 0;
            }
        }
        false
    }

    /// Wherever a number stands, blocks find what a look at each sign finds.
    #[test]
    fn blocks_find_what_signs_show() {
        let parts: [&[u8]; 12] = [
            b"1234567890123",
            b"123456789012",
            b"123 456",
            b"123-45",
            b"12 3456",
            b"123  456",
            b"123 -456",
            b"123/456",
            b"1 234 5 678",
            b"\xc3\xa9999-000",
            b"x",
            b"",
        ];
        let mut found = 0;
        for first in parts {
            for second in parts {
                for before in 0..BLOCK + 20 {
                    for behind in [0, 1, 60] {
                        let text = [
                            &b"a".repeat(before)[..],
                            first,
                            b"b",
                            second,
                            &b" ".repeat(behind),
                        ]
                        .concat();
                        assert_eq!(hold_number(&text), holds(&text), "{text:?}");
                        found += usize::from(holds(&text));
                    }
                }
            }
        }
        assert!(found > 1000);
    }

    /// Each sign is told as it is.
    #[test]
    fn places_are_those_of_each_sign() {
        for start in (0..=u8::MAX).step_by(BLOCK) {
            let block = std::array::from_fn(|at| start + at as u8);
            assert_eq!(places_in(&block), places_one_by_one(&block));
        }
    }
}
