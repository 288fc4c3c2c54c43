//! Secrets on a command line: `--password x`, `['--token', 'x']`, `curl -u user:password`.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::keys::SAFE;
use crate::marks::MASKED;
use crate::places::{is_gap, is_quote, is_start, skip, then, Patches};
use crate::rules::Rules;
use crate::values::{bare, opening, quoted_end};

const NAME_MAX: usize = 64;
const USER_MAX: usize = 64;

const USERS: [&str; 4] = ["-u", "-U", "--user", "--proxy-user"];

/// Options that take no secret behind them: a switch, or a place where the secret lies.
const SWITCHES: [&str; 4] = ["no", "ask", "without", "skip"];
const PLACES: [&str; 5] = ["stdin", "file", "prompt", "path", "env"];

/// What follows the name of an option in prose: `--password is required`.
const PROSE: [&str; 38] = [
    "a",
    "an",
    "and",
    "are",
    "argument",
    "be",
    "can",
    "cannot",
    "does",
    "expects",
    "flag",
    "for",
    "from",
    "has",
    "if",
    "in",
    "instead",
    "is",
    "must",
    "needs",
    "not",
    "of",
    "on",
    "option",
    "or",
    "parameter",
    "required",
    "requires",
    "should",
    "switch",
    "the",
    "then",
    "to",
    "was",
    "when",
    "will",
    "with",
    "",
];

/// Mask what follows an option that is named like a secret, and what `curl` logs in with.
pub(crate) fn mask_options<'t>(text: &'t str, rules: &mut Rules<'_>) -> Cow<'t, str> {
    let masked = mask_arguments(text, rules, next_named, is_argument);
    then(masked, |text| {
        if memmem::find(text.as_bytes(), b"curl").is_some() {
            mask_arguments(text, rules, next_user, is_login)
        } else {
            Cow::Borrowed(text)
        }
    })
}

/// An option: where it begins, its name if that decides, and where its argument begins.
struct Found<'t> {
    start: usize,
    name: Option<&'t str>,
    end: usize,
}

fn mask_arguments<'t>(
    text: &'t str,
    rules: &mut Rules<'_>,
    next: fn(&str, usize) -> Option<Found<'_>>,
    is_secret: fn(&str) -> bool,
) -> Cow<'t, str> {
    let mut patches = Patches::new(text);
    let (mut at, mut seen) = (0, 0);
    while let Some(option) = next(text, at) {
        at = option.end;
        let named = |name: &str| !is_switch(name) && rules.judge_name(name, false) != SAFE;
        if option.start < seen || !option.name.is_none_or(named) {
            continue;
        }
        let (start, end) = argument(text, option.end);
        seen = end; // looked at once, whatever is in it
        if &text[start..end] != MASKED && is_secret(&text[start..end]) {
            rules.masked += 1;
            patches.replace(start, end, MASKED);
        }
    }
    patches.finish()
}

/// Return the next `--name` with something behind it.
fn next_named(text: &str, mut at: usize) -> Option<Found<'_>> {
    let bytes = text.as_bytes();
    while let Some(start) = memmem::find(&bytes[at..], b"--").map(|offset| at + offset) {
        at = start + 1;
        let name = start + 2;
        let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'.' | b'-');
        if !begins(bytes, start) || !bytes.get(name).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        // No further than a name may reach: options may follow each other without any blank.
        let stop = skip(&bytes[..bytes.len().min(name + NAME_MAX)], name, is_sign);
        if let Some(end) = between(bytes, stop) {
            return Some(Found {
                start,
                name: Some(&text[name..stop]),
                end,
            });
        }
    }
    None
}

/// Return the next option that names a user.
fn next_user(text: &str, mut at: usize) -> Option<Found<'_>> {
    let bytes = text.as_bytes();
    while let Some(start) = memchr(b'-', &bytes[at..]).map(|offset| at + offset) {
        at = start + 1;
        let rest = &bytes[start..];
        let found = USERS.iter().find(|name| rest.starts_with(name.as_bytes()));
        let Some(stop) = found
            .filter(|_| begins(bytes, start))
            .map(|name| start + name.len())
        else {
            continue;
        };
        let end = if bytes.get(stop) == Some(&b'=') {
            Some(stop + 1)
        } else {
            between(bytes, stop)
        };
        if let Some(end) = end {
            return Some(Found {
                start,
                name: None,
                end,
            });
        }
    }
    None
}

/// Tell whether an option may begin here.
fn begins(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'-')
}

/// Return what a blank leads to, or the step from one item of a list to the next.
fn between(bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip(bytes, at, is_gap);
    if end > at {
        return Some(end);
    }
    let quote = skip(bytes, at, |sign| sign == b'\\');
    if !bytes.get(quote).is_some_and(|&sign| is_quote(sign)) || bytes.get(quote + 1) != Some(&b',') {
        return None;
    }
    let end = skip(bytes, quote + 2, is_gap);
    let prefix = usize::from(matches!(bytes.get(end), Some(b'b' | b'u')));
    let next = skip(bytes, end + prefix, |sign| sign == b'\\');
    bytes.get(next).is_some_and(|&sign| is_quote(sign)).then_some(end)
}

fn is_switch(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let begins = |word: &&str| {
        lower
            .strip_prefix(*word)
            .is_some_and(|rest| rest.starts_with(['_', '-']))
    };
    let ends = |word: &&str| {
        lower
            .strip_suffix(*word)
            .is_some_and(|rest| rest.ends_with(['_', '-']))
    };
    SWITCHES.iter().any(begins) || PLACES.iter().any(ends)
}

fn is_argument(word: &str) -> bool {
    !word.starts_with('-') && !PROSE.iter().any(|prose| word.eq_ignore_ascii_case(prose))
}

/// Tell whether it is a name and a password; `1000:1000` is a user by number.
fn is_login(word: &str) -> bool {
    let bytes = word.as_bytes();
    let Some(colon) = memchr(b':', bytes) else {
        return false;
    };
    let user = &bytes[..colon];
    let length = user.iter().filter(|&&sign| is_start(sign)).count();
    (1..=USER_MAX).contains(&length) && colon + 1 < bytes.len() && !user.iter().all(u8::is_ascii_digit)
}

fn argument(text: &str, at: usize) -> (usize, usize) {
    match opening(text, at) {
        Some(opening) => (opening.end, quoted_end(text, &opening)),
        None => (at, at + bare(text, at, false).len()),
    }
}

#[cfg(test)]
mod tests {
    use super::mask_options;
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};

    fn masked(text: &str) -> String {
        mask_options(text, &mut Rules::new(&Policy::default(), UNBOUNDED, 0)).into_owned()
    }

    /// What follows a secret's option is masked, also as the next item of a list; a switch has nothing.
    #[test]
    fn arguments_are_masked() {
        assert_eq!(
            masked("run --password x1 --user a"),
            "run --password [MASKED] --user a"
        );
        assert_eq!(masked("['--token', 'x1']"), "['--token', '[MASKED]']");
        assert_eq!(masked("--password-stdin x1"), "--password-stdin x1");
        assert_eq!(masked("--no-password x1"), "--no-password x1");
        assert_eq!(masked("--password is required"), "--password is required");
        assert_eq!(masked("a--password x1"), "a--password x1");
    }

    /// `curl` logs in with a name and a password; users by number are none.
    #[test]
    fn logins_are_masked() {
        assert_eq!(masked("curl -u anna:x1 h"), "curl -u [MASKED] h");
        assert_eq!(
            masked("curl --proxy-user='anna:x1'"),
            "curl --proxy-user='[MASKED]'"
        );
        assert_eq!(masked("curl -u 1000:1000"), "curl -u 1000:1000");
        assert_eq!(masked("wget -u anna:x1"), "wget -u anna:x1");
    }
}
