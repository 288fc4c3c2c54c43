//! Lone surrogates, which a Python text may hold and no UTF-8: each becomes U+FFFD.

use crate::json::quoted;
use crate::lexer::{decode_string, token};

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Return what a Python text says, given its bytes as `surrogatepass` encodes them.
#[must_use]
pub fn replaced(mut bytes: Vec<u8>) -> String {
    let mut at = 0;
    while let Some(found) = memchr::memchr(0xED, &bytes[at..]) {
        at += found;
        // ED A0..BF is a surrogate, as large as U+FFFD; ED 80..9F begins a letter.
        if let Some(code @ [_, 0xA0..=0xBF, _]) = bytes.get_mut(at..at + 3) {
            code.copy_from_slice(REPLACEMENT);
        }
        at += 3;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same of a JSON document. A string that held a surrogate is spelled anew, as Python does it, since
/// what it says has changed.
#[must_use]
pub fn replaced_in_document(bytes: &[u8]) -> String {
    let text = replaced(bytes.to_owned());
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'"', &text.as_bytes()[at..]) {
        // What is no string, or none yet, ends the document.
        let Some(string) = token(text.as_bytes(), at + found) else {
            break;
        };
        let spelled = &text[string.start..string.end];
        if spelled.as_bytes() != &bytes[string.start..string.end] {
            out.push_str(&text[done..string.start]);
            out.push_str(&quoted(&decode_string(spelled).content));
            done = string.end;
        }
        at = string.end;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::{replaced, replaced_in_document};

    /// Surrogates are replaced one by one; letters that begin with the same byte stay.
    #[test]
    fn surrogates_are_replaced() {
        assert_eq!(
            replaced(b"a\xed\xa0\x80\xed\xbf\xbfb".to_vec()),
            "a\u{fffd}\u{fffd}b"
        );
        assert_eq!(replaced("\u{d7ff}한".into()), "\u{d7ff}한");
    }

    /// Only strings that held one are spelled anew.
    #[test]
    fn strings_with_surrogates_are_spelled_anew() {
        let document = b"[\"\\u0061\",\"\\u0061\xed\xa0\x80\",\"\xed\xa0\x80\\u00\"".to_vec();
        assert_eq!(
            replaced_in_document(&document),
            "[\"\\u0061\",\"a\u{fffd}\",\"\u{fffd}\\u00\""
        );
    }
}
