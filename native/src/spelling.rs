//! How a key may be spelled: which characters do not count, its segments, its words, its variants.
//!
//! The twin of `_spelling.py`. All classes are of ASCII, but for the look-alikes that are folded.

use std::borrow::Cow;

/// White space, everywhere in the rules: that of ASCII, for trimming as for `\s` in a pattern.
pub const BLANKS: &str = " \t\n\r\x0c\x0b";

/// What may stand behind a secret word without making it harmless: `tokenValue`, `pwdHash`.
pub const TAILS: [&str; 4] = ["value", "values", "hash", "hashes"];

/// The folded signs that a name in a text may hold, as the inside of a character class.
pub const LOOKALIKES: &str = "\u{ad}\u{200b}-\u{200d}\u{2060}\u{feff}\
     \u{ff0d}\u{ff0e}\u{ff10}-\u{ff19}\u{ff21}-\u{ff3a}\u{ff3f}\u{ff41}-\u{ff5a}";

/// Tell whether `sign` is one of `LOOKALIKES`.
#[must_use]
pub fn is_lookalike(sign: char) -> bool {
    match folded(sign) {
        Folded::Gone => true,
        Folded::Plain(plain) => plain.is_ascii_alphanumeric() || matches!(plain, '-' | '_' | '.'),
        Folded::Same => false,
    }
}

enum Folded {
    Gone,
    Plain(char),
    Same,
}

/// What nobody sees (soft hyphen, zero-width blanks and joiners, byte order mark) is gone, and the
/// full-width forms of ASCII are plain: they hide a name from a program and from no reader.
fn folded(sign: char) -> Folded {
    match sign {
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Folded::Gone,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(sign as u32 - 0xfee0).map_or(Folded::Same, Folded::Plain),
        _ => Folded::Same,
    }
}

/// Return `text` without invisible characters, full-width letters and signs as their ASCII ones.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|sign| !matches!(folded(sign), Folded::Same)) {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().filter_map(|sign| match folded(sign) {
        Folded::Gone => None,
        Folded::Plain(plain) => Some(plain),
        Folded::Same => Some(sign),
    });
    Cow::Owned(plain.collect())
}

/// Lower the ASCII letters and nothing else: Unicode would turn a Kelvin sign into a k.
#[must_use]
pub fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Return the spelling that all variants of a key share: lower case, no `-`, `_` and blanks.
#[must_use]
pub fn normalise(key: &str) -> Cow<'_, str> {
    let key = fold(key);
    let counts = |sign: char| !matches!(sign, '-' | '_' | ' ' | '\t' | '\r' | '\n');
    if key.chars().all(|sign| counts(sign) && !sign.is_ascii_uppercase()) {
        return key;
    }
    let kept = key.chars().filter(|sign| counts(*sign));
    Cow::Owned(kept.map(|sign| sign.to_ascii_lowercase()).collect())
}

/// Split `user[card][number]` and `a.b:c/d`; what has no letter (`[0]`) is no segment.
#[must_use]
pub fn segments_of(key: &str) -> Vec<&str> {
    key.split(['[', ']', '.', ':', '/'])
        .filter(|segment| segment.bytes().any(|byte| byte.is_ascii_alphabetic()))
        .collect()
}

/// Return the key itself, and without trailing digits, each also without one trailing `s`.
pub fn variants_of(normal: &str) -> impl Iterator<Item = &str> {
    let bare = normal.trim_end_matches(|sign: char| sign.is_ascii_digit());
    let bare = (bare != normal).then_some(bare);
    let forms = [
        Some(normal),
        bare,
        normal.strip_suffix('s'),
        bare.and_then(|form| form.strip_suffix('s')),
    ];
    forms.into_iter().flatten().filter(|form| !form.is_empty())
}

/// Return a normalised key without `value`, `hash` or a version (`v2`) at its end, or nothing.
#[must_use]
pub fn without_tail(normal: &str) -> &str {
    let bare = normal.trim_end_matches(|sign: char| sign.is_ascii_digit());
    if bare != normal {
        if let Some(unversioned) = bare.strip_suffix('v') {
            return unversioned;
        }
    }
    TAILS
        .iter()
        .find_map(|tail| bare.strip_suffix(tail))
        .unwrap_or("")
}

/// Return the first word, by separator or case change, in lower case.
#[must_use]
pub fn first_word(segment: &str) -> Cow<'_, str> {
    word_after(segment, 0).map_or(Cow::Borrowed(""), |(start, end)| lower(&segment[start..end]))
}

/// Return the last word without its digits: `pans` for `user_pans2`, `pin` for `user_pin_2`, `pin_v2`.
#[must_use]
pub fn last_word(segment: &str) -> Cow<'_, str> {
    let trimmed = segment.trim_end_matches(|sign: char| sign.is_ascii_digit() || "-_ ".contains(sign));
    let (mut last, mut before) = (None, None);
    let mut at = 0;
    while let Some((start, end)) = word_after(trimmed, at) {
        before = last;
        last = Some(&trimmed[start..end]);
        at = end;
    }
    let word = lower(last.unwrap_or(""));
    let is_tail = TAILS.contains(&&*word) || (word == "v" && segment != trimmed);
    match before {
        Some(previous) if is_tail => lower(previous),
        _ => word,
    }
}

/// Return the next word at `from` or behind, as
/// `[A-Z]{2,}s(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[A-Z]` finds it.
fn word_after(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(u8::is_ascii_alphanumeric)?;
    let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let run = |at: usize, test: &dyn Fn(&u8) -> bool| {
        at + bytes[at..]
            .iter()
            .position(|byte| !test(byte))
            .unwrap_or(bytes.len() - at)
    };
    if !bytes[start].is_ascii_uppercase() || bytes.get(start + 1).is_some_and(small) {
        return Some((start, run(start + 1, &small)));
    }
    let capitals = run(start, &u8::is_ascii_uppercase);
    let is_plural = bytes.get(capitals) == Some(&b's') && capitals - start >= 2;
    if is_plural && !bytes.get(capitals + 1).is_some_and(u8::is_ascii_lowercase) {
        return Some((start, capitals + 1));
    }
    let end = run(capitals, &|byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit()
    });
    // The last capital before a small letter begins the next word; here there are two at least.
    let shared = bytes.get(end).is_some_and(u8::is_ascii_lowercase);
    Some((start, end - usize::from(shared)))
}

#[cfg(test)]
mod tests {
    use super::{first_word, fold, is_lookalike, last_word, lower, normalise, segments_of};
    use super::{variants_of, without_tail, LOOKALIKES};

    /// All spellings of one key have one normal form, look-alikes and invisible signs included.
    #[test]
    fn spellings_share_a_form() {
        for key in [
            "card_number",
            "cardNumber",
            "Card-Number",
            "ｃard\u{200b}number",
            " CARD number\n",
        ] {
            assert_eq!(normalise(key), "cardnumber", "{key}");
        }
        assert_eq!(fold("＿ａ\u{ad}b"), "_ab");
        assert_eq!(lower("\u{212a}K"), "\u{212a}k");
    }

    /// Segments need a letter, whatever separates them.
    #[test]
    fn segments_need_a_letter() {
        assert_eq!(
            segments_of("user[card][0]..number:é/7"),
            ["user", "card", "number"]
        );
    }

    /// Variants drop trailing digits and one trailing s, and are never empty.
    #[test]
    fn variants_drop_digits_and_plural() {
        assert_eq!(variants_of("pans2").collect::<Vec<_>>(), ["pans2", "pans", "pan"]);
        assert_eq!(variants_of("tokens").collect::<Vec<_>>(), ["tokens", "token"]);
        assert_eq!(variants_of("s1").collect::<Vec<_>>(), ["s1", "s"]);
        assert_eq!(variants_of("").count(), 0);
    }

    /// A tail or a version behind the word is dropped once.
    #[test]
    fn tails_are_dropped() {
        assert_eq!(without_tail("tokenvalues"), "token");
        assert_eq!(without_tail("tokenv2"), "token");
        assert_eq!(without_tail("token"), "");
    }

    /// Words end at a case change or a separator.
    #[test]
    fn words_end_at_case_changes() {
        assert_eq!(first_word("_hasAPIKey"), "has");
        assert_eq!(first_word("APIKey"), "api");
        assert_eq!(last_word("userPANS2"), "pans");
        assert_eq!(last_word("userPANs"), "pans");
        assert_eq!(last_word("userPANsaved"), "nsaved");
        assert_eq!(last_word("AsB"), "b");
        assert_eq!(last_word("AB1c"), "1c");
        assert_eq!(last_word("user_pin_v2"), "pin");
        assert_eq!(last_word("pinValue"), "pin");
        assert_eq!(last_word("v2"), "v");
        assert_eq!(last_word("é"), "");
    }

    /// The class of look-alikes holds what `is_lookalike` says, and nothing else.
    #[test]
    fn lookalikes_agree_with_their_class() {
        let class = regex::Regex::new(&format!("\\A[{LOOKALIKES}]\\z")).unwrap();
        for sign in '\0'..=char::MAX {
            assert_eq!(
                class.is_match(sign.encode_utf8(&mut [0; 4])),
                is_lookalike(sign),
                "{sign:?}"
            );
        }
    }
}
