//! Messages of other programs that repeat a secret: a validator's errors, statements of SQL.
//!
//! The name stands there without an operator: on the line before, or as a keyword.

use std::borrow::Cow;

use memchr::memmem::{find, rfind};
use memchr::{memchr, memchr2_iter, memrchr};

use crate::keys::{MASK, SAFE};
use crate::marks::{CUT, MASKED};
use crate::places::{before, is_blank, is_gap, is_json_space, is_quote, is_space, skip, then, Patches};
use crate::rules::Rules;
use crate::values::{quoted_end, Opening};

// --- the errors of a validator ----------------------------------------------------------------------

// password
//   String should have at least 8 characters [type=string_too_short, input_value='x', input_type=str]
const INPUT: &str = "input_value=";
const INPUT_END: &str = ", input_type=";
/// What the error says stands between the path and the value.
const MESSAGE_MAX: usize = 1024;
/// Longer paths are none that a person wrote, in characters.
const PATH_MAX: usize = 256;
const NOTHING: [&str; 11] = [
    "", "''", "\"\"", "None", "True", "False", "[]", "{}", "()", CUT, MASKED,
];

/// Mask what an error of pydantic repeats of a field that is named like a secret.
pub(crate) fn mask_inputs<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    if memchr(b'=', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(offset) = find(&bytes[at..], INPUT.as_bytes()) {
        let sign = at + offset;
        let start = sign + INPUT.len();
        at = start;
        let floor = before(text, patches.done(), sign, MESSAGE_MAX + PATH_MAX);
        if !path_before(text, floor, sign).is_some_and(|path| is_secret_path(path, rules)) {
            continue;
        }
        at = input_end(bytes, start);
        if !NOTHING.contains(&&text[start..at]) {
            rules.masked += 1;
            patches.replace(start, at, MASKED);
        }
    }
    patches.finish()
}

/// Return the line before the one that holds `at`, if that is a line of an error.
fn path_before(text: &str, floor: usize, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let (above, line) = break_before(bytes, floor, at)?;
    if !is_gap(bytes[line]) || find(&bytes[line..at], b"[type=").is_none() {
        return None;
    }
    let start = break_before(bytes, floor, above).map_or(floor, |(_, start)| start);
    let path = text[start..above].trim_matches(is_blank);
    (path.chars().nth(PATH_MAX).is_none()).then_some(path)
}

/// Return where the line ends before the one that holds `at`, and where that one begins.
///
/// A line may also end with an escaped break, as in the repr of a message.
fn break_before(bytes: &[u8], floor: usize, at: usize) -> Option<(usize, usize)> {
    let newline = memrchr(b'\n', &bytes[floor..at]).map(|offset| (floor + offset, floor + offset + 1));
    let escaped = rfind(&bytes[floor..at], b"\\n").map(|offset| (floor + offset, floor + offset + 2));
    newline.max(escaped)
}

/// Tell whether a path such as `items.0.cvv` or `token.str` (a branch of a union) names a secret.
fn is_secret_path(path: &str, rules: &Rules<'_>) -> bool {
    !path.is_empty()
        && (rules.judge_name(path, false) != SAFE
            || path
                .split(['.', '[', ']'])
                .any(|segment| rules.judge_name(segment, false) == MASK))
}

/// Return where the value ends: at the last sign of its end on the line, or behind it, or nowhere.
fn input_end(bytes: &[u8], start: usize) -> usize {
    let line = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |offset| start + offset);
    rfind(&bytes[start..line], INPUT_END.as_bytes())
        .map(|offset| start + offset)
        .or_else(|| find(&bytes[line..], INPUT_END.as_bytes()).map(|offset| line + offset))
        .unwrap_or(bytes.len())
}

// --- statements of SQL ------------------------------------------------------------------------------

const PLUGIN_MAX: usize = 64;

/// A word in any case, and the place of its rarest letter, which it is searched by.
struct Keyword {
    word: &'static [u8],
    rarest: usize,
}

const PASSWORD: Keyword = Keyword {
    word: b"password",
    rarest: 4,
};
const IDENTIFIED: Keyword = Keyword {
    word: b"identified",
    rarest: 6,
};

impl Keyword {
    /// Return where it ends that comes first from `at` on.
    fn find(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let letter = self.word[self.rarest];
        let rest = bytes.get(at + self.rarest..)?;
        memchr2_iter(letter, letter.to_ascii_uppercase(), rest).find_map(|offset| {
            let end = at + offset + self.word.len();
            let word = bytes.get(at + offset..end)?;
            word.eq_ignore_ascii_case(self.word).then_some(end)
        })
    }
}

/// Mask `PASSWORD 'x'` and `IDENTIFIED BY 'x'`.
pub(crate) fn mask_statements<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    if !memchr2_iter(b'\'', b'"', bytes).any(|at| at > 0 && bytes[at - 1] == b' ') {
        return Cow::Borrowed(text);
    }
    let masked = mask_behind(text, rules, &PASSWORD, |_, at| Some(at));
    then(masked, |text| {
        mask_behind(text, rules, &IDENTIFIED, behind_identified)
    })
}

/// Mask the quoted text behind each `keyword` and what `read` takes behind it.
fn mask_behind<'t>(
    text: &'t str,
    rules: &mut Rules<'_>,
    keyword: &Keyword,
    read: fn(&[u8], usize) -> Option<usize>,
) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(behind) = keyword.find(bytes, at) {
        at = behind;
        let Some(opening) = read(bytes, at).and_then(|end| opening_behind(bytes, end)) else {
            continue;
        };
        let start = opening.end;
        at = quoted_end(text, &opening);
        if start < at && ![MASKED, CUT].contains(&&text[start..at]) {
            rules.masked += 1;
            patches.replace(start, at, MASKED);
        }
    }
    patches.finish()
}

/// Return the quote that opens behind blanks, of which a space is the last one. One that closes what
/// stood before (`'your password ', 'x'`) opens nothing.
fn opening_behind(bytes: &[u8], at: usize) -> Option<Opening> {
    let start = skip(bytes, at, is_json_space);
    if start == at || bytes[start - 1] != b' ' {
        return None;
    }
    let quote = skip(bytes, start, |sign| sign == b'\\');
    let sign = *bytes.get(quote).filter(|&&sign| is_quote(sign))?;
    let more = skip(bytes, quote + 1, |sign| {
        matches!(sign, b',' | b';' | b':' | b')' | b']' | b'}')
    });
    if bytes
        .get(more)
        .is_none_or(|&sign| is_space(sign) || is_quote(sign))
    {
        return None;
    }
    Some(Opening {
        end: quote + 1,
        slashes: quote - start,
        quote: sign,
    })
}

/// Return where `WITH plugin BY PASSWORD` and its like end, of which `BY` or `AS` must be there.
fn behind_identified(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = blanks(bytes, at)?;
    if let Some(end) = word(bytes, at, "with") {
        at = blanks(bytes, behind_plugin(bytes, blanks(bytes, end)?)?)?;
    }
    let end = word(bytes, at, "by").or_else(|| word(bytes, at, "as"))?;
    let kind = blanks(bytes, end)
        .and_then(|next| word(bytes, next, "values").or_else(|| word(bytes, next, "password")));
    Some(kind.unwrap_or(end))
}

/// Return the end of a name with or without quotes.
fn behind_plugin(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = |at: usize| at + usize::from(bytes.get(at).is_some_and(|&sign| is_quote(sign)));
    let start = quote(at);
    let end = skip(bytes, start, |sign| sign.is_ascii_alphanumeric() || sign == b'_');
    (1..=PLUGIN_MAX).contains(&(end - start)).then(|| quote(end))
}

/// Return the end of one blank or more.
fn blanks(bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip(bytes, at, is_json_space);
    (end > at).then_some(end)
}

/// Return the end of a word that stands here in any case.
fn word(bytes: &[u8], at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    bytes
        .get(at..end)?
        .eq_ignore_ascii_case(word.as_bytes())
        .then_some(end)
}

#[cfg(test)]
mod tests {
    use super::{mask_inputs, mask_statements};
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    fn inputs(text: &str) -> String {
        mask_inputs(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    fn statements(text: &str) -> String {
        mask_statements(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    /// What a validator repeats is masked if the line before names a secret, by its whole or a part.
    #[test]
    fn inputs_are_masked_by_the_line_before() {
        for path in ["password", "items.0.cvv", "a\\ntoken.str", "\u{e9}\npin"] {
            for end in ["\n", "\\n"] {
                let text =
                    |value| format!("{path}{end}  Too short [type=x, input_value={value}, input_type=str]");
                assert_eq!(inputs(&text("'a, input_type=b'")), text("[MASKED]"));
                assert_eq!(inputs(&text("None")), text("None"));
            }
        }
        for text in [
            "name\n  Too short [type=x, input_value='x', input_type=str]",
            "password\nToo short [type=x, input_value='x', input_type=str]",
            "password\n  Too short [input_value='x', input_type=str]",
            "input_value='x'",
        ] {
            assert_eq!(inputs(text), text);
        }
        assert_eq!(
            inputs("pin\n [type=x, input_value='x\ny"),
            "pin\n [type=x, input_value=[MASKED]"
        );
    }

    /// A path counts characters, and one that is too long is none.
    #[test]
    fn long_paths_are_none() {
        for (size, is_masked) in [(252, true), (253, false)] {
            let text = format!("{}.pin\n [type=x, input_value='x", "\u{e9}".repeat(size));
            assert_eq!(inputs(&text) != text, is_masked, "{size}");
        }
    }

    /// Keywords of SQL announce a quoted text, and prose does not.
    #[test]
    fn statements_announce_a_secret() {
        for (text, masked) in [
            ("SET PASSWORD 'x y'", "SET PASSWORD '[MASKED]'"),
            ("password \n \\\"x\\\" 'a", "password \n \\\"[MASKED]\\\" 'a"),
            ("Identified BY 'x'", "Identified BY '[MASKED]'"),
            (
                "identified with 'a_1' as password \"x\"",
                "identified with 'a_1' as password \"[MASKED]\"",
            ),
            ("identified by values 'x", "identified by values '[MASKED]"),
            ("password\n'x'", "password\n'x'"),
            ("'your password ', 'x'", "'your password ', 'x'"),
            ("identified 'x'", "identified 'x'"),
        ] {
            assert_eq!(statements(text), masked, "{text}");
        }
    }
}
