"""Personal data is masked for who opts in, everywhere a text stands."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.laws.documents import text as some_text

from replaystack import ReplayStackClient
from replaystack.errors import ConfigError
from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import VALUE_CLASSES, Policy, encode_event, mask_text, mask_value

ALL = Policy.build(mask_values=VALUE_CLASSES)
SAMPLES = {
    "email": "ada@example.org",
    "phone": "+49 151 23456789",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ip": "203.0.113.7",
}


@pytest.mark.parametrize("name", VALUE_CLASSES)
def test_a_class_is_masked_only_for_who_asks(name: str) -> None:
    """Without opting in personal data stays; with it only the classes that were asked for go."""
    sample = f"from {SAMPLES[name]} today"
    assert mask_text(sample, Policy.build()) == sample
    assert mask_text(sample, Policy.build(mask_values=[name])) == "from [MASKED] today"
    for other in set(VALUE_CLASSES) - {name}:
        assert mask_text(sample, Policy.build(mask_values=[other])) == sample


@pytest.mark.parametrize("name", VALUE_CLASSES)
def test_a_class_is_masked_everywhere(name: str) -> None:
    """Headers, address, bodies, errors, logs and the envelope's own texts lose it."""
    sample = SAMPLES[name]
    raw = json.dumps({"items": [{"n": n, "x": sample if n == 7 else "y" * n} for n in range(20)]}).encode()
    event: dict[str, Any] = {
        "sourceIp": sample,
        "userId": sample,
        "errorMessage": f"no user {sample}",
        "requestHeaders": RawHeaders(((b"x-user", sample.encode()),)),
        "requestPayload": RawBody(raw, "application/json", total_bytes=len(raw)),
        "responsePayload": {"items": [{"n": n, "x": sample if n == 7 else "y"} for n in range(20)]},
        "logs": [{"message": sample}],
        "metadata": {"who": sample},
    }
    encoded = encode_event(event, ALL).data.decode()
    assert sample not in encoded
    assert encoded.count("[MASKED]") == 8
    assert json.loads(encode_event(json.loads(encoded), ALL).data) == json.loads(encoded)


def test_the_other_rules_stay_on() -> None:
    """A list of classes adds to the value rules; names are masked as ever."""
    assert mask_value({"password": "x", "note": "token=abc ada@example.org"}, ALL) == {
        "password": "[MASKED]",
        "note": "token=[MASKED] [MASKED]",
    }


def test_masking_twice_is_masking_once_with_all_classes() -> None:
    """mask(mask(x)) == mask(x), with personal data among the pieces."""
    seed = random.randrange(10**9)
    for number in range(3000):
        rng = random.Random(f"{seed}/{number}")
        glue = rng.choice(("", " ", "\n", ","))
        source = glue.join(
            rng.choice((some_text(rng), *SAMPLES.values(), "::1", "1.2.3", "a@b")) for _ in range(5)
        )
        masked = mask_text(source, ALL)
        assert mask_text(masked, ALL) == masked, (seed, number, source)


@pytest.mark.parametrize("sample", SAMPLES.values())
def test_a_cut_leaves_no_half(sample: str) -> None:
    """Wherever a text is cut, nothing of what would have been masked remains but a few digits or letters."""
    whole = f"call me: {sample}"
    for size in range(len(whole) - len(sample) + 1, len(whole)):
        body = RawBody(whole[:size].encode(), "text/plain", total_bytes=size, complete=False)
        shown = json.loads(encode_event({"requestPayload": body}, ALL).data)["requestPayload"]
        assert len(shown) <= len("call me: …") + 4, (size, shown)


@pytest.mark.parametrize("wrong", ["email", ["mail"], 1, [1]])
def test_a_wrong_option_is_refused_with_the_names(wrong: Any) -> None:
    """The error of the client names the option, and what it takes."""
    with pytest.raises(ConfigError, match="mask_values"):
        ReplayStackClient(api_key="k", mask_values=wrong)
