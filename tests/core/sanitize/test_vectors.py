"""The shared vectors of `tests/vectors`: what the code gives, and what must hold of it whatever it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import pytest
from vectors import FILES, FOLDER, Case, completed, differences, event_of, policy_of, read, rendered

from replaystack.exchange import RawBody
from replaystack.sanitize import Limits, Policy, encode_event, mask_text, mask_url
from replaystack.sanitize._scan import find
from replaystack.sanitize._spans import apply
from replaystack.sanitize._walk import Walker

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = Policy.build()
CASES = {name: read(name) for name in FILES}
MARKERS = ("hunter2", "S3CR3T", "HUNTER2")
FRAGMENT = 6
"""Characters of a secret in a row that are too many."""


def _parts(secrets: list[str]) -> set[str]:
    return {
        secret[at : at + FRAGMENT] for secret in secrets for at in range(max(1, len(secret) - FRAGMENT + 1))
    }


def _plain(text: str) -> str:
    """Return `text` as a reader sees it, however its characters were escaped."""
    return re.sub(r"\\+u([0-9a-fA-F]{4})", lambda escape: chr(int(escape[1], 16)), text)


def _leaks(shown: str, secrets: list[str]) -> list[str]:
    return sorted(part for part in _parts(secrets) if part in shown or part in _plain(shown))


def _output(case: Case) -> str:
    return str(case.get("encoded", case.get("masked", "")))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _strictly(text: str) -> Any:
    """Decode as the strictest of parsers do."""
    orjson.loads(text)
    return json.loads(text, parse_constant=_refuse)


def _with(kind: str, *names: str) -> Iterator[Case]:
    return (case for name in names or CASES for case in CASES[name] if kind in case)


@pytest.mark.parametrize("name", FILES)
def test_the_code_gives_what_a_file_says(name: str) -> None:
    """Every output of every vector is what the code gives today, byte for byte."""
    assert differences(name) == []


def test_a_changed_output_is_found() -> None:
    """The comparison sees a single other character, and a case that nobody completed."""
    case = completed({"name": "x", "text": "password=hunter2"})
    assert case == {"name": "x", "text": "password=hunter2", "masked": "password=[MASKED]", "count": 1}
    assert rendered([case]) != rendered([{**case, "masked": "password=[MASKED] "}])


def test_there_are_enough_vectors_and_none_twice() -> None:
    """There are at least 400, each with a name of its own in its file and with inputs of its own."""
    assert sum(map(len, CASES.values())) >= 400
    assert {path.name for path in FOLDER.glob("*.json")} == set(FILES)
    for name, cases in CASES.items():
        assert (FOLDER / name).stat().st_size < 200_000
        assert len({case["name"] for case in cases}) == len(cases)
        for case in cases:
            assert len(FILES[name] & case.keys()) == 1, case
        inputs = [
            json.dumps(
                [case.get(key) for key in (*sorted(FILES[name]), "place", "policy", "max_payload_bytes")]
            )
            for case in cases
        ]
        assert sorted(set(inputs)) == sorted(inputs)


@pytest.mark.parametrize("name", FILES)
def test_no_output_shows_a_secret(name: str) -> None:
    """No six characters of a planted secret are in an output, nor is a marker that nobody listed."""
    for case in CASES[name]:
        assert not _leaks(_output(case), case.get("secrets", [])), case
        assert not any(marker in _plain(_output(case)) for marker in MARKERS), case


@pytest.mark.parametrize("kind", ["text", "url", "json"])
def test_what_is_called_safe_stays(kind: str) -> None:
    """A case that is called `safe` comes out as it went in, and nothing is counted."""
    safe = [case for case in _with(kind) if "safe:" in case["name"]]
    assert len(safe) > 10
    for case in safe:
        assert (case["masked"], case["count"]) == (case[kind], 0), case


@pytest.mark.parametrize("name", ["texts.json", "urls.json", "json.json", "prefixes.json", "values.json"])
def test_a_listed_secret_stands_in_the_input(name: str) -> None:
    """A case that lists a secret holds it, and a case that holds a marker lists one."""
    for case in CASES[name]:
        given = json.dumps([case[kind] for kind in FILES[name] if kind in case], ensure_ascii=False)
        for secret in case.get("secrets", []):
            assert json.dumps(secret, ensure_ascii=False)[1:-1] in _plain(given), case
        if any(marker in given for marker in MARKERS):
            assert case.get("secrets"), case


def test_outputs_are_strict_json_where_they_should_be() -> None:
    """Documents, values, numbers and events are taken by the strictest parser."""
    for kind in ("json", "value"):
        for case in _with(kind):
            if case["masked"] is not None:
                _strictly(case["masked"])
    for case in _with("event"):
        _strictly(case["encoded"])
    for case in CASES["numbers.json"]:
        _strictly(case["written"])


@pytest.mark.parametrize("kind", ["text", "url", "json", "value"])
def test_masking_an_output_again_changes_nothing(kind: str) -> None:
    """mask(mask(x)) == mask(x), and nothing new is counted."""
    for case in _with(kind):
        if case["masked"] is not None:
            again = json.loads(case["masked"]) if kind == "value" else case["masked"]
            second = completed({**case, kind: again})
            assert (second["masked"], second["count"]) == (case["masked"], 0), case


def test_encoding_an_event_again_changes_nothing() -> None:
    """An encoded event is encoded to the same values, and from then on to the same bytes."""
    for case in _with("event"):
        policy = policy_of(case)
        document = json.loads(case["encoded"])
        again = encode_event(document, policy, _limits(case))
        assert json.loads(again.data) == document, case
        assert encode_event(json.loads(again.data), policy, _limits(case)) == again, case


def _limits(case: Case) -> Limits:
    return Limits(case["max_payload_bytes"]) if "max_payload_bytes" in case else Limits()


def test_nothing_fails_within_masking() -> None:
    """No vector owes its output to the mark that stands for a part whose masking failed."""
    for case in _with("event"):
        assert "dropped" not in json.loads(case["encoded"])["metadata"]["replaystack"]["masking"], case
        assert event_of(case).keys() == case["event"].keys()


def test_the_plain_road_gives_the_same_documents() -> None:
    """The span scanner, which Rust mirrors, writes and counts what the vectors say, without the fast road."""
    for case in _with("json"):
        if case["masked"] is not None:
            walker = Walker(policy_of(case))
            text = case["json"].removeprefix("\ufeff")
            assert (apply(text, find(text, walker)), walker.masked) == (case["masked"], case["count"]), case


# --- every prefix of every vector ------------------------------------------------------------------


def _shown(event: dict[str, object], limits: Limits | None = None) -> str:
    """Return an encoded event without its evidence; fail if masking failed on a part of it."""
    encoded = encode_event(event, POLICY, limits).data.decode()
    shown, _, evidence = encoded.rpartition(',"metadata":')
    assert "dropped" not in evidence
    return shown


# A text that ends before the name is no text that was cut: only a body can know that.
VALUE_FIRST = {
    "decided pair: in text, value first",
    "markup: <meta content='[MASKED]' name='csrf-token'>",
    'name and value in one object: a {"value":"[MASKED]","in":{"name":"token","',
    "name and value in one object: a {'value': b'[MASKED]', 'Key': 'api_key'} b",
}
TAIL = 8
"""What may stand behind a shown secret before a rule can tell what it is: `@`, `%40`, another word."""


def _check_prefixes(case: Case, data: bytes, content_type: str | None, total_bytes: int = 0) -> None:
    for size in range(1, len(data)):
        body = RawBody(data[:size], content_type, total_bytes=total_bytes or size, complete=False)
        shown = _shown({"requestPayload": body})
        assert not _leaks(shown, case.get("secrets", [])), (case, size)


def _check_bodies(case: Case) -> None:
    for body in event_of(case).values():
        if type(body) is RawBody and not body.content_encoding and len(body.data) < 1000:
            _check_prefixes(case, body.data, body.content_type)


@pytest.mark.parametrize("total_bytes", [0, 600_000])
@pytest.mark.parametrize("kind", ["json", "prefix"])
def test_no_prefix_of_a_document_shows_a_secret(kind: str, total_bytes: int) -> None:
    """Cut at any byte, a JSON document shows no six characters of a secret and fails nowhere."""
    for case in _with(kind, "json.json", "prefixes.json"):
        _check_prefixes(case, case[kind].encode(), "application/json", total_bytes)


@pytest.mark.parametrize("total_bytes", [0, 600_000])
def test_no_prefix_of_a_text_shows_a_secret(total_bytes: int) -> None:
    """Cut at any byte, a text shows no six characters of a secret and fails nowhere."""
    for case in _with("text", "texts.json"):
        _check_prefixes(case, case["text"].encode(), "text/plain", total_bytes)


def test_no_prefix_of_any_other_body_shows_a_secret() -> None:
    """Cut at any byte, forms, lines of JSON, XML and multipart show no six characters of a secret."""
    for case in _with("event", "events.json"):
        _check_bodies(case)


def test_no_prefix_of_a_url_shows_a_secret() -> None:
    """Wherever the limit cuts it, the URL of an event shows no six characters of a secret."""
    for case in _with("url", "urls.json"):
        for size in range(1, len(case["url"])):
            shown = _shown({"requestUrl": case["url"]}, Limits(size))
            assert not _leaks(shown, case.get("secrets", [])), (case, size)


@pytest.mark.parametrize("kind", ["text", "url"])
def test_any_beginning_of_a_text_or_url_can_be_masked(kind: str) -> None:
    """Taken as a whole, a beginning masks without fail and shows of a secret at most its unfinished end."""
    mask = {"text": mask_text, "url": mask_url}[kind]
    for case in _with(kind, f"{kind}s.json"):
        for size in range(len(case[kind])):
            prefix = case[kind][:size]
            masked = mask(prefix, POLICY)
            assert masked == completed({"name": "", kind: prefix})["masked"], prefix
            assert mask(masked, POLICY) == masked, prefix
            if case["name"] not in VALUE_FIRST:
                ends = [masked.rfind(part) + len(part) for part in _leaks(masked, case.get("secrets", []))]
                assert not ends or len(masked) - max(ends) <= TAIL, (case, prefix, masked)
