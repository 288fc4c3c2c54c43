//! What the span masker remembers of each container that is still open.

use std::borrow::Cow;

use crate::keys::{Verdict, LOC, SAFE};

/// What may come next in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// A value whose fate its neighbours or its key decide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub start: usize,
    pub end: usize,
    /// Null, a boolean, empty or masked: no key masks it.
    pub stays: bool,
    pub is_object: bool,
    pub verdict: Verdict,
}

impl Value {
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            stays: false,
            is_object: false,
            verdict: SAFE,
        }
    }
}

/// What a value says, if it is written as a text.
#[derive(Debug, Clone)]
pub(super) enum Said<'t> {
    Nothing,
    /// What its token says, which is mostly not asked.
    Token,
    /// Something else than its token.
    Text(Cow<'t, str>),
}

/// The name and the value of a list of two that begins with a text.
pub(super) type Pair<'t> = (Cow<'t, str>, Value);

/// What may become a pair: its first item with what it says, and its last one.
pub(super) type HalfPair<'t> = (Value, Said<'t>, Value);

/// An open object or list. What some of them need more of stands in the lists of the scan, where the
/// last frame has the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub start: usize,
    pub items: usize,
    /// Where its own begin: of an object each `value` and `input` until all names are known; of a list
    /// the secrets of pairs.
    pub waiting: usize,
    /// Where its own begin: the values under `name`, `label` and the like.
    pub names: usize,
    /// Of an object: on the value that comes next.
    pub verdict: Verdict,
    pub input_verdict: Verdict,
    pub is_object: bool,
    /// Of a list: it stands under `loc`.
    pub is_path: bool,
    /// Of a list: it stands in one whose items so far are all pairs.
    pub may_be_pair: bool,
    /// All items so far are `[name, value]`.
    pub are_pairs: bool,
}

impl Frame {
    pub fn new(start: usize, is_object: bool, parent: Option<&Self>) -> Self {
        let (is_path, may_be_pair) = match parent {
            Some(parent) if parent.is_object => (parent.verdict & LOC != 0, false),
            Some(parent) => (false, parent.are_pairs && !is_object),
            None => (false, false),
        };
        Self {
            start,
            items: 0,
            waiting: 0,
            names: 0,
            verdict: SAFE,
            input_verdict: SAFE,
            is_object,
            is_path,
            may_be_pair,
            are_pairs: true,
        }
    }

    pub fn closer(&self) -> u8 {
        if self.is_object {
            b'}'
        } else {
            b']'
        }
    }

    /// Return what is expected as long as nothing is in it.
    pub fn empty(&self) -> Expected {
        if self.is_object {
            Expected::KeyOrEnd
        } else {
            Expected::ItemOrEnd
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    /// Only a list in a list may be a pair, as long as all before it are.
    #[test]
    fn a_pair_stands_in_a_list() {
        let mut list = Frame::new(0, false, None);
        assert!(Frame::new(1, false, Some(&list)).may_be_pair);
        assert!(!Frame::new(1, true, Some(&list)).may_be_pair);
        list.are_pairs = false;
        assert!(!Frame::new(1, false, Some(&list)).may_be_pair);
        assert!(!Frame::new(1, false, Some(&Frame::new(0, true, None))).may_be_pair);
    }
}
