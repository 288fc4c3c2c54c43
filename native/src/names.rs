//! The names of secrets (MASKING.md section 1): one table, with a reason beside each odd entry.
//!
//! The twin of `_names.py`.

/// Keys whose value is masked when the whole key, or its last segment, is the name.
pub const EXACT: &[&str] = &[
    "authorization",
    "proxyauthorization",
    "authentication",
    "auth",
    "password",
    "passwd",
    "pwd",
    "pass",
    "passcode",
    "pin",
    "token",
    "secret",
    "cookie",
    "setcookie",
    "session",
    "sid",
    "credential",
    "jwt",
    "bearer",
    "csrf",
    "xsrf",
    "cardnumber",
    "creditcard",
    "creditcardnumber",
    "ccnumber",
    "pan",
    "cvv",
    "cvc",
    "securitycode",
    "otp",
    "totp",
    "mfacode",
    "pincode",
    "otpcode",
    "onetimepassword",
    "ssn",
    "socialsecuritynumber",
    "dbpass",
    "smtppass",
    "userpass",
    "connectionstring",
    "dsn",
    "databaseurl",
    "csrfmiddlewaretoken",
    "jsessionid",
    "phpsessid",
    "connectsid",
    "sessid",
    "awsaccesskeyid",
    "xauth",
    "accountkey",
    "mnemonic",
];

/// A connection's `auth`, a browser's `session`, a page's `pin` are often objects with useful parts.
pub const WALKED: &[&str] = &["session", "auth", "pan", "sid", "pin"];

/// Words that make a key secret wherever they stand in it.
pub const CONTAINS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "secret",
];

/// Secretary, secretariat; costs AWS `secretArn`, which is no secret either.
pub const NOT_SECRET: &str = "secretar";

/// Words that make a key secret at its end.
/// Not here: `ssh_key`, `pgp_key` are public mostly, and private ones are known by their shape.
pub const ENDS: &[&str] = &[
    "token",
    "cookie",
    "sessionid",
    "sessionkey",
    "jwt",
    "cvv",
    "cvc",
    "otp",
    "ssn",
    "pwd",
    "signingkey",
    "encryptionkey",
    "authkey",
    "clientkey",
    "authorization",
    "masterkey",
    "servicekey", // also the key of a micro service; Supabase's opens every table
    "servicerolekey",
    "storageaccountkey", // `AZURE_STORAGE_ACCOUNT_KEY`
    "sharedaccesssignature",
    "recoverycode",
    "backupcode",
    "verificationcode",
    "securityanswer",
    "seedphrase",
    "recoveryphrase",
    "mnemonicphrase",
];

/// Whole words only: `user_pan`, `userPin`, but not `company`, `pinned`, `inside`.
pub const LAST_WORDS: &[&str] = &["pin", "pan", "sid"];

/// Names that are secrets in queries and forms only.
pub const FORM_EXACT: &[&str] = &[
    "sig",    // signed URLs of Azure
    "code",   // the authorization code of OAuth; in JSON mostly an error code
    "ticket", // CAS
    "samlresponse",
    "xamzcredential",
];
/// Endings of secrets in queries and forms only.
pub const FORM_ENDS: &[&str] = &["signature"];

/// Names that are secrets in headers only.
pub const HEADER_EXACT: &[&str] = &[
    "xhubsignature256", // the digits hide the ending
    "xaccess",
];
/// Endings of secrets in headers only.
pub const HEADER_ENDS: &[&str] = &["signature", "key"];
/// Headers that end like a secret and are none.
pub const HEADER_NOT: &[&str] = &[
    "idempotencykey",  // a name that the client chose; needed to follow a retry
    "secwebsocketkey", // a nonce of the handshake, no secret by RFC 6455
    "surrogatekey",    // cache tags
];

/// What follows the word in names that only talk about a secret: `password_policy`, `apiKeyHint`.
pub const NOT_REST: &[&str] = &[
    "at",
    "count",
    "expiry",
    "expiresin",
    "length",
    "policy",
    "strength",
    "ttl",
    "type",
    "keyid",
    "hint",
    "enabled",
    "required",
    "url",
];
/// What begins names that only talk about a secret: `has_password`.
pub const NOT_FIRST_WORDS: &[&str] = &["has", "is", "num", "max", "min"];
/// Whole names that are no secrets.
pub const NOT_EXACT: &[&str] = &[
    "maxtokens", // limits and counts of language models
    "tokens",
    "tokencount",
    "tokenizer",
];

/// Paging and cancellation hand tokens around that open no door; `total_tokens` and its kin are counts.
const PAGING: &[&str] = &[
    "page",
    "next",
    "prev",
    "sync",
    "continuation",
    "cursor",
    "resume",
    "cancel",
];
const COUNTED: &[&str] = &[
    "prompt",
    "completion",
    "input",
    "output",
    "total",
    "cached",
    "reasoning",
    "audio",
    "text",
    "prediction",
    "thinking",
    "remaining",
    "used",
];

/// Tell whether a normalised key ends as a token of paging, or as a count of tokens.
#[must_use]
pub fn is_not_token(normal: &str) -> bool {
    let ends = |stem: &str, words: &[&str]| words.iter().any(|word| stem.ends_with(word));
    if let Some(stem) = normal.strip_suffix("tokens") {
        return stem == "n" || ends(stem, PAGING) || ends(stem, COUNTED);
    }
    normal
        .strip_suffix("token")
        .is_some_and(|stem| ends(stem, PAGING))
}

/// Ids that a log entry carries beside its message; only the built-in rules leave them alone.
pub const LOG_FIELDS: &[&str] = &[
    "session_id",
    "user_id",
    "request_id",
    "flow_id",
    "trace_id",
    "sessionId",
    "userId",
    "requestId",
    "flowId",
    "traceId",
];

#[cfg(test)]
mod tests {
    use super::{is_not_token, EXACT, WALKED};

    /// Tokens of paging and counts of tokens are known by their ending, one token of a count is not.
    #[test]
    fn paging_and_counts_are_no_tokens() {
        for name in [
            "pagetoken",
            "nextpagetokens",
            "prompttokens",
            "usedtokens",
            "ntokens",
        ] {
            assert!(is_not_token(name), "{name}");
        }
        for name in ["prompttoken", "token", "tokens", "pagetokens2", "mntokens"] {
            assert!(!is_not_token(name), "{name}");
        }
    }

    /// Every name that is walked is a name that is masked.
    #[test]
    fn walked_names_are_exact_names() {
        assert!(WALKED.iter().all(|name| EXACT.contains(name)));
    }
}
