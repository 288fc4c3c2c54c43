//! Python objects as the walk sees them. Only exact types of JSON are read here; all else is foreign.
//!
//! Nothing that happens here runs code of Python, but for what calls `Session::pin` before (see
//! `session.rs`), so a handle is a plain address.

#![expect(unsafe_code, reason = "PyO3's own way takes twice the time of the whole walk")]

use std::borrow::Cow;
use std::ffi::c_int;
use std::ptr::{addr_of_mut, null_mut};

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use super::items::{Entries, Items};
use super::session::{Raised, Session};
use super::texts::text_of;
use crate::tree::Source;
use crate::walk::{Form, Node};

/// The bits of 10^4300 - 1, the largest whole number that is written out.
const HUGE_BITS: u64 = 14_285;
/// Its digits.
const HUGE_DIGITS: usize = 4300;

/// A Python object that lives as long as its session, and the address of the one that it stands for.
#[derive(Clone, Copy)]
pub(super) struct PyNode<'s, 'py> {
    object: *mut PyObject,
    identity: usize,
    session: &'s Session<'py>,
}

impl<'s, 'py> PyNode<'s, 'py> {
    pub fn new(object: *mut PyObject, session: &'s Session<'py>) -> Self {
        Self {
            object,
            identity: object as usize,
            session,
        }
    }

    fn kind(self) -> *mut PyTypeObject {
        // SAFETY: the object is alive.
        unsafe { ffi::Py_TYPE(self.object) }
    }

    /// Return what proves that the lock is held.
    pub fn py(self) -> Python<'py> {
        self.session.seam().plain.py()
    }

    /// Tell whether it is an exact `str`.
    pub fn is_str(self) -> bool {
        self.kind() == str_type()
    }

    /// Tell whether it is an exact `tuple`.
    pub fn is_tuple(self) -> bool {
        self.kind() == tuple_type()
    }

    /// Tell whether it is of the very class.
    pub fn is_of(self, class: &Py<PyAny>) -> bool {
        self.kind().cast() == class.as_ptr()
    }

    /// Return what stands in an attribute.
    pub fn attribute(self, name: &Bound<'py, PyString>) -> PyResult<Self> {
        self.session.pin();
        // SAFETY: both objects are alive; what comes back is the caller's, or null and an error is set.
        let made = unsafe {
            let made = ffi::PyObject_GetAttr(self.object, name.as_ptr());
            Bound::from_owned_ptr_or_err(self.py(), made)?
        };
        Ok(self.session.keep(made))
    }

    /// Return the pairs of an exact tuple of exact tuples of two exact `bytes`.
    pub fn pairs_of_bytes(self) -> Option<Vec<(&'s [u8], &'s [u8])>> {
        if !self.is_tuple() {
            return None;
        }
        // SAFETY: the object is alive and a tuple, which never changes: what it holds lives as long.
        let items: Vec<_> = unsafe {
            let places = 0..ffi::PyTuple_Size(self.object);
            places
                .map(|at| fetch_soon(ffi::PyTuple_GetItem(self.object, at)))
                .collect()
        };
        let mut halves = Vec::with_capacity(items.len());
        for item in items {
            let pair = Self::new(item, self.session);
            if !pair.is_tuple() || pair.size() != 2 {
                return None;
            }
            // SAFETY: as before, and both places are there.
            halves.push(unsafe { [0, 1].map(|at| fetch_soon(ffi::PyTuple_GetItem(item, at))) });
        }
        let bytes_of = |half| Self::new(half, self.session).bytes_in();
        let pairs = halves
            .into_iter()
            .map(|[name, text]| Some((bytes_of(name)?, bytes_of(text)?)));
        pairs.collect()
    }

    /// Return the text of an exact `str`, its lone surrogates as U+FFFD.
    #[inline(always)]
    pub fn str_text(self) -> Result<Cow<'s, str>, Raised> {
        match self.utf8() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => Ok(Cow::Owned(self.replaced()?)),
        }
    }

    #[cold]
    fn replaced(self) -> PyResult<String> {
        self.session.pin();
        Ok(text_of(self.bound().cast::<PyString>()?)?.into_owned())
    }

    /// Return the text of an exact `str` that holds no lone surrogates, or None for None.
    pub fn optional_text(self) -> PyResult<Option<&'s str>> {
        if self.form() == Form::Null {
            return Ok(None);
        }
        let text = if self.is_str() { self.utf8() } else { None };
        text.map(Some)
            .ok_or_else(|| PyTypeError::new_err("a content type is a text of characters"))
    }

    /// Return what stands in exact `bytes`.
    pub fn bytes_in(self) -> Option<&'s [u8]> {
        if self.kind() != addr_of_mut!(ffi::PyBytes_Type) {
            return None;
        }
        // SAFETY: the object is alive and `bytes`, which are never changed.
        unsafe {
            let size = usize::try_from(ffi::PyBytes_Size(self.object)).unwrap_or(0);
            Some(std::slice::from_raw_parts(
                ffi::PyBytes_AsString(self.object).cast(),
                size,
            ))
        }
    }

    /// Return the object as `PyO3` has it.
    pub fn bound(self) -> Bound<'py, PyAny> {
        // SAFETY: the object is alive, and the lock is held.
        unsafe { Bound::from_borrowed_ptr(self.py(), self.object) }
    }

    /// Return the text of an exact `str`, as it stands in Python; None if it holds lone surrogates.
    #[inline(always)]
    fn utf8(self) -> Option<&'s str> {
        let mut size = 0;
        // SAFETY: the object is alive and a `str`, which is never changed and keeps its UTF-8.
        unsafe {
            let start = ffi::PyUnicode_AsUTF8AndSize(self.object, &raw mut size);
            if start.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            let bytes = std::slice::from_raw_parts(start.cast(), usize::try_from(size).unwrap_or(0));
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }

    fn read_digits(self) -> PyResult<Option<String>> {
        let value = self.bound();
        // Digits take a time that grows with their square, so ask for the size first.
        let bits: u64 = value.call_method0("bit_length")?.extract()?;
        let is_huge = bits > HUGE_BITS
            || (bits == HUGE_BITS && {
                let bound = PyInt::new(value.py(), 10).pow(HUGE_DIGITS, value.py().None())?;
                value.abs()?.ge(bound)?
            });
        Ok(if is_huge {
            None
        } else {
            Some(value.str()?.to_str()?.to_owned())
        })
    }

    fn read_key(self) -> PyResult<String> {
        let text = self.session.seam().key_text.call1((self.bound(),))?;
        Ok(text_of(text.cast::<PyString>()?)?.into_owned())
    }
}

/// Ask for an object that will be looked at after the others of its container: without that, each look
/// waits for memory.
#[inline(always)]
fn fetch_soon(object: *mut PyObject) -> *mut PyObject {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of x86-64 has it, and it reads nothing.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(object.cast());
    }
    object
}

// Addresses, which never change while Python runs.
fn str_type() -> *mut PyTypeObject {
    addr_of_mut!(ffi::PyUnicode_Type)
}

fn dict_type() -> *mut PyTypeObject {
    addr_of_mut!(ffi::PyDict_Type)
}

fn list_type() -> *mut PyTypeObject {
    addr_of_mut!(ffi::PyList_Type)
}

fn tuple_type() -> *mut PyTypeObject {
    addr_of_mut!(ffi::PyTuple_Type)
}

impl<'s, 'py> Node for PyNode<'s, 'py> {
    type Error = Raised;
    type Entries = Entries<'s, 'py>;
    type Items = Items<'s, 'py>;

    #[inline]
    fn form(self) -> Form {
        let kind = self.kind();
        if kind == str_type() {
            Form::Text
        } else if kind == addr_of_mut!(ffi::PyLong_Type) {
            let mut overflow: c_int = 0;
            // SAFETY: the object is alive and an `int`.
            let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(self.object, &raw mut overflow) };
            if overflow == 0 {
                Form::Int(number)
            } else {
                Form::Large
            }
        } else if kind == dict_type() {
            Form::Map
        } else if kind == addr_of_mut!(ffi::PyFloat_Type) {
            // SAFETY: the object is alive and a `float`.
            Form::Float(unsafe { ffi::PyFloat_AsDouble(self.object) })
        } else if kind == list_type() || kind == tuple_type() {
            Form::List
        } else if kind == addr_of_mut!(ffi::PyBool_Type) {
            // SAFETY: no more than the address of an object that is always there.
            Form::Bool(self.object == unsafe { ffi::Py_True() })
        } else if self.object == unsafe { ffi::Py_None() } {
            // SAFETY: above, as before.
            Form::Null
        } else {
            Form::Foreign
        }
    }

    fn digits(self) -> Result<Option<String>, Raised> {
        self.session.pin();
        Ok(self.read_digits()?)
    }

    fn plain(self) -> Result<Self, Raised> {
        self.session.pin();
        let made = self.session.seam().plain.call1((self.bound(),))?;
        let mut content = self.session.keep(made);
        if matches!(content.kind(), kind if kind == dict_type() || kind == list_type()) {
            content.identity = self.identity; // it is new each time; a tuple is the object's own
        }
        Ok(content)
    }

    fn identity(self) -> Option<usize> {
        Some(self.identity)
    }

    fn key_identity(self) -> usize {
        self.object as usize
    }

    #[inline(always)]
    fn text(&self) -> Result<Cow<'_, str>, Raised> {
        self.str_text()
    }

    fn key(&self) -> Result<Cow<'_, str>, Raised> {
        if self.kind() == str_type() {
            return self.text();
        }
        self.session.pin();
        Ok(Cow::Owned(self.read_key()?))
    }

    fn entries(self) -> Entries<'s, 'py> {
        let given = if self.kind() == dict_type() {
            // SAFETY: the object is alive and a `dict`, which nothing changes meanwhile.
            let size = unsafe { ffi::PyDict_Size(self.object) };
            self.session.give(2 * size, |room| {
                let (mut at, mut key, mut value) = (0, null_mut(), null_mut());
                let mut count = 0;
                for pair in room.chunks_exact_mut(2) {
                    // SAFETY: as before.
                    let is_there =
                        unsafe { ffi::PyDict_Next(self.object, &raw mut at, &raw mut key, &raw mut value) };
                    if is_there == 0 {
                        break;
                    }
                    pair[0].write(key);
                    pair[1].write(fetch_soon(value));
                    count += 2;
                }
                count
            })
        } else {
            &[]
        };
        Entries::new(self.session, given)
    }

    fn items(self) -> Items<'s, 'py> {
        type Get = unsafe extern "C" fn(*mut PyObject, ffi::Py_ssize_t) -> *mut PyObject;
        let kind = self.kind();
        // SAFETY: the object is alive and of the type that is asked for; nothing changes it meanwhile, so
        // no place is outside of it.
        let (size, get): (_, Get) = unsafe {
            if kind == list_type() {
                (ffi::PyList_Size(self.object), ffi::PyList_GetItem)
            } else if kind == tuple_type() {
                (ffi::PyTuple_Size(self.object), ffi::PyTuple_GetItem)
            } else {
                (0, ffi::PyTuple_GetItem)
            }
        };
        let given = self.session.give(size, |room| {
            for (at, place) in (0..).zip(room.iter_mut()) {
                // SAFETY: as before.
                place.write(fetch_soon(unsafe { get(self.object, at) }));
            }
            room.len()
        });
        Items::new(self.session, given)
    }

    fn size(self) -> usize {
        let kind = self.kind();
        // SAFETY: the object is alive and of the type that is asked for.
        let size = unsafe {
            if kind == dict_type() {
                ffi::PyDict_Size(self.object)
            } else if kind == list_type() {
                ffi::PyList_Size(self.object)
            } else if kind == tuple_type() {
                ffi::PyTuple_Size(self.object)
            } else if kind == str_type() {
                ffi::PyUnicode_GetLength(self.object)
            } else {
                0
            }
        };
        usize::try_from(size).unwrap_or(0)
    }
}

impl Source for PyNode<'_, '_> {
    fn content(self) -> Result<Self, Raised> {
        let content = self.settled()?;
        Ok(Self::new(content.object, content.session))
    }

    fn is_list(self) -> bool {
        self.kind() == list_type()
    }

    fn bytes(&self) -> Option<&[u8]> {
        self.bytes_in()
    }
}
