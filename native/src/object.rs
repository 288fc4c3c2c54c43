//! JSON as text, taken apart at its top level: what the encoder does to a tree after the walk wrote it.
//!
//! All texts here were written by this crate, so nothing is validated.

use std::borrow::Cow;

use crate::json::{as_text, quote_into};
use crate::lexer::decode_string;
use crate::marks::{self, Item};

/// The fields of an object: their keys, decoded, and their values as JSON text.
#[derive(Debug, Default)]
pub struct Object {
    fields: Vec<(String, String)>,
}

impl Object {
    /// Take an object apart; of what is none nothing remains.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let fields = fields_of(text)
            .map(|(key, value)| (key.into_owned(), value.to_owned()))
            .collect();
        Self { fields }
    }

    /// Return the value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Put a value under `key`, in the place of the one that is there, or last.
    pub fn set(&mut self, key: &str, value: String) {
        let known = self.fields.len();
        self.set_among(known, key, value);
    }

    /// Put each field of an object whose keys differ from one another.
    pub fn update(&mut self, others: Self) {
        let known = self.fields.len();
        for (key, value) in others.fields {
            self.set_among(known, &key, value);
        }
    }

    fn set_among(&mut self, known: usize, key: &str, value: String) {
        match self.fields[..known].iter_mut().find(|(name, _)| name == key) {
            Some(field) => field.1 = value,
            None => self.fields.push((key.to_owned(), value)),
        }
    }

    /// Keep the fields of which `keep` says so; it may change their values.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut String) -> bool) {
        self.fields.retain_mut(|(key, value)| keep(key, value));
    }

    /// Return the keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Return the object as JSON.
    #[must_use]
    pub fn join(&self) -> String {
        let size: usize = self
            .fields
            .iter()
            .map(|(key, value)| key.len() + value.len() + 6)
            .sum();
        let mut out = Vec::with_capacity(size + 2);
        out.push(b'{');
        for (at, (key, value)) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            quote_into(&mut out, key);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
        as_text(out)
    }
}

/// Return the keys, decoded, and the values of an object.
pub fn fields_of(text: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut at = usize::from(text.starts_with('{'));
    std::iter::from_fn(move || {
        if at == 0 || text.as_bytes().get(at) != Some(&b'"') {
            return None;
        }
        let colon = value_end(text.as_bytes(), at);
        let end = value_end(text.as_bytes(), colon + 1);
        let field = (unquoted(&text[at..colon]), &text[colon + 1..end]);
        at = end + 1;
        Some(field)
    })
}

/// Return the items of a list.
pub fn items_of(text: &str) -> impl Iterator<Item = &str> {
    let mut at = usize::from(text.starts_with('['));
    std::iter::from_fn(move || {
        if at == 0 || matches!(text.as_bytes().get(at), None | Some(b']')) {
            return None;
        }
        let end = value_end(text.as_bytes(), at);
        let item = &text[at..end];
        at = end + 1;
        Some(item)
    })
}

/// Return the keys, with their quotes, and the values of an object whose brackets are left out.
pub fn tokens_of(fields: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        fields.get(at)?;
        let colon = value_end(fields, at);
        let end = value_end(fields, colon + 1);
        let field = (&fields[at..colon], &fields[colon + 1..end]);
        at = end + 1;
        Some(field)
    })
}

/// Return where the value that begins at `at` ends. There are no blanks around it.
fn value_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'"' => end = string_end(bytes, end),
            b'{' | b'[' => {
                depth += 1;
                end += 1;
            }
            b'}' | b']' | b',' | b':' if depth == 0 => return end,
            b'}' | b']' => {
                depth -= 1;
                end += 1;
            }
            _ => end += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(offset) = bytes
        .get(end..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        end += offset;
        if bytes[end] == b'"' {
            return end + 1;
        }
        end += 2;
    }
    bytes.len()
}

/// Return what a string token says. The lexer knows no NUL, since no parser gets one; a text may hold it.
#[must_use]
pub fn unquoted(token: &str) -> Cow<'_, str> {
    let token = token.trim_end_matches([' ', '\t', '\r', '\n']); // as a body may have them
    if !token.contains("\\u0000") {
        return decode_string(token).content;
    }
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let (mut done, mut at) = (0, 0);
    while let Some(offset) = memchr::memchr(b'\\', &inner.as_bytes()[at..]) {
        at += offset;
        if inner[at..].starts_with("\\u0000") {
            out.push_str(&decode_string(&format!("\"{}\"", &inner[done..at])).content);
            out.push('\0');
            at += 6;
            done = at;
        } else {
            at = (at + 2).min(inner.len());
        }
    }
    out.push_str(&decode_string(&format!("\"{}\"", &inner[done..])).content);
    Cow::Owned(out)
}

/// Tell whether an object is a mark (see `marks::is_mark`).
#[must_use]
pub fn is_mark(text: &str) -> bool {
    let fields: Vec<_> = fields_of(text).take(6).collect(); // one more than any mark has
    let values: Vec<_> = fields.iter().map(|(_, value)| text_in(value)).collect();
    let items: Vec<_> = fields
        .iter()
        .zip(&values)
        .map(|((key, value), text)| (&**key, item_of(value, text.as_deref())))
        .collect();
    marks::is_mark(&items)
}

fn text_in(value: &str) -> Option<Cow<'_, str>> {
    value.starts_with('"').then(|| unquoted(value))
}

fn item_of<'t>(value: &str, text: Option<&'t str>) -> Item<'t> {
    match (value, text) {
        (_, Some(text)) => Item::Text(text),
        ("true", _) => Item::True,
        _ => value.parse().map_or(Item::Other, Item::Int),
    }
}

#[cfg(test)]
mod tests {
    use super::{fields_of, is_mark, items_of, unquoted, Object};

    const TEXT: &str = r#"{"a\"b":[1,{"x":"]}"}],"\u0000\\u0000":"\\","n":-1.5,"e":{}}"#;

    /// Whatever stands in a value, the next field begins behind it.
    #[test]
    fn objects_come_apart() {
        let found: Vec<_> = fields_of(TEXT).collect();
        let keys: Vec<_> = found.iter().map(|(key, _)| &**key).collect();
        let values: Vec<_> = found.iter().map(|(_, value)| *value).collect();
        assert_eq!(keys, ["a\"b", "\0\\u0000", "n", "e"]);
        assert_eq!(values, [r#"[1,{"x":"]}"}]"#, r#""\\""#, "-1.5", "{}"]);
        assert_eq!(Object::parse(TEXT).join(), TEXT);
        assert_eq!(fields_of("{}").count() + fields_of("[1]").count(), 0);
    }

    /// Lists come apart at the commas of their own level.
    #[test]
    fn lists_come_apart() {
        let found: Vec<_> = items_of(r#"[1,"a,b",[2,3],{"x":[4,5]}]"#).collect();
        assert_eq!(found, ["1", r#""a,b""#, "[2,3]", r#"{"x":[4,5]}"#]);
        assert_eq!(items_of("[]").count() + items_of("{}").count(), 0);
    }

    /// A field keeps its place when its value changes; a new one comes last.
    #[test]
    fn fields_keep_their_places() {
        let mut object = Object::parse(r#"{"a":1,"b":2}"#);
        object.set("a", "3".to_owned());
        object.set("c", "4".to_owned());
        object.update(Object::parse(r#"{"d":5,"b":6}"#));
        assert_eq!(object.join(), r#"{"a":3,"b":6,"c":4,"d":5}"#);
        assert_eq!((object.get("b"), object.get("x")), (Some("6"), None));
    }

    /// A NUL is the one character that the lexer would not give back.
    #[test]
    fn texts_come_back_as_they_were() {
        assert_eq!(unquoted("\"a\\u0000b\\nc\\\\u0000\""), "a\0b\nc\\u0000");
    }

    /// Marks are recognised in the text that was written.
    #[test]
    fn marks_are_recognised() {
        assert!(is_mark(
            r#"{"__truncated":true,"originalSizeBytes":5,"preview":"x"}"#
        ));
        assert!(!is_mark(r#"{"__truncated":true,"originalSizeBytes":5.0}"#));
        assert!(!is_mark(r#"{"__omitted":false}"#));
        assert!(!is_mark("{}"));
    }
}
