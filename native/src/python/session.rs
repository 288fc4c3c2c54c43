//! One reading of Python objects: what keeps alive whatever it handed out.
//!
//! Until code of Python runs, no object that can be reached from the value that came can go. `pin` takes hold
//! of every object that was handed out so far, and from then on each that is handed out is held.

#![expect(
    unsafe_code,
    reason = "a count for each object takes as long as all the rest of a walk"
)]

use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::node::PyNode;

/// As many objects are handed out from the first piece of memory, if not more belong together, and from each
/// further one twice as many as from the one before.
const PART: usize = 64;
const DOUBLED_MAX: usize = 5;

/// The two functions of Python that both implementations share (`_plain.py`).
#[derive(Clone)]
pub(super) struct Seam<'py> {
    pub plain: Bound<'py, PyAny>,
    pub key_text: Bound<'py, PyAny>,
}

/// What Python raised, one word long: results are passed through every level of a walk.
pub(super) struct Raised(Box<PyErr>);

impl From<PyErr> for Raised {
    fn from(error: PyErr) -> Self {
        Self(Box::new(error))
    }
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        *raised.0
    }
}

/// One reading of Python objects, whose handles are valid as long as it lives. It is not shared between
/// threads, and the lock of the interpreter is held while it lives.
pub(super) struct Session<'py> {
    seam: Seam<'py>,
    /// All objects that were handed out. Each is counted for once, if they are pinned. No part grows
    /// beyond what it was made for, so that what stands in it stays where it is.
    given: RefCell<Vec<Vec<*mut PyObject>>>,
    /// What was made meanwhile; each is counted for.
    made: RefCell<Vec<*mut PyObject>>,
    is_pinned: Cell<bool>,
    /// The collector of cycles runs code of Python, and may run whenever an object is made (an error, for
    /// example). So it rests until the objects are pinned, if it was at work.
    rests: Cell<bool>,
}

impl<'py> Session<'py> {
    pub fn new(seam: Seam<'py>) -> Self {
        // SAFETY: the lock is held, as `seam` proves.
        let was_enabled = unsafe { ffi::PyGC_Disable() } != 0;
        Self {
            seam,
            given: RefCell::default(),
            made: RefCell::default(),
            is_pinned: Cell::new(false),
            rests: Cell::new(was_enabled),
        }
    }

    /// Return the functions of Python.
    #[inline]
    pub fn seam(&self) -> &Seam<'py> {
        &self.seam
    }

    /// Return the handle of an object that the caller holds.
    pub fn node<'s>(&'s self, value: &'s Bound<'py, PyAny>) -> PyNode<'s, 'py> {
        PyNode::new(value.as_ptr(), self)
    }

    /// Call what runs code of Python.
    pub fn pinned<T>(&self, call: impl FnOnce(&Seam<'py>) -> T) -> T {
        self.pin();
        call(&self.seam)
    }

    /// Hold whatever was handed out: code of Python is about to run.
    pub fn pin(&self) {
        if !self.is_pinned.replace(true) {
            for &object in self.given.borrow().iter().flatten() {
                // SAFETY: nothing ran since it was handed out, so it is alive.
                unsafe { ffi::Py_IncRef(object) };
            }
            self.wake_collector();
        }
    }

    fn wake_collector(&self) {
        if self.rests.replace(false) {
            // SAFETY: the lock is held as long as a session lives.
            unsafe { ffi::PyGC_Enable() };
        }
    }

    /// Hand out what a container holds, of which there are at most `most`: `read` writes that behind what
    /// stands there, where there is room for so many. The container must be alive, and nothing may run.
    #[inline]
    pub fn give(
        &self,
        most: ffi::Py_ssize_t,
        read: impl FnOnce(&mut [MaybeUninit<*mut PyObject>]) -> usize,
    ) -> &[*mut PyObject] {
        let most = usize::try_from(most).unwrap_or(0);
        let mut parts = self.given.borrow_mut();
        if parts
            .last()
            .is_none_or(|part| part.capacity() - part.len() < most)
        {
            let size = PART << parts.len().min(DOUBLED_MAX);
            parts.push(Vec::with_capacity(most.max(size)));
        }
        let Some(part) = parts.last_mut() else { return &[] };
        let start = part.len();
        let count = read(&mut part.spare_capacity_mut()[..most]);
        // SAFETY: `read` wrote so many.
        unsafe { part.set_len(start + count.min(most)) };
        if self.is_pinned.get() {
            for &object in &part[start..] {
                // SAFETY: the container, which is alive, holds it, and nothing ran since it was read.
                unsafe { ffi::Py_IncRef(object) };
            }
        }
        // SAFETY: they stay where they are as long as the session lives: no part grows.
        unsafe { std::slice::from_raw_parts(part.as_ptr().add(start), part.len() - start) }
    }

    /// Hold an object that was made for the walk, and return its handle.
    pub fn keep<'s>(&'s self, made: Bound<'py, PyAny>) -> PyNode<'s, 'py> {
        self.pin();
        let object = made.into_ptr();
        self.made.borrow_mut().push(object);
        PyNode::new(object, self)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.wake_collector();
        if self.is_pinned.get() {
            let given = self.given.take().into_iter().flatten();
            for object in given.chain(self.made.take()) {
                // SAFETY: it was counted for when it was pinned, given or made.
                unsafe { ffi::Py_DecRef(object) };
            }
        }
    }
}
