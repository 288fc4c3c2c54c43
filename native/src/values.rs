//! The value behind a name in a text: where it begins and where it ends.
//!
//! Quoted, bracketed or bare, a block or a list of YAML. Every place is looked at a bounded number
//! of times.

use memchr::{memchr, memchr2};

use crate::keys::Verdict;
use crate::marks::{CUT, MASKED};
use crate::places::{is_blank, is_gap, is_json_space, is_quote, skip};
use crate::spelling::normalise;

mod annotations;
mod bare;
mod brackets;
mod colours;
mod yaml;

pub(crate) use annotations::is_annotated;
pub(crate) use bare::bare;
pub(crate) use brackets::call_bracket;
pub(crate) use colours::shorten_colours;

const NOTHING: [&str; 6] = ["none", "null", "nil", "undefined", "true", "false"];
const ALGORITHM_MAX: usize = 32;
const SCHEMES: [&str; 6] = ["bearer", "basic", "token", "digest", "negotiate", "apikey"];

/// A name as it stands before an operator.
pub(crate) struct Name<'t> {
    /// Its text.
    pub text: &'t str,
    /// It stands in quotes.
    pub quoted: bool,
    /// It is a parameter of a query: `?` or `&` stands before it.
    pub query: bool,
    /// The quote that opened directly before a name without quotes of its own.
    pub outer_quote: Option<u8>,
    /// What stands before it, as far as it was looked at.
    pub before: &'t str,
}

/// Where a quoted text opens: `"`, `b'`, `\"`.
pub(crate) struct Opening {
    /// Where its content begins.
    pub end: usize,
    /// How many backslashes stand before the quote.
    pub slashes: usize,
    /// The quote.
    pub quote: u8,
}

/// Tell whether a name may hold this sign.
pub(crate) fn is_name_sign(sign: u8) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'-' | b'.' | b'[' | b']' | b'%' | b'+' | b'$')
}

/// Tell whether a text may be quoted with it.
pub(crate) fn is_any_quote(sign: u8) -> bool {
    matches!(sign, b'"' | b'\'' | b'`')
}

/// Return the opening of a quoted text at `at`.
pub(crate) fn opening(text: &str, at: usize) -> Option<Opening> {
    let bytes = text.as_bytes();
    let rest = bytes.get(at..)?;
    let letters = rest
        .iter()
        .take(2)
        .take_while(|sign| matches!(sign.to_ascii_lowercase(), b'b' | b'u' | b'r' | b'f'))
        .count();
    if letters > 0 {
        let quote = *rest.get(letters).filter(|&&sign| is_quote(sign))?;
        return Some(Opening {
            end: at + letters + 1,
            slashes: 0,
            quote,
        });
    }
    let slashes = skip(rest, 0, |sign| sign == b'\\');
    let quote = *rest.get(slashes).filter(|&&sign| is_any_quote(sign))?;
    Some(Opening {
        end: at + slashes + 1,
        slashes,
        quote,
    })
}

/// Return where the quote closes; a text that ends before it is all value.
pub(crate) fn quoted_end(text: &str, opening: &Opening) -> usize {
    let bytes = text.as_bytes();
    let (start, quote) = (opening.end, opening.quote);
    let mut at = start;
    if opening.slashes > 0 {
        // a string within a string, `\"x\"`: it closes with exactly as many backslashes
        while let Some(offset) = memchr(quote, &bytes[at..]) {
            let found = at + offset;
            let slashes = bytes[at..found]
                .iter()
                .rev()
                .take_while(|&&sign| sign == b'\\')
                .count();
            if slashes == opening.slashes {
                return found - slashes;
            }
            at = found + 1;
        }
        return bytes.len();
    }
    while let Some(offset) = memchr2(quote, b'\\', bytes.get(at..).unwrap_or_default()) {
        let found = at + offset;
        let doubled = bytes.get(found + 1) == Some(&quote);
        if bytes[found] == quote && !doubled {
            return found;
        }
        at = found + 2; // an escape, or a doubled quote (SQL, CSV, three quotes), which closes nothing
    }
    bytes.len()
}

/// Return the place of what is to be masked, or `None` if there is no value.
pub(crate) fn find_value(
    text: &str,
    at: usize,
    name: &Name<'_>,
    verdict: Verdict,
    colon: bool,
) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let at = colours::skip_colours(bytes, at);
    if !colon || name.query {
        return value_at(text, at, name, verdict, colon);
    }
    let at = skip(bytes, at, is_gap);
    let is_block = matches!(bytes.get(at), Some(b'|' | b'>'));
    let lines = if is_block {
        yaml::block(text, at)
    } else {
        yaml::below(text, at, name)
    };
    if lines.is_some() {
        return lines;
    }
    let may_be_typed = !name.quoted && !is_header(name.text);
    if let Some(annotation) = may_be_typed.then(|| annotations::annotation(text, at)).flatten() {
        let place = value_at(text, annotation.end, name, verdict, false);
        if annotation.is_type() {
            return place;
        }
        if let Some((_, end)) = place {
            return Some((at, end)); // `password: x = 'y'`: nobody can tell which of them it is
        }
    }
    value_at(text, at, name, verdict, true)
}

fn value_at(
    text: &str,
    mut at: usize,
    name: &Name<'_>,
    verdict: Verdict,
    colon: bool,
) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    if !name.query {
        at = skip(bytes, at, if name.quoted { is_json_space } else { is_gap });
    }
    if let Some(opening) = opening(text, at) {
        return unless_nothing(text, opening.end, quoted_end(text, &opening));
    }
    let may_hold_blanks = || colon || (!name.query && are_parameters(bytes, at));
    if !name.quoted && is_header(name.text) && may_hold_blanks() {
        return unless_nothing(text, at, line_end(text, at, name.outer_quote));
    }
    if let Some(bracket) = brackets::bracket(bytes, at, name.query) {
        return brackets::bracketed(text, at, bracket, verdict);
    }
    let run = bare(text, at, name.query);
    if !name.query && is_one_of(run, &NOTHING) {
        return None;
    }
    let mut end = at + run.len();
    if is_one_of(run, &SCHEMES) {
        let following = skip(bytes, end, is_gap);
        if following > end {
            end = following + bare(text, following, false).len();
        }
    }
    if run != MASKED && is_phrase(name.text) {
        end = more_words(bytes, end);
    }
    unless_nothing(text, at, end)
}

/// Compare as Python does with its ASCII `lower`.
fn is_one_of(run: &str, words: &[&str]) -> bool {
    words.iter().any(|word| run.eq_ignore_ascii_case(word))
}

fn unless_nothing(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    (start < end && &text[start..end] != CUT).then_some((start, end))
}

/// Tell whether `name: value` is a header line whose value may hold blanks.
fn is_header(name: &str) -> bool {
    let normal = normalise(name);
    normal.ends_with("authorization") || normal.ends_with("cookie")
}

/// Tell whether authentication begins here whose credentials are parameters, with blanks between them.
fn are_parameters(bytes: &[u8], at: usize) -> bool {
    let behind = |word: &str| {
        let end = at + word.len();
        let is_here = bytes
            .get(at..end)
            .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        is_here.then_some(end)
    };
    let plain = ["digest", "hawk", "oauth", "mac", "signature"];
    let end = plain.into_iter().find_map(behind).or_else(|| {
        let start = behind("aws4-")?;
        let end = skip(bytes, start, |sign| sign.is_ascii_alphanumeric() || sign == b'-');
        (1..=ALGORITHM_MAX).contains(&(end - start)).then_some(end)
    });
    end.is_some_and(|end| bytes.get(end).is_some_and(|&sign| is_gap(sign)))
}

/// Tell whether the value is a row of words: the one that opens a wallet.
fn is_phrase(name: &str) -> bool {
    let normal = normalise(name);
    &*normal == "phrase"
        || ["seedphrase", "recoveryphrase", "mnemonic"]
            .iter()
            .any(|end| normal.ends_with(end))
}

/// Return where words go on as those of a wallet's phrase do: small letters, three to eight of them.
fn more_words(bytes: &[u8], mut end: usize) -> usize {
    loop {
        let word = skip(bytes, end, is_gap);
        let stop = skip(bytes, word, |sign| sign.is_ascii_lowercase());
        let joined = |&sign: &u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'=' | b':');
        if word == end || !(3..=8).contains(&(stop - word)) || bytes.get(stop).is_some_and(joined) {
            return end;
        }
        end = stop;
    }
}

/// Return where the line ends, or the quote that opened before the name closes: one scan for both, as
/// many such headers may share a line.
fn line_end(text: &str, at: usize, outer_quote: Option<u8>) -> usize {
    let bytes = text.as_bytes();
    let is_end = |at: usize| match bytes[at] {
        b'\r' | b'\n' => true,
        b'\\' => matches!(bytes.get(at + 1), Some(b'r' | b'n')),
        sign => Some(sign) == outer_quote,
    };
    let end = (at..bytes.len()).find(|&at| is_end(at)).unwrap_or(bytes.len());
    at + text[at..end].trim_end_matches(is_blank).len()
}

#[cfg(test)]
mod tests {
    use super::{find_value, opening, quoted_end, Name};
    use crate::keys::{MASK, WALK};

    fn value(text: &str, colon: bool, verdict: u16) -> Option<&str> {
        let at = text.find([':', '=']).map_or(0, |at| at + 1);
        let name = Name {
            text: &text[..at - 1],
            quoted: false,
            query: false,
            outer_quote: None,
            before: "",
        };
        find_value(text, at, &name, verdict, colon).map(|(start, end)| &text[start..end])
    }

    /// A quote closes a value unless it is escaped or doubled, and with as many backslashes as opened it.
    #[test]
    fn quotes_close_as_they_opened() {
        for (text, end) in [
            ("'a\\'b' c", 5),
            ("'a''b'", 5),
            ("'ab", 3),
            ("\\\"a\\\\\\\"b\\\"", 8),
            ("b'x'", 3),
            ("'a\\", 3),
        ] {
            let found = opening(text, 0).map(|opening| quoted_end(text, &opening));
            assert_eq!(found, Some(end), "{text}");
        }
    }

    /// Empty containers and words for nothing are no values; an object under a walked name is left.
    #[test]
    fn nothing_is_no_value() {
        assert_eq!(value("password={}", false, MASK), None);
        assert_eq!(value("password=None", false, MASK), None);
        assert_eq!(value("password=…", false, MASK), None);
        assert_eq!(value("pin={\"a\": 1}", false, WALK), None);
        assert_eq!(value("pin={\"a\": \"}\"} x", false, MASK), Some("{\"a\": \"}\"}"));
    }

    /// A header's value goes on to the end of its line, a wallet's phrase over its words.
    #[test]
    fn some_values_hold_blanks() {
        assert_eq!(value("Cookie: a=1; b=2\nx", true, MASK), Some("a=1; b=2"));
        assert_eq!(
            value("mnemonic=apple river stone X", false, MASK),
            Some("apple river stone")
        );
        assert_eq!(value("password=Bearer abc d", false, MASK), Some("Bearer abc"));
        assert_eq!(
            value("Authorization=Digest a=1, b=2\nx", false, MASK),
            Some("Digest a=1, b=2")
        );
        assert_eq!(
            value("authorization=AWS4-HMAC-SHA256 a b", false, MASK),
            Some("AWS4-HMAC-SHA256 a b")
        );
        assert_eq!(value("Authorization=Digests a", false, MASK), Some("Digests"));
    }

    /// A type before the value is none, and what may be either is masked with it.
    #[test]
    fn types_are_no_values() {
        assert_eq!(value("password: Optional[str] = 'x y'", true, MASK), Some("x y"));
        assert_eq!(value("password: x = 'y'", true, MASK), Some("x = 'y"));
        assert_eq!(value("password: x == 'y'", true, MASK), Some("x"));
    }

    /// The colours of a terminal are no part of a value.
    #[test]
    fn colours_are_no_values() {
        assert_eq!(value("password= \x1b[1mx,\x1b[0m", false, MASK), Some("x"));
        assert_eq!(
            value("password=SecretStr('x y')\x1b[0m", false, MASK),
            Some("SecretStr('x y')")
        );
    }
}
