//! Credentials after a scheme: `Bearer ...`, `Basic ...`, `Token ...`, `token is ...`.

use std::borrow::Cow;

use super::{begins, run, then, Masking};

const CREDENTIAL_MIN: usize = 8;
const LONG_CREDENTIAL: usize = 16; // without a digit, only what is longer than words are
const SAID_MIN: usize = 16;

/// Replace what follows `Bearer`, `Basic`, `Token` or `token is`; the words before it stay.
#[must_use]
pub fn mask_credentials(text: &str) -> (Cow<'_, str>, u64) {
    then(mask_each(text, credential_at), |text| mask_each(text, said_at))
}

/// A place that a rule found: what is secret of it, if anything, and where the search goes on.
struct Found {
    secret: Option<usize>,
    end: usize,
}

fn mask_each(text: &str, rule: fn(&[u8], usize) -> Option<Found>) -> (Cow<'_, str>, u64) {
    let bytes = text.as_bytes();
    let mut masking = Masking::new(text);
    let mut at = 0;
    while at < bytes.len() {
        let may = matches!(bytes[at], b'b' | b'B' | b't' | b'T') && begins_here(bytes, at);
        let Some(found) = (if may { rule(bytes, at) } else { None }) else {
            at += 1;
            continue;
        };
        if let Some(start) = found.secret {
            masking.mask(start, found.end);
        }
        at = found.end;
    }
    masking.finish()
}

/// Tell whether a word begins here. In any case: the escape before it as well, for both twins.
fn begins_here(bytes: &[u8], at: usize) -> bool {
    begins(bytes, at) || matches!(&bytes[..at], [.., b'\\', b'N' | b'R' | b'T' | b'B' | b'F'])
}

/// Find a scheme and its credential, as the pattern
/// `((?:bearer|basic)(?:[ \t]+|[ \t]*\r?\n[ \t]+)(\\*["'])?|token[ \t]+)(CREDENTIAL)(=*)` does.
fn credential_at(bytes: &[u8], at: usize) -> Option<Found> {
    let scheme = word(bytes, at, "bearer").or_else(|| word(bytes, at, "basic"));
    // A quote may follow the blank; but not so behind `token`: parsers say `Unexpected token "constructor"`.
    let (start, quoted) = if let Some(end) = scheme {
        let start = folded_blanks(bytes, end)?;
        let quote = run(bytes, start, |byte| byte == b'\\');
        let quoted = matches!(bytes.get(quote), Some(b'"' | b'\''));
        (if quoted { quote + 1 } else { start }, quoted)
    } else {
        (blanks(bytes, word(bytes, at, "token")?)?, false)
    };
    let credential = read_credential(bytes, start)?;
    let padding = credential.end;
    let end = run(bytes, padding, |byte| byte == b'=');
    let is_word = (quoted || credential.word < LONG_CREDENTIAL) && !credential.has_digit;
    let secret = (!is_word && !is_parameter(bytes, &bytes[start..padding], padding, end)).then_some(start);
    Some(Found { secret, end })
}

/// What of a credential tells it from prose: of the signs that are encoded, nothing does.
struct Credential {
    end: usize,
    /// How long its first word is: `authentication|authorization` are two words.
    word: usize,
    has_digit: bool,
}

/// Read a credential of eight signs or more; all but the first may be encoded.
fn read_credential(bytes: &[u8], start: usize) -> Option<Credential> {
    if !bytes.get(start).is_some_and(|&byte| is_credential_sign(byte)) {
        return None;
    }
    let (mut end, mut signs, mut word, mut has_digit, mut is_first) = (start, 0, 0, false, true);
    while let Some(&byte) = bytes.get(end) {
        if byte == b'|' || is_credential_sign(byte) {
            is_first = is_first && byte != b'|';
            word += usize::from(is_first);
            has_digit = has_digit || byte.is_ascii_digit();
            end += 1;
        } else if let Some(behind) = encoded_sign(&bytes[end..]) {
            end += behind;
        } else {
            break;
        }
        signs += 1;
    }
    (signs >= CREDENTIAL_MIN).then_some(Credential { end, word, has_digit })
}

/// Return the length of a sign that is percent-encoded, once or twice, or escaped as JSON does
/// (`\/`, `\u002b`), unless it is a blank, quote, comma, `&` or bracket.
fn encoded_sign(rest: &[u8]) -> Option<usize> {
    let slashes = run(rest, 0, |byte| byte == b'\\');
    match (slashes, &rest[slashes..]) {
        (0, [b'%', b'2', b'5', high, low, ..]) if is_percent_encoded(*high, *low) => Some(5),
        (0, [b'%', high, low, ..]) if is_percent_encoded(*high, *low) => Some(3),
        (1..=4, [b'/', ..]) => Some(slashes + 1),
        (1..=4, [b'u' | b'U', b'0', b'0', high, low, ..]) if is_escaped(*high, *low) => Some(slashes + 5),
        _ => None,
    }
}

fn is_percent_encoded(high: u8, low: u8) -> bool {
    let low = low.to_ascii_lowercase();
    match high {
        b'2' => matches!(low, b'1' | b'3' | b'4' | b'a' | b'b' | b'd'..=b'f'),
        b'3' => matches!(low, b'0'..=b'9' | b'a' | b'd'),
        b'4' | b'6' => low.is_ascii_hexdigit(),
        b'5' => matches!(low, b'0'..=b'9' | b'a' | b'e' | b'f'),
        b'7' => matches!(low, b'0'..=b'9' | b'a' | b'c' | b'e'),
        _ => false,
    }
}

fn is_escaped(high: u8, low: u8) -> bool {
    matches!(
        (high, low.to_ascii_lowercase()),
        (b'2', b'b' | b'd' | b'f') | (b'3', b'd') | (b'5', b'f') | (b'7', b'c' | b'e')
    )
}

/// Tell whether it is the name of a parameter: `Bearer error_description="..."`.
fn is_parameter(bytes: &[u8], credential: &[u8], padding: usize, end: usize) -> bool {
    end - padding == 1
        && credential
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
        && bytes
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\''))
}

/// Find what is said of a token, as the pattern
/// `(token[ \t]+(?:is|was):?[ \t]+\\*["']?)([A-Za-z0-9_]{16,}(?:[.~+/\-]+[A-Za-z0-9_]+)*=*)` does.
/// Prose says `the token is base64url-encoded` too: so many letters and digits without a dash are no words.
fn said_at(bytes: &[u8], at: usize) -> Option<Found> {
    let verb = blanks(bytes, word(bytes, at, "token")?)?;
    let mut next = word(bytes, verb, "is").or_else(|| word(bytes, verb, "was"))?;
    next += usize::from(bytes.get(next) == Some(&b':'));
    next = run(bytes, blanks(bytes, next)?, |byte| byte == b'\\');
    let start = next + usize::from(matches!(bytes.get(next), Some(b'"' | b'\'')));
    let mut end = run(bytes, start, is_word_sign);
    if end - start < SAID_MIN {
        return None;
    }
    loop {
        let joint = run(bytes, end, |byte| {
            matches!(byte, b'.' | b'~' | b'+' | b'/' | b'-')
        });
        let more = run(bytes, joint, is_word_sign);
        if joint == end || more == joint {
            break;
        }
        end = more;
    }
    end = run(bytes, end, |byte| byte == b'=');
    let secret = bytes[start..end].iter().any(u8::is_ascii_digit).then_some(start);
    Some(Found { secret, end })
}

fn is_word_sign(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_credential_sign(byte: u8) -> bool {
    is_word_sign(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'-')
}

/// Return the end of a word that stands here in any case.
fn word(bytes: &[u8], at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    bytes
        .get(at..end)?
        .eq_ignore_ascii_case(word.as_bytes())
        .then_some(end)
}

/// Return the end of one blank or more.
fn blanks(bytes: &[u8], at: usize) -> Option<usize> {
    let end = run(bytes, at, |byte| matches!(byte, b' ' | b'\t'));
    (end > at).then_some(end)
}

/// Return the end of blanks that may be a folded line of a header (`Bearer\n abc`).
fn folded_blanks(bytes: &[u8], at: usize) -> Option<usize> {
    let end = blanks(bytes, at).unwrap_or(at);
    let line = match &bytes[end..] {
        [b'\r', b'\n', ..] => end + 2,
        [b'\n', ..] => end + 1,
        _ => return (end > at).then_some(end),
    };
    blanks(bytes, line)
}

#[cfg(test)]
mod tests {
    use super::mask_credentials;

    /// What follows a scheme is masked, with its padding; the words stay.
    #[test]
    fn credentials_after_a_scheme() {
        for (text, masked) in [
            ("Bearer abcdefg1", "Bearer [MASKED]"),
            ("x:BASIC\t dXNlcjpwYXNz== y", "x:BASIC\t dXNlcjpwYXNz== y"),
            ("x:BASIC\t dXNlcjpwYX1z== y", "x:BASIC\t [MASKED] y"),
            ("Bearer\r\n abcdefg1", "Bearer\r\n [MASKED]"),
            ("bearer \\\"abcdefg1\\\"", "bearer \\\"[MASKED]\\\""),
            ("token abcdefghijklmnop", "token [MASKED]"),
            ("\\nToken abcdefg1", "\\nToken [MASKED]"),
            ("x \\RBEARER abcdefg1", "x \\RBEARER [MASKED]"),
            ("Bearer ab%2Bcd%252Fe\\/f\\u002b1== x", "Bearer [MASKED] x"),
            ("Bearer 12|abcdefgh", "Bearer [MASKED]"),
        ] {
            assert_eq!(mask_credentials(text).0, masked);
        }
    }

    /// Words, parameters and quoted names behind `token` are no credentials.
    #[test]
    fn words_stay() {
        for text in [
            "Bearer authentication",
            "Bearer authentication|authorization",
            "Bearer abcdef%20ghijkl1",
            "Bearer %41bcdefgh1",
            "Bearer error_description=\"x\"",
            "Unexpected token \"constructor1\"",
            "xbearer abcdefg1",
            "Bearer\nabcdefg1",
        ] {
            let expected = text;
            assert_eq!(mask_credentials(text), (expected.into(), 0));
        }
    }

    /// What is said of a token is masked when it is no word.
    #[test]
    fn said_tokens() {
        assert_eq!(
            mask_credentials("the token is: 'abcdefghijklmnop1.x-'"),
            ("the token is: '[MASKED]-'".into(), 1)
        );
        assert_eq!(mask_credentials("token was abcdefghijklmnopq").1, 0);
    }
}
