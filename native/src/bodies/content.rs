//! From bytes to text: content encodings, charsets, and escapes that hide letters.

use std::borrow::Cow;

use super::RawBody;
use crate::fit::as_size;
use crate::inflate::{inflate, Wrapping};
use crate::places::is_blank;
use crate::spelling::lower;
use crate::urls::hex_at;

/// How the bytes of a text are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// Its subset ASCII too: what is wrongly called ASCII is mostly UTF-8.
    Utf8,
    Latin1,
}

impl Charset {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => Some(Self::Utf8),
            "latin-1" | "latin1" | "iso-8859-1" => Some(Self::Latin1),
            _ => None,
        }
    }
}

/// A body without its content encoding.
pub(super) struct Content<'a> {
    pub data: Cow<'a, [u8]>,
    pub whole: bool,
    pub size_bytes: u64,
    pub size_is_lower_bound: bool,
}

/// Undo gzip and deflate, but never make more of it than the limit; None for other encodings.
pub(super) fn decoded<'a>(body: &RawBody<'a>, seen: u64, maximum: usize) -> Option<Content<'a>> {
    let size = i64::try_from(body.data.len()).unwrap_or(i64::MAX);
    let whole = body.complete && size >= body.total_bytes;
    let encoding = lower(body.content_encoding.unwrap_or_default());
    let wrappings: &[Wrapping] = match encoding.trim_matches(is_blank) {
        "" | "identity" => {
            let data = Cow::Borrowed(body.data);
            return Some(Content {
                data,
                whole,
                size_bytes: seen,
                size_is_lower_bound: false,
            });
        }
        "gzip" | "x-gzip" => &[Wrapping::Gzip],
        "deflate" => &[Wrapping::Zlib, Wrapping::Nothing],
        _ => return None,
    };
    let inflated = wrappings
        .iter()
        .filter_map(|&wrapping| inflate(body.data, wrapping, maximum))
        // Cut within its head, or rubbish that zlib and this inflater notice at different bytes.
        .find(|inflated| inflated.whole || !inflated.data.is_empty())?;
    let whole = whole && inflated.whole;
    let size = as_size(inflated.data.len());
    Some(Content {
        size_is_lower_bound: inflated.data.len() > maximum,
        size_bytes: if whole { size } else { size.max(seen) },
        data: Cow::Owned(inflated.data),
        whole,
    })
}

/// Return the text that the bytes are, U+FFFD for what is none, without the mark of their order.
pub(super) fn text_of(data: &[u8], charset: Charset) -> Cow<'_, str> {
    let text = match charset {
        Charset::Utf8 => match std::str::from_utf8(data) {
            Ok(text) => Cow::Borrowed(text), // ten times as fast as the other
            Err(_) => String::from_utf8_lossy(data),
        },
        Charset::Latin1 => Cow::Owned(data.iter().map(|&byte| char::from(byte)).collect()),
    };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Cow::Owned(text) => match text.strip_prefix('\u{feff}') {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => Cow::Owned(text),
        },
    }
}

/// Write letters, digits and the like that were escaped for no reason but to hide: JSON that does not
/// parse is a text, and in a text `p\u0061ssword` is no password.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    const ESCAPE: &str = "\\u00";
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(ESCAPE) {
        let Some(byte @ 0x20..=0x7f) = hex_at(text.as_bytes(), at + ESCAPE.len()) else {
            continue;
        };
        if byte.is_ascii_alphanumeric() || b" -_=:@/.?&".contains(&byte) {
            out.push_str(&text[done..at]);
            out.push(char::from(byte));
            done = at + ESCAPE.len() + 2;
        }
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{text_of, unescaped, Charset};

    /// Only letters, digits and what stands in names is unescaped; case and other escapes stay.
    #[test]
    fn letters_are_unescaped() {
        assert_eq!(
            unescaped(r"p\u0061ss\u003D\u0022\u00e9\u001f\\u0041\U0041"),
            "pass=\\u0022\\u00e9\\u001f\\A\\U0041"
        );
    }

    /// One mark of the byte order is dropped, and bytes that are no text are seen.
    #[test]
    fn bytes_become_text() {
        assert_eq!(text_of(b"\xef\xbb\xbfa\xff", Charset::Utf8), "a\u{fffd}");
        assert_eq!(text_of(b"a\xe9", Charset::Latin1), "aé");
    }
}
