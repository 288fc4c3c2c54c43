"""What must hold of masking for any input. Each law makes one input from a seed and checks it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from replaystack.exchange import RawBody
from replaystack.sanitize import RECEIVER_POLICY, Limits, Policy, encode_event, mask_text
from replaystack.sanitize._json import NotJsonError
from replaystack.sanitize._quotes import mask_at_quotes
from replaystack.sanitize._raw_json import mask_json, mask_json_prefix
from replaystack.sanitize._scan import find
from replaystack.sanitize._screen import suspects
from replaystack.sanitize._spans import apply
from replaystack.sanitize._walk import Walker

from .documents import PLAIN, SECRET, document, mutated, planted, planted_text, text

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["LAWS"]

POLICIES = (
    Policy.build(),
    Policy.build(),
    Policy.build(mask_fields=["plain_name", "value"], unmask_fields=["token", "pin"], remote_fields=["note"]),
    Policy.build(mask_values=False),
    RECEIVER_POLICY,
)
FRAGMENTS = [SECRET[at : at + 6] for at in range(len(SECRET) - 5)]


def _plainly(source: str, walker: Walker) -> str | None:
    try:
        return apply(source, find(source, walker))
    except NotJsonError:
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def fast_and_plain_road_agree(rng: random.Random) -> None:
    """Write the same bytes and count the same secrets on both roads."""
    source = document(rng)
    policy, level = rng.choice(POLICIES), rng.choice((0, 0, 1, 2))
    fast, plain = Walker(policy, level=level), Walker(policy, level=level)
    masked = mask_at_quotes(source, fast)
    if masked is not None:
        assert (masked, fast.masked) == (_plainly(source, plain), plain.masked), source
    else:
        assert fast.masked == 0, source


def the_plain_road_takes_what_parsers_take(rng: random.Random) -> None:
    """Refuse exactly the texts that a strict parser refuses."""
    source = mutated(rng, document(rng, PLAIN))
    try:
        json.loads(source, parse_constant=_refuse)
        is_json = True
    except ValueError:
        is_json = False
    assert (_plainly(source, Walker(POLICIES[0])) is not None) is is_json, source
    fast = mask_at_quotes(source, Walker(POLICIES[0]))
    assert fast is None or is_json, source


def spans_and_objects_agree(rng: random.Random) -> None:
    """Give the same document, whether it came as bytes or as an object."""
    source = document(rng, PLAIN)
    policy = rng.choice(POLICIES)
    spans, objects = Walker(policy), Walker(policy)
    masked = mask_json(source, spans)
    tree = objects.walk(json.loads(source))
    assert json.loads(masked) == tree, source
    assert spans.masked == objects.masked, source


def masking_json_twice_is_masking_it_once(rng: random.Random) -> None:
    """mask(mask(x)) == mask(x), and every parser takes it."""
    policy = rng.choice(POLICIES)
    masked = mask_json(document(rng), Walker(policy))
    orjson.loads(masked)
    again = Walker(policy)
    assert mask_json(masked, again) == masked
    assert again.masked == 0, masked


def masking_a_text_twice_is_masking_it_once(rng: random.Random) -> None:
    """mask(mask(x)) == mask(x) for texts."""
    policy = rng.choice(POLICIES)
    source = text(rng) + text(rng)
    masked = mask_text(source, policy)
    assert mask_text(masked, policy) == masked, source


def the_joint_look_misses_nothing(rng: random.Random) -> None:
    """Look at many texts together and find every one that masking alone would change."""
    texts = [rng.choice((text, planted_text))(rng) for _ in range(rng.randint(8, 30))]
    if rng.random() < 0.1:
        texts[0] += rng.choice(("\0", "\ud800"))
    changed = {item for item in texts if mask_text(item, POLICIES[0]) != item}
    assert changed <= set(suspects(texts)), (changed - set(suspects(texts)), texts)


def untouched_documents_stay_byte_for_byte(rng: random.Random) -> None:
    """Change nothing where nothing was masked."""
    source = document(rng, PLAIN)
    walker = Walker(POLICIES[0])
    masked = mask_json(source, walker)
    assert (masked == source) is (walker.masked == 0), source


def no_planted_secret_survives_in_a_body(rng: random.Random) -> None:
    """Show nothing of a secret, in a body that is whole or cut, under any content type."""
    tree = planted(rng)
    indent = rng.choice((None, None, 2))
    raw = json.dumps(tree, indent=indent, ensure_ascii=rng.random() < 0.5).encode()
    content_type = rng.choice(("application/json", "application/json", "text/plain", "application/x-ndjson"))
    kind = rng.random()
    if kind < 0.4:
        body = RawBody(raw, content_type, total_bytes=len(raw))
    else:
        cut = raw[: rng.randint(1, len(raw))]
        body = RawBody(cut, content_type, total_bytes=len(cut) if kind < 0.7 else 600_000, complete=False)
    encoded = encode_event({"requestPayload": body}, POLICIES[0]).data
    orjson.loads(encoded)
    shown = encoded.decode()
    assert not [part for part in FRAGMENTS if part in shown], body


_SCALARS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[0-9eE.+\-]+|true|false|null')


def what_a_prefix_shows_the_whole_shows(rng: random.Random) -> None:
    """Mask in the beginning of a document whatever is masked in all of it, and end it with an ellipsis."""
    source = document(rng, PLAIN)
    cut = source[: rng.randint(0, len(source))]
    try:
        masked = mask_json_prefix(cut, Walker(POLICIES[0]))
    except NotJsonError:
        return
    assert masked.endswith("…"), cut
    shown = Counter(_SCALARS.findall(masked)) - Counter(
        _SCALARS.findall(mask_json(source, Walker(POLICIES[0])))
    )
    assert not set(shown) - {'"[MASKED]"'}, (cut, source)


def no_planted_secret_survives_in_an_event(rng: random.Random) -> None:
    """Show nothing of a secret, wherever in an event it stands."""
    key = rng.choice(("requestPayload", "metadata", "errorMessage", "logs", "breadcrumbs", "own"))
    encoded = encode_event({key: planted(rng)}, POLICIES[0]).data
    assert SECRET.encode() not in encoded


def _event(rng: random.Random) -> dict[str, Any]:
    def body() -> RawBody:
        source = document(rng) if rng.random() < 0.8 else text(rng)
        data = source.encode("utf-8", "replace")
        content_type = rng.choice(("application/json", "application/x-ndjson", "text/plain", None))
        total = rng.choice((len(data), len(data), 10_000_000))
        return RawBody(data, content_type, total_bytes=total, complete=rng.random() < 0.8)

    return {
        "traceId": "t",
        "requestUrl": text(rng),
        "errorMessage": text(rng),
        "requestPayload": body(),
        "responsePayload": body() if rng.random() < 0.5 else json.loads(document(rng, PLAIN)),
        "metadata": {"a": text(rng)},
    }


def encoding_an_event_again_changes_nothing(rng: random.Random) -> None:
    """Mean the same when an event is decoded and encoded anew, and then keep the bytes."""
    policy = rng.choice(POLICIES)
    limits = Limits(rng.choice((20, 100, 1000, 524_288)))
    encoded = encode_event(_event(rng), policy, limits)
    assert len(encoded) <= limits.event_bytes
    again = encode_event(json.loads(encoded.data), policy, limits)
    assert json.loads(again.data) == json.loads(encoded.data)
    assert encode_event(json.loads(again.data), policy, limits) == again


LAWS: tuple[Callable[[random.Random], None], ...] = (
    fast_and_plain_road_agree,
    the_plain_road_takes_what_parsers_take,
    spans_and_objects_agree,
    masking_json_twice_is_masking_it_once,
    masking_a_text_twice_is_masking_it_once,
    the_joint_look_misses_nothing,
    untouched_documents_stay_byte_for_byte,
    no_planted_secret_survives_in_a_body,
    what_a_prefix_shows_the_whole_shows,
    no_planted_secret_survives_in_an_event,
    encoding_an_event_again_changes_nothing,
)
