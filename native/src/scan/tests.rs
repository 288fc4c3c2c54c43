//! What the span masker does to documents: all that is no secret stays byte for byte.

use super::{find_with, mask_json, mask_json_prefix};
use crate::policy::Policy;
use crate::rules::{Rules, UNBOUNDED};
use crate::spans::apply;
use crate::verdicts::Verdicts;

fn masked(text: &str) -> Option<(String, u64)> {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    let masked = mask_json(text, &mut rules).ok()?.into_owned();
    Some((masked, rules.masked))
}

fn prefix(text: &str) -> Option<String> {
    let policy = Policy::default();
    let mut rules = Rules::new(&policy, UNBOUNDED, 0);
    Some(mask_json_prefix(text, &mut rules).ok()?.into_owned())
}

/// White space, order, duplicates and the spelling of numbers and strings stay.
#[test]
fn the_rest_stays_byte_for_byte() {
    for text in [
        "{ \"a\" :\t1.50, \"a\":1E+3 }\n",
        r#"["\u0061\/", -0, null , {}]"#,
        "\"é\u{7f}\"",
        " 1 ",
    ] {
        assert_eq!(masked(text), Some((text.to_owned(), 0)));
    }
}

/// Keys count as what they say, and the value that goes is the whole one.
#[test]
fn values_of_secret_keys_go_whole() {
    for (text, expected, count) in [
        (
            r#"{"p\u0061ssword": {"a": [1]}, "b":1}"#,
            r#"{"p\u0061ssword": "[MASKED]", "b":1}"#,
            1,
        ),
        (
            r#"{"session":{"id":1},"pin":7}"#,
            r#"{"session":{"id":1},"pin":"[MASKED]"}"#,
            1,
        ),
        (
            r#"{"cvv":null,"pwd":"","otp":[ ],"jwt":true}"#,
            r#"{"cvv":null,"pwd":"","otp":[ ],"jwt":true}"#,
            0,
        ),
        (r"[4242424242424242]", r#"["[MASKED]"]"#, 1),
    ] {
        assert_eq!(masked(text), Some((expected.to_owned(), count)));
    }
}

/// A name decides on the value beside it, a path on the input, the first half of a pair on the second.
#[test]
fn neighbours_decide() {
    for (text, expected) in [
        (
            r#"{"value":[1],"name":"password"}"#,
            r#"{"value":"[MASKED]","name":"password"}"#,
        ),
        (
            r#"{"input":"x","loc":["body","password"]}"#,
            r#"{"input":"[MASKED]","loc":["body","password"]}"#,
        ),
        (
            r#"[["password", 1],["a",2]]"#,
            r#"[["password", "[MASKED]"],["a",2]]"#,
        ),
        (r#"[["password",1],2]"#, r#"[["password",1],2]"#),
    ] {
        assert_eq!(masked(text).map(|(text, _)| text).as_deref(), Some(expected));
    }
}

/// What some strict parser would not take is written so that it does, and what none takes is refused.
#[test]
fn any_strict_parser_takes_the_result() {
    for (text, expected) in [
        (
            r#"["\ud800x","\u0000"]"#.to_owned(),
            r#"["\ufffdx","\ufffd"]"#.to_owned(),
        ),
        ("1e999".to_owned(), "\"1e999\"".to_owned()),
        ("9".repeat(41), format!("\"{}\"", "9".repeat(41))),
        (
            format!("{}1{}", "[".repeat(65), "]".repeat(65)),
            format!("{}\"[Depth]\"{}", "[".repeat(64), "]".repeat(64)),
        ),
    ] {
        assert_eq!(masked(&text).map(|(text, _)| text), Some(expected));
    }
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":}",
        "{\"a\" 1}",
        "[1 2]",
        "NaN",
        "1 1",
        "]",
        "{]",
        "[}",
        "{1:2}",
    ] {
        assert_eq!(masked(text), None, "{text}");
    }
}

/// Depth is no matter of the stack.
#[test]
fn great_depth_does_no_harm() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(masked(&deep).is_some());
    assert_eq!(masked(&"[".repeat(200_000)), None);
}

/// Of a cut document the unfinished token goes, and what only the rest could have cleared.
#[test]
fn prefixes_are_masked_for_the_worst() {
    for (text, expected) in [
        (r#"{"a":1,"b":"xy"#, Some(r#"{"a":1,"b":…"#)),
        (r#"{"a":12"#, Some(r#"{"a":…"#)),
        (r#"{"password":{"a":1"#, Some(r#"{"password":"[MASKED]"…"#)),
        (r#"{"value":"x","n"#, Some(r#"{"value":"[MASKED]",…"#)),
        (r#"[["password","x"],["#, Some(r#"[["password","[MASKED]"],[…"#)),
        ("[1] ", Some("[1]…")),
        ("[1]x", None),
        ("12", None),
        ("", None),
    ] {
        assert_eq!(prefix(text).as_deref(), expected, "{text}");
    }
}

/// The guess which key comes next changes nothing: objects in a long list are masked as each is alone.
#[test]
fn guessed_keys_are_checked() {
    let long = "password".repeat(4);
    let keys = [
        "password",
        "passwor",
        "password1",
        "p\\u0061ssword",
        "name",
        "name\\\"",
        "na\\\\me",
        "",
        &long[..31],
        &long,
        "x",
    ];
    let policy = Policy::default();
    let mut verdicts = Verdicts::default(); // what one list leaves, the next one begins with
    for first in keys {
        for second in keys {
            for third in keys {
                let objects = [[first, second], [first, third], [second, first]]
                    .map(|[one, two]| [format!("{{\"{one}\":1}}"), format!("{{\"{two}\": 2}}")])
                    .concat();
                let mut wanted = Rules::new(&policy, UNBOUNDED, 0);
                let alone = objects.iter().map(|object| mask_json(object, &mut wanted));
                let alone: Vec<_> = alone.map(Result::unwrap_or_default).collect();
                let list = format!("[{}]", objects.join(","));
                let mut rules = Rules::new(&policy, UNBOUNDED, 0);
                let spans = find_with(&list, &mut rules, &mut verdicts, true).unwrap_or_default();
                assert_eq!(apply(&list, &spans), format!("[{}]", alone.join(",")));
                assert_eq!(rules.masked, wanted.masked);
            }
        }
    }
}
