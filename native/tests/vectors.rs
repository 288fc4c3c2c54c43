//! The shared vectors, `tests/vectors/*.json`: what the crate gives for each is what Python gave, byte
//! for byte; the laws hold for each of their prefixes too.

mod cases;
mod laws;
mod nodes;

use _native::event::encode_event;
use _native::fit::Limits;
use _native::keys::{Place, MASK, SAFE, WALK};
use _native::policy::Policy;
use _native::rules::{Rules, UNBOUNDED};
use _native::scan::{mask_json, mask_json_prefix};
use _native::walk::{Scratch, Walker};
use serde_json::{json, Value};

use cases::{fields_of, held_by, policy_of, read, FILES};
use nodes::Json;

const MAX_PAYLOAD_BYTES: usize = 524_288;
/// Of the differences of one file.
const SHOWN: usize = 5;

/// Return the outputs of a case as `scripts/vectors.py` writes them.
fn completed(case: &Value) -> Value {
    let policy = policy_of(case);
    if let Some(key) = case["key"].as_str() {
        return json!({"verdict": verdict(key, case["place"].as_str(), &policy)});
    }
    if let Some(event) = case.get("event") {
        return json!({"encoded": encoded(case, event, &policy)});
    }
    if case.get("float").is_some() || case.get("int").is_some() {
        return json!({"written": written(case, &policy)});
    }
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    let masked = if let Some(text) = case["text"].as_str() {
        Some(rules.text(text).into_owned())
    } else if let Some(url) = case["url"].as_str() {
        Some(rules.url(url).into_owned())
    } else if let Some(document) = case["json"].as_str() {
        let document = document.strip_prefix('\u{feff}').unwrap_or(document);
        mask_json(document, &mut rules)
            .ok()
            .map(std::borrow::Cow::into_owned)
    } else if let Some(prefix) = case["prefix"].as_str() {
        let prefix = prefix.strip_prefix('\u{feff}').unwrap_or(prefix);
        mask_json_prefix(prefix, &mut rules)
            .ok()
            .map(std::borrow::Cow::into_owned)
    } else {
        let mut walker = Walker::new(&policy, UNBOUNDED);
        let Ok(text) = walker.walk(&Json::Value(&case["value"]), Place::Payload);
        rules.masked = walker.rules.masked;
        Some(text)
    };
    let count = if masked.is_some() { rules.masked } else { 0 };
    json!({"masked": masked, "count": count})
}

fn verdict(key: &str, place: Option<&str>, policy: &Policy) -> &'static str {
    let place = match place {
        Some("payload") => Place::Payload,
        Some("form") => Place::Form,
        Some("header") => Place::Header,
        Some("log") => Place::Log,
        Some("none") => Place::None,
        other => panic!("no such place: {other:?}"),
    };
    match policy.keyring.judge(key, place) {
        SAFE => "safe",
        MASK => "mask",
        WALK => "walk",
        other => panic!("no such verdict: {other}"),
    }
}

fn written(case: &Value, policy: &Policy) -> String {
    let number = match case["float"].as_str() {
        Some(bits) => Json::Float(f64::from_bits(
            u64::from_str_radix(bits, 16).expect("eight bytes in hex"),
        )),
        None => Json::Whole(case["int"].as_str().expect("a float or an int")),
    };
    let Ok(text) = Walker::new(policy, UNBOUNDED).walk(&number, Place::Payload);
    text
}

fn encoded(case: &Value, event: &Value, policy: &Policy) -> String {
    let held = held_by(event);
    let max_payload_bytes = limit_of(case);
    let (mut scratch, mut encoded) = (Scratch::default(), Vec::new());
    let Ok(()) = encode_event(
        fields_of(event, &held),
        policy,
        hash_of(case),
        Limits { max_payload_bytes },
        &mut scratch,
        &mut encoded,
    );
    String::from_utf8(encoded).expect("an event is UTF-8")
}

fn limit_of(case: &Value) -> usize {
    let bytes = case["max_payload_bytes"].as_u64();
    bytes.map_or(MAX_PAYLOAD_BYTES, |bytes| {
        usize::try_from(bytes).expect("a limit fits")
    })
}

/// Return the hash of a case's policy: Python makes it, here it is only written.
fn hash_of(case: &Value) -> &str {
    let evidence = || {
        case["encoded"]
            .as_str()?
            .rsplit_once("\"masking\":{\"policy\":\"")
    };
    case["hash"]
        .as_str()
        .or_else(|| evidence()?.1.get(..12))
        .unwrap_or("")
}

fn assert_as_written(file: &str) {
    let cases = read(file);
    assert!(cases.len() > 50, "{file} has {} cases", cases.len());
    let found: Vec<_> = cases.iter().filter_map(difference).collect();
    let shown = found.iter().take(SHOWN).cloned().collect::<String>();
    assert!(found.is_empty(), "{file}: {} differ\n{shown}", found.len());
}

/// Return what is said of a case whose outputs are not those of the file.
fn difference(case: &Value) -> Option<String> {
    let outputs = completed(case);
    let fields = outputs.as_object().into_iter().flatten();
    let mut differing = fields.filter(|(name, value)| case.get(name.as_str()) != Some(value));
    let (name, value) = differing.next()?;
    Some(format!(
        "{}: {name}\n  is       {value}\n  expected {}\n",
        case["name"], case[name]
    ))
}

/// The verdict on each key, at each place.
#[test]
fn keys() {
    assert_as_written("keys");
}

/// Each number, as Python spells it.
#[test]
fn numbers() {
    assert_as_written("numbers");
}

/// Each text, and how many places were masked.
#[test]
fn texts() {
    assert_as_written("texts");
}

/// Each URL, and how many places were masked.
#[test]
fn urls() {
    assert_as_written("urls");
}

/// Each document, or that no strict parser takes it.
#[test]
fn documents() {
    assert_as_written("json");
}

/// Each beginning of a document.
#[test]
fn beginnings() {
    assert_as_written("prefixes");
}

/// Each value, as the walk writes it.
#[test]
fn values() {
    assert_as_written("values");
}

/// Each event, with raw bodies and headers.
#[test]
fn events() {
    assert_as_written("events");
}

/// Each policy, at work on all of these.
#[test]
fn policies() {
    assert_as_written("policies");
}

/// The comparison sees one other character, and one more that was counted.
#[test]
fn another_output_is_a_difference() {
    let case = json!({"name": "x", "text": "password=hunter2", "masked": "password=[MASKED]", "count": 1});
    assert_eq!(difference(&case), None);
    for (name, value) in [("masked", json!("password=[MASKED] ")), ("count", json!(2))] {
        let mut other = case.clone();
        other[name] = value;
        assert!(
            difference(&other).is_some_and(|said| said.contains(name)),
            "{name}"
        );
    }
}

/// Wherever a text, a document or a body ends, the laws hold, and nothing panics.
#[test]
fn prefixes_keep_the_laws() {
    let mut count = 0;
    for case in FILES.iter().flat_map(|file| read(file)) {
        let policy = policy_of(&case);
        for kind in ["text", "url", "json", "prefix"] {
            let Some(whole) = case[kind].as_str() else {
                continue;
            };
            for (end, _) in whole.char_indices() {
                let part = &whole[..end];
                let law = match kind {
                    "text" => laws::text(part, &policy),
                    "url" => laws::url(part, &policy),
                    _ => laws::document(part, &policy).and_then(|()| laws::prefix(part, &policy)),
                };
                assert_eq!(law, Ok(()), "{}: {part:?}", case["name"]);
                count += 1;
            }
        }
        if let Some(event) = case.get("event") {
            count += cut_events(&case, event, &policy);
        }
    }
    assert!(count > 40_000, "{count} prefixes");
}

/// Check an event with each of its bodies cut at each place; return how many that were.
fn cut_events(case: &Value, event: &Value, policy: &Policy) -> usize {
    let mut held = held_by(event);
    let max_payload_bytes = limit_of(case);
    let mut count = 0;
    for at in 0..held.len() {
        while let cases::Held::Body(data) = &mut held[at] {
            if data.pop().is_none() {
                break;
            }
            let law = laws::event(fields_of(event, &held), policy, Limits { max_payload_bytes });
            assert_eq!(law, Ok(()), "{}", case["name"]);
            count += 1;
        }
    }
    count
}
