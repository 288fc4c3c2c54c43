//! What was found out about keys before: documents repeat a few keys, and a verdict costs more than all
//! that a plain field does.
//!
//! Keys only, and none that holds a secret itself; a value never enters. The twin of the caches in
//! `_keys.py`, but bound to no lock: who walks a value owns it meanwhile.

use crate::keys::{Place, Verdict, CHANGED, SAFE};
use crate::outline::Outline;
use crate::rules::Rules;

/// Two keys share a set: a pair that falls together in a document would evict each other all the time. With
/// so many sets hardly any three of the hundred names of an exchange do.
const SETS: usize = 512;
/// Longer keys are judged anew each time: they are rare, and the memory stays below 64 KiB.
const KEY_LENGTH: usize = 32;
/// The golden ratio, and the square root of two: they spread over the upper bits whatever the bytes are.
const SPREAD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xB504_F333_F9DE_6485];

/// A key, zeros behind it.
#[derive(Clone, Copy)]
struct Name {
    words: [u64; KEY_LENGTH / 8],
    /// Its length and its place.
    about: u64,
}

impl Name {
    fn new(words: [u64; KEY_LENGTH / 8], length: usize, place: Place) -> Self {
        let about = (length as u64) << 8 | u64::from(place as u8);
        Self { words, about }
    }

    /// Return how long it is, if it is the key of a document.
    #[inline(always)]
    fn length_in_payload(&self) -> Option<usize> {
        let length = (self.about >> 8) as usize;
        (self.about as u8 == Place::Payload as u8 && length <= KEY_LENGTH).then_some(length)
    }

    /// Tell whether two are the same, without a branch: which of a set it is, is hard to guess.
    #[inline]
    fn is(&self, other: &Self) -> bool {
        let [first, second, third, fourth] = std::array::from_fn(|at| self.words[at] ^ other.words[at]);
        first | second | third | fourth | (self.about ^ other.about) == 0
    }
}

#[derive(Clone, Copy)]
struct Slot {
    name: Name,
    verdict: Verdict,
    /// The slot of the key that came next in a document, the last time that this one was met.
    next: u16,
}

/// No key has this length, so an empty slot is never found.
const EMPTY: Slot = Slot {
    name: Name {
        words: [0; KEY_LENGTH / 8],
        about: u64::MAX,
    },
    verdict: SAFE,
    next: 0,
};

/// The verdicts of one policy on the keys seen last.
#[derive(Default)]
pub struct Verdicts {
    /// None until the first key is seen. Two neighbours are a set, of which the first one was kept last.
    slots: Vec<Slot>,
    /// The slot of the key of a document that was judged last.
    last: u16,
    /// Of the document that was read last: its memory serves the next one.
    pub(crate) outline: Outline,
}

impl Verdicts {
    /// Tell whether no key is known yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Return what `Rules::verdict` says of a key.
    #[inline]
    pub fn judge(&mut self, key: &str, place: Place, rules: &mut Rules<'_>) -> Verdict {
        match name_of(key.as_bytes(), place) {
            Some(name) => self
                .known(&name)
                .unwrap_or_else(|| self.learn(key, place, name, rules)),
            None => rules.verdict(key, place),
        }
    }

    /// The same of the key from `start` to `end` in a text: what stands behind it makes it faster.
    #[inline]
    pub fn judge_in(&mut self, text: &str, start: usize, end: usize, rules: &mut Rules<'_>) -> Verdict {
        let window = text.as_bytes().get(start..).and_then(<[u8]>::first_chunk);
        if let (Some(window), true) = (window, end - start <= KEY_LENGTH) {
            let name = name_in(window, end - start, Place::Payload);
            if let Some(number) = self.find(&name) {
                if let Some(last) = self.slots.get_mut(usize::from(self.last)) {
                    last.next = number as u16;
                }
                self.last = number as u16;
                return self.slots[number].verdict;
            }
        }
        self.judge(&text[start..end], Place::Payload, rules)
    }

    /// Return the end of the key that begins at `start` in a text, and the verdict on it, if it is the one
    /// that followed the last key before: the objects of a list are alike.
    #[inline(always)]
    pub fn expected(&mut self, text: &[u8], start: usize) -> Option<(usize, Verdict)> {
        let window = text.get(start..)?.first_chunk()?;
        let number = self.slots.get(usize::from(self.last))?.next;
        let Slot { name, verdict, .. } = self.slots.get(usize::from(number))?;
        let length = name.length_in_payload()?;
        // No key that is kept holds a quote, so the quote behind it is the one that closes it.
        if !name_in(window, length, Place::Payload).is(name) || text.get(start + length) != Some(&b'"') {
            return None;
        }
        self.last = number;
        Some((start + length, *verdict))
    }

    #[inline(always)]
    fn known(&self, name: &Name) -> Option<Verdict> {
        self.find(name).map(|number| self.slots[number].verdict)
    }

    /// Return the number of the slot of a key.
    #[inline(always)]
    fn find(&self, name: &Name) -> Option<usize> {
        let number = 2 * set_of(name);
        let [first, second] = self.slots.get(number..)?.first_chunk()?;
        let (is_first, is_second) = (first.name.is(name), second.name.is(name));
        (is_first | is_second).then_some(number + usize::from(!is_first))
    }

    #[cold]
    fn learn(&mut self, key: &str, place: Place, name: Name, rules: &mut Rules<'_>) -> Verdict {
        let verdict = rules.verdict(key, place);
        if verdict & CHANGED == 0 && !key.contains(['"', '\\']) {
            if self.slots.is_empty() {
                self.slots.resize(2 * SETS, EMPTY);
            }
            let number = 2 * set_of(&name);
            self.slots[number + 1] = self.slots[number];
            let next = 0;
            self.slots[number] = Slot { name, verdict, next };
        }
        verdict
    }
}

/// Return a key as it is compared; None for a long one.
#[inline]
fn name_of(key: &[u8], place: Place) -> Option<Name> {
    if key.len() > KEY_LENGTH {
        return None;
    }
    if let Some(window) = key.first_chunk() {
        return Some(name_in(window, KEY_LENGTH, place));
    }
    let mut words = [0; KEY_LENGTH / 8];
    let (whole, rest) = key.split_at(key.len() & !7);
    for (word, part) in words.iter_mut().zip(whole.chunks_exact(8)) {
        *word = part.first_chunk().map_or(0, |part| u64::from_le_bytes(*part));
    }
    if !rest.is_empty() {
        words[whole.len() / 8] = match key.last_chunk() {
            // What stands before the rest is shifted out.
            Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
            None => rest
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
    }
    Some(Name::new(words, key.len(), place))
}

/// Return the key at the beginning of a window. Without a branch: the lengths of keys are hard to guess.
#[inline]
fn name_in(window: &[u8; KEY_LENGTH], length: usize, place: Place) -> Name {
    let mut words = MASKS[length];
    for (word, part) in words.iter_mut().zip(window.chunks_exact(8)) {
        *word &= part.first_chunk().map_or(0, |part| u64::from_le_bytes(*part));
    }
    Name::new(words, length, place)
}

/// By length: the bits of a key.
static MASKS: [[u64; KEY_LENGTH / 8]; KEY_LENGTH + 1] = {
    let mut masks = [[0; KEY_LENGTH / 8]; KEY_LENGTH + 1];
    let mut length = 0;
    while length <= KEY_LENGTH {
        let mut byte = 0;
        while byte < length {
            masks[length][byte / 8] |= 0xFF << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    masks
};

/// Return where a key belongs.
#[inline]
fn set_of(name: &Name) -> usize {
    let [first, second, third, fourth] = name.words;
    let hash = (first ^ third.rotate_left(17)).wrapping_mul(SPREAD[0])
        ^ (second ^ fourth.rotate_left(29) ^ name.about << 40).wrapping_mul(SPREAD[1]);
    (hash >> (u64::BITS - SETS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use super::Verdicts;
    use crate::keys::Place;
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    /// With and without a memory each verdict is the same, whatever was evicted before.
    #[test]
    fn a_memory_changes_no_verdict() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        let mut verdicts = Verdicts::default();
        let long = "password".repeat(5);
        for round in 0..2 {
            for number in 0..600 {
                for name in ["password", "", "\0", "name", "a pin=1", "code", &long] {
                    let key = if number % 2 == 0 {
                        name.to_owned()
                    } else {
                        format!("{name}{number}")
                    };
                    for place in [Place::Payload, Place::Form, Place::None] {
                        let wanted = rules.verdict(&key, place);
                        assert_eq!(verdicts.judge(&key, place, &mut rules), wanted, "{key} {round}");
                    }
                }
            }
        }
    }

    /// A key is the same however it is read, and no other one.
    #[test]
    fn a_key_has_one_name() {
        let text = "0123456789abcdefghijklmnopqrstuvwxyz".repeat(2);
        for start in 0..4 {
            for length in 0..=super::KEY_LENGTH {
                let key = &text[start..start + length];
                let name = super::name_of(key.as_bytes(), Place::Payload);
                let window = text.as_bytes()[start..].first_chunk();
                let other = window.map(|window| super::name_in(window, length, Place::Payload));
                let same = name.zip(other).is_some_and(|(name, other)| name.is(&other));
                assert!(same, "{key}");
                let mut changed = key.to_owned().into_bytes();
                for at in 0..length {
                    changed[at] ^= 1;
                    let other = super::name_of(&changed, Place::Payload);
                    assert!(
                        !name.zip(other).is_some_and(|(name, other)| name.is(&other)),
                        "{key}"
                    );
                    changed[at] ^= 1;
                }
            }
        }
    }

    /// A key that holds a secret is not remembered.
    #[test]
    fn no_secret_is_remembered() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        let mut verdicts = Verdicts::default();
        verdicts.judge("password=hunter2", Place::Payload, &mut rules);
        assert!(verdicts.slots.is_empty());
    }
}
