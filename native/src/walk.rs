//! The walk over a value: JSON text comes out, masked by key and by value.
//!
//! Python's `Walker` builds plain values and encodes them afterwards; here the text is written at
//! once, byte for byte what Python's encoder makes of its result. Python holds texts until the end
//! of its walk to look at them together; here each is looked at where it stands, with the same counts.

mod bound;
mod fields;
mod memo;
mod node;
mod pairs;
mod scalars;
#[cfg(test)]
mod tests;
mod texts;

use crate::json::{as_text, quote_into};
use crate::keys::{Place, Verdict, CHANGED, INPUT, MASK, VALUE, WALK};
use crate::limits::DEPTH_MAX;
use crate::marks::{CIRCULAR, DEEP, UNREADABLE};
use crate::policy::Policy;
use crate::rules::Rules;
use crate::verdicts::Verdicts;
use memo::Memo;
pub use node::{Form, Node};

/// Longer keys are charged; of shorter ones a document repeats a few.
const REMEMBERED_LENGTH: usize = 64;

/// What outlives a walk: what is known of keys under one policy and no other, and memory to write into.
#[derive(Default)]
pub struct Scratch {
    /// The verdicts on keys.
    pub verdicts: Verdicts,
    out: Vec<u8>,
    memo: Memo,
    path: Vec<usize>,
}

/// A larger buffer is not kept for the next event.
const KEPT_BYTES: usize = 1 << 20;

/// One walk, or several that write one after the other. `rules` tells in the end how much was masked and
/// whether the bound was crossed.
pub struct Walker<'p> {
    /// The rules, the count and the bound.
    pub rules: Rules<'p>,
    /// What is known of keys.
    pub verdicts: Verdicts,
    /// What was written so far. Whoever takes something back from it uses `take_back`.
    pub(crate) out: Vec<u8>,
    /// The keys that were written, and where.
    memo: Memo,
    /// The containers around the value at hand, by their identity.
    path: Vec<usize>,
    stopped: bool,
}

impl<'p> Walker<'p> {
    /// Make a walk that ends once the encoded size is certain to exceed `budget_bytes`.
    #[must_use]
    pub fn new(policy: &'p Policy, budget_bytes: i64) -> Self {
        Self::with(policy, budget_bytes, Scratch::default())
    }

    /// The same, with what an earlier walk under this very policy left.
    #[must_use]
    pub fn with(policy: &'p Policy, budget_bytes: i64, scratch: Scratch) -> Self {
        let Scratch {
            verdicts,
            mut out,
            mut memo,
            mut path,
        } = scratch;
        out.clear();
        path.clear();
        memo.forget();
        Self {
            rules: Rules::new(policy, budget_bytes, 0),
            verdicts,
            out,
            memo,
            path,
            stopped: false,
        }
    }

    /// Return what the next walk can begin with.
    #[must_use]
    pub fn into_scratch(self) -> Scratch {
        let Self {
            verdicts,
            out,
            memo,
            path,
            ..
        } = self;
        Scratch {
            verdicts,
            out: if out.capacity() > KEPT_BYTES {
                Vec::new()
            } else {
                out
            },
            memo,
            path,
        }
    }

    /// Begin anew behind what was written, with a bound and a count of its own.
    pub fn begin(&mut self, budget_bytes: i64) {
        self.rules = Rules::new(self.rules.policy, budget_bytes, 0);
        self.stopped = false;
    }

    /// Return what `mask` makes of something whose fields are judged by name, with what is known of names.
    pub(crate) fn knowing<T>(&mut self, mask: impl FnOnce(&mut Rules<'p>) -> T) -> T {
        std::mem::swap(&mut self.rules.names, &mut self.verdicts);
        let masked = mask(&mut self.rules);
        std::mem::swap(&mut self.rules.names, &mut self.verdicts);
        masked
    }

    /// Take back what was written from `start` on.
    pub fn take_back(&mut self, start: usize) {
        self.out.truncate(start);
        self.memo.forget();
    }

    /// Return, and take back, what was written from `start` on.
    pub fn taken(&mut self, start: usize) -> String {
        let written = self.out[start..].to_vec();
        self.take_back(start);
        as_text(written)
    }

    /// Return `value` as JSON text, masked.
    ///
    /// # Errors
    /// What the value's own reading reports; nothing of what was written so far is returned.
    pub fn walk<N: Node>(&mut self, value: &N, place: Place) -> Result<String, N::Error> {
        let start = self.out.len();
        self.write(*value, place)?;
        Ok(self.taken(start))
    }

    /// Write `value` behind what was written so far.
    ///
    /// # Errors
    /// As `walk`; what was written of it is taken back.
    pub fn write<N: Node>(&mut self, value: N, place: Place) -> Result<(), N::Error> {
        let start = self.out.len();
        self.path.clear();
        let result = self.any(value, place, 0);
        if result.is_err() {
            self.take_back(start);
        }
        result
    }

    /// Write `value`, which stands in a container at `depth`.
    fn any<N: Node>(&mut self, value: N, place: Place, depth: usize) -> Result<(), N::Error> {
        let value = value.settled()?;
        self.known(value, value.form(), place, depth)
    }

    /// Write a value of a type of JSON.
    fn known<N: Node>(&mut self, value: N, form: Form, place: Place, depth: usize) -> Result<(), N::Error> {
        match form {
            Form::Map | Form::List => return self.container(value, form, place, depth + 1),
            Form::Text => {
                let text = value.text()?;
                quote_into(&mut self.out, &self.rules.text(&text));
            }
            Form::Null => self.out.extend_from_slice(b"null"),
            Form::Bool(truth) => self.out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Form::Int(number) => scalars::int_into(&mut self.out, &mut self.rules, number),
            Form::Large => match value.digits()? {
                Some(digits) => scalars::digits_into(&mut self.out, &mut self.rules, &digits),
                None => scalars::huge_into(&mut self.out),
            },
            Form::Float(number) => scalars::number_into(&mut self.out, number),
            Form::Written => self.out.extend_from_slice(value.text()?.as_bytes()),
            Form::Foreign => quote_into(&mut self.out, UNREADABLE), // `plain` makes no such thing
        }
        Ok(())
    }

    fn container<N: Node>(
        &mut self,
        value: N,
        form: Form,
        place: Place,
        depth: usize,
    ) -> Result<(), N::Error> {
        let identity = value.identity();
        if depth > DEPTH_MAX {
            quote_into(&mut self.out, DEEP);
            return Ok(());
        }
        if self.is_open(identity) {
            quote_into(&mut self.out, CIRCULAR);
            return Ok(());
        }
        self.path.extend(identity);
        if form == Form::Map {
            self.map(value, place, depth)?;
        } else {
            self.list(value, place, depth)?;
        }
        if identity.is_some() {
            self.path.pop();
        }
        Ok(())
    }

    fn is_open(&self, identity: Option<usize>) -> bool {
        identity.is_some_and(|identity| self.path.contains(&identity))
    }

    // --- objects ---

    fn map<N: Node>(&mut self, source: N, place: Place, depth: usize) -> Result<(), N::Error> {
        let entries = source.entries();
        let (shown, bounded) = self.charge(entries.len(), 5); // `"":0,`
        let inner = if place == Place::Log {
            Place::Payload
        } else {
            place
        };
        let mut named: Option<(Verdict, Verdict)> = None;
        let mut renamed = false;
        self.out.push(b'{');
        let begin = self.out.len();
        for (key, value) in entries.clone().take(shown) {
            let known = self.memo.write(&mut self.out, begin, key.key_identity(), place);
            let mut verdict = match known {
                Some(verdict) => verdict,
                None => match self.begin_field(begin, key, place)? {
                    Some((verdict, is_own)) => {
                        renamed |= verdict & CHANGED != 0 || !is_own;
                        verdict
                    }
                    None => break,
                },
            };
            if verdict & (VALUE | INPUT) != 0 {
                let (by_name, by_path) = match named {
                    Some(known) => known,
                    None => *named.insert(self.named_by::<N>(entries.clone(), place)?),
                };
                verdict |= if verdict & INPUT != 0 { by_path } else { by_name };
            }
            let is_scalar = if verdict & (MASK | WALK) != 0 {
                self.secret(value, inner, depth, verdict & MASK == 0)?;
                false
            } else {
                self.item(value, inner, depth)? != Written::Structure
            };
            // Python writes scalars even if an earlier walk was stopped.
            if self.stopped && !is_scalar {
                break;
            }
        }
        if renamed {
            self.unite(begin);
        }
        self.out.push(b'}');
        self.stopped = self.stopped || bounded;
        Ok(())
    }

    /// Write what stands in a container.
    fn item<N: Node>(&mut self, value: N, place: Place, depth: usize) -> Result<Written, N::Error> {
        let form = value.form();
        let written = match form {
            Form::Text => {
                self.held(&value.text()?);
                return Ok(Written::Text);
            }
            Form::Foreign => {
                self.any(value, place, depth)?;
                return Ok(Written::Structure);
            }
            Form::Float(number) if !number.is_finite() => Written::Structure,
            Form::Map | Form::List => Written::Structure,
            _ => Written::Scalar,
        };
        self.known(value, form, place, depth)?;
        Ok(written)
    }

    // --- lists ---

    fn list<N: Node>(&mut self, source: N, place: Place, depth: usize) -> Result<(), N::Error> {
        let items = source.items();
        let (shown, bounded) = self.charge(items.len(), 2); // `0,`
        let items = items.take(shown);
        self.out.push(b'[');
        let pairs = if depth < DEPTH_MAX {
            self.as_pairs(items.clone(), depth)?
        } else {
            None
        };
        if let Some(pairs) = pairs {
            self.pairs(items, pairs, place, depth)?;
        } else {
            let begin = self.out.len();
            for item in items {
                if self.out.len() > begin {
                    self.out.push(b',');
                }
                if self.item(item, place, depth)? != Written::Text && self.stopped {
                    break;
                }
            }
        }
        self.out.push(b']');
        self.stopped = self.stopped || bounded;
        Ok(())
    }

    /// Write what stands under a secret key: null, booleans and what is empty stay.
    fn secret<N: Node>(&mut self, value: N, place: Place, depth: usize, walk: bool) -> Result<(), N::Error> {
        let value = value.settled()?;
        let form = value.form();
        match form {
            Form::Null | Form::Bool(_) => return self.known(value, form, place, depth),
            Form::Text => {
                let text = value.text()?;
                self.write_secret(&text);
                return Ok(());
            }
            Form::Map | Form::List if value.size() == 0 => {
                let is_map = form == Form::Map;
                let empty: &[u8] = if is_map { b"{}" } else { b"[]" };
                self.out
                    .extend_from_slice(if depth < DEPTH_MAX { empty } else { DEEP_TOKEN });
                return Ok(());
            }
            Form::Map if walk => return self.container(value, form, place, depth + 1),
            _ => {}
        }
        self.rules.masked += 1;
        self.out.extend_from_slice(MASK_TOKEN);
        Ok(())
    }
}

/// What was written in a container: it decides whether a walk may end there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Text,
    /// A number that is one in JSON, a boolean or null.
    Scalar,
    /// All else.
    Structure,
}

/// `DEEP` as JSON.
const DEEP_TOKEN: &[u8] = b"\"[Depth]\"";
/// `MASKED` as JSON.
const MASK_TOKEN: &[u8] = b"\"[MASKED]\"";
