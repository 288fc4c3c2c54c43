//! The texts of the envelope, the request's URL among them: masked, and cut where they are too long.

use std::borrow::Cow;

use super::Encoder;
use crate::fit::{first_characters, fit};
use crate::json::quote_into;
use crate::keys::Place;
use crate::object::unquoted;
use crate::rules::{Rules, UNBOUNDED};
use crate::screen::quote_short;
use crate::tree::{text_in, Source};
use crate::walk::Form;

/// In characters: far below every limit, whatever their encoding.
const SHORT: usize = 1024;
/// Small limits must not cut a text in front of a secret's end.
const PATIENCE: usize = 4096;

impl Encoder<'_> {
    /// Write a text of at most so many bytes.
    pub(super) fn text<S: Source>(&mut self, value: S, maximum: usize, is_url: bool) -> Result<(), S::Error> {
        if !is_url && self.plain_text(&value)? {
            return Ok(());
        }
        let start = self.walker.out.len();
        self.walker.begin(self.event_budget());
        let value = value.content()?;
        let text = if let Some(text) = text_in(&value)? {
            text
        } else {
            // A card number, or what is no number in JSON, becomes a text.
            let is_number = matches!(value.form(), Form::Int(_) | Form::Large | Form::Float(_));
            self.walker.write(value, Place::Payload)?;
            if !is_number || self.walker.out.get(start) != Some(&b'"') {
                self.whole(start);
                return Ok(());
            }
            let part = self.walker.taken(start);
            Cow::Owned(unquoted(&part).into_owned())
        };
        // Beyond four times the limit nothing is looked at; what the cut leaves there is no half secret.
        let looked_at = first_characters(&text, 4 * maximum + PATIENCE);
        let fitting = self.walker.knowing(|rules| {
            let masked = if looked_at.len() < text.len() {
                Cow::Owned(rules.cut(looked_at))
            } else {
                mask(rules, &text, is_url)
            };
            fit(masked, maximum, |text| mask(rules, text, is_url).into_owned())
        });
        quote_into(&mut self.walker.out, &fitting);
        self.done();
        Ok(())
    }

    /// Write a short text of the envelope if no rule changes it: most are so, and none of them counts.
    fn plain_text<S: Source>(&mut self, value: &S) -> Result<bool, S::Error> {
        let Some(text) = text_in(value)? else {
            return Ok(false);
        };
        let start = self.walker.out.len();
        if let Some(seen) = quote_short(&mut self.walker.out, text.as_bytes()) {
            if !seen.has_escapes() && !self.walker.rules.may_change(text.as_bytes(), seen) {
                return Ok(true);
            }
            self.walker.out.truncate(start);
        }
        if first_characters(&text, SHORT).len() < text.len() {
            return Ok(false);
        }
        let mut rules = Rules::new(self.policy(), UNBOUNDED, 0);
        let is_plain = rules.uncharged(&text) == text;
        if is_plain {
            quote_into(&mut self.walker.out, &text);
        }
        Ok(is_plain)
    }
}

/// Return a text or a URL, masked.
pub(super) fn mask<'t>(rules: &mut Rules<'_>, text: &'t str, is_url: bool) -> Cow<'t, str> {
    if is_url {
        rules.url(text)
    } else {
        rules.text(text)
    }
}
