//! What each field of an event is to the encoder: which rules it gets, and how long it may be.

use crate::fit::{ERROR_MESSAGE_BYTES, STACK_TRACE_BYTES, TEXT_BYTES};

/// The key of `metadata.replaystack`, which is ours.
pub const RESERVED_METADATA_KEY: &str = "replaystack";

/// What a key of the wire holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text that is never matched by key (MASKING.md section 1), of at most so many bytes.
    Text(usize),
    /// The URL of the request.
    Url,
    /// A number.
    Number,
    /// A body.
    Payload,
    /// A set of headers.
    Headers,
    /// Log lines, whose fields have a place of their own.
    Logs,
    /// Another list of entries.
    List,
    /// What the user adds, and what the recorder says.
    Metadata,
    /// No key of the wire: user data.
    Other,
}

/// Return what `key` holds.
#[must_use]
pub fn kind_of(key: &str) -> Kind {
    // By length first: of one length there are few.
    match key.len() {
        4 if key == "logs" => Kind::Logs,
        6 if matches!(key, "status" | "method" | "userId" | "flowId") => Kind::Text(TEXT_BYTES),
        7 if key == "traceId" => Kind::Text(TEXT_BYTES),
        8 => match key {
            "endpoint" | "authMode" | "sourceIp" => Kind::Text(TEXT_BYTES),
            "metadata" => Kind::Metadata,
            _ => Kind::Other,
        },
        9 if matches!(
            key,
            "eventType" | "errorName" | "userAgent" | "sessionId" | "requestId"
        ) =>
        {
            Kind::Text(TEXT_BYTES)
        }
        10 => match key {
            "authScheme" | "appVersion" | "commitHash" => Kind::Text(TEXT_BYTES),
            "stackTrace" => Kind::Text(STACK_TRACE_BYTES),
            "requestUrl" => Kind::Url,
            "statusCode" => Kind::Number,
            _ => Kind::Other,
        },
        11 => match key {
            "serviceName" | "environment" => Kind::Text(TEXT_BYTES),
            "breadcrumbs" | "stackFrames" => Kind::List,
            _ => Kind::Other,
        },
        12 if key == "errorMessage" => Kind::Text(ERROR_MESSAGE_BYTES),
        14 => match key {
            "requestPayload" => Kind::Payload,
            "requestHeaders" => Kind::Headers,
            _ => Kind::Other,
        },
        15 => match key {
            "executionTimeMs" => Kind::Number,
            "responsePayload" => Kind::Payload,
            "responseHeaders" => Kind::Headers,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// Tell whether a field of an entry of a list is never matched by key.
#[must_use]
pub fn is_entry_text(key: &str) -> bool {
    matches!(
        key,
        "message"
            | "category"
            | "level"
            | "timestamp"
            | "functionName"
            | "fileName"
            | "lineNumber"
            | "columnNumber"
            | "raw"
            | "content"
            | "logger"
            | "is_pii"
            | "isPii"
            | "source"
            | "environment"
            | "version"
            | "errorName"
            | "errorStack"
            | "stepIndex"
            | "dataset"
            | "tags"
            | "ipAddress"
            | "country"
            | "userId"
            | "sessionId"
            | "requestId"
            | "flowId"
            | "traceId"
            | "id"
    )
}

/// Tell whether a field of an entry of a list holds fields of the user's.
#[must_use]
pub fn is_entry_fields(key: &str) -> bool {
    matches!(key, "metadata" | "data" | "fields")
}

#[cfg(test)]
mod tests {
    use super::{is_entry_fields, is_entry_text, kind_of, Kind};

    /// Each key of the wire is known, and nothing else is.
    #[test]
    fn keys_have_kinds() {
        let texts = "traceId eventType status method endpoint authMode authScheme errorName serviceName \
                     environment appVersion commitHash sourceIp userAgent sessionId userId requestId flowId";
        let others = "errorMessage stackTrace requestUrl statusCode executionTimeMs requestPayload \
                      responsePayload requestHeaders responseHeaders logs breadcrumbs stackFrames metadata";
        for key in texts.split_whitespace() {
            assert_eq!(kind_of(key), Kind::Text(8192), "{key}");
        }
        for key in others.split_whitespace() {
            assert!(
                !matches!(kind_of(key), Kind::Text(8192) | Kind::Other) || key == "errorMessage",
                "{key}"
            );
        }
        assert_eq!(kind_of("traceId"), Kind::Text(8192));
        assert_eq!(kind_of("stackTrace"), Kind::Text(65_536));
        assert_eq!(kind_of("requestUrl"), Kind::Url);
        assert_eq!(kind_of("traceid"), Kind::Other);
        assert!(is_entry_text("is_pii") && !is_entry_text("metadata"));
        assert!(is_entry_fields("fields") && !is_entry_fields("field"));
    }
}
