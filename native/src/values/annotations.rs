//! Types between a name and its value: `password: Optional[str] = 'x'`.

use crate::places::{is_gap, skip};

const WORD_MAX: usize = 64;
const PARAMETERS_MAX: usize = 128;
const ALTERNATIVES_MAX: usize = 4;

const TYPES: [&str; 35] = [
    "str",
    "string",
    "bytes",
    "bytearray",
    "int",
    "integer",
    "float",
    "decimal",
    "bool",
    "boolean",
    "char",
    "number",
    "object",
    "any",
    "none",
    "null",
    "undefined",
    "unknown",
    "list",
    "dict",
    "tuple",
    "set",
    "optional",
    "union",
    "annotated",
    "final",
    "classvar",
    "literal",
    "text",
    "typing",
    "pydantic",
    "t",
    "secret",
    "secretstr",
    "secretbytes",
];

/// An annotation and the `=` behind it.
pub(super) struct Annotation<'t> {
    text: &'t str,
    /// Where the value begins.
    pub end: usize,
}

impl Annotation<'_> {
    /// Tell whether all its words are known types.
    pub(super) fn is_type(&self) -> bool {
        self.text
            .split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'))
            .filter(|word| !word.is_empty())
            .all(|word| TYPES.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }
}

/// Tell whether a known type and ` = value` stand behind a colon: `token: str = 'x'`.
pub(crate) fn is_annotated(text: &str, at: usize) -> bool {
    let at = skip(text.as_bytes(), at, is_gap);
    annotation(text, at).is_some_and(|annotation| annotation.is_type())
}

/// Return the annotation at `at`, whatever its words are.
pub(super) fn annotation(text: &str, at: usize) -> Option<Annotation<'_>> {
    let bytes = text.as_bytes();
    let word = word_end(bytes, at)?;
    let (stop, end) = if bytes.get(word) == Some(&b'[') {
        let parameters = skip(bytes, word + 1, is_parameter).min(word + 1 + PARAMETERS_MAX);
        // It closes as late as it can.
        (word + 1..=parameters)
            .rev()
            .filter(|&place| bytes.get(place) == Some(&b']'))
            .find_map(|place| alternatives(bytes, place + 1))
    } else {
        alternatives(bytes, word)
    }?;
    Some(Annotation {
        text: &text[at..stop],
        end,
    })
}

/// Return the end of a word at `at` that a type may be.
pub(super) fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at)?;
    let end = skip(bytes, at, |sign| {
        sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'.')
    });
    ((first.is_ascii_alphabetic() || first == b'_') && end - at <= WORD_MAX).then_some(end)
}

fn is_parameter(sign: u8) -> bool {
    sign.is_ascii_alphanumeric() || b"_.,|[] \t\"'".contains(&sign)
}

/// Return where `| None` and its like end, and where the value begins behind ` = `.
fn alternatives(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    for _ in 0..ALTERNATIVES_MAX {
        let sign = skip(bytes, at, is_gap);
        if bytes.get(sign) != Some(&b'|') {
            break;
        }
        at = word_end(bytes, skip(bytes, sign + 1, is_gap))?;
    }
    let equals = skip(bytes, at, is_gap);
    if equals == at || bytes.get(equals) != Some(&b'=') || matches!(bytes.get(equals + 1), Some(b'=' | b'>'))
    {
        return None;
    }
    let value = skip(bytes, equals + 1, is_gap);
    let is_value = bytes
        .get(value)
        .is_some_and(|&sign| !matches!(sign, b'\r' | b'\n'));
    is_value.then_some((at, value))
}

#[cfg(test)]
mod tests {
    use super::{annotation, is_annotated};

    /// A type is known by all its words, and has a value behind it.
    #[test]
    fn types_are_known() {
        for text in [
            " str = 'x'",
            "Optional[str] | None = x",
            "typing.Dict[str, \"int\"]\t=1",
        ] {
            assert!(is_annotated(text, 0), "{text}");
        }
        for text in [
            "str=x",
            "str == x",
            "str => x",
            "str = ",
            "str = \nx",
            "word = x",
            "str | = x",
        ] {
            assert!(!is_annotated(text, 0), "{text}");
        }
    }

    /// Parameters close as late as they can, and the value begins behind the blanks.
    #[test]
    fn parameters_close_late() {
        let found = annotation("a[b] | c[d] |e =  x", 0);
        assert_eq!(
            found.map(|found| (found.text, found.end)),
            Some(("a[b] | c[d] |e", 18))
        );
        let found = annotation("a[b = ] = x", 0);
        assert!(found.is_none());
    }
}
