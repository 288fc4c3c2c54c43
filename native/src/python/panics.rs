//! Panics: what Python is told of one. Its text may quote what was being masked, so nobody sees it.

use std::cell::RefCell;

use pyo3::prelude::*;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Note the place of a panic instead of writing its text to stderr. For this module alone: it brings
/// its own copy of the standard library.
pub(super) fn note_places() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        PLACE.with(|kept| *kept.borrow_mut() = place);
    }));
}

/// Return the file, line and column of the calling thread's last panic.
#[pyfunction]
pub(super) fn panic_place() -> Option<String> {
    PLACE.with(|kept| kept.borrow().clone())
}

/// Panic, for the tests of whoever must go on after that.
#[pyfunction]
pub(super) fn panic(text: &str) {
    panic!("{text}");
}
