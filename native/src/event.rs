//! One event, masked, limited and encoded: the road that everything takes out of the process.
//!
//! Python replaces a part whose masking fails; here nothing fails but the reading of a foreign value,
//! which is reported whole, so that Python encodes that event itself.

mod degrade;
mod entries;
mod evidence;
mod parts;
mod texts;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::bodies::{mask_body, Prepared, RawBody};
use crate::event_fields::{kind_of, Kind};
use crate::fit::{as_budget, as_size, preview_of, Limits};
use crate::headers::{mask_headers, mask_raw_headers, RawHeaders};
use crate::keys::Place;
use crate::marks::{dropped, is_mark, truncated, Item};
use crate::object::{self, unquoted, Object};
use crate::policy::Policy;
use crate::rules::{Rules, UNBOUNDED};
use crate::tree::{Fields, Source, Value, View};
use crate::walk::{Form, Scratch, Walker};
use parts::Parts;

/// What stands in a field of an event.
pub enum Content<'a, S> {
    /// A payload as it stood on the wire.
    Body(RawBody<'a>),
    /// The same, masked already.
    Prepared(&'a Prepared),
    /// Headers as they stood on the wire.
    Headers(RawHeaders<'a>),
    /// Anything else.
    Value(S),
}

/// A field of an event.
pub struct Field<'a, S> {
    /// Its key.
    pub key: Cow<'a, str>,
    /// What the key holds (`kind_of`).
    pub kind: Kind,
    /// What stands there.
    pub content: Content<'a, S>,
}

impl<'a, S> Field<'a, S> {
    /// Make a field.
    pub fn new(key: impl Into<Cow<'a, str>>, content: Content<'a, S>) -> Self {
        let key = key.into();
        let kind = kind_of(&key);
        Self { key, kind, content }
    }
}

/// Write the event as masked bytes: one JSON object with the wire keys of WIRE.md section 1.
///
/// Fields that are null or empty are left out; 0 and false stay. Encoding the decoded result again
/// gives the same bytes. `scratch` is what an earlier event under the same policy left.
///
/// # Errors
/// If a value from outside cannot be read.
pub fn encode_event<S: Source>(
    fields: Vec<Field<'_, S>>,
    policy: &Policy,
    policy_hash: &str,
    limits: Limits,
    scratch: &mut Scratch,
    event: &mut Vec<u8>,
) -> Result<(), S::Error> {
    let mut encoder = Encoder {
        policy_hash,
        limits,
        walker: Walker::with(policy, UNBOUNDED, std::mem::take(scratch)),
        parts: Parts::default(),
        reserved: String::new(),
        cookies: BTreeSet::new(),
        seen_before: false,
        masked: 0,
    };
    let result = encoder.encode(fields);
    if result.is_ok() {
        encoder.finish(event);
    }
    *scratch = encoder.walker.into_scratch();
    result
}

/// The work on one event: its encoded parts by wire key, and what was learned on the way.
struct Encoder<'e> {
    policy_hash: &'e str,
    limits: Limits,
    /// Writes all parts, one behind the other.
    walker: Walker<'e>,
    parts: Parts<'e>,
    /// `metadata.replaystack`, as JSON; nothing as long as there is none.
    reserved: String,
    cookies: BTreeSet<String>,
    seen_before: bool,
    masked: u64,
}

impl<'e> Encoder<'e> {
    fn encode<S: Source>(&mut self, fields: Vec<Field<'e, S>>) -> Result<(), S::Error> {
        let mut metadata = Fields::default();
        if let Some(field) = fields.iter().find(|field| field.kind == Kind::Metadata) {
            if let Content::Value(value) = field.content {
                metadata = self.read_metadata(value)?;
            }
        }
        let mut others = Fields::default();
        for Field { key, kind, content } in fields {
            match content {
                _ if kind == Kind::Metadata => self.parts.reserve(), // keeps its place
                Content::Value(value) if kind == Kind::Other => {
                    if value.form() != Form::Null {
                        others.set(key, Value::Source(value));
                    }
                }
                content => {
                    let start = self.walker.out.len();
                    self.part(kind, content)?;
                    self.add(key, kind, start);
                }
            }
        }
        self.parts.reserve();
        if !others.is_empty() {
            self.add_others(&others)?;
        }
        self.encode_metadata(metadata)
    }

    fn finish(&self, event: &mut Vec<u8>) {
        if self.parts.size() > self.limits.event_bytes() {
            let degraded = self.degraded(self.parts.to_object(&self.walker.out));
            event.extend_from_slice(degraded.join().as_bytes());
        } else {
            self.parts.join_into(event, &self.walker.out);
        }
    }

    /// Count what was masked since the walker began anew; tell whether it crossed its bound.
    fn done(&mut self) -> bool {
        self.masked += std::mem::take(&mut self.walker.rules.masked);
        self.walker.rules.full
    }

    fn policy(&self) -> &'e Policy {
        self.walker.rules.policy
    }

    fn event_budget(&self) -> i64 {
        as_budget(self.limits.event_bytes())
    }

    fn field_budget(&self) -> i64 {
        as_budget(self.limits.budget_bytes())
    }

    /// Return the part that was written from `start` on.
    fn written(&self, start: usize) -> &str {
        std::str::from_utf8(&self.walker.out[start..]).unwrap_or_default()
    }

    /// Write another part in place of the one that was written from `start` on.
    fn replace(&mut self, start: usize, part: &str) {
        self.walker.take_back(start);
        self.walker.out.extend_from_slice(part.as_bytes());
    }

    /// Add the part that was written from `start` on, if there is anything in it.
    fn add(&mut self, key: Cow<'e, str>, kind: Kind, start: usize) {
        if is_empty(&self.walker.out[start..]) {
            self.walker.out.truncate(start); // no key stands there
        } else {
            self.parts.add(key, kind, start..self.walker.out.len());
        }
    }

    /// Add what is no key of the wire: user data, masked by key like any, and together as one object.
    fn add_others<S: Source>(&mut self, fields: &Fields<'_, S>) -> Result<(), S::Error> {
        self.walker.begin(self.event_budget());
        let tree = self.walker.walk(&View::Map(fields), Place::Payload)?;
        self.done();
        let mut parts = Object::parse(&tree);
        parts.retain(|_, part| !is_empty(part.as_bytes()));
        self.parts.update(&parts, &mut self.walker.out);
        Ok(())
    }

    /// Write one part, or nothing.
    fn part<S: Source>(&mut self, kind: Kind, content: Content<'_, S>) -> Result<(), S::Error> {
        let start = self.walker.out.len();
        let value = match (kind, content) {
            (Kind::Payload | Kind::Headers, Content::Body(body)) => {
                self.walker.begin(UNBOUNDED);
                mask_body(&body, &mut self.walker, self.limits);
                self.done();
                return Ok(());
            }
            (Kind::Payload | Kind::Headers, Content::Prepared(body)) => {
                self.walker.out.extend_from_slice(&body.json);
                self.masked += body.masked;
                return Ok(());
            }
            (Kind::Headers, Content::Headers(headers)) => {
                self.walker.begin(self.field_budget());
                let cookies = mask_raw_headers::<S>(headers, &mut self.walker)?;
                self.cookies.extend(cookies);
                self.limit(start, false);
                return Ok(());
            }
            // Nobody puts them elsewhere; if somebody does, they do not leave.
            (_, Content::Body(_) | Content::Prepared(_) | Content::Headers(_)) => {
                self.walker.out.extend_from_slice(dropped().as_bytes());
                return Ok(());
            }
            (_, Content::Value(value)) => value,
        };
        if value.form() == Form::Null {
            return Ok(());
        }
        match kind {
            Kind::Text(maximum) => self.text(value, maximum, false),
            Kind::Url => self.text(value, self.limits.request_url_bytes(), true),
            Kind::Payload => self.field(value, false),
            Kind::Headers => self.field(value, true),
            Kind::Logs => self.list(value, Place::Log),
            Kind::List => self.list(value, Place::Payload),
            Kind::Number | Kind::Metadata | Kind::Other => {
                self.walker.begin(self.event_budget());
                self.walker.write(value, Place::Payload)?;
                self.whole(start);
                Ok(())
            }
        }
    }

    // --- payloads and headers ---

    /// Encode a payload or headers, limited.
    fn field<S: Source>(&mut self, value: S, are_headers: bool) -> Result<(), S::Error> {
        let came_as_mark = is_mark_node(&value)?;
        let start = self.walker.out.len();
        self.walker.begin(if came_as_mark {
            UNBOUNDED
        } else {
            self.field_budget()
        });
        if are_headers {
            let cookies = mask_headers(value, &mut self.walker)?;
            self.cookies.extend(cookies);
        } else {
            self.walker.write(value, Place::Payload)?;
        }
        self.limit(start, came_as_mark);
        Ok(())
    }

    /// Put a mark in place of the part that was written from `start` on, if it is over its limit.
    fn limit(&mut self, start: usize, came_as_mark: bool) {
        let full = self.done();
        // What was encoded before has met its limit, as raw bytes perhaps: only the event's own remains.
        let is_limited =
            (came_as_mark && object::is_mark(self.written(start))) || (self.seen_before && !full);
        if !is_limited && (full || self.walker.out.len() - start > self.limits.max_payload_bytes) {
            let mark = self.truncate(self.written(start), full);
            self.replace(start, &mark);
        }
    }

    fn truncate(&self, part: &str, full: bool) -> String {
        let maximum = self.limits.max_payload_bytes;
        let size = if full {
            self.limits.budget_bytes()
        } else {
            part.len()
        };
        let preview = self.preview(part);
        truncated(as_size(size), as_size(maximum), Some(&preview), full)
    }

    fn preview(&self, part: &str) -> String {
        // Masking the preview again finds nothing new to count.
        let mut quiet = Rules::new(self.policy(), UNBOUNDED, 0);
        let mask = |text: &str| quiet.text(text).into_owned();
        preview_of(&text_of(part), self.limits.max_payload_bytes, mask)
    }

    /// Put a mark in place of the part that was written from `start` on, if it crossed the event's bound.
    fn whole(&mut self, start: usize) {
        if self.done() {
            let size = as_size(self.limits.event_bytes());
            let mark = truncated(size, size, Some(&self.preview(self.written(start))), true);
            self.replace(start, &mark);
        }
    }
}

/// Return a part as text: what it says, if it is one.
fn text_of(part: &str) -> Cow<'_, str> {
    if part.starts_with('"') {
        unquoted(part)
    } else {
        Cow::Borrowed(part)
    }
}

fn is_empty(part: &[u8]) -> bool {
    matches!(part, b"" | b"null" | b"\"\"" | b"{}" | b"[]")
}

/// Tell whether a value is a mark (see `marks::is_mark`), as it came.
fn is_mark_node<S: Source>(value: &S) -> Result<bool, S::Error> {
    if value.form() != Form::Map || !(1..=5).contains(&value.size()) {
        return Ok(false);
    }
    let entries: Vec<_> = value.entries().collect();
    let mut fields = Vec::with_capacity(entries.len());
    for (key, value) in &entries {
        let form = value.form();
        let text = if form == Form::Text {
            Some(value.text()?)
        } else {
            None
        };
        fields.push((key.key()?, form, text));
    }
    // A key that is no text, or none that is valid, is in no mark.
    let are_texts = fields.iter().all(|(key, _, _)| matches!(key, Cow::Borrowed(_)));
    let items: Vec<_> = fields
        .iter()
        .map(|(key, form, text)| {
            let item = match (form, text) {
                (_, Some(text)) => Item::Text(text),
                (Form::Bool(true), _) => Item::True,
                (Form::Int(number), _) => Item::Int(*number),
                _ => Item::Other,
            };
            (&**key, item)
        })
        .collect();
    Ok(are_texts && is_mark(&items))
}

#[cfg(test)]
mod tests;
