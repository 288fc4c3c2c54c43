//! Secrets in URLs: userinfo, and the parameters of path, query and fragment.
//!
//! What is not masked stays byte for byte, order and percent-encoding included.

use std::borrow::Cow;

use memchr::memmem::find;
use memchr::{memchr, memchr2, memrchr};

use crate::marks::MASKED;
use crate::places::{is_quote, is_space, is_start, run, skip, then, Patches};
use crate::rules::Parameters;

mod hooks;

/// Nothing is recognisable by its shape in four characters.
const SHORTEST_SECRET: usize = 5;
const SCHEME_MAX: usize = 32;
const RELATIVE_USER_MAX: usize = 64;
const RELATIVE_PASSWORD_MAX: usize = 256;

/// Decode `%41` and `+`; what is no UTF-8 becomes U+FFFD.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr2(b'%', b'+', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex_at(bytes, at + 1)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(match String::from_utf8(decoded) {
        Ok(decoded) => decoded,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Return the byte that two hex digits at `at` write.
pub(crate) fn hex_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|&sign| char::from(sign).to_digit(16));
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

/// Percent-encode what a mask was put into, so that it stays one parameter.
fn quote(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~[]/:,@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Mask the parameters and the userinfo of one URL, absolute or relative.
pub(crate) fn mask_url_parts<'t>(url: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let masked = mask_userinfo(url, rules);
    then(masked, |url| {
        let cut = memchr2(b'?', b'#', url.as_bytes()).unwrap_or(url.len());
        let mut patches = Patches::new(url);
        let path = then(hooks::mask_hook(&url[..cut], rules), |path| {
            mask_path(path, rules)
        });
        if let Cow::Owned(path) = path {
            patches.replace(0, cut, &path);
        }
        if cut < url.len() {
            mask_tail(url, cut + 1, rules, &mut patches);
        }
        patches.finish()
    })
}

/// Mask the parameters of a path's segments: `/cart;jsessionid=...`.
fn mask_path<'t>(path: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    if memchr(b';', path.as_bytes()).is_none() {
        return Cow::Borrowed(path);
    }
    let mut patches = Patches::new(path);
    let mut start = 0;
    for segment in path.split('/') {
        if let Some(semicolon) = memchr(b';', segment.as_bytes()) {
            mask_parameter(
                path,
                start + semicolon + 1,
                start + segment.len(),
                rules,
                &mut patches,
            );
        }
        start += segment.len() + 1;
    }
    patches.finish()
}

/// Mask what follows the first `?` or `#`: query, fragment, or a fragment alone.
fn mask_tail(url: &str, start: usize, rules: &mut Parameters<'_, '_>, patches: &mut Patches<'_>) {
    let hash_mark = memchr(b'#', &url.as_bytes()[start..]).map_or(url.len(), |offset| start + offset);
    mask_each(url, start, hash_mark, rules, patches);
    if hash_mark < url.len() {
        mask_each(url, hash_mark + 1, url.len(), rules, patches);
    }
}

/// Mask `a=1&b=2`. The value of a secret parameter is masked up to the next `&`.
#[must_use]
pub fn mask_parameters<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let mut patches = Patches::new(text);
    mask_each(text, 0, text.len(), rules, &mut patches);
    patches.finish()
}

fn mask_each(
    text: &str,
    start: usize,
    end: usize,
    rules: &mut Parameters<'_, '_>,
    patches: &mut Patches<'_>,
) {
    let mut at = start;
    for part in text[start..end].split('&') {
        mask_parameter(text, at, at + part.len(), rules, patches);
        at += part.len() + 1;
    }
}

/// Mask one parameter, or several joined by `;` or `?` (old separators; a query inside a fragment or
/// inside a value): after a secret one, everything is its value.
fn mask_parameter(
    text: &str,
    start: usize,
    end: usize,
    rules: &mut Parameters<'_, '_>,
    patches: &mut Patches<'_>,
) {
    let mut at = start;
    for piece in text[start..end].split([';', '?']) {
        let stop = at + piece.len();
        let Some(equals) = memchr(b'=', piece.as_bytes()).map(|offset| at + offset) else {
            mask_encoded_at(text, at, stop, rules, patches);
            at = stop + 1;
            continue;
        };
        let is_secret = rules.is_secret(&unquote(&text[at..equals]));
        let value = &text[equals + 1..end];
        let masks = is_secret && !value.is_empty() && value != MASKED;
        if masks {
            rules.add(1);
        }
        mask_encoded_at(text, at, equals, rules, patches);
        if masks {
            patches.replace(equals + 1, end, MASKED);
        }
        if is_secret {
            return;
        }
        mask_encoded_at(text, equals + 1, stop, rules, patches);
        at = stop + 1;
    }
}

fn mask_encoded_at(
    text: &str,
    start: usize,
    end: usize,
    rules: &mut Parameters<'_, '_>,
    patches: &mut Patches<'_>,
) {
    if let Cow::Owned(masked) = mask_encoded(&text[start..end], rules) {
        patches.replace(start, end, &masked);
    }
}

/// Mask a name or value as the text that it encodes; write it anew only if that changed it.
fn mask_encoded<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    if text
        .bytes()
        .filter(|&sign| is_start(sign))
        .take(SHORTEST_SECRET)
        .count()
        < SHORTEST_SECRET
    {
        return Cow::Borrowed(text);
    }
    let decoded = unquote(text);
    let masked = rules.mask_text(&decoded);
    if masked == decoded {
        return Cow::Borrowed(text);
    }
    Cow::Owned(if decoded == text {
        masked.into_owned()
    } else {
        quote(&masked)
    })
}

/// Mask all before the `@` of each authority, also where a password holds an unencoded `/`.
fn mask_userinfo<'t>(url: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let bytes = url.as_bytes();
    let Some(last) = memrchr(b'@', bytes) else {
        return Cow::Borrowed(url);
    };
    let mut patches = Patches::new(url);
    let mut next = if url.starts_with("//") {
        Some(2)
    } else {
        authority(bytes, 0)
    };
    while let Some(start) = next.filter(|&start| start <= last) {
        let mut end = skip(bytes, start, |sign| !matches!(sign, b'/' | b'?' | b'#' | b'\\'));
        let mut at = memrchr(b'@', &bytes[start..end]).map(|offset| start + offset);
        if at.is_none() && end < last && !is_host_and_port(&bytes[start..end]) {
            at = Some(last); // `user:pa` is no host with a port, so the slash belongs to the password
        }
        if let Some(at) = at.filter(|&at| at > start) {
            if &url[start..at] != MASKED {
                rules.add(1);
                patches.replace(start, at, MASKED);
            }
            end = at;
        }
        next = authority(bytes, end);
    }
    patches.finish()
}

/// Return where the next authority begins.
fn authority(bytes: &[u8], at: usize) -> Option<usize> {
    find(&bytes[at..], b"://").map(|offset| at + offset + 3)
}

fn is_host_and_port(text: &[u8]) -> bool {
    let is_port = |rest: &[u8]| match rest {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let literal = text
        .first()
        .filter(|&&sign| sign == b'[')
        .and_then(|_| memchr(b']', text));
    literal.is_some_and(|closing| is_port(&text[closing + 1..]))
        || memchr(b':', text).is_none_or(|colon| is_port(&text[colon..]))
}

/// Mask each URL with a scheme that stands somewhere in `text`, and userinfo behind a bare `//`.
pub(crate) fn mask_urls_in<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let masked = mask_relative(text, rules);
    then(masked, |text| mask_absolute(text, rules))
}

/// Mask `//user:password@host`, where a URL may begin: what a path holds has a sign before it.
fn mask_relative<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    if memchr(b'@', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let mut at = 0;
    while let Some(offset) = find(&bytes[at..], b"//") {
        let start = at + offset;
        at = start + 1;
        let begins = start == 0 || b" \t\r\n\"'(=,<>[{".contains(&bytes[start - 1]);
        if let Some(end) = begins.then(|| relative_userinfo(text, start + 2)).flatten() {
            rules.add(1);
            patches.replace(start + 2, end, MASKED);
            at = end;
        }
    }
    patches.finish()
}

/// Return where `user:password` ends, if it stands at `at` with a host behind it.
fn relative_userinfo(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_end = |sign: u8| is_quote(sign) || b" \t\r\n/?#@<>".contains(&sign);
    let colon = run(text, at, RELATIVE_USER_MAX, |sign| sign == b':' || is_end(sign))?;
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    let end = run(text, colon + 1, RELATIVE_PASSWORD_MAX, is_end)?;
    let host = bytes
        .get(end + 1)
        .is_some_and(|&sign| sign.is_ascii_alphanumeric() || sign == b'[');
    (host && bytes[end] == b'@').then_some(end)
}

fn mask_absolute<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut at = 0;
    while let Some(offset) = find(&bytes[at..], b"://") {
        let colon = at + offset;
        let floor = patches.done().max(colon.saturating_sub(SCHEME_MAX));
        let is_scheme = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'+' | b'.' | b'-');
        let length = bytes[floor..colon]
            .iter()
            .rev()
            .take_while(|&&sign| is_scheme(sign))
            .count();
        let start = colon - length;
        let end = behind_password(bytes, colon + 3, url_end(bytes, colon + 3));
        let url = text[start..end].trim_end_matches([')', '.', ',', ';', ':', '!', '?']); // of the sentence
        let masked = mask_url_parts(url, rules);
        if masked != url {
            patches.replace(start, start + url.len(), &masked);
        }
        at = end;
    }
    patches.finish()
}

/// Return where a URL ends whose authority begins at `start` and that seems to end at `end`.
///
/// After `user:notaport`, a sign that no URL holds may belong to the password: it goes on behind the `@`.
fn behind_password(bytes: &[u8], start: usize, end: usize) -> usize {
    let authority = &bytes[start..end];
    let Some(colon) = memchr(b':', authority) else {
        return end;
    };
    if authority.iter().any(|sign| b"/?#\\@".contains(sign)) {
        return end;
    }
    // A password may begin with one of these; a quote closes what holds the URL.
    let may_go_on = colon + 1 == authority.len() && matches!(bytes.get(end), Some(b'{' | b'|' | b'^' | b'<'));
    if is_host_and_port(authority) && !may_go_on {
        return end;
    }
    let rest = skip(bytes, end, |sign| {
        !(is_space(sign) || matches!(sign, b'"' | b'/'))
    });
    memrchr(b'@', &bytes[end..rest]).map_or(end, |offset| url_end(bytes, end + offset))
}

fn url_end(bytes: &[u8], at: usize) -> usize {
    skip(bytes, at, |sign| !ends_url(sign))
}

fn ends_url(sign: u8) -> bool {
    is_space(sign) || is_quote(sign) || matches!(sign, b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^')
}

/// Mask each percent-encoded run in `text` as the text that it encodes: `token%3Dabc`.
pub(crate) fn mask_escapes_in<'t>(text: &'t str, rules: &mut Parameters<'_, '_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut patches = Patches::new(text);
    let mut seen = 0;
    while let Some(offset) = memchr(b'%', &bytes[seen..]) {
        let at = seen + offset;
        let length = bytes[seen..at]
            .iter()
            .rev()
            .take_while(|&&sign| is_escaped(sign))
            .count();
        seen = skip(bytes, at, is_escaped);
        mask_encoded_at(text, at - length, seen, rules, &mut patches);
    }
    patches.finish()
}

fn is_escaped(sign: u8) -> bool {
    sign.is_ascii_alphanumeric() || b"%*+-._~!".contains(&sign)
}

#[cfg(test)]
mod tests;
