//! Documents made of what is masked already: a batch, and an event without its bodies.

use crate::object::Object;

/// Return `{"events":[...]}`: the same bytes, joined; nothing is decoded.
#[must_use]
pub fn bulk_document(events: &[&[u8]]) -> Vec<u8> {
    let size: usize = events.iter().map(|event| event.len() + 1).sum();
    let mut document = Vec::with_capacity(size + 16);
    document.extend_from_slice(b"{\"events\":[");
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            document.push(b',');
        }
        document.extend_from_slice(event);
    }
    document.extend_from_slice(b"]}");
    document
}

/// Return an event with each payload replaced by a marker, for a receiver that finds it too large.
#[must_use]
pub fn without_bodies(event: &str) -> String {
    let mut document = Object::parse(event);
    document.retain(|key, value| {
        if matches!(key, "requestPayload" | "responsePayload") {
            r#"{"__omitted":true}"#.clone_into(value);
        }
        true
    });
    document.join()
}

#[cfg(test)]
mod tests {
    use super::{bulk_document, without_bodies};

    /// Events are joined as they are.
    #[test]
    fn batches_are_joined() {
        assert_eq!(bulk_document(&[]), b"{\"events\":[]}");
        assert_eq!(
            bulk_document(&[b"{}", b"{\"a\":1}"]),
            b"{\"events\":[{},{\"a\":1}]}"
        );
    }

    /// A body may be JSON with blanks in it; all else stays byte for byte.
    #[test]
    fn bodies_are_left_out() {
        let event = "{\"traceId\":\"t\",\"requestPayload\": { \"a\" : [1, 2] } ,\"metadata\":{\"a\":\"}\"}}";
        let expected = r#"{"traceId":"t","requestPayload":{"__omitted":true},"metadata":{"a":"}"}}"#;
        assert_eq!(without_bodies(event), expected);
    }
}
