//! Lists of entries: breadcrumbs, logs, frames. When they are too many, the newest stay.

use std::borrow::Cow;

use super::Encoder;
use crate::event_fields::{is_entry_fields, is_entry_text, RESERVED_METADATA_KEY};
use crate::fit::as_budget;
use crate::keys::Place;
use crate::object::Object;
use crate::tree::{Fields, Source, Value, View};
use crate::walk::{Form, Walker};

impl Encoder<'_> {
    pub(super) fn list<S: Source>(&mut self, value: S, place: Place) -> Result<(), S::Error> {
        let start = self.walker.out.len();
        let value = value.content()?;
        let is_list = value.form() == Form::List;
        let mut items = Vec::new();
        let mut are_entries = is_list;
        for item in value.items() {
            let item = item.content()?;
            are_entries &= item.form() != Form::List;
            items.push(item);
        }
        if !are_entries {
            // No list of entries, whatever it is.
            let items = Value::List(items.into_iter().map(Value::Source).collect());
            let content = if is_list { items } else { Value::Source(value) };
            self.walker.begin(self.event_budget());
            self.walker.write(View::Tree(&content), Place::Payload)?;
            self.whole(start);
            return Ok(());
        }
        let mut left = self.event_budget();
        let mut entries = Vec::with_capacity(items.len());
        for entry in items.into_iter().rev() {
            self.walker.begin(left);
            let part = entry_part(entry, &mut self.walker, place)?;
            self.walker.out.extend_from_slice(part.as_bytes());
            self.whole(start);
            let part = self.walker.taken(start);
            left -= as_budget(part.len()) + 1;
            if left < 0 {
                break;
            }
            entries.push(part);
        }
        entries.reverse();
        self.replace(start, &format!("[{}]", entries.join(",")));
        Ok(())
    }
}

fn entry_part<S: Source>(entry: S, walker: &mut Walker<'_>, place: Place) -> Result<String, S::Error> {
    if entry.form() != Form::Map {
        return walker.walk(&entry, Place::Payload);
    }
    let mut masked = Object::default();
    let mut others = Fields::default();
    for (name, value) in entry.entries() {
        let name = name.key()?.into_owned();
        if is_entry_text(&name) {
            masked.set(&name, entry_text(value, walker)?);
        } else if is_entry_fields(&name) {
            masked.set(&name, entry_fields(value, walker, place)?);
        } else {
            others.set(Cow::Owned(name), Value::Source(value));
        }
    }
    if !others.is_empty() {
        let text = walker.walk(&View::Map(&others), Place::Payload)?;
        masked.update(Object::parse(&text));
    }
    Ok(masked.join())
}

/// Mask what is no secret by its own name; what is no text but a structure is user data like any.
fn entry_text<S: Source>(value: S, walker: &mut Walker<'_>) -> Result<String, S::Error> {
    let value = value.content()?;
    let is_structure = matches!(value.form(), Form::Map | Form::List);
    walker.walk(&value, if is_structure { Place::Payload } else { Place::None })
}

/// Mask the fields of an entry by key, but for `replaystack`, which is ours.
fn entry_fields<S: Source>(value: S, walker: &mut Walker<'_>, place: Place) -> Result<String, S::Error> {
    let value = value.content()?;
    if value.form() != Form::Map {
        return walker.walk(&value, place);
    }
    let mut fields = Fields::of(value)?;
    let reserved = match fields.get_mut(RESERVED_METADATA_KEY) {
        Some(found @ Value::Source(_)) => std::mem::replace(found, Value::Null), // keeps its place
        _ => Value::Null,
    };
    if !is_map(&reserved) {
        if let Some(place) = fields.get_mut(RESERVED_METADATA_KEY) {
            *place = reserved;
        }
        return walker.walk(&View::Map(&fields), place);
    }
    let masked = walker.walk(&View::Map(&fields), place)?;
    let mut masked = Object::parse(&masked);
    masked.set(
        RESERVED_METADATA_KEY,
        walker.walk(&View::Tree(&reserved), Place::None)?,
    );
    Ok(masked.join())
}

/// Tell whether a value from outside is an object.
pub(super) fn is_map<S: Source>(value: &Value<'_, S>) -> bool {
    matches!(value, Value::Source(source) if source.form() == Form::Map)
}
