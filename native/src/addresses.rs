//! IP addresses of both versions, the largest of the classes of personal data (`personal`).
//!
//! The twin of `_addresses.py`.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

use crate::personal::{after_escape, begins, mask_each, mask_in_turn, pattern, run, Span};

const QUAD_MAX: usize = 15;
// 8 groups of 5, a word before them, a port behind: longer runs are fingerprints.
const COLONS_MAX: usize = 64;
const PORT_LENGTH: usize = 6;
const ZONE_MAX: usize = 31; // characters behind the first letter
const LOOPBACK: &str = "::1";

static QUAD_WITHIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"));
// Eight hex digits may be an escape (`\u003c`) and a group; six or more as the second group are none.
static COLONS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[0-9A-Fa-f]{0,8}:[0-9A-Fa-f]{0,5}:[0-9A-Fa-f:]*"));

/// Mask IP addresses of both versions, loopback too.
///
/// A version, section number or OID of just four small numbers cannot be told from IPv4, and names
/// like `a::b2` cannot from IPv6.
#[must_use]
pub fn mask_ip_addresses(text: &str) -> (Cow<'_, str>, u64) {
    mask_in_turn(text, mask_ipv6, mask_ipv4)
}

fn mask_ipv6(text: &str) -> (Cow<'_, str>, u64) {
    let search = |text: &str, from| {
        COLONS
            .find_at(text, from)
            .map(|found| (found.start(), found.end()))
    };
    mask_each(text, search, ipv6_at)
}

fn mask_ipv4(text: &str) -> (Cow<'_, str>, u64) {
    if !QUAD_WITHIN.is_match(text) {
        return (Cow::Borrowed(text), 0);
    }
    mask_each(text, next_dotted, |text, found, done| {
        ipv4_at(text.as_bytes(), found, done)
    })
}

/// Find numbers joined by dots.
fn next_dotted(text: &str, from: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(u8::is_ascii_digit)?;
    Some((start, dotted_end(bytes, start)))
}

/// Return the end of `[0-9]+(?:\.[0-9]+)*`, or `at` where none stands.
fn dotted_end(bytes: &[u8], at: usize) -> usize {
    let digits = |at| run(bytes, at, usize::MAX, |byte| byte.is_ascii_digit());
    let mut end = digits(at);
    while end > at && matches!(&bytes[end..], [b'.', b'0'..=b'9', ..]) {
        end = digits(end + 1);
    }
    end
}

fn ipv4_at(bytes: &[u8], (found_start, end): Span, done: usize) -> Option<Span> {
    let mut start = found_start;
    if !is_quad(bytes, start, end) {
        start = after_escape(bytes, start, done); // `%2010.0.0.1`
        if !is_quad(bytes, start, end) {
            return None;
        }
    }
    let before = |back: usize| {
        start
            .checked_sub(back)
            .filter(|at| *at >= done)
            .map(|at| bytes[at])
    };
    let in_word = before(2).is_some_and(|byte| byte.is_ascii_alphanumeric());
    match before(1) {
        // `v1.2.3.4`, but `srv10.0.0.1` is an address.
        Some(b'v' | b'V') if !in_word => None,
        // `Chrome/120.0.0.0`, as every browser writes it.
        Some(b'/')
            if before(2).is_some_and(|byte| byte.is_ascii_alphabetic())
                && bytes[start..end].ends_with(b".0.0.0") =>
        {
            None
        }
        _ => Some((start, end)),
    }
}

fn is_quad(bytes: &[u8], start: usize, end: usize) -> bool {
    if start > end || end - start > QUAD_MAX {
        return false;
    }
    let mut count = 0;
    let small = bytes[start..end].split(|byte| *byte == b'.').all(|part| {
        count += 1;
        let value = part
            .iter()
            .fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0')));
        (1..=3).contains(&part.len()) && value <= 255
    });
    small && count == 4
}

fn ipv6_at(text: &str, found: Span, done: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let start = ipv6_start(bytes, found, done);
    let mut end = found.1;
    if end - start > COLONS_MAX {
        return None;
    }
    let last = bytes[start..end]
        .iter()
        .rposition(|byte| *byte == b':')
        .map(|at| start + at + 1);
    let quad_end = match last {
        Some(last) if bytes.get(end) == Some(&b'.') => dotted_end(bytes, last),
        _ => 0,
    };
    if let Some(last) = last.filter(|last| is_quad(bytes, *last, quad_end)) {
        if is_ipv6(without_last_colon(&text[start..last]), 2) {
            return Some((start, zone_end(bytes, quad_end)));
        }
        end = last; // the other rule masks the quad
    }
    let glued = end == found.1
        && bytes
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if glued {
        end = last.unwrap_or(start); // `fe80::1:error`: the last group is the beginning of a word
    }
    let mut address = without_last_colon(&text[start..end]);
    if glued && address.ends_with("::") {
        return None; // `5::bigint`, `1::Int`
    }
    address = without_port(address);
    end = start + address.len();
    if !is_ipv6(address, 0) || is_slice(bytes, address, start, done) {
        return None;
    }
    Some((start, zone_end(bytes, end)))
}

/// Return where an address may begin: behind an escape, or behind a word that ends in hex letters.
fn ipv6_start(bytes: &[u8], (found_start, found_end): Span, done: usize) -> usize {
    let mut start = after_escape(bytes, found_start, done).min(found_end);
    let colon = bytes[start..found_end].iter().position(|byte| *byte == b':');
    let before = |back: usize| {
        start
            .checked_sub(back)
            .filter(|at| *at >= done)
            .map(|at| bytes[at])
    };
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    // `0.1:80:...`
    let in_number = before(1) == Some(b'.') && is_digit(before(2)) && is_digit(bytes.get(start).copied());
    let in_word = before(1) == Some(b'_') || (start == found_start && !begins(bytes, start, done));
    if let Some(size) = colon.filter(|size| in_word || in_number || *size > 4) {
        start += size + 1;
    }
    let colons = run(bytes, start, 3, |byte| byte == b':');
    if start < found_end && matches!(colons - start, 1 | 3) {
        start += 1; // `addr:2001:db8::1`, `addr:::1`
    }
    start
}

fn without_last_colon(address: &str) -> &str {
    match address.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => address,
    }
}

/// `fe80::1:50432`; shorter ones pass for a group.
fn without_port(address: &str) -> &str {
    let at = address.len().saturating_sub(PORT_LENGTH);
    match address[at..].strip_prefix(':') {
        Some(port) if port.len() == PORT_LENGTH - 1 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            &address[..at]
        }
        _ => address,
    }
}

/// Tell whether hex digits and colons are an address; `embedded` groups are written as a quad behind.
fn is_ipv6(address: &str, embedded: usize) -> bool {
    let gap = memmem::find(address.as_bytes(), b"::");
    let (head, tail) = gap.map_or((address, ""), |at| (&address[..at], &address[at + 2..]));
    let parts = [head, tail].into_iter().filter(|part| !part.is_empty());
    let groups: Vec<_> = parts.flat_map(|part| part.split(':')).collect();
    if !groups.iter().all(|group| (1..=4).contains(&group.len())) {
        return false;
    }
    if gap.is_some() {
        // Without a digit it is a name: `abc::def`, or nobody's address: `::`.
        let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
        return groups.len() + embedded <= 7 && (embedded > 0 || has_digit);
    }
    if embedded > 0 {
        return groups.len() + embedded == 8;
    }
    // Nine: a port behind, or a short word before. Pairs only: a MAC address (EUI-64) or a fingerprint.
    matches!(groups.len(), 8 | 9) && groups.iter().any(|group| group.len() != 2)
}

/// Tell whether this is Python's `name[::2]`; nobody writes a step of one, so `[::1]` is an address.
fn is_slice(bytes: &[u8], address: &str, start: usize, done: usize) -> bool {
    let Some((from, to)) = address.split_once("::") else {
        return false;
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if address == LOOPBACK || !digits(from) || !digits(to) {
        return false;
    }
    match &bytes[done..start] {
        [.., name, b'['] => name.is_ascii_alphanumeric() || matches!(name, b'_' | b')' | b']'),
        _ => false,
    }
}

/// Return the end of `%(?:25)?[A-Za-z][0-9A-Za-z_\-]{0,31}`, or `at`; `%5D` is an escape.
fn zone_end(bytes: &[u8], at: usize) -> usize {
    let name = match &bytes[at..] {
        [b'%', b'2', b'5', ..] => at + 3,
        [b'%', ..] => at + 1,
        _ => return at,
    };
    if !bytes.get(name).is_some_and(u8::is_ascii_alphabetic) {
        return at;
    }
    run(bytes, name + 1, ZONE_MAX, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::mask_ip_addresses;

    /// Addresses of both versions are masked, with ports, zones and quads.
    #[test]
    fn addresses_are_masked() {
        for (text, masked) in [
            ("é 10.0.0.1:80", "é [MASKED]:80"),
            ("%2010.0.0.1", "%20[MASKED]"),
            ("srv10.0.0.1", "srv[MASKED]"),
            ("[2001:db8::1]:443", "[[MASKED]]:443"),
            ("fe80::1%25eth0/64", "[MASKED]/64"),
            ("fe80::1:50432", "[MASKED]:50432"),
            ("::ffff:10.0.0.1", "[MASKED]"),
            ("::ffff:10.0.0.1%eth0/96", "[MASKED]/96"),
            ("addr:2001:db8::1", "addr:[MASKED]"),
            ("[::1]", "[[MASKED]]"),
            ("fe80::1:error", "[MASKED]:error"),
        ] {
            assert_eq!(mask_ip_addresses(text), (masked.into(), 1), "{text}");
        }
    }

    /// Versions, slices, names and hardware addresses stay.
    #[test]
    fn other_numbers_stay() {
        for text in [
            "v1.2.3.4",
            "Chrome/120.0.0.0",
            "1.2.3.4.5",
            "256.1.1.1",
            "name[::2]",
            "abc::def",
            "::",
            "00:1b:44:11:3a:b7",
            "5::bigint",
            "12:30:45",
        ] {
            assert_eq!(mask_ip_addresses(text), (text.into(), 0));
        }
    }
}
