//! `metadata`: the user's, and under the reserved key what tells that the event was masked.

use std::collections::BTreeSet;

use memchr::memmem::find;

use super::entries::is_map;
use super::Encoder;
use crate::event_fields::RESERVED_METADATA_KEY;
use crate::fit::as_size;
use crate::headers::COOKIES_MAX;
use crate::json::quoted;
use crate::keys::Place;
use crate::marks::truncated;
use crate::object::{fields_of, items_of, unquoted, Object};
use crate::rules::UNBOUNDED;
use crate::tree::{Fields, Nothing, Source, Value, View};
use crate::walk::Form;

/// Counts up whenever the built-in rules change what they mask; the same number as in Python.
pub const RULES_VERSION: u64 = 1;

/// Of `metadata.replaystack`: what the recorder writes there takes a few KiB.
const RESERVED_BYTES: i64 = 65_536;
/// Beyond it JavaScript counts no more.
const COUNT_MAX: u64 = 1 << 53;

/// `metadata` as it is walked: what is ours stands nowhere else.
const RESERVED_PLACE: &[u8] = b"\"replaystack\":null}";

impl Encoder<'_> {
    /// Take metadata apart: return the user's, keep what stands under the reserved key.
    pub(super) fn read_metadata<'t, S: Source>(&mut self, value: S) -> Result<Fields<'t, S>, S::Error> {
        let mut metadata = Fields::default();
        if value.form() == Form::Null {
            return Ok(metadata);
        }
        let value = value.content()?;
        if value.form() != Form::Map {
            metadata.set("value", Value::Source(value));
            return Ok(metadata);
        }
        metadata = Fields::of(value)?;
        if let Some(reserved) = metadata.get_mut(RESERVED_METADATA_KEY) {
            if is_map(reserved) {
                self.walker.begin(RESERVED_BYTES);
                let masked = self.walker.walk(&View::Tree(reserved), Place::None)?;
                let before = self.masked;
                if self.done() {
                    self.masked = before; // what is not written does not count
                } else {
                    self.seen_before = find(masked.as_bytes(), b"\"masking\"").is_some()
                        && has_evidence(&Object::parse(&masked));
                    self.reserved = masked;
                }
            }
        }
        Ok(metadata)
    }

    /// Write metadata, and in it what is ours.
    pub(super) fn encode_metadata<S: Source>(&mut self, metadata: Fields<'_, S>) -> Result<(), S::Error> {
        let start = self.walker.out.len();
        let fields = with_reserved_place(metadata);
        self.walker.begin(self.event_budget());
        self.walker.write(View::Map(&fields), Place::Payload)?;
        let full = self.done();
        self.note_evidence();
        let written = &self.walker.out[start..];
        if !full && ends_with_place(written) {
            let place = self.walker.out.len() - b"null}".len();
            self.walker.take_back(place);
            self.walker.out.extend_from_slice(self.reserved.as_bytes());
            self.walker.out.push(b'}');
        } else {
            let size = as_size(self.limits.event_bytes());
            let mut tree = if full {
                Object::parse(&truncated(size, size, None, true))
            } else {
                Object::parse(self.written(start))
            };
            tree.set(RESERVED_METADATA_KEY, self.reserved.clone());
            self.replace(start, &tree.join());
        }
        self.parts.set_metadata(start..self.walker.out.len());
        Ok(())
    }

    /// Note under the reserved key the cookies' names and the evidence of masking.
    fn note_evidence(&mut self) {
        let is_known = |name: &[u8]| find(self.reserved.as_bytes(), name).is_some();
        if is_known(b"\"cookieNames\"") || is_known(b"\"masking\"") {
            let mut reserved = Object::parse(&self.reserved);
            self.update_evidence(&mut reserved);
            self.reserved = reserved.join();
            return;
        }
        let cookies = std::mem::take(&mut self.cookies);
        let names = (!cookies.is_empty()).then(|| self.named(&cookies));
        let reserved = &mut self.reserved;
        reserved.pop(); // the bracket that closes it
        if reserved.is_empty() {
            reserved.push('{');
        } else if reserved.len() > 1 {
            reserved.push(',');
        }
        if let Some(names) = names {
            reserved.push_str("\"cookieNames\":");
            reserved.push_str(&names);
            reserved.push(',');
        }
        reserved.push_str("\"masking\":{\"policy\":");
        reserved.push_str(&quoted(self.policy_hash));
        reserved.push_str(",\"rules\":");
        reserved.push_str(&RULES_VERSION.to_string());
        reserved.push_str(",\"masked\":");
        reserved.push_str(&self.masked.to_string());
        reserved.push_str("}}");
    }

    /// The same, where something of it is there already.
    fn update_evidence(&mut self, reserved: &mut Object) {
        if !self.cookies.is_empty() {
            let mut cookies = std::mem::take(&mut self.cookies);
            let known = reserved.get("cookieNames").unwrap_or_default();
            for name in items_of(known).filter(|item| item.starts_with('"')) {
                cookies.insert(unquoted(name).into_owned());
            }
            reserved.set("cookieNames", self.named(&cookies));
        }
        let known = if self.seen_before {
            reserved.get("masking")
        } else {
            None
        };
        let mut evidence = known.map_or_else(Object::default, Object::parse);
        if known.is_none() {
            evidence.set("policy", quoted(self.policy_hash));
            evidence.set("rules", RULES_VERSION.to_string());
        }
        let before: u64 = evidence
            .get("masked")
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
        evidence.set("masked", (before + self.masked).to_string());
        reserved.set("masking", evidence.join());
    }

    /// Return the names of cookies as JSON, masked; what is masked there does not count.
    fn named(&mut self, cookies: &BTreeSet<String>) -> String {
        let names = cookies.iter().take(COOKIES_MAX);
        let names = names.map(|name| Value::<Nothing>::Text(name.as_str().into()));
        let names = Value::List(names.collect());
        self.walker.begin(UNBOUNDED);
        let Ok(names) = self.walker.walk(&View::Tree(&names), Place::None);
        names
    }
}

/// Tell whether the last field of an object is the place of what is ours.
fn ends_with_place(written: &[u8]) -> bool {
    written
        .strip_suffix(RESERVED_PLACE)
        .is_some_and(|before| matches!(before.last(), Some(b'{' | b','))) // no backslash: no part of a text
}

/// `metadata` as it will be walked: with a place for what is ours.
fn with_reserved_place<S>(mut metadata: Fields<'_, S>) -> Fields<'_, S> {
    metadata.set(RESERVED_METADATA_KEY, Value::Null);
    metadata
}

fn has_evidence(reserved: &Object) -> bool {
    reserved.get("masking").is_some_and(is_evidence)
}

/// Tell whether it is what an encoder wrote into an event earlier.
fn is_evidence(text: &str) -> bool {
    let fields: Vec<_> = fields_of(text).take(5).collect(); // one more than it ever has
    let has = |name: &str| fields.iter().any(|(key, _)| key == name);
    has("policy")
        && has("rules")
        && has("masked")
        && fields.iter().all(|(key, value)| match &**key {
            "policy" => value.starts_with('"'),
            "rules" | "masked" | "dropped" => value.parse().is_ok_and(|count: u64| count < COUNT_MAX),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::is_evidence;

    /// Only what this module writes is evidence.
    #[test]
    fn evidence_is_recognised() {
        assert!(is_evidence(r#"{"policy":"x","rules":1,"masked":0}"#));
        assert!(is_evidence(r#"{"dropped":2,"masked":0,"rules":1,"policy":"x"}"#));
        assert!(!is_evidence(r#"{"policy":"x","rules":1}"#));
        assert!(!is_evidence(
            r#"{"policy":"x","rules":1,"masked":9007199254740992}"#
        ));
        assert!(!is_evidence(r#"{"policy":"x","rules":1,"masked":true}"#));
        assert!(!is_evidence(r#"{"policy":1,"rules":1,"masked":0}"#));
        assert!(!is_evidence(r#"{"policy":"x","rules":1,"masked":0,"more":0}"#));
    }
}
