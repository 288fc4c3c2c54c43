//! What a walk may take: containers and long keys are charged before they are walked.

use super::{Walker, REMEMBERED_LENGTH};
use crate::rules::RESERVE;

/// Each takes a byte at least, so these fill the 2000 code points of a preview.
const PREVIEW_ITEMS: usize = 2001;

impl Walker<'_> {
    /// Charge a container for what it holds; return how many items of it are walked, and whether the
    /// bound is crossed.
    pub(super) fn charge(&mut self, count: usize, each: i64) -> (usize, bool) {
        self.rules.left = self.rules.left.saturating_sub(charge_of(count, each));
        if self.rules.left >= 0 {
            return (count, false);
        }
        self.overdraw();
        (if self.stopped { 0 } else { count.min(PREVIEW_ITEMS) }, true)
    }

    /// Charge a key that Python's memory does not keep; tell whether the walk ends there.
    pub(super) fn charge_key(&mut self, key: &str) -> bool {
        if key.len() <= REMEMBERED_LENGTH {
            return false;
        }
        let size = key.chars().count();
        if size <= REMEMBERED_LENGTH {
            return false;
        }
        self.rules.left = self.rules.left.saturating_sub(charge_of(size, 1));
        if self.rules.left < 0 {
            self.overdraw();
            return self.stopped;
        }
        false
    }

    /// Note that the bound is crossed; only the beginning of the container at hand will be walked.
    fn overdraw(&mut self) {
        self.stopped = self.rules.full; // even the reserve for the preview is used up
        self.rules.full = true;
        self.rules.left = RESERVE;
    }
}

/// Return what so many things cost.
pub(super) fn charge_of(count: usize, each: i64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(each)
}
