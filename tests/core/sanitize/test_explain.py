"""`explain`: for each place that masking changes, the rule that is responsible."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.laws.documents import KEYS, SECRET, planted

from replaystack.sanitize import Finding, Policy, explain, mask_value
from replaystack.sanitize._keys import Keyring, Place

POLICY = Policy.build()


@pytest.mark.parametrize(
    ("value", "findings"),
    [
        ({"a": 1, "b": ["x"]}, []),
        ({"user": {"password": "x"}}, [("$.user.password", "key: contains password")]),
        ({"dbPass": "x"}, [("$.dbPass", "key: is dbpass")]),
        ({"x-auth-token": ["x"]}, [("$['x-auth-token']", "key: ends with token")]),
        ({"user pin": 7}, [("$['user pin']", "key: last word")]),
        ({"password": None, "token": ""}, []),
        ([{"name": "api_key", "value": "k"}], [("$[0].value", "sibling: name")]),
        ({"loc": ["body", "pin"], "input": 3}, [("$.input", "sibling: loc")]),
        ([["token", "t"], ["b", "c"]], [("$[0][1]", "pair: token")]),
        ({"note": "Bearer abcdefgh12345678"}, [("$.note", "text: credential after a scheme")]),
        ({"note": "see https://u:p@h/"}, [("$.note", "text: URL")]),
        ({"n": 4242424242424242}, [("$.n", "text: payment card")]),
        ({"j": '{"password": "x"}'}, [("$.j", "text: JSON in a string")]),
        ({"password=hunter2": 1}, [("$['password=[MASKED]']", "text: assignment (in the key)")]),
        ("password=x", [("$", "text: assignment")]),
        (b'{"a": {"secretKey": [1]}}', [("$.a.secretKey", "key: contains secret")]),
    ],
)
def test_the_rule_is_named(value: Any, findings: list[tuple[str, str]]) -> None:
    """Each finding says where and by which rule; what stays has none."""
    found = [(finding.path, finding.rule) for finding in explain(value)]
    assert found[: len(findings)] == findings
    assert bool(found) is bool(findings)


def test_the_users_names_are_named() -> None:
    """A name that the user or the receiver added is put down to the option that added it."""
    policy = Policy.build(mask_fields=["tax_id"], remote_fields=["note"])
    assert explain({"taxId": 1, "note": "x"}, policy) == [
        Finding("$.taxId", "key: mask_fields"),
        Finding("$.note", "key: remote_masking_rules"),
    ]


def test_personal_data_is_named() -> None:
    """A class of personal data that was opted in is named as such."""
    assert explain("mail ada@example.org", Policy.build(mask_values=["email"])) == [
        Finding("$", "text: personal data")
    ]


def test_what_is_too_deep_or_circular_is_said_so() -> None:
    """The marks of structure are findings too."""
    deep: Any = 1
    for _ in range(70):
        deep = {"a": deep}
    assert [finding.rule for finding in explain(deep)] == ["depth"]
    circle: dict[str, Any] = {}
    circle["me"] = circle
    assert explain(circle) == [Finding("$.me", "circular")]


def test_every_change_is_explained_and_nothing_secret_is_in_the_answer() -> None:
    """There is a finding if and only if masking changes something, and none of them gives it away."""
    seed = random.randrange(10**9)
    for number in range(300):
        rng = random.Random(f"{seed}/{number}")
        tree = planted(rng)
        findings = explain(tree)
        assert bool(findings) is (json.dumps(mask_value(tree, POLICY)) != json.dumps(tree)), (seed, number)
        assert SECRET not in str(findings), (seed, number)


@pytest.mark.parametrize("place", [Place.PAYLOAD, Place.FORM, Place.HEADER])
def test_why_speaks_whenever_the_verdict_does(place: Place) -> None:
    """A key has a reason exactly if it is secret."""
    keyring = Keyring(masked=frozenset({"plainname"}), unmasked=frozenset({"pin"}))
    for key in (
        *KEYS,
        "code",
        "sig",
        "x-signature",
        "client.secret.name",
        "user_pan",
        "tokenValue",
        "x-access",
    ):
        assert bool(keyring.why(key, place)) is bool(keyring.judge(key, place)), key
