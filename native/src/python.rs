//! The translation layer: what Python sees as `replaystack_native._native`. No logic lives here.

mod event;
mod items;
mod node;
mod panics;
mod session;
mod texts;

use std::collections::HashSet;
use std::sync::Mutex;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::contract;
use crate::keys::{Keyring, Place};
use crate::policy::{Class, Policy};
use crate::rules::{Rules, UNBOUNDED};
use crate::scan::find_with;
use crate::spans::{apply, is_same};
use crate::walk::{Scratch, Walker};
use session::{Seam, Session};
use texts::{document_of, text_of};

/// Return the contract that this build speaks; `replaystack` compares it with its own.
#[pyfunction]
fn contract_version() -> u32 {
    contract::VERSION
}

/// A policy as the masker uses it. Immutable, safe to share between threads.
#[pyclass(frozen, module = "replaystack_native")]
struct CompiledPolicy {
    policy: Policy,
    /// Who masks takes it out and puts it back; who comes meanwhile begins with an empty one.
    kept: Mutex<Option<Box<Kept>>>,
}

/// What outlives one call: memory, and what is known of keys under the policy.
#[derive(Default)]
struct Kept {
    scratch: Scratch,
    /// The event that was written last.
    event: Vec<u8>,
}

/// A larger event's memory is not kept.
const KEPT_BYTES: usize = 1 << 20;

impl CompiledPolicy {
    fn rules(&self) -> Rules<'_> {
        Rules::new(&self.policy, UNBOUNDED, 0)
    }

    fn take(&self) -> Box<Kept> {
        let taken = self.kept.try_lock().ok().and_then(|mut kept| kept.take());
        taken.unwrap_or_default()
    }

    fn put_back(&self, mut used: Box<Kept>) {
        if used.event.capacity() > KEPT_BYTES {
            used.event = Vec::new();
        }
        if let Ok(mut kept) = self.kept.try_lock() {
            *kept = Some(used);
        }
    }
}

#[pymethods]
impl CompiledPolicy {
    #[new]
    #[pyo3(signature = (mask_fields, unmask_fields, remote_fields, mask_values, classes, contains_only))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn new(
        mask_fields: HashSet<String>,
        unmask_fields: HashSet<String>,
        remote_fields: HashSet<String>,
        mask_values: bool,
        classes: Vec<String>,
        contains_only: bool,
    ) -> PyResult<Self> {
        let classes = classes
            .iter()
            .map(|name| class_of(name))
            .collect::<PyResult<Vec<_>>>()?;
        let keyring = Keyring::new(mask_fields, unmask_fields, remote_fields, contains_only);
        let policy = Policy {
            keyring,
            mask_values,
            classes,
        };
        Ok(Self {
            policy,
            kept: Mutex::default(),
        })
    }

    /// Return `text` under the value rules.
    #[pyo3(signature = (text, /))]
    fn text<'py>(&self, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        let source = text_of(text)?;
        Ok(masked(text, &self.rules().text(&source)))
    }

    /// Return one whole URL, masked.
    #[pyo3(signature = (url, /))]
    fn url<'py>(&self, url: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        let source = text_of(url)?;
        Ok(masked(url, &self.rules().url(&source)))
    }
}

fn class_of(name: &str) -> PyResult<Class> {
    Class::named(name).ok_or_else(|| PyValueError::new_err(format!("no class of values is called {name:?}")))
}

type Masked<'py> = (Bound<'py, PyString>, u64);

/// Return a masked text; the object that came if nothing changed.
fn masked<'py>(text: &Bound<'py, PyString>, masked: &str) -> Bound<'py, PyString> {
    // An object of a subclass is not handed back: its methods would run.
    let is_same =
        text.is_exact_instance_of::<PyString>() && text.to_str().is_ok_and(|came| is_same(masked, came));
    if is_same {
        text.clone()
    } else {
        PyString::new(text.py(), masked)
    }
}

/// Return `text` under the value rules, and how many places were masked.
#[pyfunction]
fn mask_text<'py>(policy: &CompiledPolicy, text: &Bound<'py, PyString>) -> PyResult<Masked<'py>> {
    let mut rules = policy.rules();
    let source = text_of(text)?;
    let result = rules.text(&source);
    Ok((masked(text, &result), rules.masked))
}

/// Return one whole URL, masked, and how many places were masked.
#[pyfunction]
fn mask_url<'py>(policy: &CompiledPolicy, url: &Bound<'py, PyString>) -> PyResult<Masked<'py>> {
    let mut rules = policy.rules();
    let source = text_of(url)?;
    let result = rules.url(&source);
    Ok((masked(url, &result), rules.masked))
}

/// Return one JSON document masked, and how many places were masked; None if it is no JSON.
#[pyfunction]
fn mask_json<'py>(policy: &CompiledPolicy, text: &Bound<'py, PyString>) -> PyResult<Option<Masked<'py>>> {
    mask_document(policy, text, true)
}

/// Return the beginning of a JSON document masked, its unfinished last token as `…`; None if it is none.
#[pyfunction]
fn mask_json_prefix<'py>(
    policy: &CompiledPolicy,
    text: &Bound<'py, PyString>,
) -> PyResult<Option<Masked<'py>>> {
    mask_document(policy, text, false)
}

fn mask_document<'py>(
    policy: &CompiledPolicy,
    text: &Bound<'py, PyString>,
    complete: bool,
) -> PyResult<Option<Masked<'py>>> {
    let source = document_of(text)?;
    let mut rules = policy.rules();
    let mut kept = policy.take();
    let spans = find_with(&source, &mut rules, &mut kept.scratch.verdicts, complete);
    policy.put_back(kept);
    Ok(spans
        .ok()
        .map(|spans| (masked(text, &apply(&source, &spans)), rules.masked)))
}

/// Return `value` as JSON text, masked; how many places were masked; whether the bound was crossed.
///
/// What is of no exact type of JSON goes through `plain`, keys that are no texts through `key_text`.
#[pyfunction]
fn encode_value<'py>(
    policy: &CompiledPolicy,
    value: &Bound<'py, PyAny>,
    place: u8,
    budget_bytes: i64,
    plain: Bound<'py, PyAny>,
    key_text: Bound<'py, PyAny>,
) -> PyResult<(String, u64, bool)> {
    let session = Session::new(Seam { plain, key_text });
    let place = place_of(place)?;
    let mut kept = policy.take();
    let mut walker = Walker::with(&policy.policy, budget_bytes, std::mem::take(&mut kept.scratch));
    let text = walker.walk(&session.node(value), place);
    let (masked, full) = (walker.rules.masked, walker.rules.full);
    kept.scratch = walker.into_scratch();
    policy.put_back(kept);
    Ok((text?, masked, full))
}

fn place_of(number: u8) -> PyResult<Place> {
    Ok(match number {
        0 => Place::Payload,
        1 => Place::Form,
        2 => Place::Header,
        3 => Place::Log,
        4 => Place::None,
        _ => return Err(PyValueError::new_err("no such place")),
    })
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    panics::note_places();
    module.add("__version__", contract::DISTRIBUTION_VERSION)?;
    module.add_function(wrap_pyfunction!(panics::panic, module)?)?;
    module.add_function(wrap_pyfunction!(panics::panic_place, module)?)?;
    module.add_class::<CompiledPolicy>()?;
    module.add_class::<event::EventEncoder>()?;
    module.add_function(wrap_pyfunction!(contract_version, module)?)?;
    module.add_function(wrap_pyfunction!(mask_text, module)?)?;
    module.add_function(wrap_pyfunction!(mask_url, module)?)?;
    module.add_function(wrap_pyfunction!(mask_json, module)?)?;
    module.add_function(wrap_pyfunction!(mask_json_prefix, module)?)?;
    module.add_function(wrap_pyfunction!(encode_value, module)?)
}
