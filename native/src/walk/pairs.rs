//! Lists of `[name, value]`: what is an object to whoever wrote it, and is masked as one.

use super::Walker;
use crate::assignments::may_assign;
use crate::json::quote_into;
use crate::keys::{Place, MASK, SAFE};
use crate::lexer::decode_string;
use crate::limits::DEPTH_MAX;
use crate::marks::{CIRCULAR, DEEP};
use crate::walk::{Form, Node};

/// The two halves of a pair, and its name.
pub(super) type Pair<N> = (N, N, String);

impl Walker<'_> {
    /// Return the two halves and the name of each item if every one is a pair that begins with a text.
    pub(super) fn as_pairs<N: Node>(
        &mut self,
        items: impl Iterator<Item = N>,
        depth: usize,
    ) -> Result<Option<Vec<Pair<N>>>, N::Error> {
        let mut pairs = Vec::new();
        for item in items {
            if !matches!(item.form(), Form::Foreign | Form::List) {
                return Ok(None);
            }
            let content = item.settled()?;
            if content.form() != Form::List || content.size() != 2 {
                return Ok(None);
            }
            let mut halves = content.items();
            let (Some(first), Some(second)) = (halves.next(), halves.next()) else {
                return Ok(None);
            };
            let Some(name) = self.as_text(first, depth + 2)? else {
                return Ok(None);
            };
            pairs.push((first, second, name));
        }
        Ok(if pairs.is_empty() { None } else { Some(pairs) })
    }

    /// Return the first half of a pair if it will be written as a text: then a second pass sees one.
    fn as_text<N: Node>(&mut self, value: N, depth: usize) -> Result<Option<String>, N::Error> {
        let name = value.settled()?;
        match name.form() {
            Form::Text => Ok(Some(name.text()?.into_owned())),
            Form::Map | Form::List if depth > DEPTH_MAX => Ok(Some(DEEP.to_owned())),
            Form::Map | Form::List => Ok(self.is_open(value.identity()).then(|| CIRCULAR.to_owned())),
            _ => {
                let (before, at) = (self.rules.masked, self.out.len());
                self.any(name, Place::None, depth)?;
                self.rules.masked = before; // it is counted where it is written
                let written = text_of(&self.out[at..]);
                self.out.truncate(at);
                Ok(written)
            }
        }
    }

    /// Write a list of `[name, value]` pairs, each value masked by its name.
    pub(super) fn pairs<N: Node>(
        &mut self,
        origins: impl Iterator<Item = N>,
        pairs: Vec<Pair<N>>,
        place: Place,
        depth: usize,
    ) -> Result<(), N::Error> {
        for (at, (origin, (first, value, name))) in origins.zip(pairs).enumerate() {
            if self.stopped {
                return Ok(());
            }
            if at > 0 {
                self.out.push(b',');
            }
            let identity = origin.identity();
            if self.is_open(identity) {
                quote_into(&mut self.out, CIRCULAR);
                continue;
            }
            self.path.extend(identity);
            self.out.push(b'[');
            let begin = self.out.len();
            self.any(first, place, depth + 1)?;
            let mut verdict = SAFE;
            if may_assign(&name, &self.rules) {
                let written = text_of(&self.out[begin..]);
                let written = written.as_deref().unwrap_or(&name);
                verdict = self.rules.judge_both(&name, written, place);
            }
            self.out.push(b',');
            if verdict == SAFE {
                self.any(value, place, depth + 1)?;
            } else {
                self.secret(value, place, depth + 1, verdict & MASK == 0)?;
            }
            self.out.push(b']');
            if identity.is_some() {
                self.path.pop();
            }
        }
        Ok(())
    }
}

/// Return the text that a JSON value is, if it is one.
fn text_of(token: &[u8]) -> Option<String> {
    let token = std::str::from_utf8(token).ok()?;
    token
        .starts_with('"')
        .then(|| decode_string(token).content.into_owned())
}
