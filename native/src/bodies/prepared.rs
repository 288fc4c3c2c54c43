//! Bodies that are masked before their events are written, where no lock of an interpreter is needed.

use super::{mask_body, RawBody, HELD_BYTES};
use crate::fit::Limits;
use crate::policy::Policy;
use crate::rules::UNBOUNDED;
use crate::walk::{Scratch, Walker};

/// What the event keeps of a body, made before the event itself.
#[derive(Debug)]
pub struct Prepared {
    /// As JSON text.
    pub json: Vec<u8>,
    /// How many places in it were masked.
    pub masked: u64,
}

/// Return of each body what `mask_body` writes of it. `scratch` is what an earlier walk under this policy left.
pub fn prepare(
    bodies: &[RawBody<'_>],
    policy: &Policy,
    limits: Limits,
    scratch: &mut Scratch,
) -> Vec<Prepared> {
    let mut walker = Walker::with(policy, UNBOUNDED, std::mem::take(scratch));
    let prepared = bodies.iter().map(|body| {
        walker.begin(UNBOUNDED);
        mask_body(body, &mut walker, limits);
        let json = walker.out.clone();
        walker.take_back(0);
        let masked = walker.rules.masked;
        Prepared { json, masked }
    });
    let prepared = prepared.collect();
    *scratch = walker.into_scratch();
    prepared
}

impl RawBody<'_> {
    /// Tell whether another is the same body in the same memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let is_same = |first: Option<&str>, second: Option<&str>| match (first, second) {
            (Some(first), Some(second)) => std::ptr::eq(first, second),
            (first, second) => first.is_none() && second.is_none(),
        };
        std::ptr::eq(self.data, other.data)
            && is_same(self.content_type, other.content_type)
            && is_same(self.content_encoding, other.content_encoding)
            && (self.total_bytes, self.complete) == (other.total_bytes, other.complete)
    }

    /// Return how many bytes of it are looked at, if no encoding makes more of them.
    #[must_use]
    pub fn work_bytes(&self, limits: Limits) -> usize {
        if self.data.len() > limits.max_payload_bytes {
            HELD_BYTES
        } else {
            self.data.len()
        }
    }
}
