//! What the walk needs to know of a value, whoever holds it.

use std::borrow::Cow;

/// What a value is: one of the types of JSON, or foreign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A larger one; `Node::digits` reads it.
    Large,
    /// A number with a fraction, or infinite, or none at all.
    Float(f64),
    /// A text; `Node::text` reads it.
    Text,
    /// An object; `Node::entries` reads it.
    Map,
    /// A list; `Node::items` reads it.
    List,
    /// JSON text that is written as it is; `Node::text` reads it.
    Written,
    /// None of these; `Node::plain` makes one of them of it.
    Foreign,
}

/// A value that can be walked: a handle, cheap to copy. No method runs code of the value's class,
/// `plain` and `key` apart.
pub trait Node: Copy {
    /// What can go wrong when it is read.
    type Error;
    /// The keys and values of an object at one moment.
    type Entries: ExactSizeIterator<Item = (Self, Self)> + Clone;
    /// The items of a list at one moment.
    type Items: ExactSizeIterator<Item = Self> + Clone;

    /// Tell what it is.
    fn form(self) -> Form;

    /// Return the digits of a large number, after its sign; None if they are more than anybody writes out.
    ///
    /// # Errors
    /// If it cannot be read.
    fn digits(self) -> Result<Option<String>, Self::Error>;

    /// Return a foreign value as one level of JSON.
    ///
    /// # Errors
    /// If it cannot be read.
    fn plain(self) -> Result<Self, Self::Error>;

    /// What tells it from all others that live at the same time; None where there can be no cycle.
    fn identity(self) -> Option<usize>;

    /// What tells the text of a key from all others of this walk; 0 if nothing does. Two that are equal
    /// may differ in it.
    fn key_identity(self) -> usize {
        0
    }

    /// Return a text, its lone surrogates as U+FFFD.
    ///
    /// # Errors
    /// If it is no text.
    fn text(&self) -> Result<Cow<'_, str>, Self::Error>;

    /// Return the text of a key: borrowed if and only if it is the very text that stands there.
    ///
    /// # Errors
    /// If it cannot be read.
    fn key(&self) -> Result<Cow<'_, str>, Self::Error>;

    /// Return the keys and values of an object at one moment; of what is none nothing.
    fn entries(self) -> Self::Entries;

    /// Return the items of a list at one moment; of what is none nothing.
    fn items(self) -> Self::Items;

    /// Return how many items a list or an object has, or whether a text has any character.
    fn size(self) -> usize;

    /// Return it if it is of a type of JSON, else what stands for it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn settled(self) -> Result<Self, Self::Error> {
        if self.form() == Form::Foreign {
            self.plain()
        } else {
            Ok(self)
        }
    }
}
