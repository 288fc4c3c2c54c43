use super::{mask_body, prepare, RawBody};
use crate::fit::Limits;
use crate::policy::Policy;
use crate::rules::UNBOUNDED;
use crate::walk::{Scratch, Walker};

fn masked(data: &str, content_type: &str, total_bytes: i64) -> String {
    let policy = Policy::default();
    let mut walker = Walker::new(&policy, UNBOUNDED);
    let body = RawBody {
        data: data.as_bytes(),
        content_type: Some(content_type),
        content_encoding: None,
        total_bytes,
        complete: true,
    };
    let limits = Limits {
        max_payload_bytes: 100,
    };
    mask_body(&body, &mut walker, limits);
    walker.taken(0)
}

/// Each content type is read in its own way, whatever is declared with it.
#[test]
fn bodies_are_read_by_their_type() {
    for (data, content_type, shown) in [
        (
            "{\"pin\": 1, \"a\":1.50}",
            "application/JSON; charset=ascii",
            "{\"pin\": \"[MASKED]\", \"a\":1.50}",
        ),
        ("{\"pin\": 1", "application/json", r#""{\"pin\": [MASKED]""#),
        (
            "pin=1&a=b",
            "application/x-www-form-urlencoded",
            r#"{"pin":"[MASKED]","a":"b"}"#,
        ),
        (
            "{\"a\":1}\n\nx\n[2]\n",
            "application/x-ndjson",
            r#"[{"a":1},"x",[2]]"#,
        ),
        ("{\n\"a\":1}\n", "application/jsonl", "[{\n\"a\":1}\n]"),
        ("password=x", "text/plain", r#""password=[MASKED]""#),
        ("abc", "", r#""abc""#),
        ("a\u{1}c", "", r#"{"__omitted":true,"sizeBytes":3}"#),
        (
            "abc",
            "image/png",
            r#"{"__omitted":true,"contentType":"image/png","sizeBytes":3}"#,
        ),
        (
            "abc",
            "text/plain; charset=x",
            r#"{"__omitted":true,"contentType":"text/plain","sizeBytes":3}"#,
        ),
        (" [ \n] ", "", "null"),
        ("", "", "null"),
    ] {
        assert_eq!(masked(data, content_type, 0), shown, "{data} as {content_type}");
    }
}

/// A cut body is a text that ends in an ellipsis; over the limit it is a preview of that.
#[test]
fn cut_bodies_are_texts() {
    assert_eq!(
        masked("{\"pin\":1,\"a\":tr", "application/json", 90),
        r#""{\"pin\":\"[MASKED]\",\"a\":…""#
    );
    let preview = r#"{"__truncated":true,"originalSizeBytes":900,"maxSizeBytes":100,"preview":"[1,…"}"#;
    assert_eq!(masked("[1,2", "", 900), preview);
}

/// What is made of several bodies beforehand is what each of them becomes.
#[test]
fn prepared_bodies_are_the_same() {
    let policy = Policy::default();
    let limits = Limits {
        max_payload_bytes: 100,
    };
    let long = format!("[{}1]", "1,".repeat(100));
    let texts = ["{\"pin\": 1, \"token\": 2}", "[\"a\"]", &long];
    let bodies = texts.map(|text| RawBody {
        data: text.as_bytes(),
        content_type: Some("application/json"),
        content_encoding: None,
        total_bytes: 0,
        complete: true,
    });
    let prepared = prepare(&bodies, &policy, limits, &mut Scratch::default());
    for (body, prepared) in bodies.iter().zip(&prepared) {
        let mut walker = Walker::new(&policy, UNBOUNDED);
        mask_body(body, &mut walker, limits);
        assert_eq!(prepared.masked, walker.rules.masked);
        assert_eq!(prepared.json, walker.out);
    }
    assert_eq!([prepared[0].masked, prepared[1].masked], [2, 0]);
    assert!(bodies[0].is(&bodies[0].clone()) && !bodies[0].is(&bodies[1]));
    assert_eq!(bodies[2].work_bytes(limits), super::HELD_BYTES);
}
