//! What no value from outside is.

use std::borrow::Cow;
use std::convert::Infallible;

use super::Source;
use crate::walk::{Form, Node};

/// What never comes from outside: of trees that are all of the encoder's making.
#[derive(Debug, Clone, Copy)]
pub enum Nothing {}

impl Source for Nothing {
    fn content(self) -> Result<Self, Infallible> {
        match self {}
    }

    fn is_list(self) -> bool {
        match self {}
    }

    fn bytes(&self) -> Option<&[u8]> {
        match *self {}
    }
}

impl Node for Nothing {
    type Error = Infallible;
    type Entries = std::iter::Empty<(Self, Self)>;
    type Items = std::iter::Empty<Self>;

    fn form(self) -> Form {
        match self {}
    }

    fn digits(self) -> Result<Option<String>, Infallible> {
        match self {}
    }

    fn plain(self) -> Result<Self, Infallible> {
        match self {}
    }

    fn identity(self) -> Option<usize> {
        match self {}
    }

    fn text(&self) -> Result<Cow<'_, str>, Infallible> {
        match *self {}
    }

    fn key(&self) -> Result<Cow<'_, str>, Infallible> {
        match *self {}
    }

    fn entries(self) -> Self::Entries {
        match self {}
    }

    fn items(self) -> Self::Items {
        match self {}
    }

    fn size(self) -> usize {
        match self {}
    }
}
