//! The keys that were written in the walk at hand: a document repeats a few, and one that was written
//! before is copied from there with its verdict, without a look at its text.

use crate::keys::{Place, Verdict};

/// Keys that are remembered at a time: a document with more of them judges some anew.
const SLOTS: usize = 256;
/// Most keys are no longer, with their quotes and their colon.
const SHORT: usize = 32;

/// A key, and where it stands in what was written.
#[derive(Clone, Copy)]
struct Slot {
    /// Never 0 for a key.
    identity: usize,
    start: u32,
    walk: u32,
    verdict: Verdict,
    length: u8,
    place: u8,
}

const EMPTY: Slot = Slot {
    identity: 0,
    start: 0,
    walk: 0,
    verdict: 0,
    length: 0,
    place: 0,
};

/// The keys of one walk.
#[derive(Default)]
pub(super) struct Memo {
    /// None until the first key is kept.
    slots: Vec<Slot>,
    /// Tells the keys of this walk from those of others before.
    walk: u32,
}

impl Memo {
    /// Forget all keys: another walk begins, or what was written is no longer where it was.
    pub fn forget(&mut self) {
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.slots.clear();
            self.walk = 1;
        }
    }

    /// Write the key of the next field of the object that begins at `begin`, if it was written before,
    /// and return the verdict on it.
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>, begin: usize, identity: usize, place: Place) -> Option<Verdict> {
        let slot = self.slots.get(place_of(identity))?;
        if slot.identity != identity || slot.walk != self.walk || slot.place != place as u8 || identity == 0 {
            return None;
        }
        let (start, length) = (slot.start as usize, usize::from(slot.length));
        if out.len() > begin {
            out.push(b',');
        }
        // A copy of a length that is known is two instructions, one of any length a call.
        if length <= SHORT && start + SHORT <= out.len() {
            let end = out.len();
            out.extend_from_slice(&[0; SHORT]);
            out.copy_within(start..start + SHORT, end);
            out.truncate(end + length);
        } else {
            out.extend_from_within(start..start + length);
        }
        Some(slot.verdict)
    }

    /// Keep a key that stands, with its quotes and its colon, at the end of `out`.
    pub fn keep(&mut self, out: &[u8], start: usize, identity: usize, place: Place, verdict: Verdict) {
        let (Ok(from), Ok(length)) = (u32::try_from(start), u8::try_from(out.len() - start)) else {
            return;
        };
        if identity == 0 {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, EMPTY);
        }
        self.slots[place_of(identity)] = Slot {
            identity,
            start: from,
            walk: self.walk,
            verdict,
            length,
            place: place as u8,
        };
    }
}

/// Addresses differ in their upper bits, not in the lowest four.
fn place_of(identity: usize) -> usize {
    (identity >> 4 ^ identity >> 12) % SLOTS
}
