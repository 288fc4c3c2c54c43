//! The texts and objects that stand where something was taken out, and how they are recognised again.
//!
//! The twin of `_marks.py`. A mark is final: a second pass leaves it as it is.

use crate::json::quoted;

/// Stands for a secret.
pub const MASKED: &str = "[MASKED]";
/// Stands for an object within itself.
pub const CIRCULAR: &str = "[Circular]";
/// Stands for what is nested too deep.
pub const DEEP: &str = "[Depth]";
/// Stands for a value whose reading failed.
pub const UNREADABLE: &str = "[Unreadable]";
/// Stands for the end that was cut off.
pub const CUT: &str = "…";

/// Code points of a preview (MASKING.md section 4).
pub const PREVIEW_LENGTH: usize = 2000;

/// Fields of the largest mark.
const FIELDS_MAX: usize = 5;
/// A media type is rarely longer than 80; the header is the client's to write.
const CONTENT_TYPE_LENGTH: usize = 128;

/// Stand, as JSON, for a part whose masking failed.
#[must_use]
pub fn dropped() -> &'static str {
    r#"{"__unmasked_dropped":true}"#
}

/// Stand, as JSON, for a body that is not decoded. Only the media type is named: parameters are free text.
#[must_use]
pub fn omitted(content_type: Option<&str>, size_bytes: u64) -> String {
    let named = content_type
        .filter(|name| !name.is_empty())
        .map_or(String::new(), |name| {
            let name: String = name.chars().take(CONTENT_TYPE_LENGTH).collect();
            format!(r#""contentType":{},"#, quoted(&name))
        });
    format!(r#"{{"__omitted":true,{named}"sizeBytes":{size_bytes}}}"#)
}

/// Stand, as JSON, for a field over its limit, as the original writes it; sizes in bytes.
#[must_use]
pub fn truncated(size_bytes: u64, max_bytes: u64, preview: Option<&str>, lower_bound: bool) -> String {
    let preview = preview.map_or(String::new(), |text| format!(r#","preview":{}"#, quoted(text)));
    let bound = if lower_bound {
        r#","sizeIsLowerBound":true"#
    } else {
        ""
    };
    format!(
        r#"{{"__truncated":true,"originalSizeBytes":{size_bytes},"maxSizeBytes":{max_bytes}{preview}{bound}}}"#
    )
}

/// What stands in a field of an object that may be a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'t> {
    /// The value `true`.
    True,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'t str),
    /// Anything else: no mark holds it.
    Other,
}

/// Tell whether the fields of an object are a mark, and small: no limit replaces a mark by another one.
#[must_use]
pub fn is_mark(fields: &[(&str, Item<'_>)]) -> bool {
    let Some((first, Item::True)) = fields.first() else {
        return false;
    };
    let shape: &[&str] = match *first {
        "__unmasked_dropped" => &[],
        "__omitted" => &["contentType", "sizeBytes"],
        "__truncated" => &["originalSizeBytes", "maxSizeBytes", "preview", "sizeIsLowerBound"],
        _ => return false,
    };
    fields.len() <= FIELDS_MAX
        && fields.iter().all(|(key, item)| {
            let small = match item {
                Item::True => true,
                Item::Int(number) => *number != i64::MIN, // as far below zero as above
                Item::Text(text) => text.chars().nth(PREVIEW_LENGTH).is_none(),
                Item::Other => false,
            };
            small && (key == first || shape.contains(key))
        })
}

#[cfg(test)]
mod tests {
    use super::{dropped, is_mark, omitted, truncated, Item, PREVIEW_LENGTH};

    /// Marks are written with the fields, and in the order, of the original.
    #[test]
    fn marks_as_json() {
        assert_eq!(dropped(), r#"{"__unmasked_dropped":true}"#);
        assert_eq!(omitted(Some(""), 7), r#"{"__omitted":true,"sizeBytes":7}"#);
        assert_eq!(
            omitted(Some("a/b"), 7),
            r#"{"__omitted":true,"contentType":"a/b","sizeBytes":7}"#
        );
        assert_eq!(
            truncated(9, 5, Some("\"x"), true),
            r#"{"__truncated":true,"originalSizeBytes":9,"maxSizeBytes":5,"preview":"\"x","sizeIsLowerBound":true}"#
        );
        assert_eq!(
            truncated(9, 5, None, false),
            r#"{"__truncated":true,"originalSizeBytes":9,"maxSizeBytes":5}"#
        );
    }

    /// The name of a media type is bounded in characters, not within one.
    #[test]
    fn media_types_are_bounded() {
        assert!(omitted(Some(&"é".repeat(129)), 1).contains(&format!("\"{}\"", "é".repeat(128))));
    }

    /// A mark begins with its flag, has no other fields and nothing large in them.
    #[test]
    fn marks_are_recognised() {
        let long = "é".repeat(PREVIEW_LENGTH);
        let flag = ("__truncated", Item::True);
        assert!(is_mark(&[
            flag,
            ("preview", Item::Text(&long)),
            ("maxSizeBytes", Item::Int(1))
        ]));
        assert!(!is_mark(&[flag, ("preview", Item::Text(&(long + "é")))]));
        assert!(!is_mark(&[flag, ("contentType", Item::Text("x"))]));
        assert!(!is_mark(&[flag, ("maxSizeBytes", Item::Other)]));
        assert!(!is_mark(&[("preview", Item::True), flag]));
        assert!(!is_mark(&[("__omitted", Item::Int(1))]));
        assert!(!is_mark(&[]));
    }
}
