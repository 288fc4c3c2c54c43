//! Secrets that a name in front of them gives away: `password=x`, `'token': 'x'`, `pin = 1234`.
//!
//! Works from the operators: at each `=` or `:` it looks back for a name and, if that names a
//! secret, forward for the value. Every place is looked at a bounded number of times.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::keys::{Verdict, SAFE};
use crate::marks::MASKED;
use crate::messages::{mask_inputs, mask_statements};
use crate::pairs::{mask_lists, mask_named};
use crate::places::{before, skip, then, Patches};
use crate::rules::Rules;
use crate::spelling::{is_lookalike, normalise};
use crate::urls::unquote;
use crate::values::{find_value, is_annotated, is_any_quote, is_name_sign, shorten_colours, Name};

mod stems;

/// Names that prose uses too (`Token: unexpected end`): with `:` they must stand in quotes.
const WEAK: [&str; 5] = ["token", "auth", "pin", "pass", "session"];

/// Second halves of names that prose writes in two words: `API key: x`, `card number = 4`.
const SECOND_WORDS: [&str; 7] = ["key", "number", "code", "card", "phrase", "word", "answer"];

/// What may stand before an operator and belongs to it: `password += 'x'`.
const COMPOUND: [&str; 4] = [" +", " .", " ||", " ??"];

/// The longest name, with the blanks and quotes around it, in characters.
const LOOKED_BACK: usize = 128 + 8;

/// Tell whether a text holds any name that could be secret: a cheap first look.
///
/// It is stricter than the verdict on some names (`p in` is a pin when it stands alone), so both
/// twins must agree on it.
pub(crate) fn may_assign(text: &str, rules: &Rules<'_>) -> bool {
    rules.policy.keyring.custom() || memchr(b'%', text.as_bytes()).is_some() || holds_stem(text)
}

/// Tell whether one of the stems is in the text, once `-`, `_` and `+` are gone. Every built-in name
/// holds one; a test proves it.
pub(crate) fn holds_stem(text: &str) -> bool {
    if text.is_ascii() {
        return stems::holds_stem(text.as_bytes());
    }
    let mut search = stems::Search::new();
    text.chars().any(|sign| match sign {
        // As Python's `lower` has it: no other sign of Unicode becomes a letter of ASCII.
        '\u{212A}' => search.push(b'k'),
        '\u{130}' => search.push(b'i') || search.push(0),
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => false,
        _ => search.push(narrow(sign)),
    })
}

/// Return a sign of ASCII or its full-width form as ASCII, any other one as 0.
fn narrow(sign: char) -> u8 {
    let code = u32::from(sign);
    let plain = if (0xFF01..0xFF5F).contains(&code) {
        code - 0xFEE0
    } else {
        code
    };
    u8::try_from(plain).ok().filter(u8::is_ascii).unwrap_or(0)
}

/// Return `text` with the values of secret names masked; names and quotes stay.
pub(crate) fn mask_assignments<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let mut masked = mask_inputs(text, rules);
    masked = then(masked, |text| mask_lists(text, rules));
    masked = then(masked, |text| mask_named(text, rules));
    masked = then(masked, |text| mask_operands(text, rules));
    // Last: what it masks may hold the name of what follows.
    then(masked, |text| mask_statements(text, rules))
}

fn mask_operands<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(offset) = memchr2(b'=', b':', &bytes[at..]) {
        let start = at + offset;
        at = skip(bytes, start, |sign| matches!(sign, b'=' | b':'));
        at += usize::from(bytes.get(at) == Some(&b'>'));
        let tail = tail_before(text, patches.done(), start);
        let Some(name) = name_in(&tail) else {
            continue;
        };
        let Some((begin, end)) = secret_value(text, &name, start, at, rules) else {
            continue;
        };
        if &text[begin..end] != MASKED {
            rules.masked += 1;
            patches.replace(begin, end, MASKED);
        }
        at = end;
    }
    patches.finish()
}

/// Return the place of the value if `name` makes it a secret.
fn secret_value(
    text: &str,
    name: &Name<'_>,
    start: usize,
    end: usize,
    rules: &Rules<'_>,
) -> Option<(usize, usize)> {
    let sign = &text[start..end];
    if sign.starts_with("::") {
        return None; // `Token::Type` is a path of names
    }
    let verdict = judge(name, rules);
    let colon = !sign.contains('=');
    if verdict == SAFE {
        return None;
    }
    let is_prose = colon && !name.quoted && is_weak(name.text);
    if is_prose && !is_annotated(text, end) {
        return None;
    }
    find_value(text, end, name, verdict, colon)
}

fn judge(name: &Name<'_>, rules: &Rules<'_>) -> Verdict {
    let decoded = unquote(name.text);
    let is_second = || SECOND_WORDS.contains(&&*normalise(name.text));
    if !may_assign(&decoded, rules) && !is_second() {
        return SAFE;
    }
    let mut verdict = rules.judge_name(&decoded, name.query);
    if verdict == SAFE && name.before.ends_with('\\') && !name.quoted {
        // `\ntoken=` in a JSON text that did not parse: the n belongs to the escape
        let mut rest = decoded.chars();
        rest.next();
        verdict = rules.judge_name(rest.as_str(), name.query);
    }
    if verdict == SAFE && !name.quoted && is_second() {
        if let Some(before) = name.before.strip_suffix([' ', '\t']) {
            let first = &before[before
                .trim_end_matches(|sign: char| sign.is_ascii_alphanumeric())
                .len()..];
            if !first.is_empty() {
                verdict = rules.judge_name(&format!("{first} {}", name.text), false);
            }
        }
    }
    verdict
}

fn is_weak(name: &str) -> bool {
    let last = name
        .rsplit(['[', ']', '.', ':', '/'])
        .find(|segment| !segment.is_empty());
    let normal = normalise(last.unwrap_or_default());
    let normal = normal.trim_end_matches(|sign: char| sign.is_ascii_digit());
    WEAK.contains(&normal)
        || normal
            .strip_suffix('s')
            .is_some_and(|singular| WEAK.contains(&singular))
}

/// Return what stands before an operator, as far as it is looked at, without colours.
fn tail_before(text: &str, bound: usize, end: usize) -> Cow<'_, str> {
    let blanks = [' ', '\t'];
    let blanks_and_colours = [' ', '\t', '\x1b'];
    let tail = text[before(text, bound, end, LOOKED_BACK)..end].trim_end_matches(blanks);
    let tail = match shorten_colours(tail) {
        Cow::Borrowed(tail) => Cow::Borrowed(if tail.contains('\x1b') {
            tail.trim_end_matches(blanks_and_colours)
        } else {
            tail
        }),
        Cow::Owned(tail) => Cow::Owned(tail.trim_end_matches(blanks_and_colours).to_owned()),
    };
    if !COMPOUND.iter().any(|sign| tail.ends_with(sign)) {
        return tail;
    }
    let trim = |tail: &str| {
        tail.trim_end_matches(['+', '.', '|', '?'])
            .trim_end_matches(blanks_and_colours)
            .len()
    };
    match tail {
        Cow::Borrowed(tail) => Cow::Borrowed(&tail[..trim(tail)]),
        Cow::Owned(mut tail) => {
            tail.truncate(trim(&tail));
            Cow::Owned(tail)
        }
    }
}

fn name_in(tail: &str) -> Option<Name<'_>> {
    let in_brackets = tail.ends_with("\"]") || tail.ends_with("']");
    let inner = if in_brackets {
        &tail[..tail.len() - 1]
    } else {
        tail
    };
    if let Some(quote) = inner.bytes().last().filter(|&sign| is_any_quote(sign)) {
        let inner = inner[..inner.len() - 1].trim_end_matches('\\');
        let opening = inner.rfind(char::from(quote));
        let name = inner[opening.map_or(0, |at| at + 1)..].trim_matches('\x1b');
        let name = if opening.is_none() || name.contains('\n') {
            trailing_name(name)
        } else {
            name
        };
        let quoted = Name {
            text: name,
            quoted: true,
            query: false,
            outer_quote: None,
            before: "",
        };
        return (!name.is_empty()).then_some(quoted);
    }
    let name = trailing_name(tail);
    let before = &tail[..tail.len() - name.len()];
    let last = before.bytes().last();
    (!name.is_empty()).then_some(Name {
        text: name,
        quoted: false,
        query: matches!(last, Some(b'?' | b'&' | b'#')),
        outer_quote: last.filter(|&sign| is_any_quote(sign)),
        before,
    })
}

/// Return the signs at the end of `text` that a name may hold.
fn trailing_name(text: &str) -> &str {
    let rest = text.trim_end_matches(|sign: char| {
        if sign.is_ascii() {
            is_name_sign(sign as u8)
        } else {
            is_lookalike(sign)
        }
    });
    &text[rest.len()..]
}

#[cfg(test)]
mod tests {
    use super::{holds_stem, mask_assignments};
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    fn masked(text: &str) -> String {
        mask_assignments(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    /// A stem is found in any case, between separators, and in look-alikes.
    #[test]
    fn stems_are_found_however_they_are_written() {
        for text in [
            "api_KEY",
            "p-i-n",
            "s+s",
            "\u{FF50}\u{FF49}\u{FF4E}",
            "c\u{200B}vv",
            "\u{212A}E",
            "soc\u{130}",
        ] {
            assert!(holds_stem(text), "{text}");
        }
        // Lowered, the dotted capital I is two signs.
        for text in ["P\u{130}N", "colour: red"] {
            assert!(!holds_stem(text), "{text}");
        }
    }

    /// Strong names are masked with either operator, weak ones only with `=` or in quotes.
    #[test]
    fn weak_names_need_more_than_a_colon() {
        assert_eq!(masked("password: x1"), "password: [MASKED]");
        assert_eq!(masked("token: x1"), "token: x1");
        assert_eq!(masked("token=x1"), "token=[MASKED]");
        assert_eq!(masked("'tokens': 'x1'"), "'tokens': 'x1'");
        assert_eq!(masked("'token': 'x1'"), "'token': '[MASKED]'");
        assert_eq!(masked("Token::Type"), "Token::Type");
        assert_eq!(masked("token: str = 'x1'"), "token: str = '[MASKED]'");
    }

    /// Names in two words, in brackets, encoded and behind an escape are names.
    #[test]
    fn names_are_found_in_many_spellings() {
        assert_eq!(masked("API key: x1"), "API key: [MASKED]");
        assert_eq!(masked("a[\"password\"] = 'x1'"), "a[\"password\"] = '[MASKED]'");
        assert_eq!(masked("pass%77ord=x1"), "pass%77ord=[MASKED]");
        assert_eq!(masked("\\npassword=x1"), "\\npassword=[MASKED]");
        assert_eq!(masked("password ||= x1"), "password ||= [MASKED]");
        assert_eq!(
            masked("\x1b[1mpassword\x1b[0m \x1b[2m= \x1b[3mx1\x1b[0m"),
            "\x1b[1mpassword\x1b[0m \x1b[2m= \x1b[3m[MASKED]\x1b[0m"
        );
        assert_eq!(masked("\\nprefix\\npin=x1"), "\\nprefix\\npin=[MASKED]");
    }
}
