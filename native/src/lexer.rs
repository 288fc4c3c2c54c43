//! JSON text as tokens: what a strict parser (RFC 8259) takes and nothing else.

use std::borrow::Cow;

use crate::json::plain_until;

/// Longer numbers become strings: many parsers lose their digits or refuse them.
pub const NUMBER_LENGTH: usize = 40;
const WORDS: [&str; 3] = ["true", "false", "null"];

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of `{}[],:`.
    Mark,
    /// A string, with its quotes.
    String,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// One token of a text: `text[start..end]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
}

/// Return where the white space of JSON that begins at `at` ends.
#[must_use]
pub fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Return the token that begins at `at`, behind white space; None if no parser takes what stands there.
#[must_use]
pub fn token(bytes: &[u8], at: usize) -> Option<Token> {
    let start = skip_blanks(bytes, at);
    let (kind, end) = match *bytes.get(start)? {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => (Kind::Mark, start + 1),
        b'"' => (Kind::String, string_end(bytes, start)?),
        b'-' | b'0'..=b'9' => (Kind::Number, number_end(bytes, start)?),
        _ => {
            let word = WORDS
                .iter()
                .find(|word| bytes[start..].starts_with(word.as_bytes()))?;
            (Kind::Word, start + word.len())
        }
    };
    Some(Token { kind, start, end })
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at = plain_until(bytes, at);
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape_end(bytes, at)?,
            _ => return None,
        }
    }
}

/// Return where the escape at `at` ends, if it is one and complete.
fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => hex_at(bytes, at + 2).map(|_| at + 6),
        _ => None,
    }
}

fn hex_at(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &byte| {
        Some(value << 4 | char::from(byte).to_digit(16)?)
    })
}

fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    at
}

fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let first = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut end = match bytes.get(first)? {
        b'0' => first + 1,
        b'1'..=b'9' => digits_end(bytes, first + 1),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits_end(bytes, end + 1);
        end = if fraction > end + 1 { fraction } else { end };
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let digits = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_end(bytes, digits);
        end = if exponent > digits { exponent } else { end };
    }
    Some(end)
}

/// Tell whether the rest of a cut text is the beginning of one scalar, or nothing.
#[must_use]
pub fn is_unfinished(bytes: &[u8], start: usize) -> bool {
    let rest = &bytes[start.min(bytes.len())..];
    match rest.first() {
        None => true,
        Some(b'"') => is_unfinished_string(rest),
        Some(b't' | b'f' | b'n') => WORDS.iter().any(|word| word.as_bytes().starts_with(rest)),
        Some(_) => is_unfinished_number(rest),
    }
}

fn is_unfinished_string(rest: &[u8]) -> bool {
    let mut at = 1;
    loop {
        at = plain_until(rest, at);
        match rest.get(at) {
            None => return true,
            Some(b'\\') => match escape_end(rest, at) {
                Some(end) => at = end,
                None => return is_half_escape(&rest[at + 1..]),
            },
            Some(_) => return false,
        }
    }
}

/// Tell whether a text ends within the escape whose backslash stands before `tail`.
fn is_half_escape(tail: &[u8]) -> bool {
    match tail.split_first() {
        None => true,
        Some((b'u', digits)) => digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit),
        Some(_) => false,
    }
}

fn is_unfinished_number(rest: &[u8]) -> bool {
    let mut at = digits_end(rest, usize::from(rest.first() == Some(&b'-')));
    if rest.get(at) == Some(&b'.') {
        at = digits_end(rest, at + 1);
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        at = digits_end(rest, at);
    }
    at == rest.len()
}

/// What a string token says, and its token as any parser takes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'t> {
    /// The text, its lone surrogates and NULs as U+FFFD.
    pub content: Cow<'t, str>,
    /// The token with their escapes replaced, where it had any.
    pub cleaned: Option<String>,
}

/// Decode a string token, with its quotes. Of what is no token it returns what it can read.
#[must_use]
pub fn decode_string(token: &str) -> Decoded<'_> {
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    let Some(mut at) = memchr::memchr(b'\\', inner.as_bytes()) else {
        return Decoded {
            content: Cow::Borrowed(inner),
            cleaned: None,
        };
    };
    let mut content = String::with_capacity(inner.len());
    let mut cleaned: Option<String> = None;
    let (mut done, mut copied) = (0, 0);
    loop {
        content.push_str(&inner[done..at]);
        let (sign, end) = escaped_at(inner.as_bytes(), at);
        if sign.is_none() {
            let clean = cleaned.get_or_insert_with(|| String::from("\""));
            clean.push_str(&inner[copied..at]);
            clean.push_str("\\ufffd");
            copied = end;
        }
        content.push(sign.unwrap_or(char::REPLACEMENT_CHARACTER));
        done = end;
        match memchr::memchr(b'\\', &inner.as_bytes()[done..]) {
            Some(next) => at = done + next,
            None => break,
        }
    }
    content.push_str(&inner[done..]);
    if let Some(clean) = &mut cleaned {
        clean.push_str(&inner[copied..]);
        clean.push('"');
    }
    Decoded {
        content: Cow::Owned(content),
        cleaned,
    }
}

/// Return what the escape at `at` says, and where it ends; None for what no strict parser takes.
fn escaped_at(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let sign = match bytes.get(at + 1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_at(bytes, at),
        Some(&sign) => char::from(sign),
        None => return (None, bytes.len()),
    };
    (Some(sign), at + 2)
}

fn unicode_at(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let Some(unit) = hex_at(bytes, at + 2) else {
        return (None, at + 2);
    };
    if (0xD800..0xDC00).contains(&unit) && bytes.get(at + 6..at + 8) == Some(b"\\u") {
        if let Some(low) = hex_at(bytes, at + 8).filter(|low| (0xDC00..0xE000).contains(low)) {
            let pair = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return (char::from_u32(pair), at + 12);
        }
    }
    (char::from_u32(unit).filter(|&sign| sign != '\0'), at + 6)
}

/// Tell whether a number is too long or too large for some strict parser.
#[must_use]
pub fn strange_number(token: &str) -> bool {
    token.len() > NUMBER_LENGTH || (token.contains(['e', 'E']) && token.parse().is_ok_and(f64::is_infinite))
}

#[cfg(test)]
mod tests {
    use super::{decode_string, is_unfinished, strange_number, token, Kind};

    fn first(text: &str) -> Option<(Kind, &str)> {
        token(text.as_bytes(), 0).map(|found| (found.kind, &text[found.start..found.end]))
    }

    /// A number ends where no strict parser would read on.
    #[test]
    fn numbers_end_where_the_grammar_says() {
        for (text, number) in [
            ("01", "0"),
            ("-0.5e+3x", "-0.5e+3"),
            ("1.", "1"),
            ("1e", "1"),
            ("1.e5", "1"),
            ("12E-", "12"),
            (" \t\n\r7 ", "7"),
        ] {
            assert_eq!(first(text), Some((Kind::Number, number)));
        }
        for text in [
            "-",
            "+1",
            ".5",
            "NaN",
            "-Infinity",
            "\u{feff}1",
            "",
            "tru",
            "\u{b}1",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    /// A string with a control character, a strange escape or no end is no token.
    #[test]
    fn strings_are_strict() {
        for text in [r#""""#, r#""a\"b\\""#, r#""\u00e9\/é""#, "\"\u{7f}\u{2028}\""] {
            assert_eq!(first(text), Some((Kind::String, text)));
        }
        for text in ["\"a", "\"\u{1f}\"", r#""\x""#, r#""\u12g4""#, r#""\""#] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    /// Pairs of surrogates are one character; alone, and as a NUL, they become U+FFFD in both forms.
    #[test]
    fn escapes_are_decoded_and_cleaned() {
        let plain = decode_string("\"p\\u0061ss\\n\\ud83d\\uDE42\"");
        assert_eq!((plain.content.as_ref(), plain.cleaned), ("pass\n🙂", None));
        let odd = decode_string(r#""\\u0000 \u0000\ud800\ud83d\ude42\udc00\/""#);
        assert_eq!(odd.content, "\\u0000 \u{fffd}\u{fffd}🙂\u{fffd}/");
        assert_eq!(
            odd.cleaned.as_deref(),
            Some(r#""\\u0000 \ufffd\ufffd\ud83d\ude42\ufffd\/""#)
        );
    }

    /// Any beginning of a scalar counts, and nothing else does.
    #[test]
    fn the_rest_of_a_cut_text_is_recognised() {
        for text in [
            "",
            "\"",
            "\"a\\",
            "\"a\\u00",
            "\"\\u00e9",
            "t",
            "fals",
            "null",
            "-",
            "1.",
            "1e",
            "1.5E-",
        ] {
            assert!(is_unfinished(text.as_bytes(), 0), "{text}");
        }
        for text in [
            "\"a\"", "\"\\x", "\"\\u00g", "trux", "truee", "1x", "{", "\"\n", "--1", "1e5.", "x",
        ] {
            assert!(!is_unfinished(text.as_bytes(), 0), "{text}");
        }
    }

    /// Long numbers and infinite ones are quoted by the masker.
    #[test]
    fn strange_numbers_are_told() {
        for text in ["1e309", "-1E999", &"9".repeat(41)] {
            assert!(strange_number(text), "{text}");
        }
        for text in ["1e308", "1e-999", &"9".repeat(40)] {
            assert!(!strange_number(text), "{text}");
        }
    }
}
