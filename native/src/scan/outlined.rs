//! The pass over a whole document whose strings and scalars are outlined already: what it decides is what
//! `Scan::read` decides for the same text token by token.

use super::frame::{Said, Value};
use super::Scan;
use crate::json::NotJson;
use crate::keys::CHANGED;
use crate::lexer::{skip_blanks, token, Kind, NUMBER_LENGTH};
use crate::outline::Outline;
use crate::text::is_harmless;

/// No card number is shorter.
const CARD_MIN: usize = 13;

impl Scan<'_, '_, '_> {
    /// Read a complete document.
    pub(super) fn read_outlined(&mut self, outline: &Outline) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        let mut at = skip_blanks(bytes, 0);
        loop {
            match *bytes.get(at).ok_or(NotJson)? {
                b'"' => at = self.outlined_string(at, outline)?,
                b'{' => {
                    self.open(at, true);
                    at = skip(bytes, at + 1);
                    if bytes.get(at) != Some(&b'}') {
                        at = self.outlined_key(at, outline)?;
                        continue;
                    }
                    at += 1;
                    self.close(at);
                }
                b'[' => {
                    self.open(at, false);
                    at = skip(bytes, at + 1);
                    if bytes.get(at) != Some(&b']') {
                        continue;
                    }
                    at += 1;
                    self.close(at);
                }
                _ => at = self.scalar(at, outline)?,
            }
            // Behind a value.
            loop {
                at = skip(bytes, at);
                let Some(frame) = self.stack.last() else {
                    return if at == bytes.len() { Ok(()) } else { Err(NotJson) };
                };
                match bytes.get(at) {
                    Some(b',') => {
                        let is_object = frame.is_object;
                        at = skip(bytes, at + 1);
                        if is_object {
                            at = self.outlined_key(at, outline)?;
                        }
                        break;
                    }
                    Some(&sign) if sign == frame.closer() => {
                        at += 1;
                        self.close(at);
                    }
                    _ => return Err(NotJson),
                }
            }
        }
    }

    /// Read the key that must stand at `at`; return where its value begins.
    #[inline]
    fn outlined_key(&mut self, at: usize, outline: &Outline) -> Result<usize, NotJson> {
        let bytes = self.text.as_bytes();
        if bytes.get(at) != Some(&b'"') {
            return Err(NotJson);
        }
        if let Some((end, verdict)) = self.verdicts.expected(bytes, at + 1) {
            if let Some(frame) = self.stack.last_mut() {
                frame.verdict = verdict;
            }
            return value_behind(bytes, end);
        }
        let found = outline.string(at).ok_or(NotJson)?;
        let end = found.closing;
        let verdict = if found.is_plain {
            self.verdicts.judge_in(self.text, at + 1, end, self.rules)
        } else {
            self.checked(at, end + 1)?;
            CHANGED
        };
        if verdict & CHANGED != 0 {
            self.key(at, end + 1);
        } else if let Some(frame) = self.stack.last_mut() {
            frame.verdict = verdict;
        }
        value_behind(bytes, end)
    }

    /// Read the string that opens at `at`; return its end.
    #[inline]
    fn outlined_string(&mut self, at: usize, outline: &Outline) -> Result<usize, NotJson> {
        let found = outline.string(at).ok_or(NotJson)?;
        let end = found.closing + 1;
        let is_clean = found.is_clean || is_harmless(&self.text.as_bytes()[at + 1..found.closing]);
        if is_clean && self.rules.policy.classes.is_empty() {
            let value = Value {
                stays: end - at == 2,
                ..Value::new(at, end)
            };
            self.value(value, Said::Token, None);
        } else {
            if !found.is_plain {
                self.checked(at, end)?;
            }
            self.string(at, end);
        }
        Ok(end)
    }

    /// Fail if an escape in the string is none.
    fn checked(&self, start: usize, end: usize) -> Result<(), NotJson> {
        match token(self.text.as_bytes(), start) {
            Some(found) if found.end == end => Ok(()),
            _ => Err(NotJson),
        }
    }

    /// Read the number or word that begins at `at`; return its end.
    #[inline]
    fn scalar(&mut self, at: usize, outline: &Outline) -> Result<usize, NotJson> {
        let bytes = self.text.as_bytes();
        let Some((end, others)) = outline.scalar(at) else {
            return self.long_scalar(at);
        };
        let scalar = bytes.get(at..end).ok_or(NotJson)?;
        let is_word = matches!(scalar, b"true" | b"false" | b"null");
        if is_word || (is_number(scalar, others) && is_plain_number(scalar, others)) {
            let value = Value {
                stays: is_word,
                ..Value::new(at, end)
            };
            self.value(value, Said::Nothing, None);
            return Ok(end);
        }
        self.long_scalar(at)
    }

    /// The same of a number that may be masked or become a text, or that is none.
    #[cold]
    fn long_scalar(&mut self, at: usize) -> Result<usize, NotJson> {
        let found = token(self.text.as_bytes(), at).filter(|found| found.kind == Kind::Number);
        let end = found.ok_or(NotJson)?.end;
        self.number(at, end);
        Ok(end)
    }
}

/// Tell whether a number is none that could be masked or become a text: it has a point, or few digits.
#[inline]
fn is_plain_number(number: &[u8], others: u64) -> bool {
    let has_point = others >> usize::from(number[0] == b'-') != 0;
    number.len() < CARD_MIN || (has_point && number.len() <= NUMBER_LENGTH)
}

/// Return where the value begins that must follow the key that closes at `end`.
#[inline]
fn value_behind(bytes: &[u8], end: usize) -> Result<usize, NotJson> {
    let colon = skip(bytes, end + 1);
    if bytes.get(colon) != Some(&b':') {
        return Err(NotJson);
    }
    Ok(skip(bytes, colon + 1))
}

/// Return where the white space that begins at `at` ends: mostly there is none.
#[inline]
fn skip(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(&sign) if sign > b' ' => at,
        _ => skip_blanks(bytes, at),
    }
}

/// Tell whether a scalar is a number without an exponent; `others` are the places in it that are no digits.
/// It may say no of one that is.
#[inline]
fn is_number(scalar: &[u8], others: u64) -> bool {
    let start = usize::from(scalar.first() == Some(&b'-'));
    let others = others >> start;
    let Some(&first) = scalar.get(start) else {
        return false;
    };
    let size = scalar.len() - start;
    let whole = if others == 0 {
        size
    } else {
        others.trailing_zeros() as usize
    };
    let is_whole = first != b'0' || whole == 1;
    // At most one point, with digits on both sides.
    is_whole
        && (others == 0
            || (others.is_power_of_two()
                && whole > 0
                && whole + 1 < size
                && scalar.get(start + whole) == Some(&b'.')))
}

#[cfg(test)]
mod tests {
    use super::is_number;
    use crate::lexer::{token, Kind};

    /// What is called a number here is one for the lexer, and most numbers are.
    #[test]
    fn numbers_are_numbers() {
        let signs = ["", "-", "0", "1", "9", ".", "e", "+", "x", "00", "12", "5.5"];
        let mut found = 0;
        for first in signs {
            for second in signs {
                for third in signs {
                    for fourth in signs {
                        let text = format!("{first}{second}{third}{fourth}");
                        if text.is_empty() {
                            continue;
                        }
                        let places = text.bytes().enumerate();
                        let others = places
                            .filter(|(_, sign)| !sign.is_ascii_digit())
                            .fold(0, |bits, (at, _)| bits | 1 << at);
                        let is_one = token(text.as_bytes(), 0)
                            .is_some_and(|found| found.kind == Kind::Number && found.end == text.len());
                        let is_said = is_number(text.as_bytes(), others);
                        assert!(is_one || !is_said, "{text}");
                        if is_one && !text.contains('e') {
                            assert!(is_said, "{text}");
                            found += 1;
                        }
                    }
                }
            }
        }
        assert!(found > 500, "{found}");
    }
}
