//! An event over its limit: bodies become previews, then shapes remain, then the headline alone.

use super::texts::mask;
use super::{text_of, Encoder};
use crate::event_fields::{kind_of, Kind, RESERVED_METADATA_KEY};
use crate::fit::{as_size, fit};
use crate::json::quoted;
use crate::marks::truncated;
use crate::object::Object;
use crate::rules::{Rules, UNBOUNDED};

/// Two dozen of them, escaped, are far below any event's limit.
const HEADLINE_TEXT_BYTES: usize = 2048;

impl Encoder<'_> {
    /// Return the parts, so that the event fits.
    pub(super) fn degraded(&self, mut parts: Object) -> Object {
        for step in [Self::drop_bodies, Self::keep_shapes, Self::keep_headline] {
            step(self, &mut parts);
            if size_of(&parts) <= self.limits.event_bytes() {
                break;
            }
        }
        parts
    }

    fn drop_bodies(&self, parts: &mut Object) {
        parts.retain(|key, part| {
            if kind_of(key) == Kind::Payload && !part.starts_with(r#"{"__truncated":true"#) {
                *part = self.truncate(part, false);
            }
            true
        });
    }

    /// Leave of everything but the texts what it was and how large.
    fn keep_shapes(&self, parts: &mut Object) {
        let maximum = as_size(self.limits.max_payload_bytes);
        parts.retain(|key, part| {
            let kind = kind_of(key);
            if matches!(kind, Kind::Text(_) | Kind::Number | Kind::Url | Kind::Metadata) {
                return true;
            }
            let shape = truncated(as_size(part.len()), maximum, None, false);
            if shape.len() < part.chars().count() {
                let is_list = matches!(kind, Kind::List | Kind::Logs);
                *part = if is_list { format!("[{shape}]") } else { shape };
            }
            true
        });
        let size = parts.get("metadata").map_or(0, str::len);
        let shape = truncated(as_size(size), as_size(self.limits.event_bytes()), None, false);
        self.set_metadata(parts, Object::parse(&shape));
    }

    fn keep_headline(&self, parts: &mut Object) {
        let mut rules = Rules::new(self.policy(), UNBOUNDED, 0);
        parts.retain(|key, part| {
            let kind = kind_of(key);
            match kind {
                Kind::Number | Kind::Metadata => return true,
                Kind::Text(_) | Kind::Url => {}
                _ => return false,
            }
            if part.len() > HEADLINE_TEXT_BYTES && part.chars().count() > HEADLINE_TEXT_BYTES {
                let again = |text: &str| mask(&mut rules, text, kind == Kind::Url).into_owned();
                *part = quoted(&fit(text_of(part), HEADLINE_TEXT_BYTES, again));
            }
            true
        });
        self.set_metadata(parts, Object::default());
    }

    fn set_metadata(&self, parts: &mut Object, mut metadata: Object) {
        metadata.set(RESERVED_METADATA_KEY, self.reserved.clone());
        parts.set("metadata", metadata.join());
    }
}

fn size_of(parts: &Object) -> usize {
    parts
        .iter()
        .map(|(key, part)| key.len() + part.len() + 4)
        .sum::<usize>()
        + 2
}
