"""The words that inputs are made of: names, what stands behind them, values, and what is put around."""

from __future__ import annotations

from typing import Final

__all__ = ["HEADER_NAMES", "NAMES", "SEPARATORS", "SIGNS", "VALUES", "WRAPPERS"]

_NAMES = r"""password passwd pwd secret token tokens api_key apiKey API-KEY access_token refresh-token
authorization Authorization proxy-authorization cookie Set-Cookie auth pin PIN pan PANs userPANs sid
session session_id csrf pass passcode otp cvv cvc ssn card_number cardNumber cc_number ccnumber
credit_card user[password] user.password data[0].token x-api-key client_secret private_key
connection_string DATABASE_URL dsn jwt bearer credential credentials secret_key mnemonic seed_phrase
account_key signature sig code name key value label id field header input loc msg ctx type user
has_password password_policy max_tokens next_page_token token_count tokenizer thinking_tokens
remaining_tokens used_tokens input_tokens passwords identified plain_name note x_y %70assword
pass%77ord passw\u00f6rd PASSWORD_HASH tokenValue pin_v2 pwdHash accessKeyId notified identifiedBy
PASSWORD wallet_phrase data items default __truncated [0] a.b:c""".split()  # noqa: SIM905 - reads better
NAMES: Final = (
    *_NAMES,
    *("IDENTIFIED BY", "identified by", "user password", "secret key", "x y"),
    *("p\u00adassword", "\uff50assword", "passw\u00f6rd", "\u212aey", "\u0130d"),
)
"""Of fields, parameters and variables: secret ones, harmless ones, and what looks like either."""

SEPARATORS: Final = (
    *("=", ":", ": ", " = ", "=>", " => ", ":=", " := ", "==", "!=", " ", "\t", '="', ": '", "': '", '": "'),
    *('\\": \\"', '":"', "%3D", "%3d", "=%22", "=\x1b[31m", "\x1b[0m=\x1b[32m", ":\n  ", ": |\n  ", ":\n- "),
    *(": >-\n ", "=[", "={", "=(", ": [", ": {", ": Optional[str] = ", ": str = ", ": x = "),
    *(": str | None = ", " is ", " to ", "', '", '", "', "', b'", "=b'", '=u"', "='''", "=\\'", "=$", "=<"),
    *('">', ">", "&gt;", "=&quot;", "=SecretStr('", "=datetime(", ": bytes(", "=Foo.Bar(", ".", "](", "):"),
    *(",", "?=", "=;", "\x00", "=\\n", "=`", "\\u003d", "\\x3d", "=\\u0022", "::", "=:", "||", "|"),
)
"""What may stand between a name and its value."""

_VALUES = r"""hunter2 hunter2S3CR3T 1234 x null None true false [MASKED] [MASKED [MASK … str int abc/def== a,b
a;b
a&b=c a|b a%20b a\"b a\'b ${X} $x %s {} [] () "" '' <redacted> *** Bearer Basic Digest Token
abcdefgh12345678 dXNlcjpwYXNz 4242424242424242 4111-1111-1111-1111 12345678
username="u",response="abc" AKIAABCDEFGHIJKLMNOP sk_live_abc123456789
ghp_abcdefghijklmnopqrstuvwxyz0123456789 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123 x@y.org
+49301234567 10.0.0.1 DE89370400440532013000 u:p@h https://u:p#w@h/?token=abc&x=1 é \u00e9 \/ \R
\r\n 0 -1 1e5""".split()  # noqa: SIM905 - reads better
VALUES: Final = (
    *_VALUES,
    *(
        "a\x1b[0m",
        "correct horse battery staple",
        "two words",
        "'it''s'",
        '"quo\\"ted"',
        "b'bytes'",
        "[1, 2]",
    ),
    *("['a', 'b']", '{"a": "b"}', "('a', 'b')", "{'password': 'x'}", "Bearer abcdefgh12345678"),
    *("Basic dXNlcjpwYXNz", 'Digest username="u", response="abc123"', 'Hawk id="a", mac="b"', 'OAuth a="b"'),
    *("AWS4-HMAC-SHA256 Credential=AKIA/2, Signature=abc", "Mac x"),
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
)
"""What may be a secret, or may not; what the masker writes itself, and halves of it."""

WRAPPERS: Final = (
    *(
        "{}",
        "'{}'",
        '"{}"',
        "({})",
        "[{}]",
        "{{{}}}",
        "<{}>",
        "`{}`",
        '\\"{}\\"',
        '{{"{}"}}',
        "a {} b",
        "{}\n",
    ),
    *(
        "\n{}",
        "{}&x=1",
        "x=1&{}",
        "https://h/?{}",
        "https://h/#{}",
        "--{}",
        "--{} x",
        "-u {}",
        "curl -u {} h",
    ),
    *("<a {}>", "<{}>x</a>", "<input name={} value=x>", '<input type=hidden value=x name="{}"/>'),
    *("<meta content='{}' name='csrf-token'>", "&lt;{}&gt;", "b'{}'", "f({})", "Model({})", "Error: {}"),
    *("('{}')", "[('{}', 'x')]", '[["{}", "x"]]', "{{'name': '{}', 'value': 'x'}}"),
    *('{{"key": "x", "value": "{}"}}', '{{"value": "x", "name": "{}"', "\x1b[31m{}\x1b[0m", "\\n{}\\n"),
    *("%7B{}%7D", "?{}", "{},", "; {};", "INSERT INTO users ({}) VALUES ('{}')", "ALTER USER x {}", "SET {}"),
    "1 validation error for M\n{}\n  Field [type=missing, input_value='x', input_type=str]",
    *("{}\n  value is not valid (type=value_error)", "https%3A%2F%2Fh%2F%3F{}", "//u:{}@h", "ftp://{}@h/x"),
    "{}\n  Input should be [type=x, input_value={{'a': 1}}, input_type=dict]",
)
"""What a text may stand in; `{}` is the text."""

SIGNS: Final = (
    *" \t\r\n\"'`\\/{}[]()<>:;,=&?#@%+-_.|!$*~^0123456789aAzZbnruxRsS\0\x1b\x7f\x0b\x0c\x1c\x1d\x1e\x1f",
    *("é", "ß", "\u212a", "\u0130", "\u017f", "\u00ad", "\u200b", "\ufeff", "\uff50", "\uff1d", "\u2028"),
    *("\u0085", "\u00a0", "\u2003", "…", "🙂", "\u0663", "²", "\ud800", "\udc00", "[MASKED]", '\\"', "\\'"),
    *("\\\\", "\\n", "\\u0022", "\\x22", "%22", "%3D", "%25", "&quot;", "&lt;", "&gt;", "&amp;", "&#34;"),
    *("''", '""', '"""', "'''", "</", "/>", "-->", "<!--", "]]>", "<![CDATA[", "\x1b[0m", "\x1b[31;1m"),
    *("://", "@", "=>", "::", "\r\n", "\n- ", "\n  "),
)
"""Characters, and short runs of them, that mean something to some rule or to some decoder."""

_HEADER_NAMES = """Cookie Set-Cookie Referer Location Link Origin Content-Location X-Hub-Signature-256
idempotency-key
sec-websocket-protocol Sec-WebSocket-Key User-Agent X-Forwarded-For Authorization WWW-Authenticate
Content-Type surrogate-key x-key Refresh host""".split()  # noqa: SIM905 - reads better
HEADER_NAMES: Final = (
    *NAMES,
    *_HEADER_NAMES,
)
"""Of header fields."""
