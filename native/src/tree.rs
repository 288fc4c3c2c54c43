//! Small trees that the encoder builds itself (a form, headers, what is left of metadata), for the walk.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::walk::{Form, Node};

mod nothing;

pub use nothing::Nothing;

/// With so many fields a table is faster than a look at each.
const MANY: usize = 32;

/// A value that came from outside, as the encoder reads it before the walk does.
pub trait Source: Node {
    /// Return it if it is of a type of JSON, else what stands for it, as a value of its own.
    ///
    /// # Errors
    /// If it cannot be read.
    fn content(self) -> Result<Self, Self::Error>;

    /// Tell whether it is a list that can grow, and no tuple.
    fn is_list(self) -> bool;

    /// Return what stands in it if it is bytes.
    fn bytes(&self) -> Option<&[u8]>;
}

/// Return the text of a value from outside, if it is one.
///
/// # Errors
/// If it cannot be read.
pub fn text_in<S: Source>(source: &S) -> Result<Option<Cow<'_, str>>, S::Error> {
    Ok(if source.form() == Form::Text {
        Some(source.text()?)
    } else {
        None
    })
}

/// One value of a tree.
#[derive(Debug)]
pub enum Value<'a, S> {
    /// `null`.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a, S>>),
    /// An object.
    Map(Fields<'a, S>),
    /// What came from outside.
    Source(S),
    /// JSON text, masked already.
    Written(String),
}

/// The fields of an object, in order, each key once.
#[derive(Debug)]
pub struct Fields<'a, S> {
    items: Vec<(Cow<'a, str>, Value<'a, S>)>,
    places: HashMap<Cow<'a, str>, usize>,
}

impl<S> Default for Fields<'_, S> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<'a, S> Fields<'a, S> {
    /// Return the field under `key`.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a, S>> {
        // Two keys with lone surrogates may look alike here; in Python they differ, and the walk unites
        // them. So such a key is found by nobody.
        if key.contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        if self.items.len() < MANY {
            return self
                .items
                .iter_mut()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value);
        }
        if self.places.is_empty() {
            let places = self.items.iter().enumerate();
            self.places = places.map(|(at, (name, _))| (name.clone(), at)).collect();
        }
        self.places
            .get(key)
            .and_then(|&at| self.items.get_mut(at))
            .map(|(_, value)| value)
    }

    /// Put a value under `key`, in the place of the one that is there, or last.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a, S>) {
        let key = key.into();
        match self.get_mut(&key) {
            Some(known) => *known = value,
            None => self.push(key, value),
        }
    }

    fn push(&mut self, key: Cow<'a, str>, value: Value<'a, S>) {
        if !self.places.is_empty() {
            self.places.insert(key.clone(), self.items.len());
        }
        self.items.push((key, value));
    }

    /// Return the keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a, S>)> {
        self.items.iter().map(|(key, value)| (&**key, value))
    }

    /// Return the values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value<'a, S>)> {
        self.items.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// Tell whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<'a, S: Source> Fields<'a, S> {
    /// Return the fields of an object from outside.
    ///
    /// # Errors
    /// If it is none.
    pub fn of(source: S) -> Result<Self, S::Error> {
        let mut fields = Self::default();
        for (key, value) in source.entries() {
            fields.set(key.key()?.into_owned(), Value::Source(value));
        }
        Ok(fields)
    }

    /// Add a field; the second of a name makes it a list. A list from outside must come as one of the tree.
    pub fn add(&mut self, key: Cow<'a, str>, value: Value<'a, S>) {
        let Some(known) = self.get_mut(&key) else {
            self.push(key, value);
            return;
        };
        let mut items = match std::mem::replace(known, Value::Null) {
            Value::List(items) => items,
            first => vec![first],
        };
        items.push(value);
        *known = Value::List(items);
    }
}

/// A value of a tree as the walk sees it.
#[derive(Debug, Clone, Copy)]
pub enum View<'v, S> {
    /// A value of the tree.
    Tree(&'v Value<'v, S>),
    /// An object of the tree.
    Map(&'v Fields<'v, S>),
    /// A key of the tree.
    Key(&'v str),
    /// What stands in a value from outside.
    Node(S),
}

/// The keys and values of an object of a tree.
#[derive(Clone)]
pub enum Entries<'v, S: Source> {
    /// From outside.
    Node(S::Entries),
    /// The encoder's own.
    Tree(std::slice::Iter<'v, (Cow<'v, str>, Value<'v, S>)>),
}

impl<'v, S: Source> Iterator for Entries<'v, S> {
    type Item = (View<'v, S>, View<'v, S>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Node(entries) => entries
                .next()
                .map(|(key, value)| (View::Node(key), View::Node(value))),
            Self::Tree(fields) => fields
                .next()
                .map(|(key, value)| (View::Key(key), View::Tree(value))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Node(entries) => entries.size_hint(),
            Self::Tree(fields) => fields.size_hint(),
        }
    }
}

impl<S: Source> ExactSizeIterator for Entries<'_, S> {}

/// The items of a list of a tree.
#[derive(Clone)]
pub enum Items<'v, S: Source> {
    /// From outside.
    Node(S::Items),
    /// The encoder's own.
    Tree(std::slice::Iter<'v, Value<'v, S>>),
}

impl<'v, S: Source> Iterator for Items<'v, S> {
    type Item = View<'v, S>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Node(items) => items.next().map(View::Node),
            Self::Tree(items) => items.next().map(View::Tree),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Node(items) => items.size_hint(),
            Self::Tree(items) => items.size_hint(),
        }
    }
}

impl<S: Source> ExactSizeIterator for Items<'_, S> {}

impl<S: Source> View<'_, S> {
    /// Return what came from outside, if it did.
    fn outside(self) -> Option<S> {
        match self {
            Self::Node(node) | Self::Tree(&Value::Source(node)) => Some(node),
            _ => None,
        }
    }
}

impl<'v, S: Source> Node for View<'v, S> {
    type Error = S::Error;
    type Entries = Entries<'v, S>;
    type Items = Items<'v, S>;

    fn form(self) -> Form {
        match self {
            Self::Node(node) | Self::Tree(&Value::Source(node)) => node.form(),
            Self::Tree(Value::Null) => Form::Null,
            Self::Tree(Value::Int(number)) => Form::Int(*number),
            Self::Tree(Value::Text(_)) | Self::Key(_) => Form::Text,
            Self::Tree(Value::Written(_)) => Form::Written,
            Self::Tree(Value::List(_)) => Form::List,
            Self::Tree(Value::Map(_)) | Self::Map(_) => Form::Map,
        }
    }

    fn digits(self) -> Result<Option<String>, S::Error> {
        self.outside().map_or(Ok(None), Node::digits)
    }

    fn plain(self) -> Result<Self, S::Error> {
        self.outside()
            .map_or(Ok(self), |node| node.plain().map(Self::Node))
    }

    fn identity(self) -> Option<usize> {
        self.outside().and_then(Node::identity)
    }

    fn key_identity(self) -> usize {
        self.outside().map_or(0, Node::key_identity)
    }

    fn text(&self) -> Result<Cow<'_, str>, S::Error> {
        match self {
            Self::Node(node) | Self::Tree(Value::Source(node)) => node.text(),
            Self::Tree(Value::Text(text)) => Ok(Cow::Borrowed(text)),
            Self::Tree(Value::Written(text)) => Ok(Cow::Borrowed(text)),
            Self::Key(key) => Ok(Cow::Borrowed(key)),
            _ => Ok(Cow::Borrowed("")),
        }
    }

    fn key(&self) -> Result<Cow<'_, str>, S::Error> {
        match self {
            Self::Node(node) => node.key(),
            // It may have been another text once, of lone surrogates.
            Self::Key(key) if key.contains(char::REPLACEMENT_CHARACTER) => Ok(Cow::Owned((*key).to_owned())),
            _ => self.text(),
        }
    }

    fn entries(self) -> Entries<'v, S> {
        match self {
            Self::Node(node) | Self::Tree(&Value::Source(node)) => Entries::Node(node.entries()),
            Self::Tree(Value::Map(fields)) | Self::Map(fields) => Entries::Tree(fields.items.iter()),
            _ => Entries::Tree([].iter()),
        }
    }

    fn items(self) -> Items<'v, S> {
        match self {
            Self::Node(node) | Self::Tree(&Value::Source(node)) => Items::Node(node.items()),
            Self::Tree(Value::List(items)) => Items::Tree(items.iter()),
            _ => Items::Tree([].iter()),
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Node(node) | Self::Tree(&Value::Source(node)) => node.size(),
            Self::Tree(Value::Map(fields)) | Self::Map(fields) => fields.items.len(),
            Self::Tree(Value::List(items)) => items.len(),
            Self::Tree(Value::Text(text)) => text.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, Nothing, Value, View};
    use crate::keys::Place;
    use crate::policy::Policy;
    use crate::rules::UNBOUNDED;
    use crate::walk::Walker;

    /// Fields that come several times become lists, however many there are, and keep their places.
    #[test]
    fn repeated_fields_become_lists() {
        let mut fields = Fields::<Nothing>::default();
        for round in 0..3 {
            for number in 0..40 {
                fields.add(format!("f{number}").into(), Value::Int(round));
            }
        }
        fields.set("f39", Value::Text("x".into()));
        let policy = Policy::default();
        let Ok(text) = Walker::new(&policy, UNBOUNDED).walk(&View::Map(&fields), Place::Form);
        assert!(text.starts_with(r#"{"f0":[0,1,2],"f1":[0,1,2],"#), "{text}");
        assert!(text.ends_with(r#","f38":[0,1,2],"f39":"x"}"#), "{text}");
    }
}
