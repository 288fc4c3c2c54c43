//! The parts of an event: their keys, and where each was written.

use std::borrow::Cow;
use std::ops::Range;

use crate::event_fields::Kind;
use crate::json::quote_into;
use crate::object::Object;

/// Quotes, colon and comma.
const SIGNS: usize = 4;

struct Part<'e> {
    key: Cow<'e, str>,
    kind: Kind,
    value: Range<usize>,
}

/// The parts of one event, in order, each key once.
#[derive(Default)]
pub(super) struct Parts<'e> {
    items: Vec<Part<'e>>,
}

impl<'e> Parts<'e> {
    /// Add a part, whose key is none of those that are there.
    pub fn add(&mut self, key: Cow<'e, str>, kind: Kind, value: Range<usize>) {
        self.items.push(Part { key, kind, value });
    }

    /// Keep a place for `metadata`, if there is none.
    pub fn reserve(&mut self) {
        if self.metadata().is_none() {
            self.add(Cow::Borrowed("metadata"), Kind::Metadata, 0..0);
        }
    }

    /// Say where `metadata` was written; its place is reserved.
    pub fn set_metadata(&mut self, value: Range<usize>) {
        if let Some(part) = self.metadata() {
            part.value = value;
        }
    }

    fn metadata(&mut self) -> Option<&mut Part<'e>> {
        self.items.iter_mut().find(|part| part.kind == Kind::Metadata)
    }

    /// Write each field of an object behind `out`, and put it in the place of the part of its key, or last.
    pub fn update(&mut self, object: &Object, out: &mut Vec<u8>) {
        let known = self.items.len();
        for (key, value) in object.iter() {
            let start = out.len();
            out.extend_from_slice(value.as_bytes());
            match self.items[..known].iter_mut().find(|part| part.key == key) {
                Some(part) => part.value = start..out.len(),
                None => self.add(Cow::Owned(key.to_owned()), Kind::Other, start..out.len()),
            }
        }
    }

    /// Return how many bytes the event has, but for escapes in its keys.
    pub fn size(&self) -> usize {
        let sizes = self
            .items
            .iter()
            .map(|part| part.key.len() + part.value.len() + SIGNS);
        sizes.sum::<usize>() + 2
    }

    /// Write the event, whose parts stand in `out`.
    pub fn join_into(&self, event: &mut Vec<u8>, out: &[u8]) {
        event.reserve(self.size());
        event.push(b'{');
        for (at, Part { key, kind, value }) in self.items.iter().enumerate() {
            if at > 0 {
                event.push(b',');
            }
            if *kind == Kind::Other {
                quote_into(event, key);
            } else {
                event.push(b'"');
                event.extend_from_slice(key.as_bytes()); // a key of the wire
                event.push(b'"');
            }
            event.push(b':');
            event.extend_from_slice(&out[value.clone()]);
        }
        event.push(b'}');
    }

    /// Return the parts as an object.
    pub fn to_object(&self, out: &[u8]) -> Object {
        let mut object = Object::default();
        for Part { key, value, .. } in &self.items {
            let value = String::from_utf8_lossy(&out[value.clone()]);
            object.set(key, value.into_owned());
        }
        object
    }
}
