"""Every code block of the seed's README does what the README says, seen from the receiver."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import re
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.receiver import Reply
from tests.sdk.readme import KEY, SEED, Session, block, names, raw, run_script
from tests.sdk.vector_inputs import JWT

import replaystack_sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiver import Receiver

CLIENT = f'from replaystack_sdk import ReplayStackClient\nreplaystack = ReplayStackClient(api_key="{KEY}")\n'
"""What the README's shorter blocks take for granted."""

LOOKS_LIKE_CODE = re.compile(
    r"from |import |def |async def |try:|except |with |@app|return |\w+ = |replaystack\.|pip install|"
    r"REPLAYSTACK_\w+=|x-[\w-]+:|POST |unsubscribe\(|install_\w+\(|[{}\])]|\"|https?://"
)


@pytest.fixture
def pointed(receiver: Receiver, environment: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Point clients of this process at the receiver, and close those that a block leaves open."""
    made: list[replaystack_sdk.ReplayStackClient] = []
    build = replaystack_sdk.ReplayStackClient.__init__

    def remembering(self: replaystack_sdk.ReplayStackClient, **options: Any) -> None:
        build(self, **options)
        made.append(self)

    environment.setattr(replaystack_sdk.ReplayStackClient, "__init__", remembering)
    environment.setenv("REPLAYSTACK_ENDPOINT", receiver.origin)
    yield receiver
    for client in made:
        client.close()


# -- the blocks themselves


def test_blocks_are_those_of_the_readme() -> None:
    """The stored blocks are the README's, letter for letter, in order, and none is left out."""
    if not SEED.exists():
        pytest.skip("the seed does not lie beside this checkout")
    rest, between = SEED.read_text(encoding="utf-8"), []
    for name in names():
        before, found, rest = rest.partition("\n" + raw(name))
        assert found, f"{name} is not in the README, or not in this place"
        between.append(before)
    left_out = [
        line for line in "\n".join([*between, rest]).splitlines() if LOOKS_LIKE_CODE.match(line.strip())
    ]
    assert left_out == []


def test_every_block_has_its_test() -> None:
    """No block is stored without a test that names it."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in names() if f'"{name}"' not in tests] == []


# -- where it goes and what it carries


def test_default_url() -> None:
    """Without any configuration events go to the URL that the README names."""
    posted: list[str] = []

    class Transport:
        def post(self, url: str, json: Any, headers: dict[str, str], timeout: float) -> Any:
            posted.append(url)
            raise ConnectionError("the test sends nothing out")

    options: dict[str, Any] = {"async_send": False, "max_retries": 0, "offline_queue_max": 0}
    with replaystack_sdk.ReplayStackClient(api_key=KEY, transport=Transport(), **options) as client:
        client.capture_event(endpoint="x")
    assert posted == [block("01_default_url").strip()]


def test_headers(pointed: Receiver) -> None:
    """Each header of the README arrives; the version is the installed one."""
    with replaystack_sdk.ReplayStackClient(api_key=KEY) as client:
        client.capture_event(endpoint="x")
    headers = pointed.posts()[0].headers
    for line in block("02_headers").splitlines():
        name, _, value = line.partition(": ")
        expected = replaystack_sdk.__version__ if name == "x-replaystack-sdk-version" else value
        assert headers[name] == expected


@pytest.mark.parametrize("name", ["03_install", "04_install_extras"])
def test_install(name: str) -> None:
    """Each distribution and extra that the README installs exists and leads to its adapter."""
    metadata = importlib.metadata.metadata("replaystack-sdk")
    extras = metadata.get_all("Provides-Extra") or []
    for line in block(name).splitlines():
        found = re.fullmatch(r"pip install (replaystack-sdk)(?:\[(\w+)\])?", line)
        assert found
        assert metadata["Name"] == found[1]
        assert found[2] is None or found[2] in extras
    needed = importlib.metadata.requires("replaystack-sdk") or []
    version = replaystack_sdk.__version__
    for framework in ("fastapi", "flask", "django"):
        for extra in (framework, "all"):
            assert any(re.match(rf"replaystack-{framework}=={version} ?; .*'{extra}'", one) for one in needed)


def test_contract_request(pointed: Receiver) -> None:
    """What arrives is the request that the README's contract describes."""
    with replaystack_sdk.ReplayStackClient(api_key=KEY) as client:
        client.capture_event(endpoint="x")
    request = pointed.posts()[0]
    first, *headers = block("18_contract_request").splitlines()
    assert f"{request.method} {request.path}" == first
    for line in headers:
        name, _, value = line.partition(": ")
        assert request.headers[name.lower()] == value


def test_contract_payload(pointed: Receiver) -> None:
    """An event with the fields of the README's payload arrives as that payload, key by key."""
    payload = json.loads(block("19_contract_payload"))
    with replaystack_sdk.ReplayStackClient(api_key=KEY) as client:
        client.capture_event(**payload)
    event = pointed.event()
    # The README abbreviates the id with an ellipsis, which no id may hold: a new one stands there.
    assert uuid.UUID(event.pop("traceId")).version == 4
    del payload["traceId"]
    assert {key: event.get(key) for key in payload} == payload


# -- capturing


def test_basic_usage(receiver: Receiver, tmp_path: Path) -> None:
    """The first block, as a whole program that just ends, delivers its event."""
    done = run_script(block("06_basic_usage"), tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    event = receiver.event()
    expected = {
        "eventType": "custom",
        "endpoint": "daily-report-job",
        "status": "success",
        "responsePayload": {"message": "Report generated"},
        "serviceName": "order-service",
        "environment": "production",
        "appVersion": "1.0.0",
        "commitHash": "a7f91c",
        "authMode": "none",
    }
    assert {key: event.get(key) for key in expected} == expected
    assert uuid.UUID(event["traceId"])
    (post,) = receiver.posts()
    assert post.headers["x-tracereplay-api-key"] == post.headers["x-replaystack-api-key"] == KEY


def test_manual_exception(receiver: Receiver, tmp_path: Path) -> None:
    """The exception goes on to the program's end, and arrives with trace, frames and breadcrumbs."""
    before = CLIENT + 'replaystack.add_breadcrumb("Loading user")\n'
    script = before + block("07_manual_exception")
    done = run_script(script, tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("TypeError: 'NoneType' object is not subscriptable")
    event = receiver.event()
    assert (event["status"], event["eventType"], event["endpoint"]) == ("failed", "custom", "process-user")
    assert event["errorName"] == "TypeError"
    assert event["errorMessage"] == "'NoneType' object is not subscriptable"
    assert event["requestPayload"] == {"user": None}
    assert event["stackTrace"].startswith("Traceback (most recent call last)")
    frame = event["stackFrames"][-1]
    line_number = script.splitlines().index('    user_id = user["id"]') + 1
    assert (frame["functionName"], frame["lineNumber"]) == ("<module>", line_number)
    assert frame["fileName"].endswith("app.py")
    assert [breadcrumb["message"] for breadcrumb in event["breadcrumbs"]] == ["Loading user"]


def test_breadcrumbs(receiver: Receiver, tmp_path: Path) -> None:
    """Breadcrumbs are attached to the next captured event, with their category, and to no other."""
    after = 'replaystack.capture_event(endpoint="one")\nreplaystack.capture_event(endpoint="two")\n'
    script = CLIENT + block("08_breadcrumbs") + after
    done = run_script(script, tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    assert (done.returncode, done.stderr) == (0, "")
    one, two = sorted(receiver.events(2), key=lambda event: str(event["endpoint"]))
    assert [(crumb["message"], crumb.get("category"), crumb["level"]) for crumb in one["breadcrumbs"]] == [
        ("Order API started", None, "info"),
        ("Validating request payload", None, "info"),
        ("Calling payment provider", "payment", "info"),
    ]
    assert not two.get("breadcrumbs")


def test_scope(receiver: Receiver, tmp_path: Path) -> None:
    """What a worker leaves inside its scope is on the worker's event and on none outside."""
    before = CLIENT + 'def do_work():\n    replaystack.capture_event(endpoint="inside")\n'
    after = '\nreplaystack.capture_event(endpoint="outside")\n'
    script = before + block("09_scope") + after
    done = run_script(script, tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    assert (done.returncode, done.stderr) == (0, "")
    inside, outside = sorted(receiver.events(2), key=lambda event: str(event["endpoint"]))
    assert [crumb["message"] for crumb in inside["breadcrumbs"]] == ["worker started"]
    assert not outside.get("breadcrumbs")


# -- what is sent and what is not


def test_sampling(pointed: Receiver) -> None:
    """A tenth of the failures goes out, and no success and no ignored path at all."""
    client = Session(block("10_sampling"), ReplayStackClient=replaystack_sdk.ReplayStackClient).run()[
        "replaystack"
    ]
    for _ in range(1000):
        client.capture_event(endpoint="/orders", status="failed")
    for endpoint in ("/health", "/metrics", "/internal/a"):
        assert client.should_ignore_path(endpoint)
        for _ in range(100):
            client.capture_event(endpoint=endpoint, status="failed")
    for status in ("success", "pending"):
        for _ in range(100):
            client.capture_event(endpoint="/orders", status=status)
    assert client.close(timeout_seconds=30)
    events = [post.json for post in pointed.posts()]
    assert {(event["endpoint"], event["status"]) for event in events} == {("/orders", "failed")}
    # 100 on average with a deviation of 9.5: outside of this once in ten thousand million runs.
    assert 40 < len(events) < 165


def test_masking(pointed: Receiver) -> None:
    """Names of the option are masked like the default ones, in any spelling; the auth mode survives."""
    client = Session(block("11_masking"), ReplayStackClient=replaystack_sdk.ReplayStackClient).run()[
        "replaystack"
    ]
    masked = (
        "SSN",
        "tax-id",
        "Phone Number",
        "phone_number",
        "password",
        "accessToken",
        "card_number",
        "X-Api-Key",
    )
    secrets = {name: f"planted-{number}" for number, name in enumerate(masked)}
    client.capture_event(
        endpoint="x",
        request_headers={"Authorization": f"Bearer {JWT}", "Accept": "text/html"},
        request_payload={"name": "Ann", "nested": [secrets]},
    )
    assert client.close()
    event = pointed.event()
    assert event["requestPayload"] == {"name": "Ann", "nested": [dict.fromkeys(masked, "[MASKED]")]}
    assert event["requestHeaders"] == {"Authorization": "[MASKED]", "Accept": "text/html"}
    assert (event["authMode"], event["authScheme"]) == ("bearer", "Bearer")
    body = pointed.posts()[0].body.decode()
    assert not [secret for secret in (*secrets.values(), JWT) if secret in body]


def test_offline_queue(
    pointed: Receiver, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the receiver refuses, 200 events wait; what is over is reported; `flush` delivers."""
    environment.setenv("REPLAYSTACK_RETRIES", "0")
    session = Session(block("12_offline_queue"), ReplayStackClient=replaystack_sdk.ReplayStackClient)
    pointed.reply = Reply(503)
    session.step()  # the client
    client = session.names["replaystack"]
    client.capture_event(endpoint="0")
    pointed.wait_for_posts(1)
    for number in range(1, 206):
        client.capture_event(endpoint=str(number))
    pointed.reply = Reply(201)
    refused = len(pointed.posts())
    session.step()  # flush
    delivered = [int(post.json["endpoint"]) for post in pointed.posts()[refused:]]
    assert delivered == list(range(6, 206))
    dropped = capsys.readouterr().out.splitlines()
    assert len(dropped) == 6
    assert all(line.startswith("dropped {'reason': 'max_queue_size'") for line in dropped)
    client.capture_event(endpoint="last")
    session.step()  # close
    assert pointed.posts()[-1].json["endpoint"] == "last"
    client.capture_event(endpoint="too late")
    assert client.flush(1)
    assert pointed.posts()[-1].json["endpoint"] == "last"


# -- process guards


def test_process_guards(pointed: Receiver) -> None:
    """An uncaught exception is captured until `unsubscribe`, and the hooks are then as before."""
    hooks = sys.excepthook, sys.unraisablehook
    session = Session(block("13_process_guards"))
    for _ in range(3):  # the import, the client, the installation
        session.step()
    error = ValueError("nobody caught this")
    sys.excepthook(ValueError, error, None)
    event = pointed.event()
    assert (event["endpoint"], event["errorMessage"]) == ("/runtime/uncaughtException", "nobody caught this")
    session.run()
    assert (sys.excepthook, sys.unraisablehook) == hooks


def test_process_guard_options(receiver: Receiver, tmp_path: Path) -> None:
    """With all options spelt out a program that dies of an exception reports it first."""
    taken_for_granted = (
        "import signal\nfrom replaystack_sdk import ReplayStackClient, install_replaystack_process_guards\n"
    )
    Session(taken_for_granted).run()
    client = f'client = ReplayStackClient(api_key="{KEY}")\n'
    after = 'raise ValueError("nobody caught this")\n'
    script = taken_for_granted + client + block("14_process_guard_options") + after
    done = run_script(script, tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ValueError: nobody caught this")
    event = receiver.event()
    assert (event["endpoint"], event["errorMessage"]) == ("/runtime/uncaughtException", "nobody caught this")


# -- frameworks


def assert_order_event(event: dict[str, Any], service: str) -> None:
    """Check what the README promises of a captured `POST /orders`, whatever the framework."""
    expected = {
        "eventType": "api",
        "method": "POST",
        "endpoint": "/orders",
        "traceId": "order-7",
        "status": "success",
        "statusCode": 200,
        "serviceName": service,
        "requestPayload": {"item": "tea", "password": "[MASKED]"},
        "responsePayload": {"success": True, "order": {"item": "tea", "password": "[MASKED]"}},
        "authMode": "bearer",
        "authScheme": "Bearer",
    }
    assert {key: event.get(key) for key in expected} == expected
    assert re.fullmatch(r"http://[\w.:-]+/orders\?ref=email", event["requestUrl"])
    assert event["requestHeaders"]["authorization"] == "[MASKED]"
    assert event["responseHeaders"]["content-type"].startswith("application/json")
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == [
        "HTTP request started",
        "Creating order",
        "HTTP request finished",
    ]


ORDER = {"item": "tea", "password": "hunter2-planted"}
ORDER_HEADERS = {"x-request-id": "order-7", "authorization": f"Bearer {JWT}"}


def test_fastapi(pointed: Receiver) -> None:
    """The app answers as it would bare, plus `x-trace-id`; what arrives is what the README says."""
    found = Session(block("15_fastapi")).run()
    app, client = found["app"], found["client"]

    @app.get("/empty", status_code=204)  # type: ignore[untyped-decorator]  # `app` comes out of the block
    async def empty() -> None:
        """Answer 204, which the block's `should_capture` leaves out."""

    async def visit() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as http:
            answer = await http.post("/orders?ref=email", json=ORDER, headers=ORDER_HEADERS)
            assert (answer.status_code, answer.json()) == (200, {"success": True, "order": ORDER})
            assert answer.headers["x-trace-id"] == "order-7"
            for path in ("/internal/a", "/health", "/metrics", "/favicon.ico"):
                assert (await http.get(path)).status_code == 404
            empty = await http.get("/empty", headers={"x-request-id": "none"})
            assert (empty.status_code, empty.headers["x-trace-id"]) == (204, "none")

    asyncio.run(visit())
    assert client.close()
    assert_order_event(pointed.event(), "fastapi-service")
    assert b"hunter2" not in pointed.posts()[0].body


def test_flask(pointed: Receiver) -> None:
    """The app answers as it would bare, plus `x-trace-id`; what arrives is what the README says."""
    found = Session(block("16_flask")).run()
    app, client = found["app"], found["client"]
    app.add_url_rule("/empty", view_func=lambda: ("", 204))
    http = app.test_client()
    answer = http.post("/orders?ref=email", json=ORDER, headers=ORDER_HEADERS)
    assert (answer.status_code, answer.json) == (200, {"success": True, "order": ORDER})
    assert answer.headers["x-trace-id"] == "order-7"
    for path in ("/internal/a", "/health", "/metrics", "/favicon.ico"):
        assert http.get(path).status_code == 404
    assert http.get("/empty", headers={"x-request-id": "none"}).headers["x-trace-id"] == "none"
    assert client.close()
    assert_order_event(pointed.event(), "flask-service")
    assert b"hunter2" not in pointed.posts()[0].body


DJANGO_SETTINGS = """
SECRET_KEY, ROOT_URLCONF, ALLOWED_HOSTS, USE_TZ = "test", "urls", ["*"], True
"""
DJANGO_URLS = """
import json
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path

def orders(request):
    settings.REPLAYSTACK_CLIENT.add_breadcrumb("Creating order")
    return JsonResponse({"success": True, "order": json.loads(request.body)})

urlpatterns = [path("orders", orders), path("empty", lambda request: HttpResponse(status=204))]
"""
DJANGO_DRIVER = """
import json, os, sys
import django
from django.conf import settings
from django.test import Client

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
order, headers = json.loads(os.environ["REQUEST"])
http = Client()
answer = http.post("/orders?ref=email", order, content_type="application/json", headers=headers)
assert (answer.status_code, answer.json()) == (200, {"success": True, "order": order}), answer.content
assert answer.headers["x-trace-id"] == "order-7", answer.headers
assert [http.get(path).status_code for path in ("/internal/a", "/health", "/empty")] == [404, 404, 204]
settings.REPLAYSTACK_CLIENT.close()
"""


def test_django(receiver: Receiver, tmp_path: Path) -> None:
    """A site with the block as its settings answers as bare; what arrives is what the README says."""
    imports, _, _ = block("17_django").partition("\n\n")
    Session(imports).run()
    (tmp_path / "settings.py").write_text(block("17_django") + DJANGO_SETTINGS, encoding="utf-8")
    (tmp_path / "urls.py").write_text(DJANGO_URLS, encoding="utf-8")
    request = json.dumps([ORDER, ORDER_HEADERS])
    done = run_script(DJANGO_DRIVER, tmp_path, REPLAYSTACK_INGEST_URL=receiver.ingest_url, REQUEST=request)
    assert done.returncode == 0, done.stderr
    assert_order_event(receiver.event(), "django-service")
    assert b"hunter2" not in receiver.posts()[0].body
