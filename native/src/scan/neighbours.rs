//! Values that are secret for what stands beside them: `{"name": "password", "value": "x"}`.

use super::frame::{Frame, Value};
use super::{Scan, MASK_TOKEN};
use crate::keys::{Place, Verdict, INPUT, MASK, SAFE, VALUE, WALK};
use crate::limits::DEPTH_MAX;
use crate::spans::Span;

impl Scan<'_, '_, '_> {
    /// Mask each `value`, `input` and pair of a frame that closes whose neighbours tell that it is a secret.
    pub(super) fn judge_waiting(&mut self, frame: &Frame, depth: usize) {
        if self.waiting.len() > frame.waiting && (frame.is_object || (frame.are_pairs && depth < DEPTH_MAX)) {
            let waiting = self.waiting.split_off(frame.waiting);
            let mut by_name = None;
            for value in &waiting {
                let mut verdict = value.verdict;
                if verdict & INPUT != 0 {
                    verdict |= frame.input_verdict;
                } else if verdict & VALUE != 0 {
                    verdict |= *by_name.get_or_insert_with(|| self.judge_names(frame));
                }
                self.mask(value, verdict);
            }
        }
        self.waiting.truncate(frame.waiting);
        self.names.truncate(frame.names);
    }

    /// Return the verdict on a `value` by the names beside it.
    fn judge_names(&mut self, frame: &Frame) -> Verdict {
        let mut verdict = SAFE;
        for (value, said, is_title) in self.names.split_off(frame.names) {
            let Some(name) = self.said(&value, said) else {
                continue;
            };
            verdict |= if is_title {
                self.rules.judge_title(&name, Place::Payload)
            } else {
                self.rules.judge_text(&name, Place::Payload)
            };
        }
        verdict
    }

    /// Mask a value whole if the verdict on its key calls for it.
    pub(super) fn mask(&mut self, value: &Value, verdict: Verdict) {
        let is_secret = verdict & MASK != 0 || (verdict & WALK != 0 && !value.is_object);
        if is_secret && !value.stays {
            self.spans.push(Span::new(value.start, value.end, MASK_TOKEN, 1));
        }
    }
}
