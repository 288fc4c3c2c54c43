//! What must hold of masking whatever comes in. Each law returns what is wrong, if anything is.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use _native::event::{encode_event, Field};
use _native::fit::Limits;
use _native::keys::Place;
use _native::lexer::token;
use _native::policy::Policy;
use _native::rules::{Rules, UNBOUNDED};
use _native::scan::{find, mask_json, mask_json_prefix};
use _native::spans::{apply, Span};
use _native::walk::{Scratch, Walker};
use serde_json::Value;

use crate::nodes::Json;

/// A byte of a secret becomes a whole mark at most, a byte of a document an escape.
const GROWTH: usize = 10;
/// Longer numbers leave as texts.
const NUMBER_LENGTH: usize = 40;

/// Nothing, or what is wrong.
pub type Law = Result<(), String>;

fn check(holds: bool, what: impl FnOnce() -> String) -> Law {
    if holds {
        Ok(())
    } else {
        Err(what())
    }
}

fn same(what: &str, found: &str, expected: &str) -> Law {
    check(found == expected, || {
        format!("{what}: {found:?} is not {expected:?}")
    })
}

fn bounded(masked: &str, source: &str) -> Law {
    check(masked.len() <= GROWTH * (source.len() + 2), || {
        format!("{} bytes of {}", masked.len(), source.len())
    })
}

/// A text masked twice is a text masked once, and not much longer than it was.
pub fn text(source: &str, policy: &Policy) -> Law {
    let masked = rules(policy).text(source).into_owned();
    let again = rules(policy).text(&masked).into_owned();
    same("a text masked twice", &again, &masked)?;
    bounded(&masked, source)
}

/// The same of a URL.
pub fn url(source: &str, policy: &Policy) -> Law {
    let masked = rules(policy).url(source).into_owned();
    let again = rules(policy).url(&masked).into_owned();
    same("a URL masked twice", &again, &masked)?;
    bounded(&masked, source)
}

/// A document that a strict parser takes leaves as one; masked twice it is as masked once; the walk
/// over the tree that the parser made gives the same values.
pub fn document(source: &str, policy: &Policy) -> Law {
    let mut counted = rules(policy);
    let parsed = serde_json::from_str::<Value>(source);
    let Ok(spans) = find(source, &mut counted, true) else {
        return check(parsed.is_err(), || {
            "a parser takes what the scan refuses".to_owned()
        });
    };
    if let Err(problem) = &parsed {
        return check(is_ours_alone(problem), || {
            format!("the scan takes what a parser refuses: {problem}")
        });
    }
    in_order(&spans, source)?;
    let found: u64 = spans.iter().map(|span| span.secrets).sum();
    check(found == counted.masked, || "a span is not counted".to_owned())?;
    let masked = apply(source, &spans).into_owned();
    bounded(&masked, source)?;
    let left = strict(&masked)?;
    let mut second = rules(policy);
    let again = mask_json(&masked, &mut second).map_err(|problem| problem.to_string())?;
    same("a document masked twice", &again, &masked)?;
    check(second.masked == 0, || {
        format!("{} masked in {masked}", second.masked)
    })?;
    let parsed = parsed.map_err(|problem| problem.to_string())?;
    if is_plain(&parsed) && !repeats_a_key(source, &parsed) {
        walk_agrees(&parsed, &left, counted.masked, policy)?;
    }
    Ok(())
}

/// The beginning of a document is masked in order, ends as a cut, and is not much longer than it was.
pub fn prefix(source: &str, policy: &Policy) -> Law {
    let mut counted = rules(policy);
    let Ok(spans) = find(source, &mut counted, false) else {
        return Ok(());
    };
    in_order(&spans, source)?;
    let masked = mask_json_prefix(source, &mut rules(policy)).map_err(|problem| problem.to_string())?;
    same("the spans, applied", &apply(source, &spans), &masked)?;
    check(masked.ends_with('…'), || {
        format!("no cut at the end of {masked}")
    })?;
    bounded(&masked, source)
}

/// An event leaves as strict JSON within its limit.
pub fn event(fields: Vec<Field<'_, Json<'_>>>, policy: &Policy, limits: Limits) -> Law {
    let (mut scratch, mut encoded) = (Scratch::default(), Vec::new());
    let Ok(()) = encode_event(fields, policy, "abc", limits, &mut scratch, &mut encoded);
    let encoded = String::from_utf8(encoded).map_err(|problem| problem.to_string())?;
    check(encoded.len() <= limits.event_bytes(), || {
        format!("{} bytes", encoded.len())
    })?;
    strict(&encoded).map(drop)
}

fn rules(policy: &Policy) -> Rules<'_> {
    Rules::new(policy, UNBOUNDED, 0)
}

/// The spans stand one behind the other, between characters.
pub fn in_order(spans: &[Span], source: &str) -> Law {
    let mut end = 0;
    for span in spans {
        let is_in_order = end <= span.start && span.start <= span.end;
        let are_places = source.is_char_boundary(span.start) && source.is_char_boundary(span.end);
        check(is_in_order && are_places, || {
            format!("{span:?} begins before {end}")
        })?;
        end = span.end;
    }
    Ok(())
}

/// Return what any strict parser makes of a text: no number is too large for one.
pub fn strict(text: &str) -> Result<Value, String> {
    let value = serde_json::from_str(text).map_err(|problem| format!("{problem}: {text}"))?;
    check(
        all(&value, &mut |leaf| {
            leaf.as_number().is_none_or(|n| n.as_f64().is_some())
        }),
        || format!("an infinite number: {text}"),
    )?;
    Ok(value)
}

/// `serde_json` refuses half a surrogate pair and great depth, which the scan mends.
fn is_ours_alone(problem: &serde_json::Error) -> bool {
    let problem = problem.to_string();
    ["surrogate", "hex escape", "recursion limit"]
        .iter()
        .any(|known| problem.contains(known))
}

fn walk_agrees(source: &Value, left: &Value, masked: u64, policy: &Policy) -> Law {
    let mut walker = Walker::new(policy, UNBOUNDED);
    let Ok(text) = walker.walk(&Json::Value(source), Place::Payload);
    let tree = strict(&text)?;
    check(is_same(&tree, left), || {
        format!("the walk gives {tree}, the scan {left}")
    })?;
    check(walker.rules.masked == masked, || {
        format!("the walk counts {}, the scan {masked}", walker.rules.masked)
    })
}

/// Equal, however numbers are spelled.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_str() == other.as_str() || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_same(value, other)))
        }
        _ => one == other,
    }
}

/// Tell whether a tree can say all that its text said: the scan mends NUL and long numbers by its own rules.
fn is_plain(value: &Value) -> bool {
    all(value, &mut |leaf| match leaf {
        Value::String(text) => !text.contains('\0'),
        Value::Object(fields) => !fields.keys().any(|key| key.contains('\0')),
        Value::Number(number) => number.as_str().len() <= NUMBER_LENGTH && number.as_f64().is_some(),
        _ => true,
    })
}

fn all(value: &Value, holds: &mut impl FnMut(&Value) -> bool) -> bool {
    holds(value)
        && match value {
            Value::Array(items) => items.iter().all(|item| all(item, holds)),
            Value::Object(fields) => fields.values().all(|item| all(item, holds)),
            _ => true,
        }
}

/// Tell whether an object has a key twice: a tree keeps one of them.
fn repeats_a_key(source: &str, tree: &Value) -> bool {
    let (mut at, mut colons) = (0, 0);
    while let Some(token) = token(source.as_bytes(), at) {
        colons += usize::from(&source[token.start..token.end] == ":");
        at = token.end;
    }
    let mut fields = 0;
    all(tree, &mut |leaf| {
        fields += leaf.as_object().map_or(0, serde_json::Map::len);
        true
    });
    colons != fields
}
