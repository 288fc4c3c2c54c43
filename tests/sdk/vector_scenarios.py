"""What several names of `replaystack_sdk` do together: records, scopes, breadcrumbs, clients.

Each scenario takes the package and returns a literal. `record_vectors.py` runs them beside the
table, every one in a context of its own.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tests.sdk.vector_inputs import Accepting

if TYPE_CHECKING:
    from collections.abc import Callable


def _timeless(breadcrumbs: Any) -> Any:
    """Return breadcrumb dicts without their timestamps, each of which must have been a text."""
    if breadcrumbs is None:
        return None
    assert all(isinstance(breadcrumb["timestamp"], str) for breadcrumb in breadcrumbs)
    return [{key: value for key, value in one.items() if key != "timestamp"} for one in breadcrumbs]


def _messages(sdk: Any) -> list[str]:
    return [breadcrumb["message"] for breadcrumb in sdk.get_breadcrumbs()]


def records(sdk: Any) -> Any:
    """Build each record short and full, and write it out."""
    frame, breadcrumb = sdk.StackFrame("f"), sdk.Breadcrumb("m", "t")
    shown = [repr(frame), repr(breadcrumb), frame == sdk.StackFrame("f"), breadcrumb.to_dict()]
    frame.line_number, breadcrumb.level = 0, "debug"
    return [
        *shown,
        frame.to_dict(),
        breadcrumb.to_dict(),
        sdk.StackFrame().to_dict(),
        sdk.StackFrame("f", "a.py", 1, 2, "raw").to_dict(),
        sdk.Breadcrumb("m", "t", "payment", "error", {"a": {"b": None}}).to_dict(),
        sdk.ReplayStackLog("info", "m").to_dict(),
        sdk.ReplayStackLog(level="error", message="m", metadata={"a": 1}).to_dict(),
        repr(sdk.ReplayStackLog("info", "m")),
        repr(sdk.CaptureResponse(True)),
        repr(sdk.CaptureResponse(success=False, message="m", data={"eventId": "e"})),
    ]


def configuration(sdk: Any) -> Any:
    """Read every default of the configuration record."""
    one, other = sdk.ReplayStackConfig(), sdk.ReplayStackConfig(api_key="k")
    return dataclasses.asdict(one), one.mask_fields is other.mask_fields, repr(other)


def configured_client(sdk: Any) -> Any:
    """Hand a configuration record to the client."""
    config = sdk.ReplayStackConfig(api_key="k", service_name="s", mask_fields=["ssn"], max_retries=3)
    client = sdk.ReplayStackClient(**dataclasses.asdict(config), transport=Accepting())
    client.close()
    return client.service_name, list(client.mask_fields), client.max_retries, client.enabled


def event(sdk: Any) -> Any:
    """Write the event record out under its wire keys."""
    names = [field.name for field in dataclasses.fields(sdk.ReplayStackEvent)]
    inner = {"list": [1]}
    copied = sdk.ReplayStackEvent("api", "failed", request_payload=inner).to_api_payload()
    return (
        sdk.ReplayStackEvent("api", "success").to_api_payload(),
        sdk.ReplayStackEvent(**{name: name for name in names}).to_api_payload(),
        sdk.ReplayStackEvent("api", "failed", status_code=0, request_payload="").to_api_payload(),
        copied["requestPayload"]["list"] is inner["list"],
    )


def masking_leaves_its_input(sdk: Any) -> Any:
    """Mask a tree and look at the tree afterwards."""
    value = {"token": 1, "a": [{"pwd": 2}], "b": [3]}
    masked, cloned = sdk.mask_data(value), sdk.safe_json_clone(value)
    return value, masked, masked["b"] is value["b"], cloned["b"] is value["b"]


def identities(sdk: Any) -> Any:
    """Tell which results are the argument itself, and which are copies."""
    value = {"a": 1}
    return sdk.truncate_payload(value, 100) is value, sdk.headers_to_object(value) is value


def trace_ids(sdk: Any) -> Any:
    """Draw two trace ids."""
    one, two = sdk.create_trace_id(), sdk.create_trace_id()
    return one == two, type(one).__name__, len(one), one[14], one == one.lower()


def outside(sdk: Any) -> Any:
    """Use every function outside of a scope, before any breadcrumb."""
    return (
        sdk.get_breadcrumbs(),
        sdk.get_context_breadcrumbs(),
        sdk.add_context_breadcrumb(sdk.Breadcrumb("m", "t"), 5),
        sdk.clear_context_breadcrumbs(),
        sdk.clear_breadcrumbs(),
        sdk.get_breadcrumbs(),
    )


def outside_adding(sdk: Any) -> Any:
    """Add breadcrumbs outside of a scope, with no client anywhere."""
    sdk.add_breadcrumb("one")
    sdk.add_breadcrumb("two", category="c", level="warning", metadata={"k": 1})
    kept = _timeless(sdk.get_breadcrumbs())
    sdk.clear_breadcrumbs()
    return kept, sdk.get_breadcrumbs()


def inside(sdk: Any) -> Any:
    """Use every function inside a scope."""
    with sdk.run_with_replaystack_context():
        empty = sdk.get_context_breadcrumbs(), sdk.get_breadcrumbs()
        added = sdk.add_breadcrumb("one", category="db", level="debug", metadata={"rows": [1]})
        context = sdk.add_context_breadcrumb(sdk.Breadcrumb("two", "yesterday", metadata={"a": None}), 5)
        both = _timeless(sdk.get_context_breadcrumbs()), _timeless(sdk.get_breadcrumbs())
        own_time = sdk.get_breadcrumbs()[-1]["timestamp"]
        cleared = sdk.clear_context_breadcrumbs(), sdk.get_context_breadcrumbs()
    return (
        (empty, _timeless([added.to_dict()]), type(added).__name__, context),
        (both, own_time, cleared, sdk.get_context_breadcrumbs()),
    )


def limits(sdk: Any) -> Any:
    """Add more than a limit allows."""
    kept: list[Any] = []
    for limit in (2, 0, -1):
        with sdk.run_with_replaystack_context():
            for number in range(4):
                sdk.add_context_breadcrumb(sdk.Breadcrumb(str(number), "t"), limit)
            kept.append(_messages(sdk))
    with sdk.run_with_replaystack_context():
        for number in range(120):
            sdk.add_breadcrumb(str(number))
        kept.append([len(_messages(sdk)), _messages(sdk)[0]])
        sdk.add_breadcrumb("last", max_breadcrumbs=2)
        kept.append(_messages(sdk))
    return kept


def nested(sdk: Any) -> Any:
    """Open a scope within a scope."""
    seen: list[Any] = []
    with sdk.run_with_replaystack_context():
        sdk.add_breadcrumb("outer")
        with sdk.run_with_replaystack_context():
            sdk.add_breadcrumb("inner")
            seen.append(_messages(sdk))
        seen.append(_messages(sdk))
        sdk.clear_breadcrumbs()
        seen.append(sdk.get_context_breadcrumbs())
    return seen


def decorator(sdk: Any) -> Any:
    """Use the scope as a decorator."""

    @sdk.run_with_replaystack_context()  # type: ignore[untyped-decorator]  # `sdk` is any version of the package
    def job() -> Any:
        sdk.add_breadcrumb("in the job")
        return _timeless(sdk.get_context_breadcrumbs())

    return job(), job(), sdk.get_context_breadcrumbs()


def raising(sdk: Any) -> Any:
    """Leave a scope by an exception."""
    try:
        with sdk.run_with_replaystack_context():
            sdk.add_breadcrumb("before")
            raise LookupError("through")
    except LookupError as error:
        return str(error), sdk.get_context_breadcrumbs()


def clients(sdk: Any) -> Any:
    """Add breadcrumbs through a client, outside and inside a scope."""
    client = sdk.ReplayStackClient(api_key="k", transport=Accepting(), async_send=False, max_breadcrumbs=2)
    seen = []
    for name in ("a", "", "b", "c"):
        client.add_breadcrumb(name, category="own")
    seen.append(_timeless(client.get_breadcrumbs()))
    with sdk.run_with_replaystack_context():
        client.add_breadcrumb("d", level="error", metadata={"n": 1})
        seen.extend([_timeless(client.get_breadcrumbs()), _timeless(sdk.get_breadcrumbs())])
        client.clear_breadcrumbs()
        seen.append(client.get_breadcrumbs())
    client.clear_breadcrumbs()
    seen.append(client.get_breadcrumbs())
    client.close()
    return seen


SCENARIOS: tuple[Callable[[Any], Any], ...] = (
    records,
    configuration,
    configured_client,
    event,
    masking_leaves_its_input,
    identities,
    trace_ids,
    outside,
    outside_adding,
    inside,
    limits,
    nested,
    decorator,
    raising,
    clients,
)
