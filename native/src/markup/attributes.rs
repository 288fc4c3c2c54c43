//! The attributes of a tag that name something, and those that hold it.

use memchr::memchr;

use crate::places::{is_quote, is_space, run, skip};

const NAME_MAX: usize = 128;

/// Return the next attribute that names its element: which one, and the place of the name.
pub(super) fn next_naming(text: &str, at: usize) -> Option<(&'static str, usize, usize)> {
    next_attribute(text, at, &["name", "key", "id", "property", "type"], |value| {
        let bytes = text.as_bytes();
        let is_end = |sign| is_quote(sign) || matches!(sign, b'<' | b'>');
        let start = value + 1;
        let end = if bytes.get(value).is_some_and(|&sign| is_quote(sign)) {
            run(text, start, NAME_MAX, is_end)?
        } else {
            return None;
        };
        bytes
            .get(end)
            .is_some_and(|&sign| is_quote(sign))
            .then_some((start, end))
    })
}

/// Return the place of the next value that an element holds, with its quotes.
pub(super) fn next_holding(text: &str, at: usize) -> Option<(usize, usize)> {
    let found = next_attribute(text, at, &["value", "content"], |value| {
        let bytes = text.as_bytes();
        let first = *bytes.get(value)?;
        if is_quote(first) {
            let closing = memchr(first, &bytes[value + 1..])?;
            return Some((value, value + closing + 2));
        }
        let end = skip(bytes, value, |sign| {
            !(is_space(sign) || is_quote(sign) || sign == b'>')
        });
        (end > value).then_some((value, end))
    });
    found.map(|(_, start, end)| (start, end))
}

/// Return the next of the attributes `names` whose value `read` takes, and what that returned.
fn next_attribute(
    text: &str,
    at: usize,
    names: &[&'static str],
    read: impl Fn(usize) -> Option<(usize, usize)>,
) -> Option<(&'static str, usize, usize)> {
    let bytes = text.as_bytes();
    let is_word = |sign: u8| sign.is_ascii_alphanumeric() || sign == b'_';
    (at..bytes.len())
        .filter(|&start| start == 0 || !is_word(bytes[start - 1]))
        .find_map(|start| {
            let rest = &bytes[start..];
            let is_here = |name: &&&str| {
                rest.get(..name.len())
                    .is_some_and(|part| part.eq_ignore_ascii_case(name.as_bytes()))
            };
            let name = *names.iter().find(is_here)?;
            let equals = skip(bytes, start + name.len(), is_space);
            if bytes.get(equals) != Some(&b'=') {
                return None;
            }
            read(skip(bytes, equals + 1, is_space)).map(|(start, end)| (name, start, end))
        })
}

#[cfg(test)]
mod tests {
    use super::{next_holding, next_naming};

    /// An attribute names its element in quotes only, and is a whole word in any case.
    #[test]
    fn names_stand_in_quotes() {
        assert_eq!(
            next_naming("xname='a' name=b Type = \"c\"", 0),
            Some(("type", 25, 26))
        );
        assert_eq!(next_naming("name=''", 0), None);
    }

    /// What an attribute holds may stand in quotes, which belong to its place.
    #[test]
    fn values_may_be_bare() {
        assert_eq!(next_holding("value = a b", 0), Some((8, 9)));
        assert_eq!(next_holding("CONTENT='a b'", 0), Some((8, 13)));
        assert_eq!(next_holding("value='a", 0), None);
    }
}
