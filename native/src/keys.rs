//! Which keys hold secrets (MASKING.md section 1): the verdict on one key.
//!
//! The twin of `_keys.py`, without its memory: a verdict is the same however often it is asked for.

use std::collections::HashSet;

use crate::assignments::holds_stem;
use crate::names::{
    is_not_token, CONTAINS, ENDS, EXACT, FORM_ENDS, FORM_EXACT, HEADER_ENDS, HEADER_EXACT, HEADER_NOT,
    LAST_WORDS, LOG_FIELDS, NOT_EXACT, NOT_FIRST_WORDS, NOT_REST, NOT_SECRET, WALKED,
};
use crate::spelling::{first_word, fold, last_word, normalise, segments_of, variants_of, without_tail};

/// What is known about a key: a set of the flags below.
pub type Verdict = u16;

/// Nothing is masked for the key's sake.
pub const SAFE: Verdict = 0;
/// The value is masked whole.
pub const MASK: Verdict = 1;
/// The value is masked, but an object is walked: the key also names harmless structures.
pub const WALK: Verdict = 2;
/// `name`, `key`, `field`: what stands here may be the name of the sibling `value`.
pub const NAME: Verdict = 4;
/// `value`, `val`, `default`: what the sibling may name.
pub const VALUE: Verdict = 8;
/// The value rules change the key's own text.
pub const CHANGED: Verdict = 16;
/// The path of a field in the answer of a validator (`{"loc": ["body", "password"], "input": "x"}`).
pub const LOC: Verdict = 32;
/// What the validator repeats of that field.
pub const INPUT: Verdict = 64;
/// `label` or `id`: it may be the name too, but speaks to people, so only a strong name counts.
pub const TITLE: Verdict = 128;

/// Where a key stands. Queries, forms and headers know secrets by names that JSON uses freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A JSON value or an object of the application.
    Payload,
    /// A query or a form.
    Form,
    /// A header.
    Header,
    /// The fields of a log entry: some ids that every entry may carry are no secrets here.
    Log,
    /// Our own data: no key is a secret, the texts are masked all the same.
    None,
}

const ROLE_LENGTH: usize = 8; // `default`, with a separator
const ROLE_LENGTH_FOLDED: usize = 32; // the same, with invisible characters between the letters

/// Return the role of a key whose neighbour decides, or that decides on its neighbour; else 0.
#[must_use]
pub fn role(key: &str) -> Verdict {
    if key.len() > ROLE_LENGTH
        && key.chars().nth(ROLE_LENGTH).is_some()
        && (key.is_ascii() || key.chars().nth(ROLE_LENGTH_FOLDED).is_some())
    {
        return 0;
    }
    match &*normalise(key) {
        "name" | "key" | "field" | "param" | "header" => NAME,
        "label" | "id" => TITLE,
        "value" | "val" | "default" => VALUE,
        "loc" => LOC,
        "input" | "ctx" => INPUT,
        _ => 0,
    }
}

// Names that people read in another sense: a chart's "Sessions", a test's "Pass", a menu's "Pin".
const COMMON: &[&str] = &["token", "auth", "pin", "pass", "session"];

/// Tell whether a `label` or `id` may name a secret: no word that people use in another sense.
#[must_use]
pub fn is_title(text: &str) -> bool {
    !holds(COMMON, &normalise(text))
}

/// The verdicts of one policy. The names are normalised.
#[derive(Debug, Default)]
pub struct Keyring {
    masked: HashSet<String>,
    unmasked: HashSet<String>,
    remote: HashSet<String>,
    contains_only: bool,
}

impl Keyring {
    /// Make the keyring of names that are normalised already. `contains_only`: of the built-in key
    /// rules only *contains* holds.
    #[must_use]
    pub fn new(
        masked: HashSet<String>,
        unmasked: HashSet<String>,
        remote: HashSet<String>,
        contains_only: bool,
    ) -> Self {
        Self {
            masked,
            unmasked,
            remote,
            contains_only,
        }
    }

    /// Tell whether names beyond the built-in ones are masked.
    #[must_use]
    pub fn custom(&self) -> bool {
        !(self.masked.is_empty() && self.remote.is_empty())
    }

    /// Return `SAFE`, `MASK` or `WALK` for a key as it was written.
    #[must_use]
    pub fn judge(&self, written: &str, place: Place) -> Verdict {
        if place == Place::None || self.is_harmless(written) {
            return SAFE;
        }
        let key = &*fold(written);
        let segments = segments_of(key);
        let (last, outer) = segments
            .split_last()
            .map_or(("", &[][..]), |(last, outer)| (*last, outer));
        if named(&self.remote, key, last) {
            return MASK;
        }
        if !self.unmasked.is_empty() {
            if self.unmasked.contains(&*normalise(key)) {
                return SAFE;
            }
            if !segments.is_empty() && self.unmasked.contains(&*normalise(last)) {
                return any_talks_of_secret(outer);
            }
        }
        if named(&self.masked, key, last) {
            return MASK;
        }
        if segments.is_empty() || (place == Place::Log && LOG_FIELDS.contains(&written)) {
            return SAFE;
        }
        if self.contains_only {
            return any_talks_of_secret(&segments);
        }
        built_in(last, outer, place)
    }

    /// Tell whether a name is certainly no secret, at a small part of the cost of a verdict: all built-in
    /// names hold a stem, however they are spelled.
    fn is_harmless(&self, name: &str) -> bool {
        // What else may stand in a name could hide one.
        let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || b"_-.[]:/".contains(&sign);
        !self.custom() && name.bytes().all(is_sign) && !holds_stem(name)
    }

    /// Judge a name found in free text: a value rule, so the unmasked names do not reach it.
    #[must_use]
    pub fn judge_name(&self, name: &str, query: bool) -> Verdict {
        if self.is_harmless(name) {
            return SAFE;
        }
        let name = &*fold(name);
        let segments = segments_of(name);
        let Some((last, outer)) = segments.split_last() else {
            return SAFE;
        };
        if named(&self.remote, name, last) || named(&self.masked, name, last) {
            return MASK;
        }
        built_in(last, outer, if query { Place::Form } else { Place::Payload })
    }

    /// Judge the name of a parameter of a URL within a text.
    #[must_use]
    pub fn judge_parameter(&self, name: &str) -> Verdict {
        self.judge_name(name, true)
    }

    /// Judge the name of a parameter of a URL or form.
    #[must_use]
    pub fn judge_field(&self, name: &str) -> Verdict {
        self.judge(name, Place::Form)
    }
}

fn named(names: &HashSet<String>, key: &str, last: &str) -> bool {
    let known = |form: &str| variants_of(&normalise(form)).any(|variant| names.contains(variant));
    !names.is_empty() && (known(key) || known(last))
}

fn any_talks_of_secret(segments: &[&str]) -> Verdict {
    if segments.iter().any(|segment| talks_of_secret(segment)) {
        MASK
    } else {
        SAFE
    }
}

fn built_in(last: &str, outer: &[&str], place: Place) -> Verdict {
    if any_talks_of_secret(outer) != SAFE {
        return MASK;
    }
    let normal = &*normalise(last);
    if opens_no_door(normal) || is_one_of(&first_word(last), NOT_FIRST_WORDS) {
        return SAFE;
    }
    let mut verdict = word(normal);
    if verdict == SAFE {
        verdict = word(without_tail(normal));
    }
    if verdict != SAFE {
        return verdict;
    }
    if contains(normal) {
        return MASK;
    }
    if holds(LAST_WORDS, &last_word(last)) {
        return WALK;
    }
    let placed = match place {
        Place::Form => FORM_EXACT.contains(&normal) || ends(normal, FORM_ENDS),
        Place::Header => {
            !HEADER_NOT.contains(&normal) && (HEADER_EXACT.contains(&normal) || ends(normal, HEADER_ENDS))
        }
        _ => false,
    };
    if placed {
        MASK
    } else {
        SAFE
    }
}

/// Judge a key by the tables of whole names and of endings.
fn word(normal: &str) -> Verdict {
    if opens_no_door(normal) {
        return SAFE;
    }
    if holds(EXACT, normal) {
        return if holds(WALKED, normal) { WALK } else { MASK };
    }
    if ends(normal, ENDS) {
        MASK
    } else {
        SAFE
    }
}

/// Tell whether it is a count, or a token of paging and the like.
fn opens_no_door(normal: &str) -> bool {
    is_one_of(normal, NOT_EXACT) || is_not_token(normal)
}

fn talks_of_secret(segment: &str) -> bool {
    !is_one_of(&first_word(segment), NOT_FIRST_WORDS) && contains(&normalise(segment))
}

/// Whether one of the words is in the key and what follows the last of them is no harmless ending.
fn contains(normal: &str) -> bool {
    let mut end = None;
    for word in CONTAINS {
        let mut at = last_of(normal, word);
        while let Some(place) = at {
            if *word == "secret" && normal[place..].starts_with(NOT_SECRET) {
                at = last_of(&normal[..place], word);
            } else {
                end = end.max(Some(place + word.len()));
                break;
            }
        }
    }
    end.is_some_and(|end| !is_one_of(&normal[end..], NOT_REST))
}

/// Return where the last `word` begins. Keys are short: what a search prepares takes longer than a look
/// at each place.
fn last_of(text: &str, word: &str) -> Option<usize> {
    let (bytes, word) = (text.as_bytes(), word.as_bytes());
    let last = bytes.len().checked_sub(word.len())?;
    (0..=last)
        .rev()
        .find(|&at| bytes[at] == word[0] && bytes[at..].starts_with(word))
}

/// Tell whether a name is one of some. Most differ in their length or their first sign.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    let first = name.as_bytes().first();
    let is = |other: &&str| other.len() == name.len() && other.as_bytes().first() == first && *other == name;
    names.iter().any(is)
}

fn holds(names: &[&str], normal: &str) -> bool {
    variants_of(normal).any(|variant| is_one_of(variant, names))
}

fn ends(normal: &str, endings: &[&str]) -> bool {
    variants_of(normal).any(|variant| {
        let last = variant.as_bytes().last();
        let is = |ending: &&str| ending.as_bytes().last() == last && variant.ends_with(ending);
        endings.iter().any(is)
    })
}

#[cfg(test)]
mod tests;
