//! Places in a text, and what is written there instead: the result of masking that keeps all else.
//!
//! Offsets are bytes here and code points in Python; neither side shows them to the other.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::json::as_text;

/// `text[start..end]` becomes `replacement`, which hides so many secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first byte that is replaced.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
    /// What is written there.
    pub replacement: Cow<'static, str>,
    /// How many secrets it hides.
    pub secrets: u64,
}

impl Span {
    /// Make a span.
    pub fn new(start: usize, end: usize, replacement: impl Into<Cow<'static, str>>, secrets: u64) -> Self {
        Self {
            start,
            end,
            replacement: replacement.into(),
            secrets,
        }
    }
}

/// Tell whether masking left a text as it was: then it is mostly the very text, which takes no look.
#[must_use]
pub fn is_same(masked: &str, text: &str) -> bool {
    std::ptr::eq(masked, text) || masked == text
}

/// Return the spans in order, without those within others; of equal ones the last added stays.
///
/// Spans of JSON values are nested or apart, they never overlap halfway.
#[must_use]
pub fn outermost(mut spans: Vec<Span>) -> Vec<Span> {
    spans.reverse(); // the sort is stable: of equal ones the last added comes first
    spans.sort_by_key(|span| (span.start, Reverse(span.end)));
    let mut end = 0;
    spans.retain(|span| {
        let kept = span.start >= end;
        if kept {
            end = span.end;
        }
        kept
    });
    spans
}

/// Return `text` with each span replaced; the spans are in order and apart.
#[must_use]
pub fn apply<'t>(text: &'t str, spans: &[Span]) -> Cow<'t, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::new();
    apply_into(&mut out, text, spans);
    Cow::Owned(as_text(out))
}

/// Append `text` with each span replaced; the spans are in order and apart.
pub fn apply_into(out: &mut Vec<u8>, text: &str, spans: &[Span]) {
    let added: usize = spans.iter().map(|span| span.replacement.len()).sum();
    out.reserve(text.len() + added);
    let bytes = text.as_bytes();
    let mut at = 0;
    for span in spans {
        out.extend_from_slice(&bytes[at..span.start]);
        out.extend_from_slice(span.replacement.as_bytes());
        at = span.end;
    }
    out.extend_from_slice(&bytes[at..]);
}

#[cfg(test)]
mod tests {
    use super::{apply, is_same, outermost, Span};

    /// Equal texts are the same, wherever they stand; a part of a text is not the whole.
    #[test]
    fn equal_texts_are_the_same() {
        let text = "abab";
        assert!(is_same(text, text) && is_same(&text[..2], &text[2..]));
        assert!(!is_same(&text[..2], text) && !is_same("abac", text));
    }

    /// A container that is masked whole hides what was found within it before.
    #[test]
    fn the_outer_span_wins() {
        let found = vec![
            Span::new(3, 5, "a", 1),
            Span::new(1, 9, "b", 1),
            Span::new(9, 9, "", 0),
        ];
        let kept: Vec<_> = outermost(found)
            .into_iter()
            .map(|span| (span.start, span.end))
            .collect();
        assert_eq!(kept, [(1, 9), (9, 9)]);
    }

    /// A value that is condemned after its text was masked is masked whole.
    #[test]
    fn of_equal_spans_the_last_added_stays() {
        let kept = outermost(vec![Span::new(1, 4, "first", 2), Span::new(1, 4, "last", 1)]);
        assert_eq!(kept, [Span::new(1, 4, "last", 1)]);
    }

    /// All bytes outside of the spans stay; without spans nothing is copied.
    #[test]
    fn the_rest_stays_as_it_is() {
        assert_eq!(
            apply("aébc", &[Span::new(1, 3, "-", 0), Span::new(4, 4, "+", 0)]),
            "a-b+c"
        );
        assert!(matches!(apply("aébc", &[]), std::borrow::Cow::Borrowed("aébc")));
    }
}
