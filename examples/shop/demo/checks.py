"""What must hold at the end of the demo, each as one line that is either true or says what is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .journey import CALLERS_TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from replaystack.testing import Verdict

    from .journey import Answer

__all__ = ["LOGGED", "Captured", "Check", "capture_checks", "expected_events", "proof_checks"]

LOGGED = (
    *("order taken", "order taken", "where to write to"),
    *("charging", "paid", "charging", "payment declined", "charging", "no answer from the provider"),
    *("charging", "paid"),
)
"""The messages of everything that the shop logs in the journey."""
_MASKED = "[MASKED]"
_NOT_CAPTURED = {"captured": False, "reason": "Streaming response body not captured"}
_SLOW_MS = 1000  # the provider takes 1.2 s for its books
_FAILED_CODE = 500
_WARNING_CODE = 400


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: what it says, and what is wrong with it (nothing, if it holds)."""

    claim: str
    faults: tuple[str, ...] = ()
    details: str = ""
    """What a reader who doubts the claim wants to know."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What was sent, and what the receiver has of it."""

    answers: Mapping[str, Answer]
    rows: list[dict[str, Any]]
    events: list[dict[str, Any]]
    """In full, in the order of `rows`."""
    logs: list[dict[str, Any]]
    """What the shop logged, oldest first."""

    def of(self, name: str) -> dict[str, Any]:
        """Return the event of the request with this name, by its trace id; empty if there is none."""
        trace_id = self.answers[name].trace_id
        return next((e for e in self.events if e["traceId"] == trace_id and e["eventType"] == "api"), {})


def expected_events(answers: Mapping[str, Answer]) -> int:
    """Return how many events these requests make: one each, and one of the failing background task."""
    return sum(not answer.is_ignored for answer in answers.values()) + 1


def capture_checks(captured: Captured) -> Iterator[Check]:
    """Yield every check of what was captured."""
    checks: list[Callable[[Captured], Check]] = [
        _answers,
        _trace_ids,
        _each_once,
        _statuses,
        _bodies,
        _auth_modes,
        _slow_call,
        _streams,
        _exception,
        _background_task,
        _parts,
        _logs,
    ]
    for check in checks:
        try:
            yield check(captured)
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            # An event that lacks what a check reads is a finding like any other, not a crash.
            yield Check(check.__name__.strip("_").replace("_", " "), (f"not as expected: {exc!r}",))


def proof_checks(verdict: Verdict, blind_spots: list[str]) -> Iterator[Check]:
    """Yield what the search for planted secrets came to."""
    yield Check(
        f"{verdict.leaked} of {len(verdict.planted)} planted secrets found in the receiver's file",
        tuple(f"{place}: found in {_some(names)}" for place, names in verdict.places().items()),
        f"searched: {_searched(verdict)}\nplanted in: {' · '.join(verdict.planted)}",
    )
    kinds = {"terms": "full-text terms", "unpacked": "unpacked bodies", "table": "tables", "/api": "answers"}
    missing = [
        kind for word, kind in kinds.items() if not any(word in place for place in verdict.marker_found_in)
    ]
    places = len(verdict.marker_found_in)
    yield Check(
        f"the search works: it finds the harmless marker in {places} places,"
        " and each of the secrets in 8 disguises when they are put before it",
        tuple(f"the marker was not found in: {kind}" for kind in missing)
        + tuple(f"the search is blind to: {spot}" for spot in blind_spots),
    )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest


def _searched(verdict: Verdict) -> str:
    names = verdict.searched
    files = [name for name in names if name.endswith((".sqlite3", "-wal", "-journal", ".log"))]
    unpacked = sum("unpacked" in name for name in names)
    tables = sum(name.startswith(("table", "terms")) and "unpacked" not in name for name in names)
    answers = sum(name.startswith(("/", "API")) for name in names)
    return (
        f"{' · '.join(files)} · {tables} tables and indexes · {unpacked} unpacked pieces"
        f" · {answers} answers of API and pages; {verdict.bytes_searched / 1e6:.1f} MB"
    )


def _answers(captured: Captured) -> Check:
    faults = [
        f"{a.method} {a.path} answered {a.code} instead of {a.expected_code}: {a.body[:200]}"
        for a in captured.answers.values()
        if a.code != a.expected_code
    ]
    body = captured.answers["refund"].body
    if body != "Internal Server Error":
        faults.append(f"the framework's own 500 was changed to {body[:200]!r}")
    return Check(
        f"the shop gave its {len(captured.answers)} answers, the framework's plain 500 among them",
        tuple(faults),
    )


def _trace_ids(captured: Captured) -> Check:
    observed = [a for a in captured.answers.values() if not a.is_ignored]
    faults = [f"{a.method} {a.path} ({a.code}) came without x-trace-id" for a in observed if not a.trace_id]
    kept = captured.answers["no such order"].trace_id
    if kept != CALLERS_TRACE_ID:
        faults.append(f"the caller's own trace id became {kept!r}")
    with_id = sum(bool(a.trace_id) for a in observed)
    return Check(
        f"{with_id} of {len(observed)} answers carry x-trace-id, the framework's own 500 too", tuple(faults)
    )


def _each_once(captured: Captured) -> Check:
    sent = Counter(a.trace_id for a in captured.answers.values() if not a.is_ignored)
    arrived = Counter(event["traceId"] for event in captured.events if event["eventType"] == "api")
    faults = [f"no event for {_name(captured, trace)}" for trace in sent - arrived]
    faults += [f"one event too many: {_name(captured, trace)}" for trace in arrived - sent]
    expected = expected_events(captured.answers)
    if len(captured.rows) != expected:
        faults.append(f"{len(captured.rows)} events instead of {expected}")
    return Check(
        f"{len(captured.rows)} of {expected} events arrived, each once; /health is left alone", tuple(faults)
    )


def _name(captured: Captured, trace_id: str | None) -> str:
    names = (f"{a.method} {a.path}" for a in captured.answers.values() if a.trace_id == trace_id)
    return next(names, f"trace id {trace_id}")


def _statuses(captured: Captured) -> Check:
    codes = [a.expected_code for a in captured.answers.values() if not a.is_ignored]
    expected = {
        "success": sum(code < _WARNING_CODE for code in codes),
        "warning": sum(_WARNING_CODE <= code < _FAILED_CODE for code in codes),
        "failed": sum(code >= _FAILED_CODE for code in codes) + 1,  # and the background task
    }
    counts = Counter(row["status"] for row in captured.rows)
    faults = [
        f"{counts[status]} events are {status}, expected {number}"
        for status, number in expected.items()
        if counts[status] != number
    ]
    said = ", ".join(f"{counts[status]} {status}" for status in expected)
    return Check(f"by status: {said}", tuple(faults))


def _bodies(captured: Captured) -> Check:
    order, payment, invalid = (captured.of(n) for n in ("order by key", "payment", "order without items"))
    login, listing = captured.of("login"), captured.of("list")
    shown = {
        "password in JSON": order["requestPayload"]["password"] == _MASKED,
        "card number": payment["requestPayload"]["card_number"] == _MASKED,
        "cvv": payment["requestPayload"]["cvv"] == _MASKED,
        "client secret in an answer": payment["responsePayload"]["charge"]["client_secret"] == _MASKED,
        "password in a form": login["requestPayload"]["password"] == _MASKED,
        "Authorization": _MASKED in str(captured.of("order")["requestHeaders"]["authorization"]),
        "Set-Cookie": _MASKED in str(login["responseHeaders"]["set-cookie"]),
        "query": "access_token=" in listing["requestUrl"] and "state=open" in listing["requestUrl"],
        # What is no secret must still be there, or else masking everything would pass.
        "the customer's name": order["requestPayload"]["customer"] == "bob",
        "the card holder": payment["requestPayload"]["holder"] == "A. Lovelace",
        "the form's other field": login["requestPayload"]["username"] == "ada",
        "the validation error": "items" in str(invalid["responsePayload"]["detail"][0]["loc"]),
        "the free text around a secret": "Ring twice." in captured.of("order")["requestPayload"]["note"],
    }
    faults = tuple(f"{name} is not shown as it should be" for name, holds in shown.items() if not holds)
    return Check("secrets are shown as [MASKED], and what stands beside them is still there", faults)


def _auth_modes(captured: Captured) -> Check:
    expected = {
        "order": "bearer",
        "order by key": "api_key",
        "account": "cookie",
        "payment": "basic",
        "list": "none",
    }
    faults = tuple(
        f"{name}: {captured.of(name).get('authMode')!r} instead of {mode!r}"
        for name, mode in expected.items()
        if captured.of(name).get("authMode") != mode
    )
    return Check(
        "how callers signed in is told from masked headers: bearer, basic, api_key, cookie, none", faults
    )


def _slow_call(captured: Captured) -> Check:
    took = captured.of("report")["executionTimeMs"]
    return Check(
        f"the slow call took {took} ms", () if took >= _SLOW_MS else (f"expected {_SLOW_MS} ms at least",)
    )


def _streams(captured: Captured) -> Check:
    faults = tuple(
        f"{name}: {captured.of(name).get('responsePayload')!r} instead of the marker"
        for name in ("live events", "export", "office export")
        if captured.of(name).get("responsePayload") != _NOT_CAPTURED
    )
    return Check("streamed answers went through live, and are marked instead of kept", faults)


def _exception(captured: Captured) -> Check:
    event = captured.of("refund")
    frame = event["stackFrames"][-1]
    causes = event["metadata"]["replaystack"]["causes"]
    crumbs = [crumb["message"] for crumb in event["breadcrumbs"]]
    holds = {
        "error name": event["errorName"].endswith("RefundError"),
        "error message": "refund of order 1 not booked" in event["errorMessage"],
        "innermost frame": frame["functionName"] == "refund" and frame["fileName"].endswith("refunds.py"),
        "stack trace": "LedgerUnavailableError" in event["stackTrace"],
        "causes": "LedgerUnavailableError" in str(causes),
        "breadcrumbs": "Refund asked for" in crumbs,
    }
    faults = tuple(f"{name} is not there" for name, there in holds.items() if not there)
    return Check(
        f"the unhandled exception has {len(event['stackFrames'])} frames, {len(causes)} causes"
        f" and {len(crumbs)} breadcrumbs",
        faults,
    )


def _background_task(captured: Captured) -> Check:
    claim = "the background task's exception is an event of its own, tied to its request"
    events = [event for event in captured.events if event["eventType"] == "custom"]
    if len(events) != 1:
        return Check(claim, (f"{len(events)} custom events instead of 1",))
    parent = events[0]["metadata"]["replaystack"].get("parentTraceId")
    faults = []
    if not events[0]["errorName"].endswith("ReceiptError"):
        faults.append(f"its error is {events[0]['errorName']!r}")
    if parent != captured.answers["payment without address"].trace_id:
        faults.append(f"its parent is {parent!r}")
    return Check(claim, tuple(faults))


def _logs(captured: Captured) -> Check:
    of_two = [entry for entry in captured.logs if entry.get("flowId") == "checkout-00000002"]
    charging = [entry for entry in captured.logs if entry["message"] == "charging"]
    declined = captured.of("payment declined")
    logged = [entry["content"] for entry in declined.get("logs", {}).get("app", [])]
    holds = {
        "what was logged": sorted(entry["message"] for entry in captured.logs) == sorted(LOGGED),
        "the steps of order 2": [(entry["stepIndex"], entry["message"]) for entry in of_two][:3]
        == [(0, "order taken"), (1, "charging"), (2, "payment declined")],
        "its exception": of_two[2]["errorName"].endswith("PaymentDeclinedError"),
        "a masked card": {entry["data"]["card_number"] for entry in charging} == {_MASKED},
        "lines under their event": logged == ["charging", "payment declined"],
        "personal data, marked as such": {e["message"] for e in captured.logs if e["isPii"]}
        == {"where to write to"},
    }
    faults = tuple(f"{name}: not as it should be" for name, there in holds.items() if not there)
    return Check(f"{len(captured.logs)} log lines arrived, masked, in flows and under their events", faults)


def _parts(captured: Captured) -> Check:
    note, label = captured.of("desk note"), captured.of("desk label")
    stock, audit = captured.of("office stock"), captured.of("office audit")
    routes = {name: event["metadata"]["replaystack"].get("route") for name, event in (
        ("desk", note), ("office", stock))}  # fmt: skip
    holds = {
        "Flask's route": routes["desk"] == "/desk/orders/<int:order_id>/notes",
        "Flask's breadcrumb": "Customer called" in [crumb["message"] for crumb in note["breadcrumbs"]],
        "the text of the note": "Wants it on Monday" in note["requestPayload"]["text"],
        "Flask's exception": label["errorName"].endswith("CourierError"),
        "its frame": label["stackFrames"][-1]["functionName"] == "print_label",
        "Flask's 404": captured.of("desk no order")["status"] == "warning",
        "Django's route": routes["office"] == "/office/stock/<str:sku>",
        "Django's answer": stock["responsePayload"] == {"sku": "TEA-001", "pieces": 41},
        "Django's exception": audit["errorName"].endswith("AuditError"),
        "the form's password": audit["requestPayload"] == {"auditor": "grace", "password": _MASKED},
        "Django's 404": captured.of("office no stock")["status"] == "warning",
    }
    faults = tuple(f"{name} is not as it should be" for name, there in holds.items() if not there)
    return Check("Flask and Django in the same process: their routes, exceptions and masked bodies", faults)
