//! The end of a text that was cut.

use std::borrow::Cow;

use super::frame::{Frame, Said, Value};
use super::Scan;
use crate::json::NotJson;
use crate::keys::{INPUT, MASK, VALUE};
use crate::lexer::is_unfinished;
use crate::marks::CUT;
use crate::spans::Span;

impl Scan<'_, '_, '_> {
    /// Close what is open as if nothing but the worst came after `start`.
    pub(super) fn end_of_prefix(&mut self, start: usize, complete: bool) -> Result<(), NotJson> {
        if complete || self.stack.is_empty() || !is_unfinished(self.text.as_bytes(), start) {
            return Err(NotJson);
        }
        self.spans.push(Span::new(start, self.text.len(), CUT, 0));
        let mut child: Option<Frame> = None;
        while !self.stack.is_empty() {
            if let Some(child) = child.take() {
                let value = Value {
                    is_object: child.is_object,
                    ..Value::new(child.start, start)
                };
                // Half a pair may still become one; it has no value yet that could be secret.
                let half = !child.is_object && child.items <= 1;
                let pair = self.pair(&child);
                let pair = pair.or(half.then_some((Cow::Borrowed(""), value)));
                self.value(value, Said::Nothing, pair);
            }
            let depth = self.stack.len();
            let Some(frame) = self.stack.pop() else { break };
            for value in &mut self.waiting[frame.waiting..] {
                if value.verdict & (VALUE | INPUT) != 0 {
                    value.verdict |= MASK; // the name that condemns it may have been cut off
                }
            }
            self.judge_waiting(&frame, depth);
            child = Some(frame);
        }
        Ok(())
    }
}
