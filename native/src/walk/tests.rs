//! What the walk makes of values that no Python made: the rules of keys, neighbours, depth and bounds.

use std::borrow::Cow;
use std::convert::Infallible;

use super::{Form, Node, Walker};
use crate::keys::Place;
use crate::policy::Policy;
use crate::rules::UNBOUNDED;

/// A value made for a test; a `Foreign` one stands for what it holds.
#[derive(Clone)]
enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    Digits(&'static str),
    Float(f64),
    Text(&'static str),
    Map(Vec<(Tree, Tree)>),
    List(Vec<Tree>),
    /// A list with an identity: it may hold itself.
    Open(usize, Vec<Tree>),
    Foreign(Box<Tree>),
}

use Tree::{Bool, Digits, Float, Foreign, Int, List, Map, Null, Open, Text};

type Pairs<'t> = std::iter::Map<std::slice::Iter<'t, (Tree, Tree)>, fn(&(Tree, Tree)) -> (&Tree, &Tree)>;

impl<'t> Node for &'t Tree {
    type Error = Infallible;
    type Entries = Pairs<'t>;
    type Items = std::slice::Iter<'t, Tree>;

    fn form(self) -> Form {
        match self {
            Null => Form::Null,
            Bool(truth) => Form::Bool(*truth),
            Int(number) => Form::Int(*number),
            Digits(_) => Form::Large,
            Float(number) => Form::Float(*number),
            Text(_) => Form::Text,
            Map(_) => Form::Map,
            List(_) | Open(..) => Form::List,
            Foreign(_) => Form::Foreign,
        }
    }

    fn digits(self) -> Result<Option<String>, Infallible> {
        Ok(if let Digits(digits) = self {
            Some((*digits).to_owned())
        } else {
            None
        })
    }

    fn plain(self) -> Result<Self, Infallible> {
        Ok(if let Foreign(content) = self {
            content
        } else {
            self
        })
    }

    fn identity(self) -> Option<usize> {
        if let Open(identity, _) = self {
            Some(*identity)
        } else {
            None
        }
    }

    fn key_identity(self) -> usize {
        if let Text(text) = self {
            (text.as_ptr() as usize) << 8 | text.len()
        } else {
            0
        }
    }

    fn text(&self) -> Result<Cow<'_, str>, Infallible> {
        Ok(Cow::Borrowed(if let Text(text) = self { text } else { "" }))
    }

    fn key(&self) -> Result<Cow<'_, str>, Infallible> {
        Ok(match self {
            Text(text) => Cow::Borrowed(text),
            Int(number) => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed("?"),
        })
    }

    fn entries(self) -> Self::Entries {
        let pair: fn(&(Tree, Tree)) -> (&Tree, &Tree) = |(key, value)| (key, value);
        match self {
            Map(entries) => entries.iter().map(pair),
            _ => [].iter().map(pair),
        }
    }

    fn items(self) -> Self::Items {
        match self {
            List(items) | Open(_, items) => items.iter(),
            _ => [].iter(),
        }
    }

    fn size(self) -> usize {
        match self {
            Text(text) => text.len(),
            Map(entries) => entries.len(),
            List(items) | Open(_, items) => items.len(),
            _ => 0,
        }
    }
}

fn map(entries: &[(&'static str, Tree)]) -> Tree {
    Map(entries
        .iter()
        .map(|(key, value)| (Text(key), value.clone()))
        .collect())
}

fn walked(value: &Tree, budget: i64) -> (String, u64, bool) {
    let policy = Policy::default();
    let mut walker = Walker::new(&policy, budget);
    let text = walker.walk(&value, Place::Payload).unwrap_or_default();
    (text, walker.rules.masked, walker.rules.full)
}

fn written(value: &Tree) -> String {
    walked(value, UNBOUNDED).0
}

/// Scalars are written as Python's encoder writes them; what no parser keeps becomes a text.
#[test]
fn scalars_are_spelled_as_in_python() {
    let long: &'static str = "-10000000000000000000000000000000000000000";
    let value = List(vec![
        Null,
        Bool(true),
        Int(-7),
        Int(1_732_150_000_000),
        Digits("18446744073709551616"),
        Digits(long),
        Float(1e16),
        Float(f64::NAN),
        Float(f64::NEG_INFINITY),
        Text("é\"\u{1}"),
    ]);
    let expected = format!(
        "[null,true,-7,1732150000000,18446744073709551616,\"{long}\",1e+16,\"NaN\",\"-Infinity\",\"é\\\"\\u0001\"]"
    );
    assert_eq!(written(&value), expected);
}

/// A card number is masked and counted, whether it came as a number or as a text.
#[test]
fn cards_are_masked_in_both_forms() {
    let value = List(vec![
        Int(4_242_424_242_424_242),
        Text("4242424242424242"),
        Int(4_242_424_242_424_241),
    ]);
    let expected = r#"["[MASKED]","[MASKED]",4242424242424241]"#.to_owned();
    assert_eq!(walked(&value, UNBOUNDED), (expected, 2, false));
}

/// Under a secret key null, booleans, what is empty and a mark stay; zero is no such thing.
#[test]
fn secrets_are_masked_whole() {
    let value = map(&[
        ("password", Int(0)),
        ("token", List(vec![Int(1)])),
        ("cvv", Null),
        ("pwd", Bool(false)),
        ("jwt", Text("")),
        ("otp", List(Vec::new())),
        ("ssn", Text("[MASKED]")),
        ("session", map(&[("id", Int(5)), ("pin", Int(6))])),
        ("apiKey", Foreign(Box::new(Text("x")))),
    ]);
    let expected = concat!(
        r#"{"password":"[MASKED]","token":"[MASKED]","cvv":null,"pwd":false,"jwt":"","otp":[],"#,
        r#""ssn":"[MASKED]","session":{"id":5,"pin":"[MASKED]"},"apiKey":"[MASKED]"}"#
    );
    assert_eq!(walked(&value, UNBOUNDED), (expected.to_owned(), 4, false));
}

/// `name` and `loc` decide on their neighbours, before and after them.
#[test]
fn neighbours_decide() {
    let by_name = map(&[("value", Int(5)), ("name", Foreign(Box::new(Text("password"))))]);
    assert_eq!(written(&by_name), r#"{"value":"[MASKED]","name":"password"}"#);
    let path = List(vec![Text("body"), Text("password")]);
    let by_path = map(&[("loc", path), ("input", Text("x")), ("msg", Text("short"))]);
    assert_eq!(
        written(&by_path),
        r#"{"loc":["body","password"],"input":"[MASKED]","msg":"short"}"#
    );
}

/// A list is one of pairs only if every item is one.
#[test]
fn pairs_are_masked_by_their_names() {
    let pair = |name, value| List(vec![Text(name), value]);
    let pairs = List(vec![pair("password", Int(1)), pair("user", Int(2))]);
    assert_eq!(written(&pairs), r#"[["password","[MASKED]"],["user",2]]"#);
    let mixed = List(vec![pair("password", Int(1)), Int(2)]);
    assert_eq!(written(&mixed), r#"[["password",1],2]"#);
}

/// Of keys that become one, the first gives the place and the last the value.
#[test]
fn equal_keys_become_one_field() {
    let value = Map(vec![
        (Text("1"), Int(1)),
        (Text("a"), Int(2)),
        (Int(1), Text("password=hunter2")),
    ]);
    assert_eq!(
        walked(&value, UNBOUNDED),
        (r#"{"1":"password=[MASKED]","a":2}"#.to_owned(), 1, false)
    );
    let secrets = map(&[("pin=1", Int(1)), ("b", Int(2)), ("pin=2", Int(3))]);
    assert_eq!(written(&secrets), r#"{"pin=[MASKED]":"[MASKED]","b":2}"#);
}

/// What is too deep and what holds itself ends in a mark; the same value twice is no cycle.
#[test]
fn depth_and_cycles_end() {
    let mut deep = Int(1);
    for _ in 0..70 {
        deep = List(vec![deep]);
    }
    assert_eq!(
        written(&deep),
        format!("{}\"[Depth]\"{}", "[".repeat(64), "]".repeat(64))
    );
    let inner = Open(7, vec![Int(1)]);
    assert_eq!(written(&Open(7, vec![inner.clone()])), r#"["[Circular]"]"#);
    assert_eq!(written(&List(vec![inner.clone(), inner])), "[[1],[1]]");
}

/// Once the bound is crossed the walk ends soon, says so, and what it wrote is JSON all the same.
#[test]
fn a_bound_ends_the_walk() {
    let numbers = List((0..5000).map(Int).collect());
    let (text, _, full) = walked(&List(vec![numbers.clone(), numbers]), 100);
    assert!(full);
    assert!(
        text.ends_with(",2000]]"),
        "the second list is not walked: {}",
        &text[text.len() - 20..]
    );
    let cut = walked(
        &List(vec![Text(
            "some words, and then some more, which are longer than any bound of ten characters allows",
        )]),
        10,
    );
    assert_eq!(
        cut,
        (
            "[\"some words, and then some more, which are longer than any bound of ten characters …\"]"
                .to_owned(),
            0,
            true
        )
    );
}

/// Where an earlier walk under the same bound was stopped, scalars are still written, as Python does.
#[test]
fn a_walk_after_a_stopped_one_ends_at_a_container() {
    let policy = Policy::default();
    let mut walker = Walker::new(&policy, 4);
    let Ok(first) = walker.walk(&&Map(vec![(Text(""), Text(""))]), Place::Payload);
    assert_eq!((&*first, walker.rules.full), ("{\"\":\"\"}", true));
    let fields = vec![
        (Text("a"), Int(1)),
        (Text("b"), Text("x")),
        (Text("c"), List(vec![Int(1), Int(2)])),
        (Text("d"), Int(2)),
    ];
    let Ok(second) = walker.walk(&&Map(fields), Place::Payload);
    assert_eq!(second, r#"{"a":1,"b":"x","c":[1]}"#);
}
