//! Places in a text: what is written there instead, and how far so many characters reach.
//!
//! Offsets are bytes, but limits count code points, as Python does: both sides must give up at the
//! same character.

use std::borrow::Cow;

/// A text whose places are replaced one by one, from left to right. Copies nothing until the first.
pub(crate) struct Patches<'t> {
    text: &'t str,
    out: String,
    done: usize,
}

impl<'t> Patches<'t> {
    /// Begin with the text as it is.
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            out: String::new(),
            done: 0,
        }
    }

    /// Return where the last replaced place ended.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Write `replacement` instead of the bytes from `start` to `end`; nothing before `done` is asked for.
    pub(crate) fn replace(&mut self, start: usize, end: usize, replacement: &str) {
        self.out.push_str(&self.text[self.done..start]);
        self.out.push_str(replacement);
        self.done = end;
    }

    /// Return the text with its places replaced; borrowed if there were none.
    pub(crate) fn finish(mut self) -> Cow<'t, str> {
        if self.done == 0 && self.out.is_empty() {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.done..]);
        Cow::Owned(self.out)
    }
}

/// Apply a rule to what another one made of a text. A borrowed answer means that nothing changed.
pub(crate) fn then<'t>(
    text: Cow<'t, str>,
    rule: impl for<'a> FnOnce(&'a str) -> Cow<'a, str>,
) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(same) => rule(same),
        Cow::Owned(changed) => match rule(&changed) {
            Cow::Owned(again) => Cow::Owned(again),
            Cow::Borrowed(_) => Cow::Owned(changed),
        },
    }
}

/// Tell whether this byte begins a character.
pub(crate) fn is_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// Return where the `count` characters before `end` begin, but not before `floor`.
pub(crate) fn before(text: &str, floor: usize, end: usize, count: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut left) = (end, count);
    while at > floor && left > 0 {
        at -= 1;
        left -= usize::from(is_start(bytes[at]));
    }
    at
}

/// Return where the `count` characters from `start` on end, or the end of the text.
pub(crate) fn after(text: &str, start: usize, count: usize) -> usize {
    text[start..]
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(offset, _)| start + offset)
}

/// Return where the characters end that begin at `at` and are none of the ASCII signs `stop`, if they
/// are 1 to `most`.
pub(crate) fn run(text: &str, at: usize, most: usize, stop: impl Fn(u8) -> bool) -> Option<usize> {
    let mut count = 0;
    let mut end = at;
    for &byte in text.as_bytes().get(at..)? {
        if stop(byte) {
            break;
        }
        count += usize::from(is_start(byte));
        if count > most {
            return None;
        }
        end += 1;
    }
    (count > 0).then_some(end)
}

/// Return where the bytes that `take` accepts, from `at` on, end.
pub(crate) fn skip(bytes: &[u8], at: usize, take: impl Fn(u8) -> bool) -> usize {
    bytes[at..]
        .iter()
        .position(|&byte| !take(byte))
        .map_or(bytes.len(), |offset| at + offset)
}

/// Tell whether it is white space of ASCII, as `\s` means in Python: the vertical tab belongs to it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The same of a character, for trimming.
pub(crate) fn is_blank(sign: char) -> bool {
    matches!(sign, ' ' | '\t'..='\r')
}

/// Tell whether a blank stands within a line.
pub(crate) fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Tell whether it is white space as JSON knows it.
pub(crate) fn is_json_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Tell whether it is a single or double quote.
pub(crate) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::{after, before, run, then, Patches};
    use std::borrow::Cow;

    /// A text without replaced places is handed back as it is.
    #[test]
    fn nothing_replaced_is_borrowed() {
        assert!(matches!(Patches::new("abc").finish(), Cow::Borrowed("abc")));
    }

    /// Places are replaced and all between them is kept.
    #[test]
    fn places_are_replaced() {
        let mut patches = Patches::new("a1b2c");
        patches.replace(1, 2, "X");
        patches.replace(3, 4, "");
        assert_eq!(patches.finish(), "aXbc");
    }

    /// Limits count characters, not bytes.
    #[test]
    fn windows_count_characters() {
        assert_eq!(before("aéé", 0, 5, 1), 3);
        assert_eq!(before("aéé", 3, 5, 9), 3);
        assert_eq!(after("ééa", 0, 2), 4);
        assert_eq!(after("éé", 0, 3), 4);
        assert_eq!(run("éé\"", 0, 2, |sign| sign == b'"'), Some(4));
        assert_eq!(run("éé\"", 0, 1, |sign| sign == b'"'), None);
        assert_eq!(run("\"", 0, 1, |sign| sign == b'"'), None);
    }

    /// A rule that changes nothing leaves what the rule before it changed.
    #[test]
    fn unchanged_keeps_what_was_changed() {
        assert_eq!(then(Cow::Owned("x".to_owned()), |text| Cow::Borrowed(text)), "x");
    }
}
