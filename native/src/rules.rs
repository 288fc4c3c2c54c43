//! The rules of one policy at work on texts, URLs and keys; counts what they mask.

use std::borrow::Cow;

use crate::assignments::may_assign;
use crate::keys::{is_title, role, Place, Verdict, CHANGED, MASK, SAFE, WALK};
use crate::marks::{CUT, MASKED};
use crate::places::{after, then};
use crate::policy::Policy;
use crate::scan::mask_json;
use crate::screen::Screen;
use crate::text::{mask, mask_cut, mask_shapes, mask_suspect, LEVEL_MAX, ROUNDS_MAX};
use crate::urls::mask_url_parts;
use crate::verdicts::Verdicts;

/// No bound at all.
pub const UNBOUNDED: i64 = 1 << 62;

/// Bytes that may still be written for the preview once the bound is known to be crossed.
pub const RESERVE: i64 = 65_536;

/// Shorter strings are covered by what their container is charged.
pub const CHARGED_LENGTH: usize = 8;

const OVERFLOW_TEXT: usize = 16_384;

/// The rules, a bound and a count.
///
/// The bound limits the work: once more was seen, `full` is true, and a text that crosses it is cut.
pub struct Rules<'p> {
    /// What is masked.
    pub policy: &'p Policy,
    /// How many strings of JSON are around.
    pub level: usize,
    /// How many places were masked.
    pub masked: u64,
    /// How many characters may still be seen.
    pub left: i64,
    /// Whether more was seen.
    pub full: bool,
    /// What is known of the names of fields, if a walk lent it (`Walker::knowing`).
    pub(crate) names: Verdicts,
}

/// The rules for a URL's parameters: they judge them by their names and mask the texts of the others.
pub struct Parameters<'r, 'p> {
    rules: &'r mut Rules<'p>,
    level: usize,
    /// They stand in a form, or in a URL that is a value of its own: the key rules hold.
    are_fields: bool,
}

impl Parameters<'_, '_> {
    /// Tell whether what the parameter `name` (decoded) holds is a secret.
    pub(crate) fn is_secret(&mut self, name: &str) -> bool {
        if self.are_fields && !self.rules.names.is_empty() {
            let mut names = std::mem::take(&mut self.rules.names);
            let verdict = names.judge(name, Place::Form, self.rules);
            self.rules.names = names;
            // Else the name as it is written was judged as well.
            if verdict & CHANGED == 0 {
                return verdict & (MASK | WALK) != SAFE;
            }
        }
        let keyring = &self.rules.policy.keyring;
        let verdict = if self.are_fields {
            keyring.judge_field(name)
        } else {
            keyring.judge_parameter(name)
        };
        verdict & (MASK | WALK) != SAFE
    }

    /// Return a decoded name or value, or a path, masked as text.
    pub(crate) fn mask_text<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if self.rules.policy.mask_values && self.level <= LEVEL_MAX {
            mask(text, self.rules, self.level)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Count what was masked.
    pub(crate) fn add(&mut self, count: u64) {
        self.rules.masked += count;
    }
}

impl<'p> Rules<'p> {
    /// Return the rules of `policy` for a value within `level` strings of JSON.
    #[must_use]
    pub fn new(policy: &'p Policy, budget: i64, level: usize) -> Self {
        Self {
            policy,
            level,
            masked: 0,
            left: budget,
            full: false,
            names: Verdicts::default(),
        }
    }

    /// Return `text` under the value rules.
    pub fn text<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if self.crosses(text) {
            return Cow::Owned(self.overflow(text));
        }
        self.uncharged(text)
    }

    /// The same, without the bound.
    pub fn uncharged<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if self.policy.mask_values {
            mask(text, self, self.level)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Tell whether some rule might change a text of which this is known.
    #[must_use]
    #[inline]
    pub fn may_change(&self, text: &[u8], seen: Screen) -> bool {
        self.policy.mask_values && (!self.policy.classes.is_empty() || !seen.is_clean(text))
    }

    /// Return a text of which `may_change` says so, without the bound.
    pub fn suspect<'t>(&mut self, text: &'t str, seen: Screen) -> Cow<'t, str> {
        mask_suspect(text, seen, self, self.level)
    }

    /// Return one whole URL, masked: parameters by the key rules, all of it by the shapes.
    pub fn url<'t>(&mut self, url: &'t str) -> Cow<'t, str> {
        if self.crosses(url) {
            return Cow::Owned(self.overflow(url));
        }
        let mut settled = Cow::Borrowed(url);
        for _ in 0..ROUNDS_MAX {
            let masked = match self.url_once(&settled) {
                Cow::Owned(masked) if masked != settled => masked,
                _ => return settled,
            };
            settled = Cow::Owned(masked);
        }
        Cow::Borrowed(MASKED)
    }

    fn url_once<'t>(&mut self, url: &'t str) -> Cow<'t, str> {
        let masked = mask_url_parts(url, &mut self.form_parameters());
        if self.policy.mask_values {
            then(masked, |url| mask_shapes(url, self))
        } else {
            masked
        }
    }

    /// Charge a text, and tell whether it crosses the bound. Characters count, as in Python.
    fn crosses(&mut self, text: &str) -> bool {
        // Nobody has a text that is as long as what is left without a bound.
        if text.len() < CHARGED_LENGTH || self.left > UNBOUNDED / 2 {
            return false;
        }
        let size = length(text);
        if size < CHARGED_LENGTH {
            return false;
        }
        self.left = self.left.saturating_sub(i64::try_from(size).unwrap_or(i64::MAX));
        self.left < 0
    }

    /// Return the rules for the parameters of a form, or of a URL that is one: the key rules.
    pub fn form_parameters(&mut self) -> Parameters<'_, 'p> {
        let level = self.level + 1;
        Parameters {
            rules: self,
            level,
            are_fields: true,
        }
    }

    /// Return the rules for the parameters of URLs within a text.
    pub fn parameters(&mut self, level: usize) -> Parameters<'_, 'p> {
        Parameters {
            rules: self,
            level,
            are_fields: false,
        }
    }

    /// Judge a name found in a text.
    #[must_use]
    pub fn judge_name(&self, name: &str, query: bool) -> Verdict {
        self.policy.keyring.judge_name(name, query)
    }

    /// Return `text` masked as the JSON document that it is; `None` if it is none.
    pub(crate) fn embedded<'t>(&mut self, text: &'t str, level: usize) -> Option<Cow<'t, str>> {
        let mut inner = Rules::new(self.policy, UNBOUNDED, level);
        let masked = mask_json(text, &mut inner).ok()?;
        self.masked += inner.masked;
        Some(masked)
    }

    /// Return what `mask` makes of something, and how many secrets it found, which are not counted yet.
    pub fn counted<T>(&mut self, mask: impl FnOnce(&mut Self) -> T) -> (T, u64) {
        let before = std::mem::take(&mut self.masked);
        let masked = mask(self);
        (masked, std::mem::replace(&mut self.masked, before))
    }

    /// Return the beginning of the text that crossed the bound.
    pub fn overflow(&mut self, text: &str) -> String {
        if self.full {
            return CUT.to_owned();
        }
        self.full = true;
        self.left = RESERVE;
        self.cut(&text[..after(text, 0, OVERFLOW_TEXT)])
    }

    /// Return the beginning of a longer text, masked, its unfinished end as `…`.
    pub fn cut(&mut self, text: &str) -> String {
        if self.policy.mask_values {
            mask_cut(text, self)
        } else {
            format!("{text}{CUT}")
        }
    }

    /// Tell whether what stands under `key` is masked whole or walked as a secret.
    pub fn is_secret(&mut self, key: &str, place: Place) -> bool {
        self.verdict(key, place) & (MASK | WALK) != SAFE
    }

    /// Return a key as it may be written.
    pub fn key<'t>(&mut self, key: &'t str) -> Cow<'t, str> {
        if self.policy.mask_values {
            mask(key, self, LEVEL_MAX)
        } else {
            Cow::Borrowed(key)
        }
    }

    /// Return the verdict on a key, its role among its neighbours, and whether its own text changes.
    pub fn verdict(&mut self, key: &str, place: Place) -> Verdict {
        let (written, _) = self.counted(|rules| rules.key(key)); // it is counted where it is written
        let verdict = self.judge_both(key, &written, place) | role(key);
        if written == key {
            verdict
        } else {
            verdict | CHANGED
        }
    }

    /// Return the verdict on a name that stands in the place of a value.
    pub fn judge_text(&mut self, name: &str, place: Place) -> Verdict {
        if !may_assign(name, self) {
            return SAFE;
        }
        let written = self.written(name);
        self.judge_both(name, &written, place)
    }

    /// Return the verdict on a `label` or `id`, which speaks to people: only a strong name counts.
    pub fn judge_title(&mut self, name: &str, place: Place) -> Verdict {
        let verdict = self.judge_text(name, place) & MASK;
        if verdict == SAFE || is_title(name) {
            return verdict;
        }
        if is_title(&self.written(name)) {
            verdict
        } else {
            SAFE
        }
    }

    /// Return a text as it is written; it is counted and charged where that happens.
    fn written<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let left = self.left;
        let (written, _) = self.counted(|rules| rules.text(text));
        self.left = left;
        written
    }

    /// Judge a key as it came and as it is written: the second pass sees only the latter.
    #[must_use]
    pub fn judge_both(&self, key: &str, written: &str, place: Place) -> Verdict {
        let verdict = self.policy.keyring.judge(key, place);
        if written == key {
            verdict
        } else {
            verdict | self.policy.keyring.judge(written, place)
        }
    }
}

/// Return how many characters a text has, as Python counts them.
fn length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, RESERVE, UNBOUNDED};
    use crate::keys::{Place, CHANGED, MASK, SAFE};
    use crate::policy::Policy;

    /// A text that crosses the bound is cut, and those after it are not written at all.
    #[test]
    fn bound_cuts_once() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, 100, 0);
        let text = "é ".repeat(40);
        assert_eq!(rules.text(&text), text);
        assert_eq!((rules.left, rules.full), (20, false));
        assert_eq!(rules.text(&text), format!("{text}…"));
        assert_eq!((rules.left, rules.full), (RESERVE, true));
        rules.left = 0;
        assert_eq!(rules.text(&text), "…");
    }

    /// Without value rules a text stays as it is, and a URL loses what its parameters name.
    #[test]
    fn value_rules_may_be_off() {
        let policy = Policy {
            mask_values: false,
            ..Policy::default()
        };
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        assert_eq!(rules.text("password=x"), "password=x");
        assert_eq!(rules.url("/a?password=x"), "/a?password=[MASKED]");
        assert_eq!(rules.masked, 1);
    }

    /// A key that holds a secret is judged as it came and as it is written, and counts nothing yet.
    #[test]
    fn keys_are_judged_twice() {
        let policy = Policy::default();
        let mut rules = Rules::new(&policy, UNBOUNDED, 0);
        assert_eq!(rules.verdict("password", Place::Payload), MASK);
        assert_eq!(rules.verdict("a pin=1", Place::Payload) & CHANGED, CHANGED);
        assert_eq!(rules.judge_title("token", Place::Payload), SAFE);
        assert_eq!(rules.judge_title("password", Place::Payload), MASK);
        assert_eq!(rules.masked, 0);
    }
}
