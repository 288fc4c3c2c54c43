//! Events as Python holds them: `RawBody` and `RawHeaders` by their exact types, all else as nodes.
//!
//! What is not as it should be (a body that is no `bytes`, a content type with lone surrogates) is an
//! error here, and Python encodes that event itself.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::node::PyNode;
use super::session::{Seam, Session};
use super::{CompiledPolicy, Kept};
use crate::bodies::{prepare, Prepared, RawBody};
use crate::event::{self, Content, Field};
use crate::event_fields::{kind_of, Kind};
use crate::fit::Limits;
use crate::walk::Node;

/// Encodes events, and knows the types that their fields may be of beside those of JSON.
#[pyclass(frozen, module = "replaystack_native")]
pub(super) struct EventEncoder {
    raw_body: Py<PyAny>,
    raw_headers: Py<PyAny>,
}

#[pymethods]
impl EventEncoder {
    #[new]
    fn new(raw_body: Py<PyAny>, raw_headers: Py<PyAny>) -> Self {
        Self {
            raw_body,
            raw_headers,
        }
    }

    /// Return one event as masked bytes.
    fn encode_event<'py>(
        &self,
        policy: &Bound<'py, CompiledPolicy>,
        policy_hash: &str,
        max_payload_bytes: usize,
        event: &Bound<'py, PyDict>,
        plain: Bound<'py, PyAny>,
        key_text: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let job = Job {
            encoder: self,
            policy: policy.get(),
            policy_hash,
            limits: Limits { max_payload_bytes },
            seam: Seam { plain, key_text },
        };
        let mut kept = job.policy.take();
        let encoded = job.encode_all(std::slice::from_ref(event), &mut kept);
        job.policy.put_back(kept);
        encoded?
            .pop()
            .ok_or_else(|| PyTypeError::new_err("one event makes one"))
    }

    /// Return several events as masked bytes, in order.
    fn encode_batch<'py>(
        &self,
        policy: &Bound<'py, CompiledPolicy>,
        policy_hash: &str,
        max_payload_bytes: usize,
        events: &Bound<'py, PyList>,
        plain: Bound<'py, PyAny>,
        key_text: Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let job = Job {
            encoder: self,
            policy: policy.get(),
            policy_hash,
            limits: Limits { max_payload_bytes },
            seam: Seam { plain, key_text },
        };
        let events = events.iter().map(|event| Ok(event.cast_into_exact::<PyDict>()?));
        let events = events.collect::<PyResult<Vec<_>>>()?;
        let mut kept = job.policy.take();
        let encoded = job.encode_all(&events, &mut kept);
        job.policy.put_back(kept);
        encoded
    }
}

/// Whoever releases the lock may wait for it behind a thread that computes: up to 5 ms, which is as long as
/// it takes to mask some MiB. So it is released for much work only, and once for all of it (MASKING.md
/// section 8).
const RELEASED_BYTES: usize = 256 * 1024;

/// A body that was masked while the lock was released, and what it was made of.
type Ready<'s> = (RawBody<'s>, Prepared);

/// Some events that are encoded together.
struct Job<'a, 'py> {
    encoder: &'a EventEncoder,
    policy: &'a CompiledPolicy,
    policy_hash: &'a str,
    limits: Limits,
    seam: Seam<'py>,
}

impl<'py> Job<'_, 'py> {
    fn encode_all(
        &self,
        events: &[Bound<'py, PyDict>],
        kept: &mut Kept,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let holder = Session::new(self.seam.clone());
        let ready = self.masked_outside(&holder, events, kept);
        if ready.is_empty() {
            drop(holder); // the collector rests as long as it lives
            return events.iter().map(|event| self.encode(event, &[], kept)).collect();
        }
        events
            .iter()
            .map(|event| self.encode(event, &ready, kept))
            .collect()
    }

    /// Mask the bodies without the lock if they are much work; `holder` keeps them meanwhile.
    fn masked_outside<'s>(
        &self,
        holder: &'s Session<'py>,
        events: &[Bound<'py, PyDict>],
        kept: &mut Kept,
    ) -> Vec<Ready<'s>> {
        let py = self.seam.plain.py();
        let names = [intern!(py, "requestPayload"), intern!(py, "responsePayload")];
        // What cannot be read is an error where its event is encoded.
        let values = events
            .iter()
            .flat_map(|event| names.map(|name| event.get_item(name).ok().flatten()));
        let bodies = values
            .flatten()
            .filter(|value| value.get_type_ptr().cast() == self.encoder.raw_body.as_ptr());
        let bodies: Vec<_> = bodies.map(|body| holder.keep(body)).collect();
        let size_of = |body: &PyNode<'s, 'py>| {
            body.attribute(intern!(py, "data"))
                .ok()?
                .bytes_in()
                .map(<[u8]>::len)
        };
        if bodies.iter().filter_map(size_of).sum::<usize>() < RELEASED_BYTES {
            return Vec::new();
        }
        let bodies: Vec<_> = bodies.into_iter().filter_map(|body| body_of(body).ok()).collect();
        let (policy, limits, scratch) = (&self.policy.policy, self.limits, &mut kept.scratch);
        if bodies.iter().map(|body| body.work_bytes(limits)).sum::<usize>() < RELEASED_BYTES {
            return Vec::new();
        }
        let prepared = py.detach(|| prepare(&bodies, policy, limits, scratch));
        bodies.into_iter().zip(prepared).collect()
    }

    fn encode(
        &self,
        event: &Bound<'py, PyDict>,
        ready: &[Ready<'_>],
        kept: &mut Kept,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let session = Session::new(self.seam.clone());
        let mut fields = self.encoder.fields(&session, event)?;
        for field in &mut fields {
            if let Content::Body(body) = &field.content {
                // Another thread may have changed the event meanwhile.
                if let Some((_, prepared)) = ready.iter().find(|(known, _)| known.is(body)) {
                    field.content = Content::Prepared(prepared);
                }
            }
        }
        kept.event.clear();
        let (scratch, encoded) = (&mut kept.scratch, &mut kept.event);
        let (policy, hash) = (&self.policy.policy, self.policy_hash);
        event::encode_event(fields, policy, hash, self.limits, scratch, encoded)?;
        Ok(PyBytes::new(event.py(), encoded))
    }
}

impl EventEncoder {
    /// Return the fields by their texts; of equal ones the last holds, in the place of the first.
    fn fields<'s, 'py>(
        &self,
        session: &'s Session<'py>,
        event: &'s Bound<'py, PyDict>,
    ) -> PyResult<Vec<Field<'s, PyNode<'s, 'py>>>> {
        let mut entries = session.node(event.as_any()).entries();
        if !entries.clone().all(|(key, _)| key.is_str()) {
            entries = session.keep(named(event, session)?.into_any()).entries();
        }
        let mut fields = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = key.str_text()?;
            let kind = kind_of(&key);
            let content = self.content(kind, value)?;
            fields.push(Field { key, kind, content });
        }
        Ok(fields)
    }

    fn content<'s, 'py>(&self, kind: Kind, value: PyNode<'s, 'py>) -> PyResult<Content<'s, PyNode<'s, 'py>>> {
        if matches!(kind, Kind::Payload | Kind::Headers) && value.is_of(&self.raw_body) {
            return body_of(value).map(Content::Body);
        }
        if kind == Kind::Headers && value.is_of(&self.raw_headers) {
            return headers_of(value);
        }
        Ok(Content::Value(value))
    }
}

/// Return an event whose keys are texts.
fn named<'py>(event: &Bound<'py, PyDict>, session: &Session<'py>) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(event.py());
    let items = session.pinned(|seam| {
        let items = event.iter().map(|(key, value)| {
            let is_text = key.is_exact_instance_of::<PyString>();
            Ok((
                if is_text {
                    key
                } else {
                    seam.key_text.call1((key,))?
                },
                value,
            ))
        });
        items.collect::<PyResult<Vec<_>>>()
    })?;
    for (key, value) in items {
        named.set_item(key, value)?;
    }
    Ok(named)
}

fn body_of<'s>(body: PyNode<'s, '_>) -> PyResult<RawBody<'s>> {
    let py = body.py();
    let [data, content_type, content_encoding, total_bytes, complete] = [
        intern!(py, "data"),
        intern!(py, "content_type"),
        intern!(py, "content_encoding"),
        intern!(py, "total_bytes"),
        intern!(py, "complete"),
    ]
    .map(|name| body.attribute(name));
    Ok(RawBody {
        data: data?
            .bytes_in()
            .ok_or_else(|| PyTypeError::new_err("the data of a body are bytes"))?,
        content_type: content_type?.optional_text()?,
        content_encoding: content_encoding?.optional_text()?,
        total_bytes: total_bytes?.bound().extract()?,
        complete: complete?.bound().extract()?,
    })
}

fn headers_of<'s, 'py>(headers: PyNode<'s, 'py>) -> PyResult<Content<'s, PyNode<'s, 'py>>> {
    let items = headers.attribute(intern!(headers.py(), "items"))?;
    items
        .pairs_of_bytes()
        .map(Content::Headers)
        .ok_or_else(|| PyTypeError::new_err("headers are a tuple of pairs of bytes"))
}
