//! JSON without Python: values that `serde_json` read, as the walk and the encoder see them.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::LazyLock;

use _native::tree::Source;
use _native::walk::{Form, Node};
use serde_json::{Map, Value};

/// Python refuses to write out a whole number of more digits.
const DIGITS_MAX: usize = 4300;

/// A value. Its numbers have the digits that stood in the text.
#[derive(Clone, Copy, Debug)]
pub enum Json<'v> {
    /// Any value of JSON.
    Value(&'v Value),
    /// The key of an object.
    Key(&'v str),
    /// A number that JSON may have no token for.
    Float(f64),
    /// A whole number of any size.
    Whole(&'v str),
}

/// The fields of an object.
pub type Entries<'v> = std::iter::Map<serde_json::map::Iter<'v>, Entry<'v>>;
type Entry<'v> = fn((&'v String, &'v Value)) -> (Json<'v>, Json<'v>);
/// The items of a list.
pub type Items<'v> = std::iter::Map<std::slice::Iter<'v, Value>, fn(&'v Value) -> Json<'v>>;

static NO_FIELDS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl<'v> Node for Json<'v> {
    type Error = Infallible;
    type Entries = Entries<'v>;
    type Items = Items<'v>;

    fn form(self) -> Form {
        match self {
            Self::Value(Value::Null) => Form::Null,
            Self::Value(Value::Bool(truth)) => Form::Bool(*truth),
            Self::Value(Value::Number(number)) => number_of(number.as_str()),
            Self::Value(Value::String(_)) | Self::Key(_) => Form::Text,
            Self::Value(Value::Array(_)) => Form::List,
            Self::Value(Value::Object(_)) => Form::Map,
            Self::Float(number) => Form::Float(number),
            Self::Whole(digits) => number_of(digits),
        }
    }

    fn digits(self) -> Result<Option<String>, Infallible> {
        let digits = match self {
            Self::Value(Value::Number(number)) => number.as_str(),
            Self::Whole(digits) => digits,
            _ => "",
        };
        Ok((digits.trim_start_matches('-').len() <= DIGITS_MAX).then(|| digits.to_owned()))
    }

    fn plain(self) -> Result<Self, Infallible> {
        Ok(self)
    }

    fn identity(self) -> Option<usize> {
        None
    }

    fn key_identity(self) -> usize {
        match self {
            Self::Key(key) if !key.is_empty() => key.as_ptr() as usize,
            _ => 0,
        }
    }

    fn text(&self) -> Result<Cow<'_, str>, Infallible> {
        Ok(Cow::Borrowed(match self {
            Self::Value(Value::String(text)) => text,
            Self::Key(key) => key,
            _ => "",
        }))
    }

    fn key(&self) -> Result<Cow<'_, str>, Infallible> {
        self.text()
    }

    fn entries(self) -> Entries<'v> {
        let entry: Entry<'v> = |(key, value)| (Self::Key(key), Self::Value(value));
        match self {
            Self::Value(Value::Object(fields)) => fields.iter().map(entry),
            _ => NO_FIELDS.iter().map(entry),
        }
    }

    fn items(self) -> Items<'v> {
        match self {
            Self::Value(Value::Array(items)) => items.iter().map(Self::Value),
            _ => [].iter().map(Self::Value),
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Value(Value::Object(fields)) => fields.len(),
            Self::Value(Value::Array(items)) => items.len(),
            Self::Value(Value::String(text)) => text.len(),
            _ => 0,
        }
    }
}

impl Source for Json<'_> {
    fn content(self) -> Result<Self, Infallible> {
        Ok(self)
    }

    fn is_list(self) -> bool {
        matches!(self, Self::Value(Value::Array(_)))
    }

    fn bytes(&self) -> Option<&[u8]> {
        None
    }
}

/// Return what Python's `json` makes of the token of a number.
fn number_of(token: &str) -> Form {
    if token.contains(['.', 'e', 'E']) {
        return Form::Float(token.parse().unwrap_or(f64::NAN));
    }
    match token.parse() {
        Ok(number) => Form::Int(number),
        Err(_) => Form::Large,
    }
}
