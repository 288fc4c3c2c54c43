//! Values that a bracket opens: objects, lists, tuples, and what a call shows of itself.

use memchr::memchr2;

use super::annotations::word_end;
use super::{bare, is_name_sign};
use crate::keys::{Verdict, WALK};
use crate::places::is_space;

/// Return where the bracket opens that the value at `at` is, or that follows the name of a call:
/// `SecretStr('x')`. A parameter of a query is no call.
pub(super) fn bracket(bytes: &[u8], at: usize, query: bool) -> Option<usize> {
    if matches!(bytes.get(at), Some(b'{' | b'[')) {
        return Some(at);
    }
    if query {
        return None;
    }
    if bytes.get(at) == Some(&b'(') {
        return Some(at); // a tuple
    }
    call_bracket(bytes, at)
}

/// Return where the bracket of a call opens whose name stands at `at`.
pub(crate) fn call_bracket(bytes: &[u8], at: usize) -> Option<usize> {
    word_end(bytes, at).filter(|&end| bytes.get(end) == Some(&b'('))
}

/// Return the place of the value at `at` whose bracket opens at `bracket`.
pub(super) fn bracketed(text: &str, at: usize, bracket: usize, verdict: Verdict) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    if bytes[at] == b'{' && verdict == WALK {
        return None; // an object under such a name is walked: its own names decide
    }
    let end = balanced_end(bytes, bracket);
    if text[at..end].chars().take(3).count() == 2 {
        return None; // an empty container
    }
    let goes_on = bytes.get(end).is_some_and(|&sign| is_name_sign(sign));
    let more = if goes_on { bare(text, end, false).len() } else { 0 };
    Some((at, end + more))
}

/// Return where the bracket at `at` is closed, or the end of the text.
fn balanced_end(bytes: &[u8], mut at: usize) -> usize {
    let is_call = bytes[at] == b'(';
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            b'(' if is_call => depth += 1,
            b'{' | b'[' if !is_call => depth += 1,
            sign @ (b')' | b'}' | b']') if is_call == (sign == b')') => {
                depth -= 1; // the first bracket opens, so there is one to close
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => at = string_end(bytes, at),
            b'\'' if opens_string(bytes[at - 1]) => at = string_end(bytes, at),
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Tell whether a `'` behind this sign opens a string; elsewhere it is an apostrophe.
fn opens_string(before: u8) -> bool {
    is_space(before) || matches!(before, b'[' | b'{' | b'(' | b',' | b':' | b'=')
}

/// Return where the string that opens at `at` closes: its last sign, or the end of the text.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut place = at + 1;
    while let Some(offset) = memchr2(quote, b'\\', bytes.get(place..).unwrap_or_default()) {
        let found = place + offset;
        if bytes[found] == quote {
            return found;
        }
        place = found + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{bracket, bracketed};
    use crate::keys::{MASK, WALK};

    fn value(text: &str, verdict: u16) -> Option<&str> {
        let bracket = bracket(text.as_bytes(), 0, false)?;
        bracketed(text, 0, bracket, verdict).map(|(start, end)| &text[start..end])
    }

    /// A value ends where its bracket closes; brackets of another kind and in strings close nothing.
    #[test]
    fn brackets_close_as_they_opened() {
        for (text, expected) in [
            ("{'a': '}'} b", Some("{'a': '}'}")),
            ("[(] b", Some("[(]")),
            ("a.B(c[)d', ']) e", Some("a.B(c[)d")),
            ("((1), ')') b", Some("((1), ')')")),
            ("(ab", Some("(ab")),
            ("{}", None),
            ("()", None),
            ("a()", Some("a()")),
            ("a (b)", None),
        ] {
            assert_eq!(value(text, MASK), expected, "{text}");
        }
        assert_eq!(value("{1}", WALK), None);
        assert!(bracket(b"a(b)", 0, true).is_none());
    }
}
