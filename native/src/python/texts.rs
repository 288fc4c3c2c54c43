//! Texts of Python as UTF-8, which has no lone surrogates.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::surrogates::{replaced, replaced_in_document};

/// Return what a Python text says, each of its lone surrogates as U+FFFD.
pub(super) fn text_of<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match text.to_str() {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) => Ok(Cow::Owned(replaced(encoded(text)?))),
    }
}

/// The same of a JSON document.
pub(super) fn document_of<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    match text.to_str() {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) => Ok(Cow::Owned(replaced_in_document(&encoded(text)?))),
    }
}

fn encoded(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    text.call_method1("encode", ("utf-8", "surrogatepass"))?.extract()
}
