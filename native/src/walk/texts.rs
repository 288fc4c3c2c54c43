//! Texts within a container: most are clean, and written while they are looked at.

use std::borrow::Cow;

use super::bound::charge_of;
use super::{Walker, MASK_TOKEN};
use crate::json::{quote_into, quote_plain_into};
use crate::marks::MASKED;
use crate::rules::CHARGED_LENGTH;
use crate::screen::{quote_short, screen, Screen};
use crate::spans::is_same;

/// No rule knows a secret of four characters.
const SHORTEST: usize = 5;

impl Walker<'_> {
    /// Write a text that stands in a container.
    #[inline]
    pub(super) fn held(&mut self, text: &str) {
        let start = self.out.len();
        if let Some(seen) = quote_short(&mut self.out, text.as_bytes()) {
            let size = text.len(); // of one that is not all ASCII only an upper bound
            let is_short = size < CHARGED_LENGTH;
            if (is_short || !seen.high)
                && !seen.has_escapes()
                && !self.rules.may_change(text.as_bytes(), seen)
            {
                if is_short {
                    return;
                }
                self.rules.left -= charge_of(size, 1);
                if self.rules.left >= 0 {
                    return;
                }
                self.rules.left += charge_of(size, 1);
            }
            self.out.truncate(start);
            self.held_suspect(text, seen);
        } else {
            self.held_suspect(text, screen(text.as_bytes()));
        }
    }

    /// Write a text that stands in a container, as it came; `decoded` reads one that is not all ASCII.
    #[inline]
    pub(crate) fn write_raw<'t>(&mut self, raw: &'t [u8], decoded: impl FnOnce(&'t [u8]) -> Cow<'t, str>) {
        let start = self.out.len();
        if let Some(seen) = quote_short(&mut self.out, raw) {
            if !seen.high && !seen.has_escapes() && !self.rules.may_change(raw, seen) {
                return; // too short for any bound that is left
            }
            self.out.truncate(start);
        }
        let text = decoded(raw);
        self.held_suspect(&text, screen(text.as_bytes()));
    }

    /// Write the text that stands under a secret key.
    pub(crate) fn write_secret(&mut self, text: &str) {
        if matches!(text, "" | MASKED) {
            quote_into(&mut self.out, text);
        } else {
            self.rules.masked += 1;
            self.out.extend_from_slice(MASK_TOKEN);
        }
    }

    /// The same of any text, of which this is known.
    fn held_suspect(&mut self, text: &str, seen: Screen) {
        if text.len() < SHORTEST {
            quote_into(&mut self.out, text);
            return;
        }
        let size = if seen.high && text.len() >= CHARGED_LENGTH {
            text.chars().count()
        } else {
            text.len()
        };
        if size >= CHARGED_LENGTH {
            self.rules.left = self.rules.left.saturating_sub(charge_of(size, 1));
            if self.rules.left < 0 {
                let cut = self.rules.overflow(text);
                quote_into(&mut self.out, &cut);
                return;
            }
        }
        if !self.rules.may_change(text.as_bytes(), seen) || size < SHORTEST {
            if seen.has_escapes() {
                quote_into(&mut self.out, text);
            } else {
                quote_plain_into(&mut self.out, text);
            }
            return;
        }
        let before = self.rules.masked;
        let masked = self.rules.suspect(text, seen);
        if is_same(&masked, text) {
            self.rules.masked = before; // only what changes counts
            if !seen.has_escapes() {
                quote_plain_into(&mut self.out, text);
                return;
            }
        }
        quote_into(&mut self.out, &masked);
    }
}
