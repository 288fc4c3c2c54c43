//! The colours of a log on a terminal: they may stand before, behind and between a name and its value.

use std::borrow::Cow;

use memchr::{memchr, memrchr};

use crate::places::{is_gap, skip, Patches};

const ESCAPE: u8 = 0x1B;
const CODES_MAX: usize = 32;

/// Return where the colour that stands at `at` ends.
fn colour_end(bytes: &[u8], at: usize) -> Option<usize> {
    if !bytes.get(at..)?.starts_with(b"\x1b[") {
        return None;
    }
    let codes = at + 2;
    let end = skip(bytes, codes, |sign| {
        sign.is_ascii_digit() || matches!(sign, b';' | b':')
    });
    let is_colour = end - codes <= CODES_MAX && bytes.get(end).is_some_and(u8::is_ascii_alphabetic);
    is_colour.then_some(end + 1)
}

/// Return where the colours from `at` on end, each with blanks before it.
pub(super) fn skip_colours(bytes: &[u8], mut at: usize) -> usize {
    while let Some(end) = colour_end(bytes, skip(bytes, at, is_gap)) {
        at = end;
    }
    at
}

/// Return `run` without the colours at its end: they belong to the text around it.
pub(super) fn without_colours(run: &str) -> &str {
    let mut end = run.len();
    while let Some(at) = memrchr(ESCAPE, &run.as_bytes()[..end]) {
        if colour_end(&run.as_bytes()[..end], at) != Some(end) {
            break;
        }
        end = at;
    }
    &run[..end]
}

/// Return `text` with each colour as nothing but its first sign, so that it still parts words.
pub(crate) fn shorten_colours(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(offset) = memchr(ESCAPE, &bytes[at..]) {
        let start = at + offset;
        at = start + 1;
        if let Some(end) = colour_end(bytes, start) {
            patches.replace(start + 1, end, "");
            at = end;
        }
    }
    patches.finish()
}

#[cfg(test)]
mod tests {
    use super::{shorten_colours, skip_colours, without_colours};

    /// Colours are passed over, and nothing that only begins like one.
    #[test]
    fn colours_are_passed_over() {
        assert_eq!(skip_colours(b" \x1b[1;31m\t\x1b[0m x", 0), 13);
        assert_eq!(skip_colours(b" \x1b[1;31 x", 0), 0);
        let long = format!("\x1b[{}m", "1".repeat(33));
        assert_eq!(skip_colours(long.as_bytes(), 0), 0);
        assert_eq!(skip_colours(&long.as_bytes()[..0], 0), 0);
    }

    /// What ends with colours loses them; what goes on behind them keeps them.
    #[test]
    fn colours_at_the_end_are_dropped() {
        assert_eq!(without_colours("x\x1b[0m\x1b[1m"), "x");
        assert_eq!(without_colours("x\x1b[0my"), "x\x1b[0my");
        assert_eq!(shorten_colours("a\x1b[0mb\x1b[x\x1b["), "a\x1bb\x1b\x1b[");
    }
}
