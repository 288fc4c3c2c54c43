//! The stems of secret names, searched for all at once: one step of a table for each sign (Aho and Corasick).

/// What every built-in name holds one of, in small letters.
const STEMS: [&str; 27] = [
    "ke", "cre", "ode", "base", "ss", "phras", "auth", "pin", "pan", "dsn", "ccn", "onn", "card", "pwd",
    "sid", "ntified", // `IDENTIFIED BY 'x'`
    "otp", "cv", "ook", "sig", "jwt", "srf", "bear", "answer", "mnem", "soci", "saml",
];

/// Where a search begins.
const START: u8 = 0;
/// A stem was found; this is never left.
const FOUND: u8 = 95;
/// More than all beginnings of stems, and `FOUND`.
const STATES: usize = 96;

/// Of all signs but the following.
const OTHER: usize = 0;
/// Of the signs that do not count within a name: `-`, `_` and `+`.
const SEPARATOR: usize = 27;
/// Of each letter, of separators, and of all other signs together.
const CLASSES: usize = 32;

/// By state and class: the next state.
static TABLE: [[u8; CLASSES]; STATES] = table();
/// By sign: its class.
static CLASS: [u8; 256] = classes();

/// So many signs are read between two looks at the state.
const STRIDE: usize = 16;

/// A search that takes one sign after the other.
pub(super) struct Search(u8);

impl Search {
    pub fn new() -> Self {
        Self(START)
    }

    /// Take one more sign, and tell whether a stem ended here or before.
    pub fn push(&mut self, sign: u8) -> bool {
        self.0 = TABLE[usize::from(self.0)][usize::from(CLASS[usize::from(sign)])];
        self.0 == FOUND
    }
}

/// Tell whether one of the stems is in a text of ASCII, without its separators.
pub(super) fn holds_stem(text: &[u8]) -> bool {
    let mut search = Search::new();
    text.chunks(STRIDE)
        .any(|part| part.iter().fold(false, |_, &sign| search.push(sign)))
}

const fn class_of(sign: u8) -> usize {
    if sign.is_ascii_alphabetic() {
        (sign & 0x1F) as usize
    } else if matches!(sign, b'-' | b'_' | b'+') {
        SEPARATOR
    } else {
        OTHER
    }
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut sign = 0;
    while sign < 256 {
        classes[sign] = class_of(sign as u8) as u8;
        sign += 1;
    }
    classes
}

const fn table() -> [[u8; CLASSES]; STATES] {
    let mut next = [[0; CLASSES]; STATES];
    // The trie. A state that a stem leads to is never left, so none goes on behind it.
    let mut states = 1;
    let mut at = 0;
    while at < STEMS.len() {
        let stem = STEMS[at].as_bytes();
        let mut state = START as usize;
        let mut place = 0;
        while place < stem.len() && state != FOUND as usize {
            let class = class_of(stem[place]);
            if place + 1 == stem.len() {
                next[state][class] = FOUND;
            } else if next[state][class] == 0 {
                next[state][class] = states as u8;
                states += 1;
            }
            state = next[state][class] as usize;
            place += 1;
        }
        at += 1;
    }
    // Where the trie ends, the longest end of what was read that begins a stem goes on. A state comes
    // after all that are shorter when they are visited level by level.
    let mut fallback = [START; STATES];
    let mut queue = [START; STATES];
    let (mut first, mut last) = (0, 1);
    while first < last {
        let state = queue[first] as usize;
        first += 1;
        let mut class = 0;
        while class < CLASSES {
            let other = if state == START as usize {
                START
            } else {
                next[fallback[state] as usize][class]
            };
            let child = next[state][class];
            if child == 0 || other == FOUND {
                next[state][class] = other;
            } else if child != FOUND {
                fallback[child as usize] = other;
                queue[last] = child;
                last += 1;
            }
            class += 1;
        }
    }
    let mut state = 0;
    while state < STATES {
        next[state][SEPARATOR] = state as u8;
        state += 1;
    }
    next[FOUND as usize] = [FOUND; CLASSES];
    next
}

#[cfg(test)]
mod tests {
    use super::{holds_stem, Search, STEMS};

    fn found(text: &str) -> bool {
        let mut search = Search::new();
        let found = text.bytes().any(|sign| search.push(sign));
        assert_eq!(holds_stem(text.as_bytes()), found, "{text}");
        found
    }

    /// The table finds what a search for each stem finds, in texts that are made of their parts.
    #[test]
    fn the_table_finds_the_stems() {
        let mut parts: Vec<&str> = STEMS
            .iter()
            .flat_map(|stem| (1..=stem.len()).map(|end| &stem[..end]))
            .collect();
        parts.extend(["x", "-", "_", " ", "K", "\u{e9}"]);
        let mut texts = 0;
        for first in &parts {
            for second in &parts {
                for third in ["", "s", "n", "ard", "te", "e"] {
                    let text = format!("{first}{second}{third}");
                    let plain = text.to_ascii_lowercase().replace(['-', '_', '+'], "");
                    let wanted = STEMS.iter().any(|stem| plain.contains(stem));
                    assert_eq!(found(&text), wanted, "{text}");
                    texts += usize::from(wanted);
                }
            }
        }
        assert!(texts > 1000);
    }
}
