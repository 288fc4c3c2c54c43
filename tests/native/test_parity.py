"""Both implementations give the same bytes, counts and flags: vectors, their prefixes, generated inputs.

`python -m tests.parity` compares as many generated inputs as wanted.
"""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backends import masking_with
from tests.parity.compare import Comparison, differing
from tests.parity.inputs import KINDS, Input, Kind, made, policies
from tests.parity.shrink import shrunk
from vectors import FILES, Case, event_of, policy_of, read

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import RECEIVER_POLICY, VALUE_CLASSES, Policy
from replaystack.sanitize._keys import Place
from replaystack.sanitize._rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = 2000  # of each kind; takes some seconds in all
BATCHES = 300

POLICIES = (
    Policy.build(),
    Policy.build(mask_fields=["plain_name", "x"], unmask_fields=["token"], remote_fields=["note"]),
    Policy.build(mask_values=False),
    Policy.build(mask_values=list(VALUE_CLASSES)),
    RECEIVER_POLICY,
)


@pytest.fixture(scope="module")
def compare() -> Comparison:
    """Return what asks both; skip (an error under CI) where the extension was not built."""
    with masking_with("native"):
        return Comparison()


def _said(compare: Comparison, differing: Input) -> str:
    return f"{differing!r}\n  python {compare.python(differing)!r}\n  native {compare.native(differing)!r}"


# --- generated inputs ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "url", "json", "prefix", "value", "event", "batch"])
def test_generated_inputs_give_the_same(compare: Comparison, kind: Kind) -> None:
    """Not a byte differs for inputs that differ from run to run; one that does is named."""
    seed = str(random.randrange(10**9))  # repeated by pytest-randomly's own, which stands above all tests
    found, masked = differing(kind, seed, 0, BATCHES if kind == "batch" else INPUTS)
    assert not found, f"python -m tests.parity --seed {seed} --kind {kind} --index {found[0]}"
    assert masked > 100  # or nothing was compared but what stays as it is


def test_every_kind_is_among_these() -> None:
    """The kinds of the harness are the kinds of this file."""
    assert tuple(KINDS) == get_args(Kind)
    [mark] = test_generated_inputs_give_the_same.pytestmark  # type: ignore[attr-defined]  # pytest put it there
    assert mark.args[1] == list(KINDS)


def test_an_input_is_the_same_each_time(compare: Comparison) -> None:
    """A seed, a kind and an index name one input, whatever else was made before."""
    for kind in KINDS:
        first, again = made(kind, "7", 3, policies()), made(kind, "7", 3, policies())
        assert (repr(first.value), first.policy) == (repr(again.value), again.policy)


def test_a_difference_is_found_and_made_small(compare: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one implementation out of order the comparison says so, with little around it."""
    events = [{"traceId": "a"}, {"errorMessage": "at line 3, password=hunter2 was refused"}]
    whole = Input("batch", events, POLICIES[0])
    assert not compare.differs(whole)
    monkeypatch.setattr(Rules, "text", lambda rules, text: text)
    assert compare.differs(whole)
    small = shrunk(whole, compare.differs)
    assert len(small.value) == 1
    assert len(small.value[0]["errorMessage"]) < 12


# --- the shared vectors ----------------------------------------------------------------------------


def _inputs(case: Case) -> Iterator[Input]:
    """Yield what a vector gives both to do."""
    policy = policy_of(case)
    if "text" in case:
        yield Input("text", case["text"], policy)
    elif "url" in case:
        yield Input("url", case["url"], policy)
    elif "json" in case or "prefix" in case:
        document = case.get("json", case.get("prefix"))
        yield from (Input(kind, document, policy) for kind in ("json", "prefix"))
    elif "key" in case:
        for value in ({case["key"]: "hunter2"}, {case["key"]: {"a": "hunter2"}}):
            yield from (Input("value", value, policy, place=place) for place in Place)
    elif "value" in case:
        yield from (Input("value", case["value"], policy, place=place) for place in Place)
    elif "event" in case:
        event = event_of(case)
        sizes = {case.get("max_payload_bytes", 524_288), 10, 1000}
        yield from (Input("event", event, policy, max_payload_bytes=size) for size in sizes)
    elif "int" in case:
        yield Input("value", _whole_number(case["int"]), policy)
    else:
        (number,) = struct.unpack(">d", bytes.fromhex(case["float"]))
        yield Input("value", number, policy)


def _whole_number(digits: str) -> int:
    """Read any number of digits; `int` refuses more than 4300."""
    number = 0
    for digit in digits.removeprefix("-"):
        number = number * 10 + int(digit)
    return -number if digits.startswith("-") else number


def _prefixes(whole: Input) -> Iterator[Input]:
    """Yield an input cut at each place: a text anywhere, an event within each body and each text."""
    if isinstance(whole.value, str):
        yield from (replace(whole, value=whole.value[:end]) for end in range(len(whole.value)))
        return
    if whole.kind != "event":
        return
    for key, value in whole.value.items():
        if type(value) is RawBody:
            for end in range(len(value.data)):
                cut = replace(value, data=value.data[:end], total_bytes=len(value.data), complete=False)
                yield replace(whole, value={**whole.value, key: cut})
        elif isinstance(value, str):
            yield from (replace(whole, value={**whole.value, key: value[:end]}) for end in range(len(value)))


@pytest.mark.parametrize("name", FILES)
def test_every_vector_gives_the_same(compare: Comparison, name: str) -> None:
    """Each case of each file, also in other places and under other limits."""
    inputs = [each for case in read(name) for each in _inputs(case)]
    assert len(inputs) >= len(read(name))
    for each in inputs:
        assert not compare.differs(each), _said(compare, each)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"keys.json", "numbers.json", "values.json"}))
def test_every_prefix_of_every_vector_gives_the_same(compare: Comparison, name: str) -> None:
    """Cut at any place, whatever half of a token is left."""
    for case in read(name):
        whole = list(_inputs(case))[: 1 if "event" in case else None]
        for each in (cut for one in whole for cut in _prefixes(one)):
            assert not compare.differs(each), _said(compare, each)


# --- bytes and texts that nobody chose ---------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)  # lone surrogates too
CONTENT_TYPES = st.sampled_from(
    (
        *("application/json", "application/x-ndjson", "text/plain", "text/html; charset=latin-1"),
        *(
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "application/xml",
            "",
            None,
        ),
    )
)
ENCODINGS = st.sampled_from((None, None, None, "gzip", "deflate", "br"))
JSON_LIKE = st.text('{}[]",:\\ \n0123456789.eE+-truefalsn\x00é"', max_size=60).map(str.encode)


@st.composite
def _bodies(draw: st.DrawFn) -> RawBody:
    data = draw(
        st.binary(max_size=300) | JSON_LIKE | ANY_TEXT.map(lambda text: text.encode("utf-8", "replace"))
    )
    total = len(data) + draw(st.sampled_from((0, 0, 5, 600_000)))
    return RawBody(data, draw(CONTENT_TYPES), draw(ENCODINGS), total, draw(st.booleans()))


HEADERS = st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=60)), max_size=4).map(
    lambda pairs: RawHeaders(tuple(pairs))
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | st.integers(), inner, max_size=4),
    max_leaves=10,
)
GENERATED = settings(max_examples=300, deadline=None)


@GENERATED
@given(body=_bodies(), policy=st.sampled_from(POLICIES), size=st.sampled_from((524_288, 1, 20, 200)))
def test_any_bytes_give_the_same(compare: Comparison, body: RawBody, policy: Policy, size: int) -> None:
    """A body of any bytes, whatever it is declared to be, in JSON that the strictest parser takes."""
    each = Input("event", {"responsePayload": body}, policy, max_payload_bytes=size)
    assert not compare.differs(each), _said(compare, each)
    orjson.loads(compare.native(each).result)  # type: ignore[arg-type]  # of an event it is bytes


@GENERATED
@given(text=ANY_TEXT, policy=st.sampled_from(POLICIES))
def test_any_text_gives_the_same(compare: Comparison, text: str, policy: Policy) -> None:
    """A text of any characters, as a text, a URL, a document and the beginning of one."""
    kinds: tuple[Kind, ...] = ("text", "url", "json", "prefix")
    for each in (Input(kind, text, policy) for kind in kinds):
        assert not compare.differs(each), _said(compare, each)


@GENERATED
@given(headers=HEADERS, policy=st.sampled_from(POLICIES), message=ANY_TEXT)
def test_any_headers_give_the_same(
    compare: Comparison, headers: RawHeaders, policy: Policy, message: str
) -> None:
    """Header names and texts of any bytes."""
    each = Input("event", {"requestHeaders": headers, "errorMessage": message}, policy)
    assert not compare.differs(each), _said(compare, each)
    orjson.loads(compare.native(each).result)  # type: ignore[arg-type]  # of an event it is bytes


@GENERATED
@given(
    value=VALUES,
    policy=st.sampled_from(POLICIES),
    place=st.sampled_from(tuple(Place)),
    budget=st.sampled_from((1 << 62, 0, 5, 40)),
)
def test_any_value_gives_the_same(
    compare: Comparison, value: object, policy: Policy, place: Place, budget: int
) -> None:
    """A value of plain types, with and without a bound."""
    each = Input("value", value, policy, place=place, budget_bytes=budget)
    assert not compare.differs(each), _said(compare, each)


def test_a_cut_body_with_a_broken_table_of_codes_gives_the_same(compare: Comparison) -> None:
    """Zlib waits for more of it, Rust's inflater refuses it: nothing came out, so both say omitted."""
    body = RawBody(b"\x04\0\0\0", "application/json", "deflate", total_bytes=4, complete=False)
    each = Input("event", {"responsePayload": body}, POLICIES[0], max_payload_bytes=1000)
    assert not compare.differs(each), _said(compare, each)
