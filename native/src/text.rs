//! The value rules over one text: which of them to try, in which order, until nothing changes.

use std::borrow::Cow;

use crate::assignments::mask_assignments;
use crate::cards::mask_cards;
use crate::marks::{CUT, MASKED};
use crate::markup::{mask_markup, mask_open_tag};
use crate::options::mask_options;
use crate::pairs::{mask_open_object, mask_pairs};
use crate::personal::mask_class;
use crate::places::{is_blank, is_space, then};
use crate::rules::Rules;
use crate::screen::{screen, Screen};
use crate::tokens::{mask_credentials, mask_jwts, mask_pem, mask_vendor_keys};
use crate::urls::{mask_escapes_in, mask_urls_in};

mod look;

pub(crate) use look::{is_harmless, look, Seen};

/// JSON within a string, and text within a URL's parameter, are opened this many times.
pub const LEVEL_MAX: usize = 2;

/// What still changes after so many rounds is masked whole. Two are the rule, three are rare.
pub const ROUNDS_MAX: usize = 8;

/// Return `text` without secrets. What it returns it would not change again.
///
/// Linear in the length of the text. `level` counts the strings and URLs around it.
pub(crate) fn mask<'t>(text: &'t str, rules: &mut Rules<'_>, level: usize) -> Cow<'t, str> {
    let seen = screen(text.as_bytes());
    if rules.may_change(text.as_bytes(), seen) {
        mask_suspect(text, seen, rules, level)
    } else {
        Cow::Borrowed(text)
    }
}

/// The same of a text that the screen did not let pass.
pub(crate) fn mask_suspect<'t>(
    text: &'t str,
    seen: Screen,
    rules: &mut Rules<'_>,
    level: usize,
) -> Cow<'t, str> {
    match look(text, seen, rules) {
        look::NOTHING => Cow::Borrowed(text),
        seen => settle(text, seen, rules, level),
    }
}

/// Apply the rules that a first look `seen` calls for, until nothing changes.
pub(crate) fn settle<'t>(text: &'t str, seen: Seen, rules: &mut Rules<'_>, level: usize) -> Cow<'t, str> {
    let mut masked = match apply(text, seen, rules, level) {
        Cow::Owned(masked) if masked != text => masked,
        _ => return Cow::Borrowed(text),
    };
    for _ in 0..ROUNDS_MAX {
        let seen = look(&masked, screen(masked.as_bytes()), rules);
        match apply(&masked, seen, rules, level) {
            Cow::Owned(again) if again != masked => masked = again,
            _ => return Cow::Owned(masked),
        }
    }
    Cow::Borrowed(MASKED)
}

/// Mask the secrets that are known by their own shape, without any name.
pub(crate) fn mask_shapes<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let seen = look(text, screen(text.as_bytes()), rules);
    apply_shapes(text, seen, rules)
}

fn apply<'t>(text: &'t str, seen: Seen, rules: &mut Rules<'_>, level: usize) -> Cow<'t, str> {
    if seen & look::JSON != 0 {
        if let Some(document) = document(text, rules, level) {
            return document;
        }
    }
    let mut masked = apply_shapes(text, seen, rules);
    if seen & look::URL != 0 && level <= LEVEL_MAX {
        masked = then(masked, |text| {
            mask_urls_in(text, &mut rules.parameters(level + 1))
        });
    }
    if seen & look::ESCAPE != 0 && level < LEVEL_MAX {
        masked = then(masked, |text| {
            mask_escapes_in(text, &mut rules.parameters(level + 1))
        });
    }
    if seen & look::OPTION != 0 {
        masked = then(masked, |text| mask_options(text, rules));
    }
    if seen & look::NAME != 0 {
        masked = then(masked, |text| mask_markup(text, rules));
        masked = then(masked, |text| mask_pairs(text, rules));
        masked = then(masked, |text| mask_assignments(text, rules));
    }
    if seen & look::PERSONAL != 0 {
        let policy = rules.policy;
        for &class in &policy.classes {
            masked = counted(masked, rules, |text| mask_class(class, text));
        }
    }
    masked
}

fn apply_shapes<'t>(text: &'t str, seen: Seen, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let shapes: [(Seen, Shape); 5] = [
        (look::JWT, mask_jwts),
        (look::SCHEME, mask_credentials),
        (look::PEM, mask_pem),
        (look::CARD, mask_cards),
        (look::VENDOR, mask_vendor_keys),
    ];
    let mut masked = Cow::Borrowed(text);
    for (gate, mask_all) in shapes {
        if seen & gate != 0 {
            masked = counted(masked, rules, mask_all);
        }
    }
    masked
}

/// A rule that needs to know of no policy; returns how many places it masked.
type Shape = for<'a> fn(&'a str) -> (Cow<'a, str>, u64);

fn counted<'t>(
    text: Cow<'t, str>,
    rules: &mut Rules<'_>,
    mask_all: impl for<'a> FnOnce(&'a str) -> (Cow<'a, str>, u64),
) -> Cow<'t, str> {
    then(text, |text| {
        let (masked, count) = mask_all(text);
        rules.masked += count;
        masked
    })
}

/// Return `text` masked as the JSON document that it is; then no other rule looks at it.
fn document<'t>(text: &'t str, rules: &mut Rules<'_>, level: usize) -> Option<Cow<'t, str>> {
    if level < LEVEL_MAX && text.trim_end_matches(is_blank).ends_with(['}', ']', '"']) {
        return rules.embedded(text, level + 1);
    }
    None
}

/// Return the beginning of a longer text without secrets, its last unfinished token as `…`.
///
/// Half a token may be half a secret that no rule knows by its half, and a value whose name may have
/// been cut off is masked.
pub(crate) fn mask_cut(text: &str, rules: &mut Rules<'_>) -> String {
    let kept = drop_last_token(text);
    let mut text = Cow::Borrowed(kept);
    if kept.contains('{') {
        text = mask_open_object(kept, rules);
    }
    let mut cut = then(text, |text| mask_open_tag(text, rules)).into_owned();
    cut.push_str(CUT);
    mask(&cut, rules, 0).into_owned()
}

/// Which bytes end a token, as a table: each byte of a cut text may be looked at.
const IS_DELIMITER: [bool; 256] = {
    let signs = b" \t\r\n\"'<>()[]{},;|";
    let mut table = [false; 256];
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

/// Return `text` without what the cut may have left unfinished at its end.
#[must_use]
pub fn drop_last_token(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut end = bytes
        .iter()
        .rposition(|&sign| IS_DELIMITER[usize::from(sign)])
        .map_or(0, |at| at + 1);
    let slashes = memchr::memmem::rfind(bytes, b"://").map(|at| at + 3);
    let is_open = |&start: &usize| {
        !bytes[start..]
            .iter()
            .any(|&sign| is_space(sign) || b"/?#@".contains(&sign))
    };
    if let Some(authority) = slashes.filter(is_open) {
        end = end.min(authority); // userinfo may hold any of the delimiters
    }
    let text = &text[..end];
    let before = text.trim_end_matches(|sign: char| sign.is_ascii_digit() || matches!(sign, ' ' | '-'));
    let groups = &text[before.len()..]; // the first ones of a card number
    if groups.bytes().any(|sign| sign.is_ascii_digit()) {
        before
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
