//! The look at 32 signs at a time, for processors of x86-64 that have AVX2.
//!
//! Not safe by itself, since it calls what only such processors have. All it reads are arrays that the
//! compiler knows the length of.

#![expect(
    unsafe_code,
    reason = "instructions of one processor; a tenth of the time that bytes take"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_alignr_epi8, _mm256_and_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8,
    _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi8, _mm256_set_m128i, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16, _mm256_storeu_si256, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_or_si128, _mm_set_epi64x,
    _mm_setzero_si128, _mm_shuffle_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi64,
};

use super::tables::{self, Halves, GRAM_HALVES, KIND_HALVES, PADDING, SIGN_HALVES};
use super::{Screen, CONTROL, DIGIT, SUSPECT};
use crate::outline::Signs;

/// How many signs are looked at together.
const BLOCK: usize = 32;
/// With those that may end a gram of its last sign.
const WINDOW: usize = BLOCK + 3;

/// Tell whether this processor has what is used here.
#[inline]
pub(crate) fn is_here() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
}

/// Return what stands in a text; only where `is_here`.
#[inline]
pub(super) fn screen(text: &[u8]) -> Screen {
    debug_assert!(is_here());
    // SAFETY: the processor has these instructions, as the caller found out.
    unsafe {
        if text.len() < BLOCK {
            short(text)
        } else {
            long(text)
        }
    }
}

/// Append a short text as a JSON string, if nothing in it is written as an escape; only where `is_here`.
#[inline]
pub(super) fn quote_short(out: &mut Vec<u8>, text: &[u8]) -> Option<Screen> {
    debug_assert!(is_here());
    if text.len() >= BLOCK {
        return None;
    }
    out.reserve(BLOCK + 2);
    // SAFETY: the processor has these instructions, as the caller found out, and there is room for a
    // block and two quotes.
    Some(unsafe { quote_block(out, text) })
}

/// Needs room for a block and two quotes.
#[target_feature(enable = "avx2,popcnt")]
unsafe fn quote_block(out: &mut Vec<u8>, text: &[u8]) -> Screen {
    let block = load_short(text);
    let mut seen = nothing();
    look_alone(&mut seen, block, u32::MAX);
    let found = summary(&seen);
    if !found.has_escapes() {
        // SAFETY: the bytes up to `size + 2` are within the room that there is, and all are written.
        unsafe {
            let start = out.as_mut_ptr().add(out.len());
            start.write(b'"');
            _mm256_storeu_si256(start.add(1).cast(), block);
            start.add(1 + text.len()).write(b'"');
            out.set_len(out.len() + text.len() + 2);
        }
    }
    found
}

/// What was seen so far.
#[derive(Clone, Copy)]
struct Seen {
    signs: __m256i,
    grams: __m256i,
    raw: __m256i,
    digits: u32,
}

#[target_feature(enable = "avx2,popcnt")]
unsafe fn short(text: &[u8]) -> Screen {
    let mut seen = nothing();
    look_alone(&mut seen, load_short(text), u32::MAX);
    summary(&seen)
}

#[target_feature(enable = "avx2,popcnt")]
unsafe fn long(text: &[u8]) -> Screen {
    let mut seen = nothing();
    let mut rest = text;
    while let Some(window) = rest.first_chunk::<WINDOW>() {
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|place| {
            let part: &[u8; BLOCK] = window[place..].first_chunk().unwrap_or(&[0; BLOCK]);
            load(part)
        });
        look(&mut seen, first, second, third, fourth, u32::MAX);
        rest = &rest[BLOCK..];
    }
    // Now 3 to 34 signs are left.
    if let Some(part) = rest.first_chunk::<BLOCK>() {
        look_alone(&mut seen, load(part), u32::MAX);
        rest = &rest[BLOCK..];
    }
    if let Some(part) = text.last_chunk::<BLOCK>() {
        let fresh = u32::MAX.checked_shl((BLOCK - rest.len()) as u32).unwrap_or(0);
        look_alone(&mut seen, load(part), fresh);
    }
    summary(&seen)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn nothing() -> Seen {
    Seen {
        signs: _mm256_setzero_si256(),
        grams: _mm256_setzero_si256(),
        raw: _mm256_setzero_si256(),
        digits: 0,
    }
}

/// Look at a block behind which nothing is known; grams may end there. Digits count where `fresh` says so.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn look_alone(seen: &mut Seen, block: __m256i, fresh: u32) {
    let padding = _mm256_set1_epi8(PADDING as i8);
    let upper = _mm256_permute2x128_si256::<0x21>(block, padding);
    look(
        seen,
        block,
        _mm256_alignr_epi8::<1>(upper, block),
        _mm256_alignr_epi8::<2>(upper, block),
        _mm256_alignr_epi8::<3>(upper, block),
        fresh,
    );
}

/// Look at a block and at what begins one, two and three signs later.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn look(
    seen: &mut Seen,
    first: __m256i,
    second: __m256i,
    third: __m256i,
    fourth: __m256i,
    fresh: u32,
) {
    let (signs, grams) = found_in(first, second, third, fourth);
    seen.signs = _mm256_or_si256(seen.signs, signs);
    seen.grams = _mm256_or_si256(seen.grams, grams);
    seen.raw = _mm256_or_si256(seen.raw, first);
    let digits = _mm256_movemask_epi8(signs) as u32; // the uppermost bit
    seen.digits += (digits & fresh).count_ones();
}

/// Return, for each place of a block, the signs that stand there and the grams that begin there.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn found_in(first: __m256i, second: __m256i, third: __m256i, fourth: __m256i) -> (__m256i, __m256i) {
    let low = _mm256_set1_epi8(0x0F);
    let upper = upper_of(first);
    let signs = sets_of(first, upper, &SIGN_HALVES);
    // A shuffle gives nothing for a sign that is not of ASCII: right for all but the places that take any.
    let [places_1, places_2, places_3, places_4] = [
        sets_of(first, upper, &GRAM_HALVES[0]),
        sets_of(second, upper_of(second), &GRAM_HALVES[1]),
        sets_of(_mm256_and_si256(third, low), upper_of(third), &GRAM_HALVES[2]),
        sets_of(_mm256_and_si256(fourth, low), upper_of(fourth), &GRAM_HALVES[3]),
    ];
    let grams = _mm256_and_si256(
        _mm256_and_si256(places_1, places_2),
        _mm256_and_si256(places_3, places_4),
    );
    (signs, grams)
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn upper_of(block: __m256i) -> __m256i {
    _mm256_and_si256(_mm256_srli_epi16::<4>(block), _mm256_set1_epi8(0x0F))
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn sets_of(lower: __m256i, upper: __m256i, halves: &'static Halves) -> __m256i {
    _mm256_and_si256(
        _mm256_shuffle_epi8(load(&halves.lower), lower),
        _mm256_shuffle_epi8(load(&halves.upper), upper),
    )
}

// --- outlines -------------------------------------------------------------------------------------

/// Return what `outline::Signs` says of 64 signs; `window` also holds the three behind them. Only where
/// `is_here`.
#[inline]
pub(crate) fn signs_of(window: &[u8; 67]) -> Signs {
    debug_assert!(is_here());
    // SAFETY: the processor has these instructions, as the caller found out.
    unsafe { signs_of_window(window) }
}

#[target_feature(enable = "avx2,popcnt")]
unsafe fn signs_of_window(window: &[u8; 67]) -> Signs {
    let [lower, upper] = [0, BLOCK].map(|start| {
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|place| {
            let part: &[u8; BLOCK] = window[start + place..].first_chunk().unwrap_or(&[0; BLOCK]);
            load(part)
        });
        let (signs, grams) = found_in(first, second, third, fourth);
        let kinds = sets_of(first, upper_of(first), &KIND_HALVES);
        let suspect = _mm256_and_si256(signs, _mm256_set1_epi8(SUSPECT as i8));
        [
            has_any(kinds, tables::QUOTE_KIND),
            has_any(kinds, tables::SLASH_KIND),
            has_any(signs, CONTROL),
            has_any(signs, DIGIT),
            !is_zero(_mm256_or_si256(suspect, grams)),
            has_any(
                kinds,
                tables::MARK_KIND | tables::BLANK_KIND | tables::BREAK_KIND | tables::QUOTE_KIND,
            ),
            has_any(kinds, tables::OPENING_KIND | tables::BLANK_KIND),
        ]
    });
    let [quotes, slashes, controls, digits, suspects, ends, openings] =
        std::array::from_fn(|at| u64::from(lower[at]) | u64::from(upper[at]) << BLOCK);
    Signs {
        quotes,
        slashes,
        controls,
        digits,
        suspects,
        ends,
        openings,
    }
}

/// Return the places that belong to one of the sets.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn has_any(sets: __m256i, wanted: u8) -> u32 {
    !is_zero(_mm256_and_si256(sets, _mm256_set1_epi8(wanted as i8)))
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn is_zero(bytes: __m256i) -> u32 {
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) as u32
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn summary(seen: &Seen) -> Screen {
    let signs = halved(seen.signs);
    let grams = halved(seen.grams);
    let both = _mm_or_si128(_mm_unpacklo_epi64(signs, grams), _mm_unpackhi_epi64(signs, grams));
    Screen {
        signs: any_of(_mm_cvtsi128_si64(both)),
        grams: any_of(_mm_cvtsi128_si64(_mm_unpackhi_epi64(both, both))),
        digits: u8::try_from(seen.digits).unwrap_or(u8::MAX),
        high: _mm256_movemask_epi8(seen.raw) != 0,
    }
}

/// Return the bits that any of the two halves has.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn halved(bytes: __m256i) -> __m128i {
    _mm_or_si128(
        _mm256_castsi256_si128(bytes),
        _mm256_extracti128_si256::<1>(bytes),
    )
}

/// Return the bits that any of eight bytes has.
#[inline]
fn any_of(bytes: i64) -> u8 {
    let quarter = bytes | bytes >> 32;
    let eighth = quarter | quarter >> 16;
    (eighth | eighth >> 8) as u8
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn load(part: &[u8; BLOCK]) -> __m256i {
    // SAFETY: an array of 32 bytes, wherever it begins.
    unsafe { _mm256_loadu_si256(part.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn load_half(part: &[u8; BLOCK / 2]) -> __m128i {
    // SAFETY: an array of 16 bytes, wherever it begins.
    unsafe { _mm_loadu_si128(part.as_ptr().cast()) }
}

/// Load fewer than 32 bytes, with padding behind them.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn load_short(text: &[u8]) -> __m256i {
    let size = text.len();
    let block = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let shift = SHIFTS[BLOCK - size..].first_chunk().unwrap_or(&[0; 16]);
        let last = _mm_shuffle_epi8(load_half(last), load_half(shift));
        _mm256_set_m128i(last, load_half(first))
    } else {
        let (first, last) = words_of(text);
        _mm256_set_m128i(_mm_setzero_si128(), _mm_set_epi64x(last as i64, first as i64))
    };
    let padding = PADDINGS[BLOCK - size..].first_chunk().unwrap_or(&[0; BLOCK]);
    _mm256_or_si256(block, load(padding))
}

/// Return fewer than 16 bytes as two words, zeros behind them.
#[inline]
fn words_of(text: &[u8]) -> (u64, u64) {
    let size = text.len() as u32;
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let last = u64::from_le_bytes(*last) >> 1 >> (127 - 8 * size);
        return (u64::from_le_bytes(*first), last);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last)) << 32 >> (64 - 8 * size);
        return (u64::from(u32::from_le_bytes(*first)) | last & !0xFFFF_FFFF, 0);
    }
    let word = text
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    (word, 0)
}

/// From place n on: takes a half block n signs down, and zeros behind.
static SHIFTS: [u8; BLOCK] = {
    let mut shifts = [0x80; BLOCK];
    let mut at = 0;
    while at < 16 {
        shifts[at] = at as u8;
        at += 1;
    }
    shifts
};

/// From place n on: padding behind `32 - n` signs.
static PADDINGS: [u8; 2 * BLOCK] = {
    let mut paddings = [0; 2 * BLOCK];
    let mut at = BLOCK;
    while at < 2 * BLOCK {
        paddings[at] = PADDING;
        at += 1;
    }
    paddings
};
