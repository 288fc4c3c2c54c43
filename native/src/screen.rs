//! One pass over a text that tells whether any value rule could find something in it.
//!
//! Runs for every string, so it knows no rule: only single signs, and beginnings of up to four signs
//! that each secret without such a sign holds (`GRAMS`). It may find too much, never too little: what
//! it lets pass, `text::look` has nothing to say about. A test holds the two together.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod tables;
#[cfg(test)]
mod tests;

use tables::{PADDING, PORTABLE, STATE_BITS};

/// What signs and grams stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// A set of signs.
    pub signs: u8,
    /// A set of grams.
    pub grams: u8,
    /// How many digits there are, as far as a byte can tell.
    pub digits: u8,
    /// Some signs are not of ASCII.
    pub high: bool,
}

// The signs.

/// `:`, `=` or `<`: what may join a name and its value.
pub const OPERATOR: u8 = 1;
/// `%`
pub const PERCENT: u8 = 2;
/// `&`
pub const AMPERSAND: u8 = 4;
/// `J`, as in `eyJ`.
pub const TOKEN: u8 = 8;
/// A control character.
pub const CONTROL: u8 = 16;
/// `"`
pub const QUOTE: u8 = 32;
/// `\`
pub const SLASH: u8 = 64;
/// Any digit.
pub const DIGIT: u8 = 128;

/// Those that a value rule may begin with.
pub const SUSPECT: u8 = OPERATOR | PERCENT | AMPERSAND | TOKEN;

// The grams, in the order of `tables::GRAMS`.

/// `token `, `basic `
pub const SCHEME: u8 = 1;
/// `bearer `, `curl`
pub const BEARER: u8 = 2;
/// `sk_live_`, `sk_test_`, `github_pat_`, `npm_`
pub const UNDERSCORED: u8 = 4;
/// `sk-`, `glpat-`, `pypi-`
pub const HYPHENED: u8 = 8;
/// `ghp_`, `xoxb-`
pub const LETTERED: u8 = 16;
/// `--option`, `-----BEGIN`, `(b'name'`
pub const DASHED: u8 = 32;
/// `SK`, `SG.`, `AKIA`, `ASIA`, `AIza`
pub const CAPITALS: u8 = 64;
/// `PASSWORD 'x'`, `('name'`, `["name"`
pub const QUOTED: u8 = 128;

/// Digits of the shortest card number.
const CARD_MIN: u8 = 13;

impl Screen {
    /// Tell whether no value rule could change a text of which this is known, in whatever string it stands.
    #[must_use]
    pub fn is_clean(self, text: &[u8]) -> bool {
        self.signs & SUSPECT == 0 && self.grams == 0 && self.digits < CARD_MIN && !begins_document(text)
    }

    /// Tell whether JSON writes some of its signs as escapes.
    #[must_use]
    pub fn has_escapes(self) -> bool {
        self.signs & (CONTROL | QUOTE | SLASH) != 0
    }
}

/// Tell whether a text begins as JSON does.
#[must_use]
pub fn begins_document(text: &[u8]) -> bool {
    matches!(
        text.first(),
        Some(b'{' | b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n')
    )
}

/// Return what stands in a text.
#[must_use]
#[inline]
pub fn screen(text: &[u8]) -> Screen {
    #[cfg(target_arch = "x86_64")]
    if avx2::is_here() {
        return avx2::screen(text);
    }
    portable(text)
}

/// Append a text of fewer than 32 bytes as a JSON string, in the same breath, and return what stands in it.
/// Only if that is no sign that JSON writes as an escape is anything appended. None where it is no faster
/// than a look and a copy.
#[inline]
pub fn quote_short(out: &mut Vec<u8>, text: &[u8]) -> Option<Screen> {
    #[cfg(target_arch = "x86_64")]
    if avx2::is_here() {
        return avx2::quote_short(out, text);
    }
    let _ = (out, text);
    None
}

/// The same as `screen`, on any processor.
fn portable(text: &[u8]) -> Screen {
    let (mut found, mut state, mut digits) = (0_u64, 0_u64, 0_usize);
    // Of the lower four bytes of a state each holds the grams that reach so far, the upper one those
    // that end here.
    for &byte in text {
        let here = PORTABLE[usize::from(byte)];
        state = (state << 8 | 0xFF) & here;
        found |= state & STATE_BITS | here & !STATE_BITS;
        digits += usize::from(byte.is_ascii_digit());
    }
    for _ in 0..3 {
        state = (state << 8 | 0xFF) & PORTABLE[usize::from(PADDING)]; // grams may end behind the text
        found |= state & STATE_BITS;
    }
    let [_, _, _, grams, signs, high, ..] = found.to_le_bytes();
    Screen {
        signs,
        grams,
        digits: u8::try_from(digits).unwrap_or(u8::MAX),
        high: high != 0,
    }
}
