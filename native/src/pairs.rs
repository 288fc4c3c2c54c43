//! Secrets whose name stands beside them: `('password', 'x')`, `{"name": "password", "value": "x"}`.

use std::borrow::Cow;

use memchr::memmem::find;
use memchr::{memchr, memchr2, memrchr2};

use crate::keys::{is_title, role, Verdict, MASK, NAME, SAFE, TITLE, VALUE};
use crate::marks::MASKED;
use crate::places::{after, before, is_blank, is_json_space, is_quote, is_space, run, skip, Patches};
use crate::rules::Rules;
use crate::values::{call_bracket, find_value, Name};

const NAME_MAX: usize = 128;
/// Blanks between the items of a printed list, in characters.
const INDENT_MAX: usize = 64;
/// How far from the name its object may begin and end, in characters: entries of this form are short.
const SPAN: usize = 1024;
/// Objects within it that are passed over on either side.
const NESTED_MAX: usize = 8;

/// Mask `('password', 'x')` and `(b'x-api-key', b'x')`, as tuples of pairs are printed.
pub(crate) fn mask_pairs<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    mask_halves(text, rules, b'(')
}

/// Mask `[["password", "x"]]`: a pair within a list. A list alone may be one of names.
pub(crate) fn mask_lists<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    mask_halves(text, rules, b'[')
}

fn mask_halves<'t>(text: &'t str, rules: &mut Rules<'_>, bracket: u8) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(offset) = memchr(bracket, &bytes[at..]) {
        let start = at + offset;
        at = start + 1;
        let is_list = bracket == b'[';
        let name = if is_list {
            skip(bytes, at, is_json_space)
        } else {
            at
        };
        let Some((name, half)) = pair_at(text, name) else {
            continue;
        };
        at = half;
        if start < patches.done() || (is_list && !is_listed(text, start)) {
            continue;
        }
        let verdict = rules.judge_name(name, false);
        if verdict == SAFE {
            continue;
        }
        if let Some((start, end)) = second_half(text, half, verdict) {
            rules.masked += 1;
            patches.replace(start, end, MASKED);
        }
    }
    patches.finish()
}

/// Return the name of a pair that stands at `at`, and where its other half begins: a text, a container,
/// a number or the call of a class.
fn pair_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let quote_at = at + usize::from(bytes.get(at) == Some(&b'b'));
    let quote = *bytes.get(quote_at).filter(|&&sign| is_quote(sign))?;
    let start = quote_at + 1;
    let end = run(text, start, NAME_MAX, |sign| {
        is_quote(sign) || sign == b'\\' || is_space(sign)
    })?;
    if bytes.get(end) != Some(&quote) {
        return None;
    }
    let comma = skip(bytes, end + 1, is_json_space);
    if bytes.get(comma) != Some(&b',') {
        return None;
    }
    let half = skip(bytes, comma + 1, is_json_space);
    let begins = match bytes.get(half..)? {
        [b'b', b'"' | b'\'', ..] | [b'"' | b'\'' | b'[' | b'(' | b'{', ..] => true,
        rest => is_number(rest) || call_bracket(bytes, half).is_some(),
    };
    begins.then_some((&text[start..end], half))
}

/// Tell whether the list that begins at `at` is an item of another one.
fn is_listed(text: &str, at: usize) -> bool {
    let floor = before(text, 0, at, INDENT_MAX);
    text[floor..at].trim_end_matches(is_blank).ends_with(['[', ','])
}

fn second_half(text: &str, at: usize, verdict: Verdict) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    if is_number(&bytes[at..]) {
        let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'.' | b'+' | b'-');
        return Some((at, skip(bytes, at, is_sign)));
    }
    place_at(text, at, false, verdict)
}

/// Tell whether `-?[0-9]` stands here.
fn is_number(bytes: &[u8]) -> bool {
    matches!(bytes, [b'-', b'0'..=b'9', ..] | [b'0'..=b'9', ..])
}

/// A field of an object that tells what its sibling `value` is.
struct Named<'t> {
    start: usize,
    end: usize,
    key: &'t str,
    name: &'t str,
}

/// Mask `{"name": "password", "value": "x"}` within a longer text, in either order.
pub(crate) fn mask_named<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let may_hold = || {
        ["al", "AL", "efault"]
            .iter()
            .any(|part| find(bytes, part.as_bytes()).is_some())
    };
    if memchr(b'{', bytes).is_none() || !may_hold() {
        return Cow::Borrowed(text); // no object, or no `value`, `val` or `default`
    }
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(named) = next_named(text, at) {
        at = named.end;
        if named.start < patches.done() {
            continue;
        }
        let verdict = judge(role(named.key), named.name, rules);
        if verdict == SAFE {
            continue;
        }
        let (start, end) = object_around(text, named.start);
        // What stands before a value that is masked now is left to the next round.
        for (at, colon) in values_in(text, start.max(patches.done()), end) {
            if at < patches.done() {
                continue;
            }
            if let Some((start, end)) = place_at(text, at, colon, verdict) {
                rules.masked += 1;
                patches.replace(start, end, MASKED);
            }
        }
    }
    patches.finish()
}

/// Mask each `value` in the objects that are open at the end of a text that was cut: their names may
/// have been cut off.
pub(crate) fn mask_open_object<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let mut places = Vec::new();
    let mut at = text.len();
    for _ in 0..NESTED_MAX {
        let (start, _) = object_around(text, at);
        if start >= at {
            break;
        }
        let values = values_in(text, start, at);
        places.extend(
            values
                .into_iter()
                .filter_map(|(at, colon)| place_at(text, at, colon, MASK)),
        );
        at = start;
    }
    places.sort_unstable();
    let mut patches = Patches::new(text);
    for (start, end) in places {
        if start >= patches.done() {
            rules.masked += 1;
            patches.replace(start, end, MASKED);
        }
    }
    patches.finish()
}

/// Return the place of what a `value` key holds that ends at `at`, unless it is masked.
fn place_at(text: &str, at: usize, colon: bool, verdict: Verdict) -> Option<(usize, usize)> {
    let name = Name {
        text: "value",
        quoted: true,
        query: false,
        outer_quote: None,
        before: "",
    };
    find_value(text, at, &name, verdict, colon).filter(|&(start, end)| &text[start..end] != MASKED)
}

fn judge(kind: Verdict, name: &str, rules: &Rules<'_>) -> Verdict {
    match kind {
        NAME => rules.judge_name(name, false),
        TITLE if is_title(name) => rules.judge_name(name, false) & MASK,
        _ => SAFE,
    }
}

/// Return the next `"name": "..."` from `at` on, whatever the two words are.
fn next_named(text: &str, mut at: usize) -> Option<Named<'_>> {
    while let Some(offset) = memchr2(b'"', b'\'', &text.as_bytes()[at..]) {
        let start = at + offset;
        if let Some(named) = named_at(text, start) {
            return Some(named);
        }
        at = start + 1;
    }
    None
}

fn named_at(text: &str, start: usize) -> Option<Named<'_>> {
    let bytes = text.as_bytes();
    let (key, operator) = key_at(text, start, 2)?;
    let (_, end) = operator_at(bytes, operator)?;
    let at = skip(bytes, end, is_json_space);
    let at = at + usize::from(matches!(bytes.get(at), Some(b'b' | b'u')));
    let begin = closing_quote(bytes, at)?;
    let is_end = |sign| is_quote(sign) || matches!(sign, b'\\' | b'\r' | b'\n');
    let stop = run(text, begin, NAME_MAX, is_end)?;
    let end = closing_quote(bytes, stop)?;
    Some(Named {
        start,
        end,
        key,
        name: &text[begin..stop],
    })
}

/// Return the quoted word at `start`, of `least` to eight letters, and where the sign behind it may stand.
fn key_at(text: &str, start: usize, least: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let stop = skip(bytes, start + 1, |sign| {
        sign.is_ascii_alphabetic() || sign == b'_'
    });
    if !(least..=8).contains(&(stop - start - 1)) {
        return None;
    }
    Some((
        &text[start + 1..stop],
        skip(bytes, closing_quote(bytes, stop)?, is_json_space),
    ))
}

/// Return the end of a quote, with any backslashes before it.
fn closing_quote(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = skip(bytes, at, |sign| sign == b'\\');
    bytes
        .get(quote)
        .is_some_and(|&sign| is_quote(sign))
        .then_some(quote + 1)
}

/// Return whether a colon stands here, and where `:`, `=` or `=>` ends.
fn operator_at(bytes: &[u8], at: usize) -> Option<(bool, usize)> {
    match bytes.get(at..)? {
        [b':', ..] => Some((true, at + 1)),
        [b'=', b'>', ..] => Some((false, at + 2)),
        [b'=', ..] => Some((false, at + 1)),
        _ => None,
    }
}

/// Return where the `value` keys of an object end, and whether a colon stands there.
fn values_in(text: &str, start: usize, end: usize) -> Vec<(usize, bool)> {
    let mut values = Vec::new();
    let Some(text) = text.get(..end) else {
        return values;
    };
    let mut at = start;
    while let Some(offset) = text
        .as_bytes()
        .get(at..)
        .and_then(|rest| memchr2(b'"', b'\'', rest))
    {
        let quote = at + offset;
        at = quote + 1;
        let Some((key, operator)) = key_at(text, quote, 3) else {
            continue;
        };
        let Some((colon, stop)) = operator_at(text.as_bytes(), operator) else {
            continue;
        };
        at = stop;
        if role(key) == VALUE {
            values.push((stop, colon));
        }
    }
    values
}

/// Return the place between the braces around `at`, or an empty one; an object may end with the text.
fn object_around(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let floor = before(text, 0, at, SPAN);
    let (mut start, mut depth) = (at, 0_i32);
    for _ in 0..NESTED_MAX {
        let Some(offset) = memrchr2(b'{', b'}', &bytes[floor..start]) else {
            return (at, at);
        };
        start = floor + offset;
        depth += if bytes[start] == b'}' { 1 } else { -1 };
        if depth < 0 {
            break;
        }
    }
    let end = after(text, at, SPAN);
    let mut depth = 0_i32;
    let mut place = at;
    while let Some(offset) = memchr2(b'{', b'}', &bytes[place..end]) {
        let brace = place + offset;
        depth += if bytes[brace] == b'{' { 1 } else { -1 };
        if depth < 0 {
            return (start, brace);
        }
        place = brace + 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::{mask_lists, mask_named, mask_open_object, mask_pairs};
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    fn pairs(text: &str) -> String {
        mask_pairs(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    fn named(text: &str) -> String {
        mask_named(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    /// The second half of a pair is masked if the first one names a secret.
    #[test]
    fn pairs_are_masked_by_their_first_half() {
        assert_eq!(
            pairs("[('password', 'x'), ('a', 'b')]"),
            "[('password', '[MASKED]'), ('a', 'b')]"
        );
        assert_eq!(pairs("(b'x-api-key',b\"x\")"), "(b'x-api-key',b\"[MASKED]\")");
        assert_eq!(pairs("('pass word', 'x')"), "('pass word', 'x')");
        assert_eq!(pairs("('pin' ,\n -12e+3, 1)"), "('pin' ,\n [MASKED], 1)");
        assert_eq!(pairs("('pin', SecretStr('x'))"), "('pin', [MASKED])");
        assert_eq!(pairs("('pin', x)"), "('pin', x)");
    }

    /// A list of two is a pair within another list, and else it may be one of names.
    #[test]
    fn lists_are_pairs_within_a_list() {
        let lists = |text| mask_lists(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned();
        assert_eq!(
            lists("[[1], [ \"password\", \"x\"]]"),
            "[[1], [ \"password\", \"[MASKED]\"]]"
        );
        assert_eq!(lists("a['password', 'x']"), "a['password', 'x']");
        let far = format!("[{}['pin', 1]]", " ".repeat(64));
        assert_eq!(lists(&far), far);
    }

    /// A `value` is masked by the `name` in its object, in either order, and no value of another object.
    #[test]
    fn values_are_masked_by_their_sibling() {
        assert_eq!(
            named("x {\"name\": \"password\", \"value\": \"x\"} {\"value\": 1}"),
            "x {\"name\": \"password\", \"value\": \"[MASKED]\"} {\"value\": 1}"
        );
        assert_eq!(
            named("{'default' => 'x', 'key' => 'password'}"),
            "{'default' => '[MASKED]', 'key' => 'password'}"
        );
        assert_eq!(
            named("{} \"name\": \"password\", \"value\": 1"),
            "{} \"name\": \"password\", \"value\": 1"
        );
    }

    /// Where a text was cut, the name of what an open object holds may be gone.
    #[test]
    fn open_objects_are_masked() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        let masked = mask_open_object("{\"value\": 1} {\"value\": \"x\", [{'val': 2, ", &mut rules);
        assert_eq!(
            masked,
            "{\"value\": 1} {\"value\": \"[MASKED]\", [{'val': [MASKED], "
        );
        assert_eq!(rules.masked, 2);
    }
}
