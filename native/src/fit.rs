//! How large the parts of an event may be, and how a text is cut without cutting a secret in half.
//!
//! The other half of `_limits.py` (see `limits.rs`). A cut may leave half a mark behind, so what is
//! left is masked again: the result is stable.

use std::borrow::Cow;

use crate::marks::{CUT, MASKED, PREVIEW_LENGTH};

/// Of an error's message.
pub const ERROR_MESSAGE_BYTES: usize = 8 * 1024;
/// Of a stack trace.
pub const STACK_TRACE_BYTES: usize = 64 * 1024;
/// Every other text of the envelope: nothing that is a name or an address is longer.
pub const TEXT_BYTES: usize = 8 * 1024;

const REQUEST_URL_BYTES: usize = 8192;
/// Texts, breadcrumbs, logs and metadata beside two full payloads.
const ENVELOPE_BYTES: usize = 256 * 1024;
/// An object is encoded up to this many times its limit, to say how large it is.
const BUDGET_FACTOR: usize = 4;
/// How much shorter to cut when masking the cut text made it longer again.
const STEPS: [usize; 5] = [0, 16, 64, 256, 1024];

/// The limits of one client, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of each payload and each set of headers.
    pub max_payload_bytes: usize,
}

impl Limits {
    /// Of a whole event.
    #[must_use]
    pub fn event_bytes(self) -> usize {
        self.max_payload_bytes
            .saturating_mul(2)
            .saturating_add(ENVELOPE_BYTES)
    }

    /// How far a field over its limit is encoded before its size is called a lower bound.
    #[must_use]
    pub fn budget_bytes(self) -> usize {
        self.max_payload_bytes.saturating_mul(BUDGET_FACTOR)
    }

    /// Of the request's URL.
    #[must_use]
    pub fn request_url_bytes(self) -> usize {
        REQUEST_URL_BYTES.min(self.max_payload_bytes)
    }
}

/// Return a number of bytes as the rules count what is left.
#[must_use]
pub fn as_budget(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Return a number of bytes as marks write it.
#[must_use]
pub fn as_size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Return a masked text, cut at a character with `…` if it is over `max_bytes`.
pub fn fit(masked: Cow<'_, str>, max_bytes: usize, mut mask: impl FnMut(&str) -> String) -> Cow<'_, str> {
    if masked.len() <= max_bytes {
        return masked;
    }
    for step in STEPS {
        let Some(room) = max_bytes.checked_sub(CUT.len() + step).filter(|&room| room > 0) else {
            break;
        };
        let cut = mask(&format!("{}{CUT}", first_bytes(&masked, room)));
        if cut.len() <= max_bytes {
            return Cow::Owned(cut);
        }
    }
    Cow::Borrowed(CUT)
}

fn first_bytes(text: &str, size: usize) -> &str {
    let mut end = size.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Return the first `count` characters.
#[must_use]
pub fn first_characters(text: &str, count: usize) -> &str {
    if text.len() <= count {
        return text;
    }
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

/// Return the first code points of a masked text, as many as a preview may have.
pub fn preview_of(masked: &str, max_bytes: usize, mut mask: impl FnMut(&str) -> String) -> String {
    let length = max_bytes.min(PREVIEW_LENGTH);
    for step in STEPS {
        if step >= length {
            break;
        }
        let start = first_characters(masked, length - step);
        let preview = mask(without_half_mark(start, masked));
        if first_characters(&preview, length).len() == preview.len() {
            return preview;
        }
    }
    String::new()
}

/// Leave out a mark that the cut went through.
fn without_half_mark<'t>(start: &'t str, whole: &str) -> &'t str {
    match start.rfind('[') {
        Some(at) if start.len() < at + MASKED.len() && whole[at..].starts_with(MASKED) => &start[..at],
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{first_characters, fit, preview_of, Limits};

    /// The derived limits are those of the contract.
    #[test]
    fn limits_follow_from_one_number() {
        let limits = Limits {
            max_payload_bytes: 100,
        };
        let derived = (
            limits.event_bytes(),
            limits.budget_bytes(),
            limits.request_url_bytes(),
        );
        assert_eq!(derived, (262_344, 400, 100));
    }

    /// A text over its limit ends at a character, and a mask that makes it longer makes it shorter.
    #[test]
    fn texts_are_cut_at_a_character() {
        let same = |text: &str| text.to_owned();
        assert_eq!(fit(Cow::Borrowed("abc"), 3, same), "abc");
        assert_eq!(fit(Cow::Borrowed("ééé"), 5, same), "é…");
        assert_eq!(fit(Cow::Borrowed("abcd"), 3, same), "…");
        let longer = |text: &str| {
            if text.len() > 30 {
                text.repeat(2)
            } else {
                text.to_owned()
            }
        };
        let text = "x".repeat(50);
        assert_eq!(
            fit(Cow::Borrowed(&text), 40, longer),
            format!("{}…", "x".repeat(21))
        );
    }

    /// A preview counts characters and holds no half mark.
    #[test]
    fn previews_hold_no_half_mark() {
        let same = |text: &str| text.to_owned();
        assert_eq!(preview_of("é [MASKED] x", 6, same), "é ");
        assert_eq!(preview_of("é [MASKED] x", 10, same), "é [MASKED]");
        assert_eq!(preview_of("é [MASKER] x", 4, same), "é [M");
        assert_eq!(preview_of("abc", 2, |text| text.repeat(9)), "");
        assert_eq!(first_characters("éé", 1), "é");
    }
}
