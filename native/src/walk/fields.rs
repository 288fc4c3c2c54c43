//! The fields of the objects that are being written, and those that end up under the same key.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Walker;
use crate::json::quote_into;
use crate::keys::{Place, Verdict, CHANGED, LOC, NAME, SAFE, TITLE};
use crate::limits::PATH_MAX;
use crate::object::tokens_of;
use crate::walk::{Form, Node};

impl Walker<'_> {
    /// Write the key of the next field of the object that begins at `begin`. Return the verdict on it,
    /// and whether it is the very text that stands there; None if the walk ends there.
    pub(super) fn begin_field<N: Node>(
        &mut self,
        begin: usize,
        node: N,
        place: Place,
    ) -> Result<Option<(Verdict, bool)>, N::Error> {
        let key = node.key()?;
        // An owned text is not the one that stands there: a surrogate was replaced, or it was no text.
        let is_own = matches!(key, Cow::Borrowed(_));
        let verdict = self.verdicts.judge(&key, place, &mut self.rules);
        if self.charge_key(&key) {
            return Ok(None);
        }
        if self.out.len() > begin {
            self.out.push(b',');
        }
        let start = self.out.len();
        if verdict & CHANGED != 0 {
            quote_into(&mut self.out, &self.rules.key(&key));
        } else {
            quote_into(&mut self.out, &key);
        }
        self.out.push(b':');
        if is_own && verdict & CHANGED == 0 && key.len() <= super::REMEMBERED_LENGTH {
            self.memo
                .keep(&self.out, start, node.key_identity(), place, verdict);
        }
        Ok(Some((verdict, is_own)))
    }

    /// Of fields under one key in the object that begins at `begin` and is not closed yet, the first gives
    /// the place and the last the value, as in a dict; only keys that were renamed can have become one.
    pub(super) fn unite(&mut self, begin: usize) {
        let fields: Vec<_> = tokens_of(&self.out[begin..]).collect();
        let mut places: HashMap<&[u8], usize> = HashMap::with_capacity(fields.len());
        let mut kept: Vec<(&[u8], &[u8])> = Vec::with_capacity(fields.len());
        for &(key, value) in &fields {
            let place = *places.entry(key).or_insert(kept.len());
            if let Some((_, last)) = kept.get_mut(place) {
                *last = value;
            } else {
                kept.push((key, value));
            }
        }
        if kept.len() == fields.len() {
            return;
        }
        let mut united = Vec::with_capacity(self.out.len() - begin);
        for (key, value) in kept {
            if !united.is_empty() {
                united.push(b',');
            }
            united.extend_from_slice(key);
            united.push(b':');
            united.extend_from_slice(value);
        }
        self.out.truncate(begin);
        self.out.append(&mut united);
        self.memo.forget();
    }

    /// Return the verdicts on a `value` by its `name` or `key`, and on an `input` by its `loc`.
    pub(super) fn named_by<N: Node>(
        &mut self,
        entries: N::Entries,
        place: Place,
    ) -> Result<(Verdict, Verdict), N::Error> {
        let (mut by_name, mut by_path) = (SAFE, SAFE);
        for (key, value) in entries {
            let kind = self.verdicts.judge(&key.key()?, place, &mut self.rules);
            if kind & (NAME | TITLE) != 0 {
                by_name |= self.judge_sibling(value, place, kind & NAME != 0)?;
            } else if kind & LOC != 0 {
                let path = value.settled()?;
                if path.form() == Form::List {
                    for part in path.items().take(PATH_MAX) {
                        by_path |= self.judge_sibling(part, Place::Form, true)?;
                    }
                }
            }
        }
        Ok((by_name, by_path))
    }

    /// Judge a value by what it says, if it is a text: by any name, or by a strong one only.
    fn judge_sibling<N: Node>(&mut self, value: N, place: Place, any: bool) -> Result<Verdict, N::Error> {
        let name = value.settled()?;
        if name.form() != Form::Text {
            return Ok(SAFE);
        }
        let name = name.text()?;
        Ok(if any {
            self.rules.judge_text(&name, place)
        } else {
            self.rules.judge_title(&name, place)
        })
    }
}
