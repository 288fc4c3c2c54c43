use super::{encode_event, Content, Field};
use crate::bodies::RawBody;
use crate::fit::Limits;
use crate::policy::Policy;
use crate::tree::Nothing;
use crate::walk::Scratch;

fn encoded(fields: Vec<(&str, Content<'_, Nothing>)>, max_payload_bytes: usize) -> String {
    let fields = fields
        .into_iter()
        .map(|(key, content)| Field::new(key, content))
        .collect();
    let limits = Limits { max_payload_bytes };
    let (mut scratch, mut event) = (Scratch::default(), Vec::new());
    let policy = Policy::default();
    let Ok(()) = encode_event(fields, &policy, "abc", limits, &mut scratch, &mut event);
    String::from_utf8(event).unwrap_or_default()
}

fn body(data: &[u8]) -> Content<'_, Nothing> {
    let total_bytes = i64::try_from(data.len()).unwrap_or(0);
    let content_type = Some("application/json");
    Content::Body(RawBody {
        data,
        content_type,
        content_encoding: None,
        total_bytes,
        complete: true,
    })
}

/// Headers and bodies are masked, cookies are named, and the evidence counts what was found.
#[test]
fn an_exchange_is_masked() {
    let headers: Vec<(&[u8], &[u8])> = vec![(b"Cookie", b"a=1"), (b"Accept", b"x")];
    let fields = vec![
        ("requestHeaders", Content::Headers(headers)),
        ("requestPayload", body(b"{\"pin\": 1}")),
        ("responsePayload", body(b"")),
    ];
    let expected = "{\"requestHeaders\":{\"cookie\":\"[MASKED]\",\"accept\":\"x\"},\
                    \"requestPayload\":{\"pin\": \"[MASKED]\"},\
                    \"metadata\":{\"replaystack\":{\"cookieNames\":[\"a\"],\
                    \"masking\":{\"policy\":\"abc\",\"rules\":1,\"masked\":2}}}}";
    assert_eq!(encoded(fields, 1000), expected);
}

/// What stands where it does not belong never leaves.
#[test]
fn a_body_in_another_field_is_dropped() {
    let shown = encoded(
        vec![("traceId", body(b"password")), ("x", body(b"password"))],
        1000,
    );
    assert!(shown.starts_with(r#"{"traceId":{"__unmasked_dropped":true},"x":{"__unmasked_dropped":true},"#));
}

/// Headers over the limit become a preview.
#[test]
fn headers_are_limited() {
    let headers: Vec<(&[u8], &[u8])> = vec![(b"Accept", b"0123456789")];
    let shown = encoded(vec![("requestHeaders", Content::Headers(headers))], 12);
    let start = r#"{"requestHeaders":{"__truncated":true,"originalSizeBytes":23,"maxSizeBytes":12,"preview":"{\"accept\":\"0"},"#;
    assert!(shown.starts_with(start), "{shown}");
}
