"""The decisions that `docs/masking.md` lists: probes that got past the rules once, and their safe twins."""

from __future__ import annotations

import itertools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replaystack.sanitize import Policy, mask_text, mask_url, mask_value

if TYPE_CHECKING:
    from types import FrameType


POLICY = Policy.build()
M = "[MASKED]"
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "password")

MASKED_TEXTS = [
    # credentials
    ('sent Bearer "abcdefg1" on', f'sent Bearer "{M}" on'),
    ('sent bearer \\"abcdefg1\\" on', f'sent bearer \\"{M}\\" on'),
    ("Authentication\n Bearer\n\tabcdefghijklmnop", f"Authentication\n Bearer\n\t{M}"),
    ("the token is a1b2c3d4e5f6a7b8.", f"the token is {M}."),
    ('Token was: "a1b2c3d4e5f6a7b8"', f'Token was: "{M}"'),
    # names
    ("x;AccountKey=ab+/cd==;EndpointSuffix=y", f"x;AccountKey={M};EndpointSuffix=y"),
    ("verification code: 123456", f"verification code: {M}"),
    ("security answer = Rex", f"security answer = {M}"),
    ("seed phrase: abandon ability able about, gone", f"seed phrase: {M}, gone"),
    ("mnemonic=abandon ability next=1", f"mnemonic={M} next=1"),
    ("pass\u200bword=x", f"pass\u200bword={M}"),
    ('"api\u00ad_key": "x"', f'"api\u00ad_key": "{M}"'),
    (f"{WIDE}=x", f"{WIDE}={M}"),
    # name and value in one object
    ('a {"name": "password", "value": "x"} b', f'a {{"name": "password", "value": "{M}"}} b'),
    ("a {'value': b'x', 'Key': 'api_key'} b", f"a {{'value': b'{M}', 'Key': 'api_key'}} b"),
    ('a {"label": "Password", "default": 12} b', f'a {{"label": "Password", "default": {M}}} b'),
    (
        'a {\\"name\\": \\"pin\\", \\"value\\": \\"1\\"} b',
        f'a {{\\"name\\": \\"pin\\", \\"value\\": \\"{M}\\"}} b',
    ),
    (
        'a {"name":"password","rules":{"min":8},"value":"x"} b',
        f'a {{"name":"password","rules":{{"min":8}},"value":"{M}"}} b',
    ),
    (
        'a {"value":"x","in":{"name":"token","value":"y"},"name":"password"} b',
        f'a {{"value":"{M}","in":{{"name":"token","value":"{M}"}},"name":"password"}} b',
    ),
    ('cut {"name": "password", "value": "x', f'cut {{"name": "password", "value": "{M}'),
    # YAML
    ("passwords:\n  - a\n  - b\nnext: 1", f"passwords:\n  - {M}\nnext: 1"),
    ("api_keys:\n- a\n\n- b: c\n  d: e\nf: 1", f"api_keys:\n- {M}\nf: 1"),
    ("- password:\n  - a\n- other: 1", f"- password:\n  - {M}\n- other: 1"),
    ("- password:\n- other: 1", "- password:\n- other: 1"),
    ('"secrets":\r\n  - a\r\n', f'"secrets":\r\n  - {M}\r\n'),
    ('password:\n  "it\'s x"\nb: 1', f'password:\n  "{M}"\nb: 1'),
    # markup
    ("<f>&lt;password&gt;x&lt;/password&gt;</f>", f"<f>&lt;password&gt;{M}&lt;/password&gt;</f>"),
    ("<f>&lt;ns:secret a=1&gt;x</f>", f"<f>&lt;ns:secret a=1&gt;{M}"),
    (
        "<f>&lt;auth&gt;&lt;a&gt;b&lt;/a&gt;&lt;token&gt;x&lt;/token&gt;&lt;/auth&gt;</f>",
        f"<f>&lt;auth&gt;&lt;a&gt;b&lt;/a&gt;&lt;token&gt;{M}&lt;/token&gt;&lt;/auth&gt;</f>",
    ),
    # webhooks
    ("see https://hooks.slack.com/services/T0/B0/x, ok", f"see https://hooks.slack.com/services/{M}, ok"),
    (
        "https://discord.com/api/v10/webhooks/12/x?wait=1",
        f"https://discord.com/api/v10/webhooks/12/{M}?wait=1",
    ),
    # userinfo with signs that no URL holds
    ("postgresql://app:x^9k{y@db/prod", f"postgresql://{M}@db/prod"),
    ("postgresql://app:y|x@db/prod failed", f"postgresql://{M}@db/prod failed"),
    ("postgresql://app:y'x@db/prod", f"postgresql://{M}@db/prod"),
    ("redis://:{y@db", f"redis://{M}@db"),
    # annotations
    ("password: str = 'x'", f"password: str = '{M}'"),
    ("password: Optional[str] = 'x', n: int = 3", f"password: Optional[str] = '{M}', n: int = 3"),
    ('token: string | null = "x"', f'token: string | null = "{M}"'),
    ("password: abc = def; a=1", f"password: {M}; a=1"),
    # tuples and calls
    ("{'password': ('old', 'x')}", f"{{'password': {M}}}"),
    ("password=('a)', ('b', 'x')), a=1", f"password={M}, a=1"),
    ("{'password': datetime(1, 'x')}", f"{{'password': {M}}}"),
    ("f(password=SecretStr('x'), a=1)", f"f(password={M}, a=1)"),
    # pairs
    ("[('password', ['x', 'y']), ('a', 1)]", f"[('password', {M}), ('a', 1)]"),
    ("[('password', ('x', 'y'))]", f"[('password', {M})]"),
    ("('password',-12.5),('a',1)", f"('password',{M}),('a',1)"),
    ("('password', SecretStr('x'))", f"('password', {M})"),
    ("h=[['a', 'b'], ['password', 'x']]", f"h=[['a', 'b'], ['password', '{M}']]"),
    ('{"a":NaN,"items":[["password","x"]]}', f'{{"a":NaN,"items":[["password","{M}"]]}}'),
    # operators
    ('Authorization=Digest username="x", response="y"\nnext', f"Authorization={M}\nnext"),
    ("password += 'x'", f"password += '{M}'"),
    # credentials after a scheme
    ("Bearer AAAA0%2BuSeid%2BULv on", f"Bearer {M} on"),
    ("Bearer abcdefgh1234\\/abc\\u002babc\\n", f"Bearer {M}\\n"),
    ("Bearer 12|AbCdEfGhIjKl", f"Bearer {M}"),
    # a validator's errors
    (
        "user.password\n  Bad [type=a, input_value='x, y', input_type=str]",
        f"user.password\n  Bad [type=a, input_value={M}, input_type=str]",
    ),
    (
        "name\n  Bad [type=a, input_value='x', input_type=str]\npin\n  B [type=a, input_value={'a': 1}",
        f"name\n  Bad [type=a, input_value='x', input_type=str]\npin\n  B [type=a, input_value={M}",
    ),
    (
        "items.0.cvv\n  Bad [type=a, input_value={'a': 1}, input_type=dict]",
        f"items.0.cvv\n  Bad [type=a, input_value={M}, input_type=dict]",
    ),
    # colours
    (
        "\x1b[36mpin\x1b[0m=\x1b[35mx\x1b[1my\x1b[0m a",
        f"\x1b[36mpin\x1b[0m=\x1b[35m{M}\x1b[0m a",
    ),
    # markup, SQL
    ('<input type="password" value="x">', f'<input type="password" value="{M}">'),
    ("a: SET PASSWORD 'it''s x'", f"a: SET PASSWORD '{M}'"),
    ('a: x Identified By "x";', f'a: x Identified By "{M}";'),
]

SAFE_TEXTS = [
    'expected Bearer "token" here',
    'Bearer "authentication-scheme"',
    "Unexpected token 'constructorFunction7'",
    "unexpected token\n    functionNumber1()",
    "the token is base64url-encoded",
    "the token is abcdefghijklmnopqrst",
    "the token is 12 characters long",
    "exit code: 1, country code: DE",
    "the answer: 42",
    "a phrase: some words of a song",
    "na\u200bme=ada",
    'a {"name": "color", "value": "dark blue"} b',
    'a {"label": "Sessions", "value": 1523} b',
    'a {"id": "pass", "val": 12} b',
    "a {'key': 'max_tokens', 'default': 4096} b",
    'a {"name": "password"} and {"value": "x"} b',
    '"name": "password", "value": "x"',
    "these are the missing secrets:\n  - DB_HOST\n",
    "authors:\n  - Ada\n",
    "invalid password:\n    at Login.check(Login.java:12)",
    "<f>&lt;p&gt;The secretary&lt;/p&gt; a &lt; b</f>",
    "https://hooks.slack.com/services/",
    "https://discord.com/api/webhooks/12",
    "https://shop.example/api/webhooks/12/x",
    "'http://a','b@c' and 'http://a:80','b@c' and 'http://a:','b@c'",
    "user: Optional[str] = 'x'",
    "user=('a', 'b'), at=datetime(1, 'x')",
    "[('user', ['x', 'y']), ('max_tokens', 4096)]",
    'x: ["token", "name"]',
    'Format=Digest username="x", response="y"',
    "count += 1",
    "Bearer authentication|authorization",
    "Bearer error%20description",
    "user.name\n  Bad [type=a, input_value='x', input_type=str]",
    "password\n  Bad [type=a, input_value=None, input_type=NoneType]",
    "the password\nBad [type=a, input_value='x', input_type=str]",
    "\x1b[36muser\x1b[0m=\x1b[35mx\x1b[0m",
    '<div type="password">words</div><input type="text" value="x">',
    "{'a': 'your password ', 'b': 'x'}",
    "n_tokens=1 thinking_tokens=2 remaining_tokens=3 used_tokens=4",
]


@pytest.mark.parametrize(("text", "masked"), MASKED_TEXTS)
def test_a_decided_text_is_masked(text: str, masked: str) -> None:
    """Only the secret goes, and a second pass changes nothing."""
    assert mask_text(text, POLICY) == masked
    assert mask_text(masked, POLICY) == masked


@pytest.mark.parametrize("text", SAFE_TEXTS)
def test_the_safe_twin_of_a_decided_text_stays(text: str) -> None:
    """What only looks like the decided case comes out as it went in."""
    assert mask_text(text, POLICY) == text


@pytest.mark.parametrize("name", ["name", "key", "field", "param", "header", "F\u200bield"])
@pytest.mark.parametrize("value", ["value", "val", "default", "VAL"])
def test_a_name_beside_a_value_masks_it(name: str, value: str) -> None:
    """Forms, validators, headers and schemas name a secret and hold it in two keys."""
    assert mask_value({name: "password", value: "x"}, POLICY) == {name: "password", value: M}
    assert mask_value({value: "x", name: "quantity"}, POLICY) == {value: "x", name: "quantity"}


def test_names_of_the_user_are_folded_too() -> None:
    """An invisible character hides no name that the user added, on either side."""
    policy = Policy.build(mask_fields=["tax\u200b_id"])
    assert mask_value({"tax_id": "x", "ta\u00adxId": "y"}, policy) == {"tax_id": M, "ta\u00adxId": M}


# --- the laws, on what these rules look at ----------------------------------------------------------

_PIECES = r"""
password token pin secret api_key mnemonic seed phrase abandon = : ' " \ { } [ ] ( ) , ; & ? / // :// @ < >
//u:p@h &lt; &gt; &lt;password&gt; &lt;/password&gt; &lt;auth&gt; x hunter2 - -- %3D %25 %3A%2F%2F %40 %22 +
Bearer Token is was [MASKED] name value default label id "name": "value": 'name':'password' --password -u
curl https://hooks.slack.com/services/ https://discord.com/api/webhooks/1/x abc123456789012345 passwords:
""".split()  # noqa: SIM905 - reads as a table
_MORE_PIECES = [
    *("[['password', ", "('token', ", "['", ", [", "f(", "1234", ": str = ", ": x = ", "Digest a=", " += "),
    *("|", "^", "`", "%2B", "\\/", "\\u002b", "\x1b[36m", "\x1b[0m", "PASSWORD '", " IDENTIFIED BY '"),
    *("password\n  a [type=b, input_value=", ", input_type=str]", '<input type="password" value="', "NaN"),
    *("authorization", "a://b:c", "@d"),
]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(_PIECES),
        st.sampled_from(_MORE_PIECES),
        st.sampled_from([" ", "\n", "\n  - ", "\n- ", "\r\n  ", "\u200b", "\uff50", '\n  "']),
    ),
    max_size=14,
).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    """mask(mask(x)) == mask(x) for texts of the pieces that these rules look at."""
    masked = mask_text(text, POLICY)
    assert mask_text(masked, POLICY) == masked
    url = mask_url(text, POLICY)
    assert mask_url(url, POLICY) == url


class _Work:
    """Counts the lines of our own code that run: a measure of work that no slow machine disturbs."""

    def __enter__(self) -> _Work:
        self.lines = 0
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if "sanitize" not in frame.f_code.co_filename:
            return None
        self.lines += event == "line"
        return self._trace


UNITS = [
    '{"name":"password",',
    '{"name":"password","value":{',
    '{"name":"password","value":"',
    '{"value":"x",',
    '{}"name":"password"',
    "password:\n- ",
    "password:\n  - a\n",
    'password:\n "',
    "- a\n",
    "&lt;",
    "&lt;a",
    "&lt;password&gt;",
    "&lt;auth&gt;",
    "bearer \n ",
    'Bearer "',
    "token is ",
    "mnemonic: abc def ",
    "seed phrase: ",
    "https://hooks.slack.com/services/",
    "://hooks.slack.com/",
    "pass\u200bword=",
    "\u200b=",
    "//a:b",
    "//a:b@",
    "%41",
    "%3D",
    "a%",
    "--password ",
    'curl -u "a:b',
    "curl --user ",
    "a://b:c{",
    "a://b:{",
    "a://b:c'@",
    "password: str = ",
    "password: a | ",
    "token: list[str",
    "password=(",
    "password=f(",
    "('password', [",
    "('pin', {",
    "[['password', ",
    "[ ",
    ",[",
    "authorization=digest ",
    "password += ",
    "Bearer a%2B",
    "%2B",
    "bearer abcdefgh|\\\\/",
    "password\n  a [type=b, input_value=",
    "password\n  a [type=b, input_value='', input_type=",
    "input_value=",
    "\x1b[0m",
    "password=\x1b[0m",
    "password=x\x1b[0m",
    "PASSWORD '",
    "password  ",
    "identified with a by '",
    '<input type="password" ',
]


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Four times the text is about four times the work, for a text that is nothing but traps."""
    work: list[int] = []
    for size in (1_000, 4_000, 16_000):
        text = (unit * size)[:size]
        with _Work() as measured:
            mask_text(text, POLICY)
            mask_url("/?" + text, POLICY)
            mask_value({text: "x"}, POLICY)
        work.append(measured.lines)
    for smaller, larger in itertools.pairwise(work):
        assert larger <= 6 * smaller + 2_000


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("before", ["", "password=", "{", "passwords:\n"])
def test_no_pattern_hangs_on_a_large_text(unit: str, before: str) -> None:
    """A pattern that looked twice at each place would take minutes here; the suite's guard would end it."""
    masked = mask_text(before + (unit * 30_000)[:30_000], POLICY)
    assert mask_text(masked, POLICY) == masked


def test_json_in_a_text_is_still_masked_by_its_own_names() -> None:
    """The rule for fragments takes nothing from the one for whole documents."""
    text = json.dumps([{"name": "password", "value": "x"}, {"label": "Sessions", "value": 1523}])
    assert json.loads(mask_text(text, POLICY)) == [
        {"name": "password", "value": M},
        {"label": "Sessions", "value": 1523},
    ]
