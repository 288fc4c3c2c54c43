"""The key in what `doctor` says: never where others quoted it, and our own words stay readable."""

from __future__ import annotations

import json

import pytest
from tests.core.cli.test_doctor import KEY, Looking
from tests.receiver import Reply

from replaystack.cli.configuration import read_setting
from replaystack.cli.findings import as_json, as_text, ok
from replaystack.cli.receiver import check_receiver


def told(key: str, message: str) -> list[str]:
    """Return both reports on a receiver that refuses the key with this message."""
    receiver = Looking()
    with receiver:
        receiver.looked = Reply(401, body={"message": message})
        setting = read_setting({"api_key": key, "endpoint": receiver.origin})
        findings = list(check_receiver(setting, send=False))
    return [as_text(findings, key), as_json(findings, key)]


@pytest.mark.parametrize("key", ["a", "r", "the", "answers", KEY])
def test_a_key_that_is_quoted_is_masked_whatever_its_length(key: str) -> None:
    """The receiver is the one that was given the key."""
    for report in told(key, f"unknown: <{key}>"):
        assert "<[MASKED]>" in report
        assert f"<{key}>" not in report


@pytest.mark.parametrize("key", ["a", "r", "the"])
def test_a_short_key_leaves_our_own_words_alone(key: str) -> None:
    """A key of a letter or three stands in them by chance; masked there, nobody could read the report."""
    for report in told(key, "no"):
        assert "refuses the key: it answers 401 (no)" in report
        assert "[MASKED]" not in report


def test_a_quote_is_cut_after_the_key_is_masked() -> None:
    """Half of a key is a secret too."""
    for report in told(KEY, "x" * 190 + KEY):
        assert KEY[:5] not in report


def test_a_key_in_a_finding_is_masked_whoever_wrote_it() -> None:
    """Texts and facts, also of checks that ran the application's code."""
    finding = ok("application", f"it said {KEY}", seen=[KEY], more={"key": f"<{KEY}>"})
    assert KEY not in as_text([finding], KEY)
    facts = json.loads(as_json([finding], KEY))["findings"][0]["facts"]
    assert facts == {"seen": ["[MASKED]"], "more": {"key": "<[MASKED]>"}}
