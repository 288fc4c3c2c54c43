//! The shared vectors of `tests/vectors`, whose fields its README describes.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::collections::HashSet;
use std::path::Path;

use _native::bodies::RawBody;
use _native::event::{Content, Field};
use _native::keys::Keyring;
use _native::policy::{Class, Policy};
use _native::spelling::normalise;
use serde_json::Value;

use crate::nodes::Json;

/// The files, each a list of cases.
pub const FILES: [&str; 9] = [
    "events", "json", "keys", "numbers", "policies", "prefixes", "texts", "urls", "values",
];

/// Return the cases of a file.
pub fn read(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/vectors/{name}.json"));
    let text = std::fs::read_to_string(&path).expect("the vectors lie beside the crate");
    let cases: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    cases.as_array().expect("a file is a list").clone()
}

/// Return the policy of a case: the default one, if it names none.
pub fn policy_of(case: &Value) -> Policy {
    let options = &case["policy"];
    let values = &options["mask_values"];
    let mut classes: Vec<Class> = names(values).filter_map(Class::named).collect();
    classes.sort_unstable();
    classes.dedup();
    let set = |option: &str| -> HashSet<String> {
        names(&options[option])
            .map(|name| normalise(name).into_owned())
            .collect()
    };
    let is_receiver = options["receiver"] == true;
    let remote = set("remote_fields");
    Policy {
        keyring: Keyring::new(set("mask_fields"), set("unmask_fields"), remote, is_receiver),
        mask_values: *values != false,
        classes,
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What an event of the vectors holds beside JSON, as bytes.
pub enum Held {
    /// Headers as they stood on the wire.
    Headers(Vec<(Vec<u8>, Vec<u8>)>),
    /// What was kept of a body.
    Body(Vec<u8>),
    /// Nothing: it is JSON.
    Plain,
}

/// Return the bytes of each field of an event, for `fields_of` to point at.
pub fn held_by(event: &Value) -> Vec<Held> {
    let fields = event.as_object().expect("an event is an object");
    fields.values().map(held).collect()
}

fn held(value: &Value) -> Held {
    if let Some(pairs) = value["$headers"].as_array() {
        let pair = |pair: &Value| (latin_1(&pair[0]), latin_1(&pair[1]));
        return Held::Headers(pairs.iter().map(pair).collect());
    }
    match value["$body"]["base64"].as_str() {
        Some(text) => Held::Body(base64(text)),
        None => Held::Plain,
    }
}

/// Return the fields of an event as the encoder takes them.
pub fn fields_of<'v>(event: &'v Value, held: &'v [Held]) -> Vec<Field<'v, Json<'v>>> {
    let fields = event.as_object().expect("an event is an object").iter();
    fields
        .zip(held)
        .map(|((key, value), held)| Field::new(key.as_str(), content_of(value, held)))
        .collect()
}

fn content_of<'v>(value: &'v Value, held: &'v Held) -> Content<'v, Json<'v>> {
    match held {
        Held::Headers(pairs) => {
            let pairs = pairs.iter();
            Content::Headers(
                pairs
                    .map(|(name, text)| (name.as_slice(), text.as_slice()))
                    .collect(),
            )
        }
        Held::Body(data) => Content::Body(RawBody {
            data,
            content_type: value["$body"]["content_type"].as_str(),
            content_encoding: value["$body"]["content_encoding"].as_str(),
            total_bytes: value["$body"]["total_bytes"]
                .as_i64()
                .unwrap_or(i64::try_from(data.len()).expect("a body is small")),
            complete: value["$body"]["complete"].as_bool().unwrap_or(true),
        }),
        Held::Plain => Content::Value(Json::Value(value)),
    }
}

fn latin_1(text: &Value) -> Vec<u8> {
    let signs = text.as_str().expect("a header is text").chars();
    signs
        .map(|sign| u8::try_from(sign).expect("one byte each"))
        .collect()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = DIGITS.iter().position(|digit| *digit == byte);
        let digit = u32::try_from(digit.expect("a digit of base64")).expect("below 64");
        bits = (bits << 6 | digit) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xFF).expect("one byte"));
        }
    }
    out
}
