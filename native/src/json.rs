//! JSON as Python's `json.dumps(ensure_ascii=False, separators=(",", ":"))` writes it.

use std::fmt;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The text is no JSON that a strict parser would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson;

impl fmt::Display for NotJson {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not JSON")
    }
}

impl std::error::Error for NotJson {}

/// Return where, from `at` on, the first byte stands that a JSON string writes as an escape: a quote,
/// a backslash or a control character; the length if there is none.
#[must_use]
pub fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    // Eight bytes at a time; the lowest mark of each test is exact, which is all that is asked.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let marks = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGHS;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Append `text` as a JSON string.
pub fn quote_into(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut done = 0;
    loop {
        let at = plain_until(bytes, done);
        out.extend_from_slice(&bytes[done..at]);
        let Some(&byte) = bytes.get(at) else { break };
        escape_into(out, byte);
        done = at + 1;
    }
    out.push(b'"');
}

fn escape_into(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x0c => b'f',
        0x08 => b'b',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Append, as a JSON string, a text that has nothing to be escaped.
#[inline]
pub fn quote_plain_into(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Append a few bytes, without the call that a copy of any length is.
#[inline]
pub fn append_short(out: &mut Vec<u8>, bytes: &[u8]) {
    const ROOM: usize = 32;
    let (start, size) = (out.len(), bytes.len());
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        if size <= 16 {
            out.extend_from_slice(&[0; ROOM]);
            let room = &mut out[start..start + ROOM];
            room[..8].copy_from_slice(first);
            room[size - 8..size].copy_from_slice(last);
            out.truncate(start + size);
            return;
        }
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        out.extend_from_slice(&[0; ROOM]);
        let room = &mut out[start..start + ROOM];
        room[..4].copy_from_slice(first);
        room[size - 4..size].copy_from_slice(last);
        out.truncate(start + size);
        return;
    }
    out.extend_from_slice(bytes);
}

/// Return `text` as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    quote_into(&mut out, text);
    as_text(out)
}

/// Return as a text what this crate wrote: it writes texts and signs of ASCII only.
#[must_use]
pub fn as_text(written: Vec<u8>) -> String {
    String::from_utf8(written).unwrap_or_default()
}

/// Append a finite number as Python's `repr` writes it.
pub fn float_into(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    let size = value.abs();
    if (1e-4..1e16).contains(&size) || size == 0.0 {
        append_short(out, shortest.as_bytes());
    } else {
        out.extend_from_slice(scientific(shortest).as_bytes());
    }
}

/// Return the digits of a number that is very large or very small as `d.ddde+dd`.
fn scientific(shortest: &str) -> String {
    let mut out = String::new();
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let mut exponent: i32 = exponent.parse().unwrap_or(0);
    let unsigned = mantissa.trim_start_matches('-');
    if unsigned.len() < mantissa.len() {
        out.push('-');
    }
    let (whole, rest) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = format!("{whole}{rest}");
    let digits = all.trim_start_matches('0');
    // No mantissa is longer than the 24 bytes of the buffer.
    let leading = i32::try_from(all.len() - digits.len()).unwrap_or(0);
    exponent += i32::try_from(whole.len()).unwrap_or(0) - 1 - leading;
    let digits = digits.trim_end_matches('0');
    let (first, others) = digits.split_at(digits.len().min(1));
    out.push_str(first);
    if !others.is_empty() {
        out.push('.');
        out.push_str(others);
    }
    out.push_str(if exponent < 0 { "e-" } else { "e+" });
    if exponent.abs() < 10 {
        out.push('0');
    }
    out.push_str(&exponent.abs().to_string());
    out
}

#[cfg(test)]
mod tests {
    use super::{as_text, float_into, plain_until, quoted};

    fn repr(value: f64) -> String {
        let mut out = Vec::new();
        float_into(&mut out, value);
        as_text(out)
    }

    /// Only what JSON forbids is escaped, in Python's spelling.
    #[test]
    fn strings_are_spelled_as_python_spells_them() {
        let text = "a\"\\/\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}\u{2028}é🙂";
        let spelled = "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\\u001f\u{7f}\u{2028}é🙂\"";
        assert_eq!(quoted(text), spelled);
    }

    /// The step of eight bytes stops at the same place as a look at each byte.
    #[test]
    fn the_fast_look_stops_where_the_slow_one_does() {
        for stop in [b'"', b'\\', 0, 0x1f] {
            for size in 0..20 {
                for at in 0..size {
                    for filler in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
                        let mut bytes = vec![filler; size];
                        bytes[at] = stop;
                        assert_eq!(plain_until(&bytes, 0), at, "{stop} at {at} of {size}");
                    }
                }
            }
        }
    }

    /// Exponents begin where Python's begin, with a sign and two digits.
    #[test]
    fn floats_are_spelled_as_repr_spells_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e-5, "1e-05"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (-1.25e22, "-1.25e+22"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(repr(value), text);
        }
    }
}
