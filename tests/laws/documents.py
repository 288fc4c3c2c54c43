"""JSON that nobody would write by hand, from a seed: hostile spelling, odd numbers, planted secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["SECRET", "Spelling", "document", "mutated", "planted", "planted_text", "text"]

SECRET = "Zq7xW9vKp3Lm"

KEYS = """user id data items note name key value input loc msg ctx a b é session pin auth pan sid plain_name
count token tokens password apiKey user[cvv] has_password password_policy x-auth-token card_number cvv2 msgs
__truncated preview label field default header enabled next_page_token secretary [0] a.b:c""".split()  # noqa: SIM905 - reads better

PIECES = r"""password token pin auth session api_key Authorization: cookie plain_name = : ' " \ { } [ ] ( )
, ; & ? # / :// http://h/ u:p@ @ < > </ <password> </password> <auth> x hunter2 4242424242424242 4242 - _ %3D
%70 + eyJhbGciOiJI .eyJz . Bearer Basic None … [MASKED] [MASK ED] sk_live_abc123456 name= value= b' u" ('a', 1
12345678 é AKIAABCDEFGHIJKLMNOP ]} "} \" \n :: => null <input loc input {"a": {"password":"x"} [["pin",1]]
-----BEGIN&PRIVATE&KEY----- -----END&PRIVATE&KEY----- 🙂 \u0070 https://x/?code=1&a=2""".split()  # noqa: SIM905 - same

NUMBERS = """0 -0 1 12 -7 1.5 1.50 1e5 1E+3 1e-7 0.1 123456789012 1732150000000 4242424242424242
-4242424242424242 4242424242424241 12345678901234567890 1e308 0.30000000000000004 1e309 -1e999
1e-999""".split()  # noqa: SIM905 - same
LONG_NUMBERS = ["9" * 41, "9" * 40, "1." + "0" * 45, "-" + "1" * 50, "9" * 4400]

# What a secret looks like in a text; `{}` is the secret.
TEXTS_WITH_SECRETS = (
    "password={}",
    "password: {}",
    "'password': '{}'",
    '"token": "{}"',
    "pin = {}",
    "api_key={}&a=1",
    "Bearer {}123456",
    "https://u:{}@h/x",
    "https://h/?token={}&b=1",
    "<password>{}</password>",
    "sk_live_{}abc",
    '{{"password": "{}"}}',
    '{{"a": "{{\\"password\\": \\"{}\\"}}"}}',
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "x('password', '{}')",
    "got [['password', '{}']] here",
    "ALTER USER a PASSWORD '{}'",
    "login --password {}",
    "curl -u ada:{} h",
    "AKIAABCDEFGHIJKLMNOP token={}",
    "ghp_{}abcdefghijklmnop",
    "https%3A%2F%2Fh%2F%3Ftoken%3D{}",
    "&lt;password&gt;{}&lt;/password&gt;",
    "x: 1\npasswords:\n- {}\n",
    "password: str = '{}'",
)
SECRET_KEYS = ("password", "apiKey", "x-auth-token", "user[cvv]", "cvv2", "refresh_tokens", "Set-Cookie")


@dataclass(frozen=True)
class Spelling:
    """What a document may contain."""

    blanks: bool = True
    escapes: bool = True
    duplicates: bool = True
    odd: bool = True
    """Lone surrogates, NULs, long and infinite numbers, great depth."""


PLAIN = Spelling(odd=False, duplicates=False)


def text(rng: random.Random) -> str:
    """Return a text of pieces that mean something to some rule."""
    glue = rng.choice(("", "", " ", "\n"))
    return glue.join(rng.choice(PIECES).replace("&PRIVATE&", " PRIVATE ") for _ in range(rng.randint(0, 7)))


def _blanks(rng: random.Random, spelling: Spelling) -> str:
    if not spelling.blanks or rng.random() < 0.8:
        return ""
    return "".join(rng.choice(" \t\n\r") for _ in range(rng.randint(1, 3)))


def _string(rng: random.Random, content: str, spelling: Spelling) -> str:
    """Spell a string token: each character plain, or by one of its escapes."""
    out: list[str] = []
    often = 0.3 if spelling.escapes and rng.random() < 0.3 else 0.0
    for sign in content:
        if sign in '"\\' or sign < " ":
            out.append(json.dumps(sign)[1:-1])
        elif rng.random() < often:
            out.append(
                "\\/" if sign == "/" else json.dumps(sign)[1:-1] if ord(sign) > 127 else f"\\u{ord(sign):04X}"
            )
        else:
            out.append(sign)
    if spelling.odd and rng.random() < 0.02:
        out.insert(rng.randint(0, len(out)), rng.choice(("\\u0000", "\\ud800", "\\uDC00", "\\ud83d\\u0041")))
    return '"' + "".join(out) + '"'


def _key(rng: random.Random, used: set[str], spelling: Spelling) -> str:
    while True:
        key = text(rng) if rng.random() < 0.15 else rng.choice(KEYS)
        if spelling.duplicates or key not in used:
            used.add(key)
            return key
        used.add("")


def _scalar(rng: random.Random, spelling: Spelling) -> str:
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(("true", "false", "null"))
    if kind < 0.4:
        numbers = NUMBERS + LONG_NUMBERS if spelling.odd and rng.random() < 0.05 else NUMBERS[:-3]
        return rng.choice(numbers)
    content = rng.choice(("", "x", "[MASKED]", *KEYS)) if kind < 0.6 else text(rng)
    return _string(rng, content, spelling)


_WRAPPERS = (
    [("[", "]")] * 70,
    [('{"a":', "}")] * 66,
    [("[1,", ",2]"), ('{"password":[', "]}")] * 40,
)


def document(rng: random.Random, spelling: Spelling = Spelling(), depth: int = 0) -> str:
    """Return JSON text."""
    if spelling.odd and depth == 1 and rng.random() < 0.01:
        around = rng.choice(
            ((("[", "]"),) * 70, (('{"a":', "}"),) * 66, (("[1,", ",2]"), ('{"password":[', "]}")) * 40)
        )
        return (
            "".join(o for o, _ in around)
            + document(rng, spelling, depth + 4)
            + "".join(c for _, c in reversed(around))
        )
    kind = rng.random()
    if depth > 4 or (depth and kind < 0.45):
        return _scalar(rng, spelling)

    def gap() -> str:
        return _blanks(rng, spelling)

    size = rng.choice((0, 1, 1, 2, 2, 3, 4))
    if kind < 0.75:
        used: set[str] = set()
        fields = [
            f"{gap()}{_string(rng, _key(rng, used, spelling), spelling)}{gap()}:{gap()}"
            f"{document(rng, spelling, depth + 1)}{gap()}"
            for _ in range(size)
        ]
        return "{" + (",".join(fields) or gap()) + "}"
    if kind < 0.85:
        pairs = [
            f"[{gap()}{_string(rng, rng.choice(KEYS), spelling)}{gap()},{document(rng, spelling, depth + 2)}]"
            for _ in range(size)
        ]
        if rng.random() < 0.2:
            pairs.append(document(rng, spelling, depth + 1))
        return f"[{gap()}" + f"{gap()},{gap()}".join(pairs) + "]"
    items = [gap() + document(rng, spelling, depth + 1) + gap() for _ in range(size)]
    return "[" + (",".join(items) or gap()) + "]"


def mutated(rng: random.Random, source: str) -> str:
    """Return `source` with a character or two lost, added or changed: mostly no JSON any more."""
    signs = list(source)
    for _ in range(rng.randint(1, 2)):
        at = rng.randint(0, len(signs))
        kind = rng.random()
        if kind < 0.4 and at < len(signs):
            del signs[at]
        elif kind < 0.7:
            signs.insert(at, rng.choice('{}[]",:\\0-+.eEu1tfn \n\t\x01\x7f\ufeffé'))
        elif at < len(signs):
            signs[at] = rng.choice('{}[]",:\\0-+.eEu1 \n\x00\u2028')
    return "".join(signs)


def planted(rng: random.Random, depth: int = 0) -> object:
    """Return a value with secrets in it, and nothing of it in a place that no rule knows."""
    kind = rng.random()
    if depth > 3 or (depth and kind < 0.5):
        return _leaf(rng)
    if kind < 0.75:
        return {
            rng.choice(("a", "items", "user", "session", "é")) + str(n): planted(rng, depth + 1)
            for n in range(rng.randint(1, 3))
        }
    return [planted(rng, depth + 1) for _ in range(rng.randint(1, 3))]


def _leaf(rng: random.Random) -> object:
    secret = rng.choice((SECRET, SECRET, [SECRET], {"a": SECRET}, [[SECRET, 1]]))
    kind = rng.randint(0, 5)
    if kind == 0:
        return {"n": 1, rng.choice(SECRET_KEYS): secret, "m": "x"}
    if kind == 1:
        pair = [("name", "password"), ("value", secret)]
        rng.shuffle(pair)
        return dict(pair)
    if kind == 2:
        return [["password", secret], ["user", "ada"]]
    if kind == 3:
        return {"body": json.dumps({"token": SECRET, "deep": {"x": json.dumps({"cvv": SECRET})}})}
    if kind == 4:
        return {f"password={SECRET}": 1}
    return planted_text(rng)


def planted_text(rng: random.Random) -> str:
    """Return a text with a secret in it."""
    before = rng.choice(("", "user ada, ", "status 200 "))
    return before + rng.choice(TEXTS_WITH_SECRETS).format(SECRET) + " b"
