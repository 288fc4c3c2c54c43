//! Values without quotes: they end with their word, before the next field or at the quote around them.

use super::colours::without_colours;
use super::is_any_quote;
use crate::marks::MASKED;
use crate::places::{is_quote, is_space, skip};

/// Return a value without quotes, and without the punctuation of the text around it.
pub(crate) fn bare(text: &str, at: usize, query: bool) -> &str {
    let bytes = text.as_bytes();
    let is_end = |at: usize| {
        if query {
            ends_query(bytes[at])
        } else {
            ends_bare(bytes, at)
        }
    };
    let end = (at..bytes.len()).find(|&at| is_end(at)).unwrap_or(bytes.len());
    let run = &text[at..end];
    let trailing = if query { is_query_trailing } else { is_trailing };
    let mut trimmed = without_colours(run.trim_end_matches(trailing));
    if trimmed.len() != run.len() && !query {
        trimmed = trimmed.trim_end_matches(is_trailing);
    }
    let mark = trimmed.ends_with(&MASKED[..MASKED.len() - 1]) && run[trimmed.len()..].starts_with(']');
    &run[..trimmed.len() + usize::from(mark)]
}

fn ends_query(sign: u8) -> bool {
    is_space(sign) || is_any_quote(sign) || matches!(sign, b'&' | b'#' | b'<' | b'>')
}

/// Tell where a value without quotes ends: at a blank, `&` or `<`; before the next field; at an outer quote.
fn ends_bare(bytes: &[u8], at: usize) -> bool {
    let Some(&next) = bytes.get(at + 1) else {
        return is_space(bytes[at])
            || is_any_quote(bytes[at])
            || matches!(bytes[at], b'&' | b'<' | b',' | b';');
    };
    let ends_word = is_space(next) || matches!(next, b'&' | b'<');
    match bytes[at] {
        b'&' | b'<' => true,
        b',' | b';' => {
            ends_word || is_quote(next) || matches!(next, b'{' | b'[') || begins_field(bytes, at + 1)
        }
        b'"' | b'\'' | b'`' => ends_word || matches!(next, b',' | b';' | b':' | b')' | b']' | b'}' | b'>'),
        sign => is_space(sign),
    }
}

/// Tell whether a name with its operator stands here: `b=`, `b":`.
fn begins_field(bytes: &[u8], at: usize) -> bool {
    if !(bytes[at].is_ascii_alphabetic() || bytes[at] == b'_') {
        return false;
    }
    let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'.' | b'-');
    let end = skip(bytes, at, is_sign);
    let end = end + usize::from(bytes.get(end).is_some_and(|&sign| is_quote(sign)));
    matches!(bytes.get(end), Some(b'=' | b':'))
}

fn is_query_trailing(sign: char) -> bool {
    matches!(sign, ')' | '.' | ',' | ';' | ':' | '!' | '?' | '…')
}

fn is_trailing(sign: char) -> bool {
    is_query_trailing(sign) || matches!(sign, ']' | '}' | '>' | '"' | '\'' | '`')
}

#[cfg(test)]
mod tests {
    use super::bare;

    /// A bare value ends at a blank, before the next field, and without the sentence's punctuation.
    #[test]
    fn bare_values_end_with_their_word() {
        assert_eq!(bare("a,b c", 0, false), "a,b");
        assert_eq!(bare("a,b=c", 0, false), "a");
        assert_eq!(bare("hunter2).", 0, false), "hunter2");
        assert_eq!(bare("[MASKED]…", 0, false), "[MASKED]");
        assert_eq!(bare("a#b", 0, true), "a");
    }
}
