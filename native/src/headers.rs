//! Request and response headers: names in any case, secrets by name, URLs as URLs.

mod raw;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::fit::first_characters;
use crate::json::quoted;
use crate::keys::{Place, MASK, SAFE, WALK};
use crate::marks::MASKED;
use crate::object::Object;
use crate::places::is_blank;
use crate::rules::Rules;
use crate::spelling::lower;
use crate::tree::{self, Fields, Source, Value, View};
use crate::walk::{Form, Walker};

/// How many cookies are named.
pub const COOKIES_MAX: usize = 64;
/// Both far above what browsers accept; names are the client's to choose.
const COOKIE_NAME_LENGTH: usize = 128;

/// Header fields as they stood on the wire, in order; names in any case.
pub type RawHeaders<'a> = Vec<(&'a [u8], &'a [u8])>;

/// What a header is that is more than a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Cookie,
    SetCookie,
    Url,
    Link,
    Subprotocol,
}

fn special(name: &str) -> Option<Special> {
    Some(match name {
        "cookie" => Special::Cookie,
        "set-cookie" => Special::SetCookie,
        "referer" | "location" | "origin" | "content-location" => Special::Url,
        "link" => Special::Link,
        "sec-websocket-protocol" => Special::Subprotocol,
        _ => return None,
    })
}

/// Write raw headers masked, as JSON, and return the names of the cookies that were in them.
///
/// Names become lower case, repeated fields become lists.
///
/// # Errors
/// None that the source does not make; there is nothing from outside in raw headers.
pub fn mask_raw_headers<S: Source>(
    headers: RawHeaders<'_>,
    walker: &mut Walker<'_>,
) -> Result<Vec<String>, S::Error> {
    if let Some(cookies) = raw::mask_plain(&headers, walker) {
        return Ok(cookies);
    }
    let mut fields = Fields::<S>::default();
    for (name, text) in headers {
        let name = match decoded(name) {
            Cow::Borrowed(name) => lower(name),
            Cow::Owned(name) => Cow::Owned(lower(&name).into_owned()),
        };
        fields.add(name, Value::Text(decoded(text)));
    }
    mask_fields(fields, walker)
}

/// The same of what a user has: an object, or a list of pairs. Anything else is walked like any value.
///
/// # Errors
/// If a value cannot be read.
pub fn mask_headers<S: Source>(value: S, walker: &mut Walker<'_>) -> Result<Vec<String>, S::Error> {
    match fields_of(value.content()?)? {
        Some(fields) => mask_fields(fields, walker),
        None => walker.write(value, Place::Header).map(|()| Vec::new()),
    }
}

fn fields_of<S: Source>(value: S) -> Result<Option<Fields<'static, S>>, S::Error> {
    let mut fields = Fields::default();
    match value.form() {
        Form::Map => {
            for (name, content) in value.entries() {
                fields.set(name.key()?.into_owned(), decoded_value(content));
            }
        }
        Form::List => {
            // All are pairs, or none is one.
            let mut pairs = Vec::new();
            for item in value.items() {
                let item = item.content()?;
                if item.form() != Form::List || item.size() != 2 {
                    return Ok(None);
                }
                let mut halves = item.items();
                let (Some(name), Some(content)) = (halves.next(), halves.next()) else {
                    return Ok(None);
                };
                pairs.push((name.key()?.into_owned(), copied(decoded_value(content))));
            }
            for (name, content) in pairs {
                fields.add(Cow::Owned(name), content);
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(fields))
}

fn decoded_value<S: Source>(value: S) -> Value<'static, S> {
    match value.bytes().map(|bytes| decoded(bytes).into_owned()) {
        Some(text) => Value::Text(Cow::Owned(text)),
        None => Value::Source(value),
    }
}

/// Return a list as one of the tree, so that a field can be added to it; Python copies it as well.
fn copied<S: Source>(value: Value<'static, S>) -> Value<'static, S> {
    match value {
        Value::Source(list) if list.is_list() => Value::List(list.items().map(Value::Source).collect()),
        other => other,
    }
}

/// Decode bytes: headers are ASCII, mostly; what is no UTF-8 is Latin-1, which takes anything.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

fn mask_fields<S: Source>(
    mut fields: Fields<'_, S>,
    walker: &mut Walker<'_>,
) -> Result<Vec<String>, S::Error> {
    let mut cookies = BTreeSet::new();
    let mut others: Vec<String> = Vec::new();
    for (name, content) in fields.values_mut() {
        match special(&lower(name)) {
            None => {}
            Some(kind @ (Special::Cookie | Special::SetCookie)) => {
                cookies.extend(cookie_names(kind, content)?);
            }
            Some(_) if is_secret(name, walker) => {}
            Some(kind) => {
                let masked = mask_special(kind, content, walker)?;
                *content = Value::Written(masked);
                others.push(name.to_owned());
            }
        }
    }
    let start = walker.out.len();
    walker.write(View::Map(&fields), Place::Header)?;
    if walker.rules.full && !others.is_empty() {
        // The walk may have ended before one of them.
        let mut object = Object::parse(&walker.taken(start));
        for (name, content) in fields.iter() {
            if let (true, Value::Written(masked)) = (others.iter().any(|other| other == name), content) {
                object.set(name, masked.clone());
            }
        }
        walker.out.extend_from_slice(object.join().as_bytes());
    }
    Ok(cookies.into_iter().take(COOKIES_MAX).collect())
}

fn is_secret(name: &str, walker: &mut Walker<'_>) -> bool {
    let Walker { rules, verdicts, .. } = walker;
    verdicts.judge(name, Place::Header, rules) & (MASK | WALK) != SAFE
}

// --- headers that are more than a text ---

/// One line of a header: its text, if it is one.
type Line<'v, S> = (Option<Cow<'v, str>>, View<'v, S>);

/// Return the lines of a header, and whether they came as a list.
fn with_lines<S: Source, T>(
    value: &Value<'_, S>,
    read: impl FnOnce(&[Line<'_, S>], bool) -> Result<T, S::Error>,
) -> Result<T, S::Error> {
    let line = |value| Ok((text_in(value)?, View::Tree(value)));
    match value {
        Value::List(items) => read(&items.iter().map(line).collect::<Result<Vec<_>, _>>()?, true),
        Value::Source(list) if list.is_list() => {
            let items: Vec<_> = list.items().map(Value::Source).collect();
            read(&items.iter().map(line).collect::<Result<Vec<_>, _>>()?, true)
        }
        single => read(&[line(single)?], false),
    }
}

fn text_in<'v, S: Source>(value: &'v Value<'_, S>) -> Result<Option<Cow<'v, str>>, S::Error> {
    match value {
        Value::Text(text) => Ok(Some(Cow::Borrowed(text))),
        Value::Source(source) => tree::text_in(source),
        _ => Ok(None),
    }
}

fn mask_special<S: Source>(
    kind: Special,
    value: &Value<'_, S>,
    walker: &mut Walker<'_>,
) -> Result<String, S::Error> {
    with_lines(value, |lines, is_list| {
        let mut parts = Vec::with_capacity(lines.len());
        let mut seen = false;
        for (text, view) in lines {
            parts.push(match text {
                None => walker.walk(view, Place::Payload)?,
                Some(text) => quoted(&mask_line(kind, text, &mut seen, &mut walker.rules)),
            });
        }
        Ok(if is_list {
            format!("[{}]", parts.join(","))
        } else {
            parts.concat()
        })
    })
}

/// Mask one line of a header that is more than a text; `seen` tells whether `bearer` stood in one before.
fn mask_line<'t>(kind: Special, text: &'t str, seen: &mut bool, rules: &mut Rules<'_>) -> Cow<'t, str> {
    match kind {
        Special::Url => rules.url(text),
        Special::Link => Cow::Owned(mask_link(text, rules)),
        _ => Cow::Owned(mask_subprotocol(text, seen, rules)),
    }
}

/// Mask `<https://x?token=y>; rel="next"`: each target as a URL, then all of it as a text.
fn mask_link(text: &str, rules: &mut Rules<'_>) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut open = None;
    for at in memchr::memchr2_iter(b'<', b'>', bytes) {
        match (bytes[at], open) {
            (b'<', _) => open = Some(at + 1),
            (_, Some(start)) => {
                out.push_str(&text[done..start]);
                out.push_str(&rules.url(&text[start..at]));
                done = at;
                open = None;
            }
            _ => {}
        }
    }
    out.push_str(&text[done..]);
    rules.text(&out).into_owned()
}

/// Mask what follows `bearer`: browsers can send a token for a WebSocket nowhere else.
fn mask_subprotocol(line: &str, seen: &mut bool, rules: &mut Rules<'_>) -> String {
    // As it is written: a second pass sees only that.
    let line = if *seen {
        Cow::Borrowed(line)
    } else {
        rules.text(line)
    };
    let end = if *seen { Some(0) } else { behind_bearer(&line) };
    let Some(end) = end else { return line.into_owned() };
    let (shown, secret) = line.split_at(end);
    rules.masked += u64::from(!matches!(secret, "" | MASKED));
    *seen = true;
    let mask = if secret.is_empty() { "" } else { MASKED };
    format!("{shown}{mask}")
}

/// Return where the signs behind the word `bearer` end.
fn behind_bearer(line: &str) -> Option<usize> {
    const WORD: &[u8] = b"bearer";
    let bytes = line.as_bytes();
    let is_word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let end = bytes.windows(WORD.len()).enumerate().find_map(|(at, word)| {
        let stands_alone = !is_word(at + WORD.len()) && (at == 0 || !is_word(at - 1));
        (stands_alone && word.eq_ignore_ascii_case(WORD)).then_some(at + WORD.len())
    })?;
    let signs = line[end..].find(|sign: char| sign.is_ascii_alphanumeric() || sign == '[');
    Some(signs.map_or(line.len(), |signs| end + signs))
}

// --- cookies ---

/// Return the names in `cookie` or `set-cookie`; a cookie without a name is all value.
fn cookie_names<S: Source>(kind: Special, value: &Value<'_, S>) -> Result<Vec<String>, S::Error> {
    with_lines(value, |lines, _| {
        let mut names = BTreeSet::new();
        for line in lines.iter().filter_map(|(text, _)| text.as_deref()) {
            names.extend(names_in(kind, line).map(ToOwned::to_owned));
        }
        let shown = names.iter().filter(|name| !name.is_empty());
        let shown = shown.map(|name| first_characters(name, COOKIE_NAME_LENGTH).to_owned());
        Ok(shown.take(COOKIES_MAX).collect())
    })
}

/// Return the names in one line.
fn names_in(kind: Special, line: &str) -> impl Iterator<Item = &str> {
    let most = if kind == Special::Cookie { usize::MAX } else { 1 };
    line.split(';').take(most).filter_map(|cookie| {
        let (name, content) = cookie.split_once('=').unwrap_or((cookie, ""));
        // `c2VjcmV0==` is a value with its padding, and no name.
        let content = content.trim_matches(|sign| sign == '=' || is_blank(sign));
        (!content.is_empty()).then(|| name.trim_matches(is_blank))
    })
}

#[cfg(test)]
mod tests {
    use super::{behind_bearer, mask_link, mask_raw_headers, mask_subprotocol};
    use crate::policy::Policy;
    use crate::rules::{Rules, UNBOUNDED};
    use crate::tree::Nothing;
    use crate::walk::Walker;

    /// Cookies are masked whole and named, URLs lose what is secret in them, all else goes by its name.
    #[test]
    fn raw_headers_are_masked() {
        let policy = Policy::default();
        let mut walker = Walker::new(&policy, UNBOUNDED);
        let headers: super::RawHeaders<'_> = vec![
            (b"Cookie", b"b=1; a=2; =3; x"),
            (b"Referer", b"https://h/?token=y"),
            (b"X-Api-Key", b"abc"),
            (b"Accept", b"\xe9"),
            (b"accept", b"b"),
        ];
        let Ok(cookies) = mask_raw_headers::<Nothing>(headers, &mut walker);
        let masked = walker.taken(0);
        let expected = "{\"cookie\":\"[MASKED]\",\"referer\":\"https://h/?token=[MASKED]\",\
                        \"x-api-key\":\"[MASKED]\",\"accept\":[\"é\",\"b\"]}";
        assert_eq!(masked, expected);
        assert_eq!(cookies, ["a", "b"]);
        assert_eq!(walker.rules.masked, 3);
    }

    /// The target of a link ends where it closes; a second opening begins it anew.
    #[test]
    fn links_are_masked_within() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        let link = mask_link("<a<b?pin=1>; rel=x> <c", &mut rules);
        assert_eq!(link, "<a<b?pin=[MASKED]>; rel=x> <c");
    }

    /// All that follows `bearer` is the token, in the next lines too.
    #[test]
    fn subprotocols_hold_tokens() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        let mut seen = false;
        let mut masked = |line: &str| mask_subprotocol(line, &mut seen, &mut rules);
        assert_eq!(masked("chat"), "chat");
        assert_eq!(masked("v1, Bearer, abc"), "v1, Bearer, [MASKED]");
        assert_eq!(masked("def"), "[MASKED]");
        assert_eq!(rules.masked, 2);
        assert_eq!(behind_bearer("xbearer bearer1 é _BEARER. é a"), Some(31));
    }
}
