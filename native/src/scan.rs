//! The span masker: one pass over JSON text that notes what is to be replaced and keeps all else.
//!
//! Iterative, so that no depth ends it. What it decides is what the walk (`walk.rs`) decides for the
//! same document as an object. Python has a fast road beside it (`_quotes.py`) that has no twin here.

mod frame;
mod neighbours;
mod outlined;
mod prefix;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::cards::is_card;
use crate::json::{quoted, NotJson};
use crate::keys::{Place, CHANGED, INPUT, MASK, NAME, SAFE, TITLE, VALUE, WALK};
use crate::lexer::{decode_string, is_unfinished, skip_blanks, strange_number, token, Kind, Token};
use crate::limits::{DEPTH_MAX, PATH_MAX};
use crate::marks::{CUT, MASKED};
use crate::rules::Rules;
use crate::spans::{apply, is_same, outermost, Span};
use crate::verdicts::Verdicts;
use frame::{Expected, Frame, HalfPair, Pair, Said, Value};

/// Few documents are nested deeper.
const OPEN_MOSTLY: usize = 16;

/// `MASKED` and `DEEP` as JSON.
const MASK_TOKEN: &str = "\"[MASKED]\"";
const DEEP_TOKEN: &str = "\"[Depth]\"";

/// Return one JSON document masked; count what was masked in `rules`.
///
/// # Errors
/// `NotJson` if no strict parser would take it.
pub fn mask_json<'t>(text: &'t str, rules: &mut Rules<'_>) -> Result<Cow<'t, str>, NotJson> {
    Ok(apply(text, &find(text, rules, true)?))
}

/// Return the beginning of a JSON document masked, its unfinished last token as `…`.
///
/// # Errors
/// `NotJson` if it is the beginning of no document.
pub fn mask_json_prefix<'t>(text: &'t str, rules: &mut Rules<'_>) -> Result<Cow<'t, str>, NotJson> {
    Ok(apply(text, &find(text, rules, false)?))
}

/// Return the spans that mask one JSON document, in order and apart; add to `rules.masked`.
///
/// Not `complete`: `text` is the beginning of a document. Its unfinished last token becomes `…`, and
/// what only the missing rest could have declared harmless is masked. Linear.
///
/// # Errors
/// `NotJson` if no strict parser would take the text.
pub fn find(text: &str, rules: &mut Rules<'_>, complete: bool) -> Result<Vec<Span>, NotJson> {
    find_with(text, rules, &mut Verdicts::default(), complete)
}

/// The same, with what is known of keys under the policy of these rules.
///
/// # Errors
/// As `find`.
pub fn find_with(
    text: &str,
    rules: &mut Rules<'_>,
    verdicts: &mut Verdicts,
    complete: bool,
) -> Result<Vec<Span>, NotJson> {
    let mut outline = std::mem::take(&mut verdicts.outline);
    let mut scan = Scan {
        text,
        rules,
        verdicts,
        spans: Vec::new(),
        stack: Vec::with_capacity(OPEN_MOSTLY),
        waiting: Vec::new(),
        names: Vec::new(),
        halves: Vec::new(),
        expected: Expected::Value,
    };
    let outlined = if complete {
        outline.of(text.as_bytes())
    } else {
        None
    };
    let read = match outlined {
        Some(outline) => scan.read_outlined(outline),
        None => scan.read(complete),
    };
    let Scan { spans, verdicts, .. } = scan;
    verdicts.outline = outline.kept();
    read?;
    let spans = outermost(spans);
    rules.masked += spans.iter().map(|span| span.secrets).sum::<u64>();
    Ok(spans)
}

/// One pass over one text.
struct Scan<'s, 't, 'p> {
    text: &'t str,
    rules: &'s mut Rules<'p>,
    verdicts: &'s mut Verdicts,
    spans: Vec<Span>,
    stack: Vec<Frame>,
    /// Of all open frames: the values whose neighbours decide, those under a `name` and whether people
    /// read it as a title, and the pairs in the making.
    waiting: Vec<Value>,
    names: Vec<(Value, Said<'t>, bool)>,
    halves: Vec<HalfPair<'t>>,
    expected: Expected,
}

impl<'t> Scan<'_, 't, '_> {
    fn read(&mut self, complete: bool) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        let size = bytes.len();
        let mut at = 0;
        loop {
            if self.expected == Expected::Nothing && skip_blanks(bytes, at) == size {
                break;
            }
            let found = token(bytes, at).filter(|found| {
                complete || !matches!(found.kind, Kind::Number | Kind::Word) || found.end != size
            });
            let Some(found) = found else {
                return self.end_of_prefix(skip_blanks(bytes, at), complete);
            };
            if !complete && found.kind == Kind::Number && is_unfinished(bytes, found.start) {
                return self.end_of_prefix(found.start, complete);
            }
            self.take(found)?;
            at = found.end;
        }
        if !complete {
            self.spans.push(Span::new(at, size, CUT, 0));
        }
        Ok(())
    }

    fn take(&mut self, found: Token) -> Result<(), NotJson> {
        let Token { kind, start, end } = found;
        if kind == Kind::Mark {
            return self.mark(start, end);
        }
        if kind == Kind::String && matches!(self.expected, Expected::Key | Expected::KeyOrEnd) {
            self.key(start, end);
            return Ok(());
        }
        if !matches!(self.expected, Expected::Value | Expected::ItemOrEnd) {
            return Err(NotJson);
        }
        match kind {
            Kind::String => self.string(start, end),
            Kind::Number => self.number(start, end),
            _ => self.value(
                Value {
                    stays: true,
                    ..Value::new(start, end)
                },
                Said::Nothing,
                None,
            ),
        }
        Ok(())
    }

    fn mark(&mut self, start: usize, end: usize) -> Result<(), NotJson> {
        let mark = self.text.as_bytes()[start];
        let top = self.stack.last();
        match (mark, self.expected) {
            (b'{' | b'[', Expected::Value | Expected::ItemOrEnd) => self.open(start, mark == b'{'),
            (b',', Expected::CommaOrEnd) => {
                let is_object = top.ok_or(NotJson)?.is_object;
                self.expected = if is_object { Expected::Key } else { Expected::Value };
            }
            (b':', Expected::Colon) => self.expected = Expected::Value,
            (b'}' | b']', expected) => {
                let top = top.filter(|top| top.closer() == mark).ok_or(NotJson)?;
                if expected != Expected::CommaOrEnd && expected != top.empty() {
                    return Err(NotJson);
                }
                self.close(end);
            }
            _ => return Err(NotJson),
        }
        Ok(())
    }

    // --- scalars ---

    /// Return what a string says; its token as any parser takes it, where it did not come like that.
    fn decoded(&self, start: usize, end: usize) -> (Cow<'t, str>, Option<String>) {
        let decoded = decode_string(&self.text[start..end]);
        (decoded.content, decoded.cleaned)
    }

    fn key(&mut self, start: usize, end: usize) {
        let (key, cleaned) = self.decoded(start, end);
        let verdict = self.verdicts.judge(&key, Place::Payload, self.rules);
        if verdict & CHANGED != 0 {
            let (masked, count) = self.rules.counted(|rules| rules.key(&key));
            self.spans.push(Span::new(start, end, quoted(&masked), count));
        } else if let Some(cleaned) = cleaned {
            self.spans.push(Span::new(start, end, cleaned, 0));
        }
        if let Some(frame) = self.stack.last_mut() {
            frame.verdict = verdict;
        }
        self.expected = Expected::Colon;
    }

    fn string(&mut self, start: usize, end: usize) {
        let (content, cleaned) = self.decoded(start, end);
        let (masked, count) = self.rules.counted(|rules| rules.text(&content));
        if !is_same(&masked, &content) {
            self.spans.push(Span::new(start, end, quoted(&masked), count));
        } else if let Some(cleaned) = cleaned {
            self.spans.push(Span::new(start, end, cleaned, 0));
        }
        let stays = content.is_empty() || content == MASKED;
        self.value(
            Value {
                stays,
                ..Value::new(start, end)
            },
            Said::Token,
            None,
        );
    }

    fn number(&mut self, start: usize, end: usize) {
        let token = &self.text[start..end];
        let mut said = Said::Nothing;
        if strange_number(token) {
            let (masked, count) = self.rules.counted(|rules| rules.text(token));
            self.spans.push(Span::new(start, end, quoted(&masked), count));
            said = Said::Text(masked);
        } else if self.rules.policy.mask_values && is_card_number(token) {
            self.spans.push(Span::new(start, end, MASK_TOKEN, 1));
            said = Said::Text(Cow::Borrowed(MASKED));
        }
        self.value(Value::new(start, end), said, None);
    }

    /// Return what a value says, if it is written as a text.
    fn said(&self, value: &Value, said: Said<'t>) -> Option<Cow<'t, str>> {
        match said {
            Said::Nothing => None,
            Said::Token => Some(decode_string(&self.text[value.start..value.end]).content),
            Said::Text(text) => Some(text),
        }
    }

    // --- containers ---

    fn open(&mut self, start: usize, is_object: bool) {
        let mut frame = Frame::new(start, is_object, self.stack.last());
        frame.waiting = self.waiting.len();
        frame.names = self.names.len();
        if frame.may_be_pair {
            let nothing = Value::new(start, start);
            self.halves.push((nothing, Said::Nothing, nothing));
        }
        self.expected = frame.empty();
        self.stack.push(frame);
    }

    fn close(&mut self, end: usize) {
        let depth = self.stack.len();
        let Some(frame) = self.stack.pop() else { return };
        self.judge_waiting(&frame, depth);
        let mut said = Said::Nothing;
        if depth > DEPTH_MAX {
            said = Said::Text(Cow::Borrowed(crate::marks::DEEP));
            self.spans.push(Span::new(frame.start, end, DEEP_TOKEN, 0));
        }
        let value = Value {
            stays: frame.items == 0,
            is_object: frame.is_object,
            ..Value::new(frame.start, end)
        };
        let pair = self.pair(&frame);
        self.value(value, said, pair);
    }

    /// Return the name and the value of a frame that closes, if it is a list of two that begins with a text.
    fn pair(&mut self, frame: &Frame) -> Option<Pair<'t>> {
        if !frame.may_be_pair {
            return None;
        }
        let (first, said, last) = self.halves.pop()?;
        if frame.items != 2 {
            return None;
        }
        Some((self.said(&first, said)?, last))
    }

    /// Note a complete value, and the text that is written for it, in the container it stands in.
    #[inline(always)]
    fn value(&mut self, value: Value, said: Said<'t>, pair: Option<Pair<'t>>) {
        let Some(frame) = self.stack.last_mut() else {
            self.expected = Expected::Nothing;
            return;
        };
        self.expected = Expected::CommaOrEnd;
        frame.items += 1;
        if !frame.is_object {
            self.item(value, said, pair);
        } else if frame.verdict != SAFE {
            self.field(value, said);
        }
    }

    fn field(&mut self, mut value: Value, said: Said<'t>) {
        let Some(frame) = self.stack.last_mut() else {
            return;
        };
        let verdict = std::mem::take(&mut frame.verdict);
        value.verdict = verdict;
        if verdict & (VALUE | INPUT) != 0 && verdict & MASK == 0 {
            self.waiting.push(value);
        } else if verdict & (MASK | WALK) != 0 {
            self.mask(&value, verdict);
        }
        if verdict & (NAME | TITLE) != 0 && !matches!(said, Said::Nothing) {
            self.names.push((value, said, verdict & NAME == 0));
        }
    }

    fn item(&mut self, value: Value, said: Said<'t>, pair: Option<Pair<'t>>) {
        let Some((frame, outer)) = self.stack.split_last_mut() else {
            return;
        };
        match pair {
            None => frame.are_pairs = false,
            Some((name, mut secret)) if frame.are_pairs => {
                secret.verdict = self.rules.judge_text(&name, Place::Payload);
                if secret.verdict != 0 {
                    self.waiting.push(secret);
                }
            }
            Some(_) => {}
        }
        let (is_first, may_be_pair) = (frame.items == 1, frame.may_be_pair);
        if frame.is_path && frame.items <= PATH_MAX {
            if let Some(parent) = outer.last_mut() {
                let part = match &said {
                    Said::Nothing => None,
                    Said::Token => Some(decode_string(&self.text[value.start..value.end]).content),
                    Said::Text(text) => Some(text.clone()),
                };
                if let Some(part) = part {
                    parent.input_verdict |= self.rules.judge_text(&part, Place::Form);
                }
            }
        }
        if let (true, Some(half)) = (may_be_pair, self.halves.last_mut()) {
            half.2 = value;
            if is_first {
                (half.0, half.1) = (value, said);
            }
        }
    }
}

fn is_card_number(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && is_card(digits)
}
