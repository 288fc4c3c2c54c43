//! The signs and grams that are looked for, and the tables that the two ways of looking are made of.

/// Any sign.
const ANY: &[u8] = &[];

/// Beginnings of four signs, each place a set: a text without any of them holds no scheme with a
/// credential, no key of a vendor, no option, and no quoted or bracketed name.
///
/// A gram may stand for several words, and then for their mixtures too. Those that end before the
/// fourth sign take any.
pub(super) const GRAMS: [[&[u8]; 4]; 8] = [
    [b"kKsS", b"eEiI", b"nNcC", b" \t\r\n"], // `token `, `basic `
    [b"rRc", b"eEu", b"rR", b" \t\r\nl"],    // `bearer `, `curl`
    [b"vsap", b"etm", b"_", ANY],            // `sk_live_`, `sk_test_`, `github_pat_`, `npm_`
    [b"sap", b"kti", b"-", ANY],             // `sk-`, `glpat-`, `pypi-`
    [b"go", b"hx", ANY, b"_-"],              // `ghp_`, `xoxb-`
    [b"-(", b"-b", ANY, ANY],                // `--option`, `-----BEGIN`, `(b'name'`
    [b"SI", b"KGAz", ANY, ANY],              // `SK`, `SG.`, `AKIA`, `ASIA`, `AIza`
    [b" ([", b"'\"", ANY, ANY],              // `PASSWORD 'x'`, `('name'`, `["name"`
];

/// The signs of `super::Screen::signs`, by bit.
const SIGNS: [&[u8]; 8] = [
    b":=<",
    b"%",
    b"&",
    b"J",
    &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
        28, 29, 30, 31,
    ],
    b"\"",
    b"\\",
    b"0123456789",
];

/// What a sign is in JSON, by bit; each is a product of halves.
const KINDS: [&[u8]; 8] = [b"\"", b"\\", b"{}[]", b":", b",", b" ", b"\t\n\r", b"{["];
pub(super) const QUOTE_KIND: u8 = 1;
pub(super) const SLASH_KIND: u8 = 2;
/// `{}[]:,`
pub(super) const MARK_KIND: u8 = 4 | 8 | 16;
pub(super) const BLANK_KIND: u8 = 32;
/// The other blanks of JSON, which no string holds.
pub(super) const BREAK_KIND: u8 = 64;
/// `{` or `[`
pub(super) const OPENING_KIND: u8 = 128;

const fn holds(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    set.is_empty()
}

/// Return the sets that hold `byte`, by bit.
const fn bits_of(sets: [&[u8]; 8], byte: u8) -> u8 {
    let (mut bits, mut at) = (0, 0);
    while at < 8 {
        if holds(sets[at], byte) {
            bits |= 1 << at;
        }
        at += 1;
    }
    bits
}

/// Return the sets at one place of all grams.
const fn at_place(place: usize) -> [&'static [u8]; 8] {
    let mut sets = [ANY; 8];
    let mut at = 0;
    while at < 8 {
        sets[at] = GRAMS[at][place];
        at += 1;
    }
    sets
}

/// Stands behind a text, for grams that would end there: no set but those that take any sign holds it.
pub(super) const PADDING: u8 = b'.';

// --- by byte --------------------------------------------------------------------------------------

/// The fourth byte of `PORTABLE`: what is left of the grams that ended, and what is no state of theirs.
pub(super) const STATE_BITS: u64 = 0xFF00_0000;

/// By byte: the grams that have it at their first, second, third and fourth place, the signs that it is,
/// and whether it is not of ASCII.
pub(super) const PORTABLE: [u64; 256] = portable();

const fn portable() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        let sign = byte as u8;
        let mut entry = bits_of(SIGNS, sign) as u64;
        entry |= ((byte >= 128) as u64) << 8;
        let mut place = 4;
        while place > 0 {
            place -= 1;
            entry = entry << 8 | bits_of(at_place(place), sign) as u64;
        }
        table[byte] = entry;
        byte += 1;
    }
    table
}

// --- by half byte ---------------------------------------------------------------------------------

/// A set of sets for each lower and each upper half of a byte. A byte may belong to the sets that both of
/// its halves have; for sets that are no product of halves these are too many.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Halves {
    pub lower: [u8; 32],
    pub upper: [u8; 32],
}

/// Of the signs, which are all products of halves.
pub(super) static SIGN_HALVES: Halves = halves(SIGNS);
/// Of the kinds.
pub(super) static KIND_HALVES: Halves = halves(KINDS);
/// Of the grams, by place.
pub(super) static GRAM_HALVES: [Halves; 4] = [
    halves(at_place(0)),
    halves(at_place(1)),
    halves(at_place(2)),
    halves(at_place(3)),
];

/// Twice sixteen entries, for the two halves of a register.
const fn halves(sets: [&[u8]; 8]) -> Halves {
    let mut tables = Halves {
        lower: [0; 32],
        upper: [0; 32],
    };
    let mut byte = 0_usize;
    while byte < 256 {
        let bits = bits_of(sets, byte as u8);
        let (lower, upper) = (byte & 15, byte >> 4);
        tables.lower[lower] |= bits;
        tables.lower[lower + 16] |= bits;
        tables.upper[upper] |= bits;
        tables.upper[upper + 16] |= bits;
        byte += 1;
    }
    tables
}
