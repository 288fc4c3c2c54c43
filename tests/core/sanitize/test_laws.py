"""The laws of masking, on inputs that nobody would write by hand."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import (
    RECEIVER_POLICY,
    Limits,
    Policy,
    encode_event,
    mask_text,
    mask_url,
    mask_value,
)

POLICY = Policy.build()
CUSTOM = Policy.build(mask_fields=["plain_name"], unmask_fields=["token", "pin"], remote_fields=["note"])
SECRET = "Zq7xW9vKp3"

LAW = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

_PIECES = r"""
password token pin auth session secret api_key Authorization: cookie plain_name = : ' " \ { } [ ] ( ) , ; & ?
# / :// http://h/ u:p@ @ < > </ <password> </password> <auth> x hunter2 4242424242424242 4242 - _ %3D %70 +
eyJhbGciOiJI .eyJz . Bearer Basic None … [MASKED] [MASK ED] sk_live_abc123456 name= value= b' u" ('a', 1
12345678 é AKIAABCDEFGHIJKLMNOP ]} "} \" \n :: => null <input loc input
"""
FRAGMENTS = st.sampled_from(
    [*_PIECES.split(), "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", " ", "\n"]
)
TEXTS = st.lists(st.one_of(FRAGMENTS, st.sampled_from(" \n\t\x00\ud800é")), max_size=14).map("".join)
KEYS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["password", "name", "key", "value", "token", "session", "pin", "user", "data", "replaystack", "note"]
    ),
    st.sampled_from(["__truncated", "__omitted", "preview", "plain_name", "user[password]", "has_password"]),
)


def _as_text(tree: Any) -> str:
    return json.dumps(mask_value(tree, Policy.build(mask_values=False)))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.binary(max_size=6),
    st.just(4242424242424242),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(KEYS, st.integers(), st.none(), st.binary(max_size=3)), inner, max_size=4),
        st.lists(st.tuples(KEYS, inner), max_size=3),
        st.dictionaries(KEYS, inner, max_size=3).map(_as_text),
    ),
    max_leaves=12,
)
POLICIES = st.sampled_from([POLICY, CUSTOM, RECEIVER_POLICY, Policy.build(mask_values=False)])
BODIES = st.builds(
    RawBody,
    st.one_of(
        TEXTS.map(lambda text: text.encode("utf-8", "replace")),
        TREES.map(lambda tree: _as_text(tree).encode()),
        st.binary(max_size=20),
    ),
    st.sampled_from(
        [
            None,
            "application/json",
            "text/plain",
            "text/xml",
            "application/x-www-form-urlencoded",
            "image/png",
            "application/x-ndjson",
            "multipart/form-data; boundary=x",
        ]
    ),
    complete=st.booleans(),
    total_bytes=st.sampled_from([0, 10, 10_000_000]),
)
HEADERS = st.builds(
    RawHeaders,
    st.lists(
        st.tuples(
            st.sampled_from(
                [b"Cookie", b"X-Key", b"Referer", b"accept", b"link", b"sec-websocket-protocol", b"a"]
            ),
            TEXTS.map(lambda text: text.encode("utf-8", "replace")),
        ),
        max_size=5,
    ).map(tuple),
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "traceId": TEXTS,
        "requestUrl": st.one_of(TEXTS, SCALARS),
        "errorMessage": st.one_of(TEXTS, TREES),
        "stackTrace": TEXTS,
        "statusCode": SCALARS,
        "requestHeaders": st.one_of(HEADERS, TREES),
        "responseHeaders": st.lists(st.tuples(KEYS, TEXTS), max_size=3),
        "requestPayload": st.one_of(BODIES, TREES),
        "responsePayload": st.one_of(BODIES, TREES),
        "breadcrumbs": TREES,
        "logs": st.lists(st.fixed_dictionaries({"message": TEXTS, "metadata": TREES}), max_size=3),
        "metadata": TREES,
        "password": TREES,
        "other": TREES,
    },
)
LIMITS = st.sampled_from([1, 7, 20, 100, 1000, 524_288]).map(Limits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), "an object with the same key twice"
    return found


def _strictly(data: bytes) -> Any:
    """Decode as the strictest of parsers do."""
    orjson.loads(data)
    return json.loads(data.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_unique)


@LAW
@given(TEXTS, POLICIES)
def test_masking_a_text_or_url_twice_is_masking_it_once(text: str, policy: Policy) -> None:
    """mask(mask(x)) == mask(x) for every text."""
    masked = mask_text(text, policy)
    assert mask_text(masked, policy) == masked
    url = mask_url(text, policy)
    assert mask_url(url, policy) == url


@LAW
@given(TREES, POLICIES)
def test_masking_a_value_twice_is_masking_it_once(tree: Any, policy: Policy) -> None:
    """mask(mask(x)) == mask(x) for every value, and the result is plain JSON of its own."""
    masked = mask_value(tree, policy)
    text = json.dumps(masked, allow_nan=False)
    assert json.dumps(mask_value(masked, policy)) == text
    assert json.dumps(mask_value(json.loads(text), policy)) == text


@LAW
@given(EVENTS, POLICIES, LIMITS)
def test_encoding_an_event_again_changes_nothing(
    event: dict[str, Any], policy: Policy, limits: Limits
) -> None:
    """Any event comes out as strict JSON within its limit, and encoding it anew gives the same values.

    Raw JSON keeps the spelling that it came in; once it went through a parser, the bytes are the same too.
    """
    encoded = encode_event(event, policy, limits)
    document = _strictly(encoded.data)
    assert len(encoded) <= limits.event_bytes
    again = encode_event(document, policy, limits)
    assert json.loads(again.data) == document
    assert encode_event(json.loads(again.data), policy, limits) == again
    assert "dropped" not in document["metadata"]["replaystack"]["masking"], "masking failed on a part"


@LAW
@given(EVENTS)
def test_the_receiver_changes_nothing_that_the_sender_masked(event: dict[str, Any]) -> None:
    """The second pass of the server leaves an event of the default policy as it is, limits apart."""
    encoded = encode_event(event, POLICY)
    document = json.loads(encoded.data)
    assert json.loads(encode_event(document, RECEIVER_POLICY).data) == document


# How a secret gets into a text or value; `{}` is the secret.
TEMPLATES = [
    "password={}",
    "password: {}",
    "'password': '{}'",
    '"token": "{}"',
    "token={}",
    "pin = {}",
    "api_key={}&a=1",
    "Authorization: Bearer {}1234567",
    "Bearer {}123456",
    "https://u:{}@h/x",
    "https://h/?token={}&b=1",
    "?code={}&x",
    "<password>{}</password>",
    '<a secret="{}"/>',
    "Cookie: a={}; b=2",
    'login(password: "{}")',
    "sk_live_{}abc",
    "ghp_{}abcdefghijklmnop",
    "x('password', '{}')",
    '{{"password": "{}"}}',
    '{{"a": "{{\\"password\\": \\"{}\\"}}"}}',
    "client_secret={}",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "api key: {}",
    "dsn={}",
]
NOISE = st.lists(
    st.sampled_from(
        ["user ", "ada, ", "status 200 ", "\n", "(x) ", "a=1 ", "id: 5 ", "https://h/p ", "é ", "<b>y</b> "]
    ),
    max_size=4,
).map("".join)
PLANTED_TEXTS = st.builds(
    lambda before, template, after: before + template.format(SECRET) + " " + after,
    NOISE,
    st.sampled_from(TEMPLATES),
    NOISE,
)
SECRET_KEYS = st.sampled_from(
    ["password", "apiKey", "x-auth-token", "user[cvv]", "cvv2", "refresh_tokens", "Set-Cookie"]
)
PLANTED_LEAVES = st.one_of(
    PLANTED_TEXTS,
    st.dictionaries(
        SECRET_KEYS, st.sampled_from([SECRET, [SECRET], {"a": SECRET}, (SECRET, 1)]), min_size=1, max_size=2
    ),
    st.just({"name": "password", "value": SECRET}),
    st.just({"value": [SECRET], "key": "api_key"}),
    st.just([("password", SECRET), ["user", "ada"]]),
    st.just({"data": json.dumps({"token": SECRET})}),
    st.sampled_from(["password", "token"]).map(lambda key: {f"{key}={SECRET}": 1}),
)


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["a", "items", "user", "session"])
    return st.one_of(
        inner, st.lists(inner, min_size=1, max_size=3), st.dictionaries(keys, inner, min_size=1, max_size=3)
    )


PLANTED_TREES = _around(_around(_around(PLANTED_LEAVES)))
# One more level of JSON in a string is within the two that are opened.
PLANTED = st.one_of(
    PLANTED_TREES, st.dictionaries(st.just("body"), PLANTED_TREES.map(json.dumps), min_size=1)
)


@LAW
@given(PLANTED_TEXTS)
def test_no_planted_secret_survives_in_a_text(text: str) -> None:
    """Wherever in a text a secret stands, it is gone."""
    assert SECRET not in mask_text(text, POLICY)


@LAW
@given(
    PLANTED_TREES,
    st.sampled_from(["requestPayload", "metadata", "errorMessage", "logs", "breadcrumbs", "own"]),
)
def test_no_planted_secret_survives_in_an_event(tree: Any, key: str) -> None:
    """Wherever in an event a secret stands, it is gone."""
    encoded = encode_event({key: tree}, POLICY).data
    assert SECRET.encode() not in encoded
    assert b"[MASKED]" in encoded


@LAW
@given(PLANTED, st.sampled_from(["application/json", "text/plain", "application/x-ndjson"]), st.data())
def test_no_planted_secret_survives_in_a_body(tree: Any, content_type: str, data: st.DataObject) -> None:
    """Whole or cut anywhere, a body shows nothing of a secret."""
    raw = json.dumps(tree).encode()
    size = data.draw(st.integers(1, len(raw)))
    for body in (
        RawBody(raw, content_type, total_bytes=len(raw)),
        RawBody(raw[:size], content_type, total_bytes=len(raw), complete=False),
        RawBody(raw[:size], content_type, total_bytes=600_000, complete=False),
    ):
        encoded = encode_event({"requestPayload": body}, POLICY).data.decode()
        assert not [SECRET[at : at + 6] for at in range(5) if SECRET[at : at + 6] in encoded]


@LAW
@given(TREES)
def test_raw_json_and_objects_are_masked_alike(tree: Any) -> None:
    """The same document gives the same event, as an object or as bytes."""
    document = json.loads(
        _as_text(tree).replace("\\u0000", "\\ufffd")
    )  # what no strict parser takes is replaced
    raw = json.dumps(document).encode()
    body = RawBody(raw, "application/json", total_bytes=len(raw))
    as_bytes = encode_event({"requestPayload": body}, POLICY)
    assert json.loads(as_bytes.data) == json.loads(encode_event({"requestPayload": document}, POLICY).data)
