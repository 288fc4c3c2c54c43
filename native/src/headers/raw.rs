//! Headers as nearly all come: every name once, in small letters. They are written at once; what is
//! otherwise goes the long way of `mask_fields`, and becomes the same.

use super::{decoded, mask_line, names_in, special, RawHeaders, Special, COOKIES_MAX, COOKIE_NAME_LENGTH};
use crate::fit::first_characters;
use crate::json::{append_short, quote_into};
use crate::keys::{Place, Verdict, CHANGED, INPUT, MASK, SAFE, VALUE, WALK};
use crate::walk::Walker;

/// More of them are looked at one by one.
const MANY: usize = 48;
/// What is written around a name and a text, at most, and what the walk charges for a field.
const AROUND: usize = 8;

/// Write the headers, masked, and return the names of their cookies; None, and nothing is written, if they
/// are not plain.
pub(super) fn mask_plain(headers: &RawHeaders<'_>, walker: &mut Walker<'_>) -> Option<Vec<String>> {
    let verdicts = verdicts_of(headers, walker)?;
    let mut cookies = Vec::new();
    walker.out.push(b'{');
    for (at, (&(_, raw), (name, verdict))) in headers.iter().zip(verdicts).enumerate() {
        if at > 0 {
            walker.out.push(b',');
        }
        walker.out.push(b'"');
        append_short(&mut walker.out, name.as_bytes());
        walker.out.extend_from_slice(b"\":");
        let kind = special(name);
        if let Some(kind @ (Special::Cookie | Special::SetCookie)) = kind {
            add_names(kind, &decoded(raw), &mut cookies);
        }
        match kind {
            _ if verdict & (MASK | WALK) != SAFE => walker.write_secret(&decoded(raw)),
            Some(kind @ (Special::Url | Special::Link | Special::Subprotocol)) => {
                let text = decoded(raw);
                let masked = walker.knowing(|rules| mask_line(kind, &text, &mut false, rules));
                quote_into(&mut walker.out, &masked);
            }
            _ => walker.write_raw(raw, decoded),
        }
    }
    walker.out.push(b'}');
    cookies.sort_unstable();
    cookies.dedup();
    cookies.truncate(COOKIES_MAX);
    Some(cookies)
}

/// Return the names and the verdicts on them, if all of them are plain, no two are one, and no bound is near.
fn verdicts_of<'a>(headers: &RawHeaders<'a>, walker: &mut Walker<'_>) -> Option<[(&'a str, Verdict); MANY]> {
    // A target of a link is charged twice.
    let sizes = headers
        .iter()
        .map(|(name, raw)| name.len() + 2 * raw.len() + AROUND);
    if headers.len() > MANY || i64::try_from(sizes.sum::<usize>()).ok()? >= walker.rules.left {
        return None;
    }
    let Walker { rules, verdicts, .. } = walker;
    let mut found = [("", SAFE); MANY];
    let mut marks = [0; MANY];
    for (at, (name, _)) in headers.iter().enumerate() {
        let is_sign = |sign: &u8| matches!(sign, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !name.iter().all(is_sign) {
            return None;
        }
        let mark = mark_of(name);
        if marks[..at].contains(&mark) {
            return None; // twice the same name, most likely
        }
        marks[at] = mark;
        let name = std::str::from_utf8(name).ok()?;
        let verdict = verdicts.judge(name, Place::Header, rules);
        if verdict & (CHANGED | VALUE | INPUT) != SAFE {
            return None;
        }
        found[at] = (name, verdict);
    }
    Some(found)
}

/// Return what equal names share, and hardly any two others.
fn mark_of(name: &[u8]) -> u64 {
    let word = |bytes: Option<&[u8; 8]>| {
        bytes.map_or_else(
            || name.iter().fold(0, |word, &sign| word << 8 | u64::from(sign)),
            |bytes| u64::from_le_bytes(*bytes),
        )
    };
    let (first, last) = (word(name.first_chunk()), word(name.last_chunk()));
    (first.rotate_left(23) ^ last.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(name.len() as u64)
}

fn add_names(kind: Special, line: &str, cookies: &mut Vec<String>) {
    let mut names: Vec<_> = names_in(kind, line).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let shown = names.into_iter().take(COOKIES_MAX);
    cookies.extend(shown.map(|name| first_characters(name, COOKIE_NAME_LENGTH).to_owned()));
}
