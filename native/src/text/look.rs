//! The first look at a text: which rules could find something.
//!
//! Searches only for what may belong to something that the screen saw. Where it is stricter than a rule
//! (the shortest texts, times and UUIDs, names without a stem) Python is as strict; elsewhere it may find
//! too much, never too little.

use memchr::memmem::find;
use memchr::{memchr2, memchr2_iter, memchr_iter};

use crate::assignments::may_assign;
use crate::cards::may_hold_card;
use crate::places::is_json_space;
use crate::rules::Rules;
use crate::screen::{self, begins_document, Screen};
use crate::tokens::begins;
use crate::urls::hex_at;

/// What a first look found: a set of the rules to be tried.
pub(crate) type Seen = u16;

pub(crate) const NOTHING: Seen = 0;
pub(crate) const JSON: Seen = 1;
pub(crate) const JWT: Seen = 2;
pub(crate) const SCHEME: Seen = 4;
pub(crate) const PEM: Seen = 8;
pub(crate) const CARD: Seen = 16;
pub(crate) const VENDOR: Seen = 32;
pub(crate) const URL: Seen = 64;
pub(crate) const NAME: Seen = 128;
pub(crate) const ESCAPE: Seen = 256;
pub(crate) const OPTION: Seen = 512;
pub(crate) const PERSONAL: Seen = 1024;

/// `pin=1`
const SHORTEST: usize = 5;
/// The shortest secret that no name announces: a card; `rs_live_` and a few characters.
const NAMELESS_MIN: usize = 13;
/// Digits of the shortest card number.
const CARD_MIN: u8 = 13;
/// The longest of the harmless texts: a UUID.
const HARMLESS_MAX: usize = 36;

/// Return which rules could find something in a text of which `seen` is known.
pub(crate) fn look(text: &str, seen: Screen, rules: &Rules<'_>) -> Seen {
    let bytes = text.as_bytes();
    let size = if seen.high {
        text.chars().count()
    } else {
        bytes.len()
    };
    if size < SHORTEST || (is_harmless(bytes)) {
        return NOTHING;
    }
    let mut found = if rules.policy.classes.is_empty() {
        NOTHING
    } else {
        PERSONAL
    };
    if has_operator(bytes, seen) {
        if may_assign(text, rules) {
            found |= NAME;
        }
        if (found != 0 || memchr2(b'@', b'+', bytes).is_some()) && holds_two(bytes, b'/') {
            found |= URL;
        }
    }
    if begins_document(bytes) {
        found |= JSON;
    }
    if seen.signs & screen::PERCENT != 0 && memchr_iter(b'%', bytes).any(|at| hex_at(bytes, at + 1).is_some())
    {
        found |= ESCAPE;
    }
    if may_hold_option(bytes, seen) {
        found |= OPTION;
    }
    if size < NAMELESS_MIN {
        found
    } else {
        found | look_for_shapes(text, seen)
    }
}

/// Tell whether something may join a name and its value.
fn has_operator(bytes: &[u8], seen: Screen) -> bool {
    let is_behind_name = |at: usize| at > 0 && matches!(bytes[at - 1], b' ' | b'(' | b'[');
    seen.signs & screen::OPERATOR != 0
        || (seen.signs & screen::AMPERSAND != 0
            && memchr_iter(b'&', bytes).any(|at| bytes[at..].starts_with(b"&lt;")))
        || (seen.grams & screen::DASHED != 0
            && memchr_iter(b'(', bytes).any(|at| bytes.get(at + 1) == Some(&b'b')))
        || (seen.grams & screen::QUOTED != 0 && memchr2_iter(b'"', b'\'', bytes).any(is_behind_name))
}

fn may_hold_option(bytes: &[u8], seen: Screen) -> bool {
    let is_short_option = |at: usize| matches!(bytes.get(at + 1), Some(b'u' | b'U'));
    (seen.grams & screen::DASHED != 0 && holds_two(bytes, b'-'))
        || (seen.grams & screen::BEARER != 0
            && find(bytes, b"curl").is_some()
            && memchr_iter(b'-', bytes).any(is_short_option))
}

/// Tell whether a sign stands twice in a row.
fn holds_two(bytes: &[u8], sign: u8) -> bool {
    memchr_iter(sign, bytes).any(|at| bytes.get(at + 1) == Some(&sign))
}

fn look_for_shapes(text: &str, seen: Screen) -> Seen {
    let bytes = text.as_bytes();
    let mut found = NOTHING;
    if seen.grams & (screen::SCHEME | screen::BEARER) != 0 && may_hold_scheme(bytes) {
        found |= SCHEME;
    }
    if seen.grams & (screen::UNDERSCORED | screen::LETTERED) != 0
        && memchr_iter(b'_', bytes).any(|at| may_end_prefix(&bytes[..at]))
    {
        found |= VENDOR;
    }
    if seen.grams & (screen::HYPHENED | screen::LETTERED) != 0
        && memchr_iter(b'-', bytes).any(|at| may_end_dashed_prefix(&bytes[..at]))
    {
        found |= VENDOR;
    }
    if seen.grams & screen::DASHED != 0
        && memchr_iter(b'-', bytes).any(|at| bytes[at..].starts_with(b"-----"))
    {
        found |= PEM;
    }
    if seen.grams & screen::CAPITALS != 0
        && memchr2_iter(b'I', b'S', bytes).any(|at| may_be_vendors(bytes, at))
    {
        found |= VENDOR;
    }
    if seen.signs & screen::TOKEN != 0 && memchr_iter(b'J', bytes).any(|at| bytes[..at].ends_with(b"ey")) {
        found |= JWT;
    }
    if seen.digits >= CARD_MIN && may_hold_card(text) {
        found |= CARD;
    }
    found
}

/// Tell whether `bearer`, `basic` or `token` stands before a blank, in any case. Searches for their
/// rarest letters: blanks are everywhere.
fn may_hold_scheme(bytes: &[u8]) -> bool {
    let stands = |at: usize, word: &[u8]| {
        let end = at + word.len();
        bytes
            .get(at..end)
            .is_some_and(|part| part.eq_ignore_ascii_case(word))
            && bytes.get(end).is_some_and(|&sign| is_json_space(sign))
    };
    memchr2_iter(b'k', b'K', bytes).any(|at| at >= 2 && stands(at - 2, b"token"))
        || memchr2_iter(b'b', b'B', bytes).any(|at| stands(at, b"bearer") || stands(at, b"basic"))
}

/// Tell whether a vendor's key may begin with this and a `_`.
fn may_end_prefix(before: &[u8]) -> bool {
    let is_github = || before.len() >= 3 && before[before.len() - 3..].starts_with(b"gh");
    [&b"live"[..], b"test", b"_pat", b"npm"]
        .iter()
        .any(|prefix| before.ends_with(prefix))
        || is_github()
}

/// Tell whether a vendor's key may begin with this and a `-`.
fn may_end_dashed_prefix(before: &[u8]) -> bool {
    let is_slack = || before.len() >= 4 && before[before.len() - 4..].starts_with(b"xox");
    [&b"sk"[..], b"glpat", b"pypi"]
        .iter()
        .any(|prefix| before.ends_with(prefix))
        || is_slack()
}

/// Tell whether the `I` or `S` at `at` belongs to `AKIA`, `ASIA`, `AIza`, or to `SK` or `SG.` where a key may
/// begin: the mark of what is masked holds an `SK`.
fn may_be_vendors(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..];
    let before = &bytes[..at];
    ((rest.starts_with(b"SK") || rest.starts_with(b"SG.")) && begins(bytes, at))
        || (rest.starts_with(b"IA") && (before.ends_with(b"AK") || before.ends_with(b"AS")))
        || (rest.starts_with(b"Iza") && before.ends_with(b"A"))
}

/// Tell whether it is one of the most frequent texts with digits and punctuation, and never a secret:
/// a time or a UUID.
pub(crate) fn is_harmless(bytes: &[u8]) -> bool {
    bytes.len() <= HARMLESS_MAX && (is_uuid(bytes) || is_time(bytes))
}

fn is_uuid(bytes: &[u8]) -> bool {
    let Ok(signs) = <&[u8; HARMLESS_MAX]>::try_from(bytes) else {
        return false;
    };
    [8, 13, 18, 23].iter().all(|&at| signs[at] == b'-')
        && signs.iter().filter(|sign| sign.is_ascii_hexdigit()).count() == HARMLESS_MAX - 4
}

fn is_time(bytes: &[u8]) -> bool {
    let Some((date, rest)) = bytes.split_first_chunk::<16>() else {
        return false;
    };
    is_moment(date) && is_zone(skip_seconds(rest))
}

/// Tell whether they look like `0000-00-00T00:00`, where 0 stands for any digit and T also for a blank.
fn is_moment(signs: &[u8; 16]) -> bool {
    const FORM: u128 = u128::from_le_bytes(*b"0000-00-00T00:00");
    const BLANK: u128 = u128::from_le_bytes(*b"0000-00-00 00:00");
    const DIGITS: u128 =
        u128::from_le_bytes(*b"\xf0\xf0\xf0\xf0\xff\xf0\xf0\xff\xf0\xf0\xff\xf0\xf0\xff\xf0\xf0");
    const SIX: u128 = 0x0606_0606_0606_0606_0606_0606_0606_0606;
    let signs = u128::from_le_bytes(*signs);
    // What is left of a digit is 0 to 9: the upper half of the byte is empty, also with six more.
    [FORM, BLANK].iter().any(|form| {
        let left = signs ^ form;
        (left | ((left & !DIGITS) + (SIX & !DIGITS))) & DIGITS == 0
    })
}

/// Tell whether `bytes` look like `form`, where 0 stands for any digit.
fn follows(bytes: &[u8], form: &[u8]) -> bool {
    bytes.len() == form.len()
        && bytes.iter().zip(form).all(|(sign, place)| match place {
            b'0' => sign.is_ascii_digit(),
            _ => sign == place,
        })
}

fn skip_seconds(rest: &[u8]) -> &[u8] {
    let Some((_, behind)) = rest
        .split_at_checked(3)
        .filter(|(seconds, _)| follows(seconds, b":00"))
    else {
        return rest;
    };
    let [b'.' | b',', fraction @ ..] = behind else {
        return behind;
    };
    let digits = fraction.iter().take_while(|sign| sign.is_ascii_digit()).count();
    if (1..=9).contains(&digits) {
        &fraction[digits..]
    } else {
        behind
    }
}

fn is_zone(rest: &[u8]) -> bool {
    match rest {
        [] | [b'Z'] => true,
        [b'+' | b'-', offset @ ..] => follows(offset, b"00:00") || follows(offset, b"0000"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        is_harmless, is_moment, look, CARD, ESCAPE, JSON, JWT, NAME, NOTHING, OPTION, PEM, SCHEME, URL,
        VENDOR,
    };
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};
    use crate::screen::screen;

    /// Each rule is called for by what its secrets hold, and a clean text calls for none.
    #[test]
    fn rules_are_called_for() {
        let policy = Policy::default();
        let rules = Rules::new(&policy, UNBOUNDED, 0);
        for (text, seen) in [
            ("nothing to be seen here (so far)", NOTHING),
            ("pin=1", NAME),
            ("p=1", NOTHING),
            ("PIN 'x'", NAME),
            ("['pin',", JSON | NAME),
            ("(b'pin'", NAME),
            ("{'pin'", JSON),
            ("{\"a\":1}", JSON),
            ("a%41bc", ESCAPE),
            ("a%4xbc", NOTHING),
            ("a --b", OPTION),
            ("curl -u a", OPTION),
            ("wget -u a", NOTHING),
            ("//u:p@h", URL),
            ("//h/x?a:b", NOTHING),
            ("a BeArEr\tabc123", SCHEME),
            ("4242 4242 4242 4242", CARD),
            ("eyJhbGciOi.abc", JWT),
            ("-----BEGIN PRIVATE", OPTION | PEM),
            ("xoxb-abcdefghij", VENDOR),
            ("AKIAABCDEFGHIJKLMNOP", VENDOR),
            ("ghp_abcdefghijkl", VENDOR),
        ] {
            assert_eq!(look(text, screen(text.as_bytes()), &rules), seen, "{text}");
        }
    }

    /// A moment is told as sign by sign, whatever stands at any of its places.
    #[test]
    fn moments_are_told_at_once() {
        let form = b"0000-00-00T00:00";
        for at in 0..form.len() {
            for sign in 0..=u8::MAX {
                let mut signs = *b"2026-11-20T10:15";
                signs[at] = sign;
                let is_right = match form[at] {
                    b'0' => sign.is_ascii_digit(),
                    b'T' => matches!(sign, b'T' | b' '),
                    other => sign == other,
                };
                assert_eq!(is_moment(&signs), is_right, "{sign} at {at}");
            }
        }
    }

    /// Times and UUIDs are harmless, and nothing that only begins like them.
    #[test]
    fn times_are_harmless() {
        for text in [
            "2026-01-02T03:04",
            "2026-01-02 03:04:05,123+0100",
            "2026-01-02T03:04:05.123456789-01:00",
            "2026-01-02T03:04Z",
            "00000000-0000-4000-8000-00000000000f",
        ] {
            assert!(is_harmless(text.as_bytes()), "{text}");
        }
        for text in [
            "2026-01-02",
            "2026-01-02T03:04:05.",
            "2026-01-02T03:04x",
            "2026-01-02T03:04:05.1234567890",
        ] {
            assert!(!is_harmless(text.as_bytes()), "{text}");
        }
    }
}
