"""MASKING.md section 2: what the value rules find in a text, and what they leave alone."""

from __future__ import annotations

import json

import pytest

from replaystack.sanitize import Policy, mask_text, mask_value

POLICY = Policy.build()
M = "[MASKED]"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"
A16 = "A1b2C3d4E5f6G7h8"

MASKED_TEXTS = [
    # JSON web tokens
    (f"jwt {JWT} end", f"jwt {M} end"),
    (f"cut {JWT[:40]}", f"cut {M}"),
    (f"x_{JWT}", f"x_{M}"),
    # credentials after a scheme
    ("Bearer abcdefg1", f"Bearer {M}"),
    ("bearer  abcdefghijklmnop", f"bearer  {M}"),
    ("BASIC dXNlcjpwYXNzd29yZA==", f"BASIC {M}"),
    ("sent Token 0123456789abcdef, got 401", f"sent Token {M}, got 401"),
    # PEM
    (f"key:\n{PEM}\nend", f"key:\n{M}\nend"),
    (PEM[:50], M),
    (PEM.replace("\n", "\\n"), M),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", M),
    # URLs
    ("to https://user:pa55@host/p?q=1", f"to https://{M}@host/p?q=1"),
    ("postgres://u:p/w#1@db:5432/x", f"postgres://{M}@db:5432/x"),
    ("redis://:hunter2@h:6379/0", f"redis://{M}@h:6379/0"),
    ("(see https://h/x?token=abc&b=1)", f"(see https://h/x?token={M}&b=1)"),
    ("https://h/cb#access_token=abc&x=1", f"https://h/cb#access_token={M}&x=1"),
    ("GET /cb?code=abc&state=1 HTTP/1.1", f"GET /cb?code={M}&state=1 HTTP/1.1"),
    ("https://h/a;jsessionid=AB12?x=1", f"https://h/a;jsessionid={M}?x=1"),
    # cards
    ("paid with 4242424242424242.", f"paid with {M}."),
    ("paid with 4242 4242 4242 4242 today", f"paid with {M} today"),
    ("amex 3782-822463-10005", f"amex {M}"),
    ("PAN4242424242424242", f"PAN{M}"),
    ("card-5555555555554444", f"card-{M}"),
    ("4242424242424242 12/26 987", f"{M} 12/26 987"),
    # well-known shapes
    ("AKIAIOSFODNN7EXAMPLE", M),
    ("ASIAIOSFODNN7EXAMPLE", M),
    ("AIza" + "Sy_" + "x1" * 16, M),
    ("ghp_" + A16 * 2, M),
    ("gho_" + A16 * 2, M),
    ("github_pat_" + A16 * 2, M),
    ("glpat-" + A16, M),
    ("xoxb-123456789012-abcdef", M),
    ("sk_live_" + A16, M),
    ("rk_test_" + A16, M),
    ("SK" + "0123456789abcdef" * 2, M),
    (f"SG.{A16}abc.{A16}{A16}", M),
    ("sk-" + A16 * 2, M),
    ("sk-proj-" + A16 * 2, M),
    ("sk-ant-api03-" + A16, M),
    ("npm_" + A16 * 2 + "abcd", M),
    ("pypi-AgEIcHlwaS5vcmc" + A16, M),
    ("rs_live_abcdef123", M),
    ("tr_live_abcdef123", M),
    ("tb_live_abcdef123", M),
    # assignments: strong names
    ("login failed: password=hunter2", f"login failed: password={M}"),
    ("password: hunter2, user: ada", f"password: {M}, user: ada"),
    ("password = hunter2", f"password = {M}"),
    ("Password:hunter2;", f"Password:{M};"),
    ("{'password': 'it\\'s', 'a': 1}", f"{{'password': '{M}', 'a': 1}}"),
    ('{"password": "a\\"b", "a": NaN}', f'{{"password": "{M}", "a": NaN}}'),
    ("{'api_key': b'abc'}", f"{{'api_key': b'{M}'}}"),
    ('login(password: "x y", user: 1)', f'login(password: "{M}", user: 1)'),
    ('<user password="x y" name="bob"/>', f'<user password="{M}" name="bob"/>'),
    ("connect(password='abc', host='h')", f"connect(password='{M}', host='h')"),
    (":password => 'x'", f":password => '{M}'"),
    ("pass%77ord=hunter2", f"pass%77ord={M}"),
    ("set secret={'a': [1, 2], 'b': '}'} now", f"set secret={M} now"),
    ("pwd='it''s' x", f"pwd='{M}' x"),
    ('pwd="""abc""" x', f'pwd="{M}" x'),
    ("API key: abc123", f"API key: {M}"),
    ("card number = 1234", f"card number = {M}"),
    ('"card number": "1234"', f'"card number": "{M}"'),
    ("password=a,b;c, next", f"password={M}, next"),
    ("password=abc,user=x", f"password={M},user=x"),
    ("passwords=['a', 'b'] x", f"passwords={M} x"),
    ("os.environ['DB_PASSWORD'] = 'x'", f"os.environ['DB_PASSWORD'] = '{M}'"),
    ('\\"password\\": \\"x\\", \\"a\\": 1', f'\\"password\\": \\"{M}\\", \\"a\\": 1'),
    ("X-Api-Key: abc def", f"X-Api-Key: {M} def"),
    ("Cookie: a=b; c=d\nHost: h", f"Cookie: {M}\nHost: h"),
    ("Set-Cookie: sid=x; Path=/\r\nHost: h", f"Set-Cookie: {M}\r\nHost: h"),
    ('Authorization: Digest username="x", response="y"', f"Authorization: {M}"),
    ("curl -H 'Authorization: custom abc' https://h", f"curl -H 'Authorization: {M}' https://h"),
    ("authorization=Bearer abc, x", f"authorization={M}, x"),
    ("password: unclosed 'x", f"password: {M} 'x"),
    ("password: 'unclosed x", f"password: '{M}"),
    # assignments: weak names, only with `=` or in quotes
    ("token=abc", f"token={M}"),
    ("pin = 1234", f"pin = {M}"),
    ("'auth': 'abc'", f"'auth': '{M}'"),
    ('"pin":1234}', f'"pin":{M}}}'),
    ("session: {'user': 'ada', 'token': 'x'}", f"session: {{'user': 'ada', 'token': '{M}'}}"),
    ("'session': {'user': 'ada', 'token': 'x'}", f"'session': {{'user': 'ada', 'token': '{M}'}}"),
    ("session={'user': 'ada', 'token': 'x'}", f"session={{'user': 'ada', 'token': '{M}'}}"),
    # markup
    ("<secret><secret>a</secret>b</secret> c", f"<secret>{M}</secret> c"),
    ("<password>x</password><a>y</a>", f"<password>{M}</password><a>y</a>"),
    ("<ns:Password type='t'>x</ns:Password>", f"<ns:Password type='t'>{M}</ns:Password>"),
    ("<credentials><u>a</u><p>b</p></credentials>", f"<credentials>{M}</credentials>"),
    ("<auth><user>ada</user><token>x</token></auth>", f"<auth><user>ada</user><token>{M}</token></auth>"),
    ("<token>x", f"<token>{M}"),
    ('<input name="csrf_token" value="x">', f'<input name="csrf_token" value="{M}">'),
    ("<meta content='x' name='csrf-token'>", f"<meta content='{M}' name='csrf-token'>"),
    ('<entry key="password">x</entry>', f'<entry key="password">{M}</entry>'),
    # pairs as they are printed
    ("[('password', 'x'), ('user', 'y')]", f"[('password', '{M}'), ('user', 'y')]"),
    ("(b'x-api-key', b'abc')", f"(b'x-api-key', b'{M}')"),
]

SAFE_TEXTS = [
    "",
    "password",
    "The password is wrong",
    "KeyError: 'password'",
    "password=",
    "password: None",
    "password=null, token=None",
    'password=""',
    "password_policy=strong",
    "max_tokens=100",
    "has_password: yes",
    "token: unexpected end of input",
    "Token expired",
    "Bearer token",
    "Basic realm",
    'WWW-Authenticate: Bearer realm="api", error_description="expired"',
    "basic authentication",
    "session: started",
    "Pin: the point",
    "secret::Name",
    "the secretary: ada",
    "company: acme",
    "exit code: 1",
    "status code=500",
    "author=ada",
    "monkey: banana",
    "2026-11-20T23:41:00.123456+00:00",
    "0.4242424242424242",
    "4242424242424242.5",
    "42424242424242424242",
    "12345678-4242-4242-4242-424242424242",
    "d41d8cd98f00b204e9800998ecf8427e",
    "a4242424242424242e",
    "4242424242424243",
    "4242424242424247",
    "id 12345678-4242-4242-4242-424242424242 x",
    "4 8 15 16 23 42 4 2 4 2 4 2",
    "http://host:8080/p@th?page=2",
    "https://[::1]:8080/x@y",
    "mail ada@example.com",
    "task-management-system-for-everyone",
    "sk-learn-contrib-extra-tools-and-more",
    "npm_config_registry_and_other_names",
    "eyJ.txt",
    "<password/>",
    "<password></password>",
    "<div id='password'>Enter it</div>",
    "[MASKED]",
    "password=[MASKED]",
    "…",
]


@pytest.mark.parametrize(("text", "masked"), MASKED_TEXTS)
def test_a_secret_in_a_text_is_masked(text: str, masked: str) -> None:
    """Each shape and each assignment is found in a text, and only the secret is replaced."""
    assert mask_text(text, POLICY) == masked


@pytest.mark.parametrize("text", SAFE_TEXTS)
def test_a_harmless_text_stays(text: str) -> None:
    """A text without a secret comes out as it went in."""
    assert mask_text(text, POLICY) == text


@pytest.mark.parametrize(("text", "masked"), MASKED_TEXTS)
def test_masking_twice_is_masking_once(text: str, masked: str) -> None:
    """What was masked is never changed by a second pass."""
    assert mask_text(masked, POLICY) == masked


@pytest.mark.parametrize(("text", "masked"), MASKED_TEXTS)
def test_texts_are_masked_wherever_they_stand(text: str, masked: str) -> None:
    """The rules reach strings at any depth, and JSON that is packed into a string."""
    assert mask_value({"a": [{"b": text}]}, POLICY) == {"a": [{"b": masked}]}
    packed = mask_value({"a": json.dumps({"b": text})}, POLICY)["a"]
    assert json.loads(packed) == {"b": masked}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: |\n  hunter2\n  more\nnext: 1", "password: |\n  [MASKED]\nnext: 1"),
        ("a:\n  secret: >-\n    one\n\n    two\n  b: 2\n", "a:\n  secret: >-\n    [MASKED]\n  b: 2\n"),
        ("api_key: |2\r\n    k1\r\nx: y", "api_key: |2\r\n    [MASKED]\r\nx: y"),
        ("password: |\n  last", "password: |\n  [MASKED]"),
        ("note: |\n  harmless text\n", "note: |\n  harmless text\n"),
    ],
)
def test_a_yaml_block_below_a_secret_name_is_masked(text: str, expected: str) -> None:
    """The value stands on the lines below; masking the `|` alone would look safe and be none."""
    assert mask_text(text, Policy.build()) == expected
    assert mask_text(expected, Policy.build()) == expected


def test_json_in_a_string_is_opened_twice() -> None:
    """JSON within JSON within a string is masked by key; text without a secret stays byte for byte."""
    inner = json.dumps({"card": {"cvv": 987}})
    text = json.dumps({"body": inner, "pan": 1})
    masked = mask_text(text, POLICY)
    assert json.loads(masked)["pan"] == "[MASKED]"
    assert json.loads(json.loads(masked)["body"]) == {"card": {"cvv": "[MASKED]"}}
    assert mask_text('{ "a" : 1.0 }', POLICY) == '{ "a" : 1.0 }'


def test_json_at_the_third_level_is_still_a_text() -> None:
    """Where JSON is opened no more, the rules for texts find the secret all the same."""
    text = "hunter2"
    for _ in range(4):
        text = json.dumps({"password" if text == "hunter2" else "x": text})
    assert "hunter2" not in mask_text(text, POLICY)


def test_deep_json_in_a_string_leaks_nothing() -> None:
    """What lies too deep to be walked is not passed on unseen."""
    text = "[" * 70 + '{"cvv": "987654"}' + "]" * 70
    assert "987654" not in mask_text(text, POLICY)
    assert "987654" not in mask_text("[" * 3000 + '{"cvv": "987654"}' + "]" * 3000, POLICY)


def test_integers_that_are_card_numbers_are_masked() -> None:
    """The card rule holds for numbers too; other long numbers stay."""
    given = [4242424242424242, -4242424242424242, 4242424242424243, 1763682060123, 10**41]
    assert mask_value(given, POLICY) == ["[MASKED]", "[MASKED]", 4242424242424243, 1763682060123, str(10**41)]


def test_values_can_be_left_alone() -> None:
    """`mask_values=False` leaves the key rules alone in force."""
    policy = Policy.build(mask_values=False)
    given = {"a": "password=x", "n": 4242424242424242, "password": "x"}
    assert mask_value(given, policy) == {**given, "password": "[MASKED]"}
    assert mask_text("password=x", policy) == "password=x"


def test_names_of_the_user_are_found_in_texts() -> None:
    """`mask_fields` hold for assignments, and `unmask_fields` never weaken a value rule."""
    policy = Policy.build(mask_fields=["tax_id"], unmask_fields=["password"])
    assert mask_text("tax-id=123 password=x", policy) == "tax-id=[MASKED] password=[MASKED]"


def test_a_traceback_keeps_its_lines() -> None:
    """Masking leaves the structure of a traceback readable."""
    text = (
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 18, in login\n'
        '    raise ValueError(f"bad login for {user}: password={password}")\n'
        "ValueError: bad login for ada: password=hunter2\n"
    )
    masked = mask_text(text, POLICY)
    assert "hunter2" not in masked
    assert masked.startswith(text[: text.index("password=")])
    assert masked.count("\n") == text.count("\n")
