"""Each environment variable that the seed's README names has its effect, seen from the receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Reply
from tests.sdk.readme import KEY, block

from replaystack_sdk import ReplayStackClient

if TYPE_CHECKING:
    from tests.receiver import Receiver


def documented() -> dict[str, str]:
    """Return the variables of the README's block with their values."""
    lines = [line for line in block("05_environment").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def pointed(receiver: Receiver, environment: pytest.MonkeyPatch) -> Receiver:
    """Give clients a key and point them at the receiver."""
    environment.setenv("REPLAYSTACK_API_KEY", KEY)
    environment.setenv("REPLAYSTACK_ENDPOINT", receiver.origin)
    return receiver


def captured(receiver: Receiver, *events: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Capture `events` with a client of its own and return what arrived when it was closed."""
    with ReplayStackClient(async_send=False, **options) as client:
        for event in events:
            client.capture_event(**{"endpoint": "x", **event})
    return [post.json for post in receiver.posts()]


def test_whole_block(receiver: Receiver, environment: pytest.MonkeyPatch) -> None:
    """With the block as it stands, but for key and addresses, a client without arguments works."""
    values = documented()
    values.update(REPLAYSTACK_ENDPOINT=receiver.origin, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    for name, value in values.items():
        environment.setenv(name, value)
    with ReplayStackClient() as client:
        client.capture_event(endpoint="x")
    event = receiver.event()
    assert (event["serviceName"], event["environment"]) == ("order-service", "production")
    assert (event["appVersion"], event["commitHash"]) == ("1.0.0", "a7f91c")
    assert client.stats().delivered == 1


def test_every_variable_has_its_test() -> None:
    """No variable of the README goes without a test in this file, one for each name."""
    tested = {
        name.removeprefix("test_").upper() for name in globals() if name.startswith("test_replaystack_")
    }
    assert tested == set(documented())


def test_replaystack_api_key(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The key of the variable is sent; without any there is no client."""
    captured(pointed, {})
    assert pointed.posts()[0].headers["x-tracereplay-api-key"] == KEY
    environment.delenv("REPLAYSTACK_API_KEY")
    with pytest.raises(ValueError, match="apiKey"):
        ReplayStackClient()


def test_replaystack_endpoint(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """Events go to the default path below the variable's origin, with or without a final slash."""
    environment.setenv("REPLAYSTACK_ENDPOINT", pointed.origin + "/")
    assert len(captured(pointed, {})) == 1


def test_replaystack_ingest_url(receiver: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable is the whole address, and alone suffices."""
    environment.setenv("REPLAYSTACK_API_KEY", KEY)
    environment.setenv("REPLAYSTACK_INGEST_URL", receiver.origin + "/gate/in?a=b")
    captured(receiver, {}, max_retries=0)
    assert [request.path for request in receiver.requests()][:1] == ["/gate/in?a=b"]


def _field(receiver: Receiver, environment: pytest.MonkeyPatch, option: str, key: str) -> None:
    environment.setenv(f"REPLAYSTACK_{option.upper()}", "from-the-variable")
    captured(receiver, {})
    captured(receiver, {}, **{option: "from-the-argument"})
    assert [post.json[key] for post in receiver.posts()] == ["from-the-variable", "from-the-argument"]


def test_replaystack_service_name(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable names the service; the argument wins."""
    _field(pointed, environment, "service_name", "serviceName")


def test_replaystack_environment(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable names the environment; the argument wins."""
    _field(pointed, environment, "environment", "environment")


def test_replaystack_app_version(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable names the release; the argument wins."""
    _field(pointed, environment, "app_version", "appVersion")


def test_replaystack_commit_hash(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable names the commit; the argument wins."""
    _field(pointed, environment, "commit_hash", "commitHash")


def test_replaystack_enabled(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """`false` turns everything off, `true` leaves it on."""
    environment.setenv("REPLAYSTACK_ENABLED", "false")
    assert captured(pointed, {}) == []
    environment.setenv("REPLAYSTACK_ENABLED", "true")
    assert len(captured(pointed, {})) == 1


def test_replaystack_timeout_ms(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """Milliseconds in the variable are the seconds that an attempt gets."""
    seconds: list[float] = []

    class Transport:
        def post(self, url: str, json: Any, headers: dict[str, str], timeout: float) -> Any:
            seconds.append(timeout)
            raise ConnectionError("the test sends nothing out")

    environment.setenv("REPLAYSTACK_TIMEOUT_MS", "1250")
    with ReplayStackClient(
        async_send=False, max_retries=0, offline_queue_max=0, transport=Transport()
    ) as client:
        client.capture_event(endpoint="x")
    assert seconds == [1.25]


def test_replaystack_retries(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The variable counts the attempts after the first."""
    pointed.reply = Reply(503)
    environment.setenv("REPLAYSTACK_RETRIES", "2")
    client = ReplayStackClient(async_send=False)
    client.capture_event(endpoint="x")
    assert len(pointed.posts()) == 3
    pointed.reply = Reply(201)
    client.close()


def test_replaystack_sample_rate(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """At 0.0 nothing is sent, failures included."""
    environment.setenv("REPLAYSTACK_SAMPLE_RATE", "0.0")
    assert captured(pointed, {}, {"status": "failed"}) == []


def test_replaystack_capture_success(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """`false` sends only what failed or warns."""
    environment.setenv("REPLAYSTACK_CAPTURE_SUCCESS", "false")
    events = captured(
        pointed, *({"status": status} for status in ("success", "failed", "warning", "pending"))
    )
    assert [event["status"] for event in events] == ["failed", "warning"]


def test_replaystack_max_payload_size_bytes(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """A payload over the variable's bytes arrives as the README's marker."""
    environment.setenv("REPLAYSTACK_MAX_PAYLOAD_SIZE_BYTES", "64")
    (event,) = captured(pointed, {"request_payload": {"text": "x" * 100}, "response_payload": {"text": "y"}})
    marker = event["requestPayload"]
    assert (marker["__truncated"], marker["originalSizeBytes"], marker["maxSizeBytes"]) == (True, 111, 64)
    assert marker["preview"].startswith('{"text":"xxx')
    assert len(marker["preview"]) <= 64
    assert event["responsePayload"] == {"text": "y"}


def test_replaystack_max_breadcrumbs(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """The newest breadcrumbs stay, as many as the variable says."""
    environment.setenv("REPLAYSTACK_MAX_BREADCRUMBS", "2")
    with ReplayStackClient(async_send=False) as client:
        for message in "abc":
            client.add_breadcrumb(message)
        client.capture_event(endpoint="x")
    assert [crumb["message"] for crumb in pointed.event()["breadcrumbs"]] == ["b", "c"]


def test_replaystack_offline_queue_max(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """As many events as the variable says wait for the receiver, the newest ones."""
    environment.setenv("REPLAYSTACK_OFFLINE_QUEUE_MAX", "1")
    pointed.reply = Reply(503)
    drops: list[dict[str, Any]] = []
    client = ReplayStackClient(async_send=False, max_retries=0, on_queue_drop=drops.append)
    client.capture_event(endpoint="older")
    client.capture_event(endpoint="newer")
    pointed.reply = Reply(201)
    assert client.close()
    assert [post.json["endpoint"] for post in pointed.posts()] == ["older", "newer", "newer"]
    assert [drop["reason"] for drop in drops] == ["max_queue_size"]


def test_replaystack_flush_interval_ms(pointed: Receiver, environment: pytest.MonkeyPatch) -> None:
    """Above 0 a held event leaves by itself, without `flush` and without another capture."""
    environment.setenv("REPLAYSTACK_FLUSH_INTERVAL_MS", "20")
    pointed.reply = Reply(503)
    client = ReplayStackClient(async_send=False, max_retries=0)
    client.capture_event(endpoint="x")
    pointed.reply = Reply(201)
    assert len(pointed.events(1)) == 1
    client.close()
    assert client.stats().delivered == 1
