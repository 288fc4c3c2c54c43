//! What containers of Python hold, as it was when they were asked for it.

use pyo3::ffi::PyObject;

use super::node::PyNode;
use super::session::Session;

/// The keys and values of a dict, as they were when it was asked for them.
#[derive(Clone)]
pub(super) struct Entries<'s, 'py> {
    session: &'s Session<'py>,
    given: std::slice::ChunksExact<'s, *mut PyObject>,
}

impl<'s, 'py> Entries<'s, 'py> {
    /// Make it of keys and values in turn.
    pub fn new(session: &'s Session<'py>, given: &'s [*mut PyObject]) -> Self {
        let given = given.chunks_exact(2);
        Self { session, given }
    }
}

impl<'s, 'py> Iterator for Entries<'s, 'py> {
    type Item = (PyNode<'s, 'py>, PyNode<'s, 'py>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let [key, value] = *self.given.next()? else {
            return None;
        };
        Some((PyNode::new(key, self.session), PyNode::new(value, self.session)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.given.size_hint()
    }
}

impl ExactSizeIterator for Entries<'_, '_> {}

/// The items of a list or a tuple, as they were when it was asked for them.
#[derive(Clone)]
pub(super) struct Items<'s, 'py> {
    session: &'s Session<'py>,
    given: std::slice::Iter<'s, *mut PyObject>,
}

impl<'s, 'py> Items<'s, 'py> {
    /// Make it of items.
    pub fn new(session: &'s Session<'py>, given: &'s [*mut PyObject]) -> Self {
        let given = given.iter();
        Self { session, given }
    }
}

impl<'s, 'py> Iterator for Items<'s, 'py> {
    type Item = PyNode<'s, 'py>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(PyNode::new(*self.given.next()?, self.session))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.given.size_hint()
    }
}

impl ExactSizeIterator for Items<'_, '_> {}
