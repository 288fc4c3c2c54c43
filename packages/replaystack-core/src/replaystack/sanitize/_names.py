"""The names of secrets (MASKING.md section 1): one table, with a reason beside each odd entry.

The Rust twin mirrors this module.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "CONTAINS",
    "ENDS",
    "EXACT",
    "FORM_ENDS",
    "FORM_EXACT",
    "HEADER_ENDS",
    "HEADER_EXACT",
    "HEADER_NOT",
    "LAST_WORDS",
    "LOG_FIELDS",
    "NOT_EXACT",
    "NOT_FIRST_WORDS",
    "NOT_REST",
    "NOT_SECRET",
    "NOT_TOKEN",
    "WALKED",
]

EXACT: Final = frozenset(
    """authorization proxyauthorization authentication auth password passwd pwd pass passcode pin token
    secret cookie setcookie session sid credential jwt bearer csrf xsrf cardnumber creditcard
    creditcardnumber ccnumber pan cvv cvc securitycode otp totp mfacode pincode otpcode onetimepassword
    ssn socialsecuritynumber dbpass smtppass userpass connectionstring dsn databaseurl
    csrfmiddlewaretoken jsessionid phpsessid connectsid sessid awsaccesskeyid
    xauth accountkey mnemonic""".split()  # noqa: SIM905 - reads as the contract's table does
)

# A connection's `auth`, a browser's `session`, a page's `pin` are often objects with useful parts.
WALKED: Final = frozenset({"session", "auth", "pan", "sid", "pin"})

CONTAINS: Final = (
    "password",
    "passwd",
    "passphrase",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "secret",
)
NOT_SECRET: Final = "secretar"  # noqa: S105 - secretary, secretariat; costs AWS `secretArn`, which is no secret either

ENDS: Final = (
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
    "servicekey",  # also the key of a micro service; Supabase's opens every table
    "servicerolekey",
    "storageaccountkey",  # `AZURE_STORAGE_ACCOUNT_KEY`
    "sharedaccesssignature",
    "recoverycode",
    "backupcode",
    "verificationcode",
    "securityanswer",
    "seedphrase",
    "recoveryphrase",
    "mnemonicphrase",
)
# Not here: `ssh_key`, `pgp_key` are public mostly, and private ones are known by their shape.

# Whole words only: `user_pan`, `userPin`, but not `company`, `pinned`, `inside`.
LAST_WORDS: Final = frozenset({"pin", "pan", "sid"})

FORM_EXACT: Final = frozenset(
    {
        "sig",  # signed URLs of Azure
        "code",  # the authorization code of OAuth; in JSON mostly an error code
        "ticket",  # CAS
        "samlresponse",
        "xamzcredential",
    }
)
FORM_ENDS: Final = ("signature",)

HEADER_EXACT: Final = frozenset(
    {
        "xhubsignature256",  # the digits hide the ending
        "xaccess",
    }
)
HEADER_ENDS: Final = ("signature", "key")
HEADER_NOT: Final = frozenset(
    {
        "idempotencykey",  # a name that the client chose; needed to follow a retry
        "secwebsocketkey",  # a nonce of the handshake, no secret by RFC 6455
        "surrogatekey",  # cache tags
    }
)

# What follows the word in names that only talk about a secret: `password_policy`, `apiKeyHint`.
NOT_REST: Final = frozenset(
    """at count expiry expiresin length policy strength ttl type keyid hint enabled required
    url""".split()  # noqa: SIM905 - same
)
NOT_FIRST_WORDS: Final = frozenset({"has", "is", "num", "max", "min"})
NOT_EXACT: Final = frozenset(
    {
        "maxtokens",  # limits and counts of language models
        "tokens",
        "tokencount",
        "tokenizer",
    }
)
# Paging and cancellation hand tokens around that open no door; `total_tokens` and its kin are counts.
NOT_TOKEN: Final = re.compile(
    r"(?:page|next|prev|sync|continuation|cursor|resume|cancel)tokens?\Z"
    r"|(?:prompt|completion|input|output|total|cached|reasoning|audio|text|prediction|thinking|remaining|used)tokens\Z"
    r"|\Antokens\Z",
    re.ASCII,
)

# Ids that a log entry carries beside its message; only the built-in rules leave them alone.
LOG_FIELDS: Final = frozenset(
    """session_id user_id request_id flow_id trace_id sessionId userId requestId flowId
    traceId""".split()  # noqa: SIM905 - same
)
