//! Values on the lines below their name, as YAML has them.

use memchr::{memchr, memrchr};

use super::{opening, quoted_end, unless_nothing, Name};
use crate::places::{is_blank, is_gap, is_json_space, is_space, skip};

/// Return the place of a YAML block scalar (`password: |` and the lines below it).
///
/// The lines that belong to it are blank, or indented more than the line of the name.
pub(super) fn block(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let optional =
        |at: usize, take: fn(u8) -> bool| at + usize::from(bytes.get(at).is_some_and(|&sign| take(sign)));
    let is_chomping = |sign: u8| matches!(sign, b'+' | b'-');
    let head = optional(
        optional(optional(at + 1, is_chomping), |sign| sign.is_ascii_digit()),
        is_chomping,
    );
    let opening = next_line(bytes, skip(bytes, head, is_gap))?;
    let line = line_start(bytes, at);
    let base = skip(bytes, line, is_gap) - line;
    let (start, end) = lines(text, opening, base, false);
    unless_nothing(text, start, end)
}

/// Return the place of a YAML list or a quoted text below a name that stands alone on its line.
pub(super) fn below(text: &str, at: usize, name: &Name<'_>) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let next = next_line(bytes, at)?;
    let line = &text[line_start(bytes, at)..at];
    let head = line.trim_matches([' ', '\t', ':', '"', '\'']);
    if head.trim_start_matches(['-', ' ']) != name.text.trim_start_matches('-') {
        return None; // in prose, what follows a colon is an enumeration
    }
    let column = line.len() - line.trim_start_matches(['-', ' ', '\t']).len();
    let content = skip(bytes, next, is_gap);
    let indent = content - next;
    if let Some(opening) = opening(text, content).filter(|_| indent > column) {
        return unless_nothing(text, opening.end, quoted_end(text, &opening));
    }
    if indent < column || !begins_list(bytes, content) {
        return None;
    }
    let (_, end) = lines(text, next, indent, true);
    unless_nothing(text, content + 2, end)
}

/// Return where the line after the one that ends at `at` begins.
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1)
}

/// Tell whether `- x` stands here.
fn begins_list(bytes: &[u8], at: usize) -> bool {
    let content = skip(bytes, (at + 1).min(bytes.len()), |sign| sign == b' ');
    bytes.get(at) == Some(&b'-')
        && content > at + 1
        && bytes.get(content).is_some_and(|&sign| !is_json_space(sign))
}

/// Return the place of the lines from `at` on that are blank or indented more than `base`.
///
/// Those that begin the `items` of a list stand at `base` itself.
fn lines(text: &str, mut at: usize, base: usize, items: bool) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut place = None;
    while at < bytes.len() {
        let stop = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |offset| at + offset);
        let content = skip(bytes, at, is_gap);
        if !bytes[content..stop].iter().all(|&sign| is_space(sign)) {
            let indent = content - at;
            if indent < base || (indent == base && !(items && bytes[content..].starts_with(b"- "))) {
                break;
            }
            place = Some((place.map_or(content, |(start, _)| start), stop));
        }
        at = stop + 1;
    }
    place.map_or((0, 0), |(start, end)| {
        (start, start + text[start..end].trim_end_matches(is_blank).len())
    })
}

#[cfg(test)]
mod tests {
    use crate::keys::MASK;
    use crate::values::{find_value, Name};

    /// The lines below a name belong to it: a block, the items of a list, a quoted text.
    #[test]
    fn lines_below_a_name_are_its_value() {
        for (text, expected) in [
            ("password: |\n  a\n\n  b\nc: d", "a\n\n  b"),
            ("password: >-2\r\n  a\r\nc: d", "a"),
            ("password:\n  - a\n  - b\nc: d", "a\n  - b"),
            ("password:\n- a\n- b\nc: d", "a\n- b"),
            ("password:\n  'a b'\n", "a b"),
        ] {
            let name = Name {
                text: "password",
                quoted: false,
                query: false,
                outer_quote: None,
                before: "",
            };
            let found = find_value(text, 9, &name, MASK, true).map(|(start, end)| &text[start..end]);
            assert_eq!(found, Some(expected));
        }
    }
}
