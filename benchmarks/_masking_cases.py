"""What is timed: each kind of work as a case with its floors, checked before it is timed.

Every case runs with each backend that is asked for, against the same floors, in the same rounds.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
from benchmarks._masking_contenders import (
    BACKENDS,
    LIMITS,
    POLICY,
    each,
    encode,
    find_absent,
    json_dumps,
    mask,
    reload,
)
from benchmarks._masking_corpus import Document, documents, joined
from benchmarks._masking_exchanges import exchanges
from benchmarks._masking_texts import log_lines, mixed, not_ascii

from replaystack.exchange import RawBody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks._masking_contenders import Backend, Passes

__all__ = ["CASES", "Case", "Work"]

_HELD_BYTES: Final = 16_384  # of a body over the limit an adapter keeps so much (MASKING.md section 4)


@dataclass(frozen=True, slots=True)
class Work:
    """A case, ready to run."""

    items: int
    """In the whole corpus."""
    parts: int
    """So many rounds it takes to pass over all of it."""
    mean_bytes: int
    floors: Passes
    """The first one is what the ratio is taken of."""
    backends: Passes


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    name: str
    prepare: Callable[[Sequence[Backend]], Work]
    targets: Mapping[str, float] = field(default_factory=dict)
    """The largest ratio that is promised, by backend; without one the figure is for information."""
    rounds: int = 15


# --- checks ---------------------------------------------------------------------------------------


def _check(
    backend: Backend, event: Mapping[str, object], secrets: Sequence[str], safe: Sequence[str]
) -> dict[str, Any]:
    """Return the event as it leaves; fail if it is no strict JSON, leaks or lost something."""
    data = backend.encode(event, POLICY, LIMITS).data
    tree = orjson.loads(data)
    leaked = [secret for secret in secrets if secret.encode() in data]
    assert secrets, "no secret was planted"
    assert not leaked, f"{backend.name} leaks {len(leaked)} of {len(secrets)} secrets"
    lost = [text for text in safe if orjson.dumps(text)[1:-1] not in data]
    assert not lost, f"{backend.name} loses {lost[:3]}"
    assert isinstance(tree, dict)
    return tree


def _check_all(
    backends: Sequence[Backend],
    events: Sequence[Mapping[str, object]],
    corpus: Sequence[Document],
    *,
    cut: bool,
) -> None:
    """Check each event, and that its payload differs from the document in nothing but the secrets."""
    for backend in backends:
        for event, document in zip(events, corpus, strict=True):
            payload = _check(backend, event, document.secrets, document.safe)["requestPayload"]
            if cut:
                assert payload["__truncated"] is True
                assert payload["preview"]
            else:
                masked = _differences(payload, document.tree)
                assert masked == len(document.secrets), f"{masked} masked, {len(document.secrets)} planted"


def _differences(masked: Any, original: Any) -> int:
    """Return at how many leaves `masked` is another value; its shape must be the same."""
    if isinstance(original, dict):
        assert list(masked) == list(original)
        return sum(_differences(masked[key], value) for key, value in original.items())
    if isinstance(original, list):
        assert len(masked) == len(original)
        return sum(map(_differences, masked, original))
    assert masked == original or "[MASKED]" in masked, (masked, original)
    return int(masked != original)


# --- the cases ------------------------------------------------------------------------------------


def _corpus(size_bytes: int) -> Sequence[Document]:
    if size_bytes > LIMITS.max_payload_bytes:
        each = 4
        return joined(documents(32, size_bytes // each), 32, each)
    return documents(256 if size_bytes < 10_000 else 32, size_bytes)


def _parts(size_bytes: int) -> int:
    return 4 if size_bytes > 100_000 else 1  # eight large documents are more than a processor learns


def _event(document: Document, number: int) -> dict[str, Any]:
    """Return what an application gives `capture_event`, with what the recorder adds."""
    return {
        "traceId": f"{number:032x}",
        "eventType": "custom",
        "status": "success",
        "endpoint": "checkout.completed",
        "executionTimeMs": number % 900,
        "serviceName": "shop",
        "environment": "production",
        "requestPayload": document.tree,
        "metadata": {
            "tenant": f"tenant-{number % 7}",
            "attempt": number % 3,
            "features": ["new-basket", "fast-labels"],
            "replaystack": {
                "eventId": f"{number:08x}-59b6-4c1e-9d40-8be1a7c1a001",
                "timestamp": "2026-11-20T10:15:30.123Z",
                "process": "a2b1c0d9e8f70011",
                "sequence": number,
            },
        },
    }


def _objects(backends: Sequence[Backend], size_bytes: int) -> Work:
    """Prepare events whose payload is a Python object."""
    corpus = _corpus(size_bytes)
    events = [_event(document, number) for number, document in enumerate(corpus)]
    _check_all(backends, events, corpus, cut=size_bytes > LIMITS.max_payload_bytes)
    parts = _parts(size_bytes)
    return Work(
        len(events),
        parts,
        sum(len(orjson.dumps(event)) for event in events) // len(events),
        {"orjson.dumps": each(orjson.dumps, events, parts), "json.dumps": each(json_dumps, events, parts)},
        {backend.name: encode(backend, events, parts) for backend in backends},
    )


def _bodies(backends: Sequence[Backend], size_bytes: int) -> Work:
    """Prepare raw JSON bodies, as an adapter holds them."""
    corpus = _corpus(size_bytes)
    cut = size_bytes > LIMITS.max_payload_bytes
    events = []
    for document in corpus:
        held = document.raw[:_HELD_BYTES] if cut else document.raw
        body = RawBody(held, "application/json", total_bytes=len(document.raw), complete=not cut)
        events.append({"requestPayload": body})
    _check_all(backends, events, corpus, cut=cut)
    raws = [document.raw for document in corpus]
    parts = _parts(size_bytes)
    trees = [document.tree for document in corpus]
    return Work(
        len(raws),
        parts,
        sum(map(len, raws)) // len(raws),
        {"orjson.loads+dumps": reload(raws, parts), "json.dumps": each(json_dumps, trees, parts)},
        {backend.name: encode(backend, events, parts) for backend in backends},
    )


def _exchanges(backends: Sequence[Backend]) -> Work:
    samples = exchanges(256)
    for backend in backends:
        for sample in samples:
            tree = _check(backend, sample.event, sample.secrets, sample.safe)
            assert len(tree["requestHeaders"]) + len(tree["responseHeaders"]) == 27
    events = [sample.event for sample in samples]
    bodies = [body for sample in samples for body in sample.bodies]
    trees = [orjson.loads(body) for body in bodies]
    return Work(
        len(events),
        1,
        sum(len(BACKENDS["python"].encode(event, POLICY, LIMITS).data) for event in events) // len(events),
        {"orjson.loads+dumps": reload(bodies), "json.dumps": each(json_dumps, trees)},
        {backend.name: encode(backend, events) for backend in backends},
    )


def _texts(backends: Sequence[Backend], texts: Callable[[int], Sequence[str]]) -> Work:
    chosen = texts(256)
    for backend in backends:
        for text in chosen:
            assert backend.mask_text(text, POLICY) == text, f"not clean: {text}"
        planted = f"{chosen[0]} password=x8f3a9d0c1b2"
        assert "x8f3a" not in backend.mask_text(planted, POLICY)
    encoded = [text.encode() for text in chosen]
    return Work(
        len(chosen),
        1,
        sum(map(len, encoded)) // len(encoded),
        {"bytes.find": find_absent(encoded)},
        {backend.name: mask(backend, chosen) for backend in backends},
    )


def _objects_of(size_bytes: int) -> Callable[[Sequence[Backend]], Work]:
    return functools.partial(_objects, size_bytes=size_bytes)


def _bodies_of(size_bytes: int) -> Callable[[Sequence[Backend]], Work]:
    return functools.partial(_bodies, size_bytes=size_bytes)


CASES: Final = (
    Case("1 event object, 2.5 kB", _objects_of(1_950)),
    Case("1 event object, 24 kB", _objects_of(23_400), {"python": 30, "native": 2.0}),
    Case("1 event object, 500 kB", _objects_of(504_000), rounds=4),
    Case("1 event object, 2 MB, over the limit", _objects_of(2_016_000), rounds=4),
    Case("2 JSON body, 2.5 kB", _bodies_of(2_450)),
    Case("2 JSON body, 24 kB", _bodies_of(24_000), {"python": 12, "native": 0.4}),
    Case("2 JSON body, 500 kB", _bodies_of(504_000), rounds=4),
    Case("2 JSON body, 2 MB, over the limit", _bodies_of(2_016_000), rounds=4),
    Case("3 exchange, bodies of 1 and 2 kB", _exchanges, {"python": 8, "native": 0.5}),
    Case("4 clean text, 1 KiB", functools.partial(_texts, texts=mixed), {"python": 150, "native": 3.0}),
    Case("4 clean log lines, 1 KiB", functools.partial(_texts, texts=log_lines)),
    Case("4 clean text, not ASCII, 1 Ki characters", functools.partial(_texts, texts=not_ascii)),
)
