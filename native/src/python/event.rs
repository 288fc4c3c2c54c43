//! Events as Python holds them: `RawBody` and `RawHeaders` by their exact types, all else as nodes.
//!
//! What is not as it should be (a body that is no `bytes`, a content type with lone surrogates) is an
//! error here, and Python encodes that event itself.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::node::{PyNode, Seam, Session};
use super::{CompiledPolicy, Kept};
use crate::bodies::RawBody;
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
        let policy = policy.get();
        let mut kept = policy.take();
        let limits = Limits { max_payload_bytes };
        let seam = Seam { plain, key_text };
        let encoded = self.encode(policy, policy_hash, limits, event, seam, &mut kept);
        policy.put_back(kept);
        encoded
    }

    /// Return several events as masked bytes, in order. The lock of the interpreter is held.
    fn encode_batch<'py>(
        &self,
        policy: &Bound<'py, CompiledPolicy>,
        policy_hash: &str,
        max_payload_bytes: usize,
        events: &Bound<'py, PyList>,
        plain: Bound<'py, PyAny>,
        key_text: Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let policy = policy.get();
        let mut kept = policy.take();
        let limits = Limits { max_payload_bytes };
        let seam = Seam { plain, key_text };
        let mut encode = |event: Bound<'py, PyAny>| {
            let event = event.cast_exact::<PyDict>()?;
            self.encode(policy, policy_hash, limits, event, seam.clone(), &mut kept)
        };
        let encoded = events.iter().map(&mut encode).collect();
        policy.put_back(kept);
        encoded
    }
}

impl EventEncoder {
    fn encode<'py>(
        &self,
        policy: &CompiledPolicy,
        policy_hash: &str,
        limits: Limits,
        event: &Bound<'py, PyDict>,
        seam: Seam<'py>,
        kept: &mut Kept,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let session = Session::new(seam);
        let fields = self.fields(&session, event)?;
        kept.event.clear();
        let (scratch, encoded) = (&mut kept.scratch, &mut kept.event);
        event::encode_event(fields, &policy.policy, policy_hash, limits, scratch, encoded)?;
        Ok(PyBytes::new(event.py(), encoded))
    }

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
            return body_of(value);
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

fn body_of<'s, 'py>(body: PyNode<'s, 'py>) -> PyResult<Content<'s, PyNode<'s, 'py>>> {
    let py = body.py();
    let [data, content_type, content_encoding, total_bytes, complete] = [
        pyo3::intern!(py, "data"),
        pyo3::intern!(py, "content_type"),
        pyo3::intern!(py, "content_encoding"),
        pyo3::intern!(py, "total_bytes"),
        pyo3::intern!(py, "complete"),
    ]
    .map(|name| body.attribute(name));
    Ok(Content::Body(RawBody {
        data: data?
            .bytes_in()
            .ok_or_else(|| PyTypeError::new_err("the data of a body are bytes"))?,
        content_type: content_type?.optional_text()?,
        content_encoding: content_encoding?.optional_text()?,
        total_bytes: total_bytes?.bound().extract()?,
        complete: complete?.bound().extract()?,
    }))
}

fn headers_of<'s, 'py>(headers: PyNode<'s, 'py>) -> PyResult<Content<'s, PyNode<'s, 'py>>> {
    let items = headers.attribute(pyo3::intern!(headers.py(), "items"))?;
    items
        .pairs_of_bytes()
        .map(Content::Headers)
        .ok_or_else(|| PyTypeError::new_err("headers are a tuple of pairs of bytes"))
}
