"""What the site is made of stays as it was: middlewares around us, handlers, redirects, responses."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from tests.django.site import AFTER, BEFORE, OURS, STACK, sited
from tests.wire_client import RawAnswer, exchange

if TYPE_CHECKING:
    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

Event = dict[str, Any]
PAGES = "tests.django.pages"
COMMON = "django.middleware.common.CommonMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"

# Django says so of each sync iterator that an ASGI server sends.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")


def compare(
    serving: Serving,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    middleware: list[str] = STACK,
    **settings: Any,
) -> RawAnswer:
    """Check that a request is answered as by the bare site; return the answer of ours."""
    settings.setdefault("ROOT_URLCONF", PAGES)
    request = method, path, headers or {}, body
    with serving(middleware=[name for name in middleware if name != OURS], **settings) as base_url:
        expected = exchange(base_url, *request)
    with serving(middleware=middleware, **settings) as base_url:
        answer = exchange(base_url, *request)
    assert answer.comparable() == expected.comparable()
    return answer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/no/such", 404),
        ("/missing", 404),
        ("/denied", 403),
        ("/suspicious", 400),
        ("/bad", 400),
        ("/template", 200),
        ("/written", 200),
        ("/several", 200),
        ("/report", 200),
        ("/empty-stream", 200),
        ("/mixed-stream", 200),
        ("/stepping", 200),
    ],
)
def test_answers_stay_what_they_are(
    path: str, status: int, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Each way to answer: as bare, one event, and no exception where Django has an answer of its own."""
    assert compare(serving, path).status == status
    assert client.flush()
    event = receiver.event()
    assert (event["statusCode"], event["status"]) == (status, "success" if status == 200 else "warning")
    assert "errorName" not in event


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/broken", "KeyError"),
        ("/broken-async", "KeyError"),
        ("/none", "ValueError"),
        ("/broken-template", "LookupError"),
    ],
)
def test_one_event_per_exception(
    path: str, name: str, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """What Django answers with 500 is one event, with the exception, the page that went out and the route."""
    answer = compare(serving, path)
    assert client.flush()
    event = receiver.event()
    assert (event["statusCode"], event["status"], event["errorName"]) == (500, "failed", name)
    assert event["traceId"] == answer.headers["x-trace-id"]
    assert "Server Error" in event["responsePayload"]
    assert event["metadata"]["replaystack"]["route"] == path


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("path", "status"), [("/no/such", 404), ("/broken", 500), ("/suspicious", 400), ("/bad", 400)]
)
def test_debug_pages(
    path: str, status: int, *, debug: bool, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """With DEBUG and without: the status as ever. A page that shows local variables is not captured."""
    with serving(DEBUG=debug, ROOT_URLCONF=PAGES) as base_url:
        answer = exchange(base_url, "GET", path)
    assert answer.status == status
    assert (b"DEBUG = True" in answer.body) is debug
    assert client.flush()
    event = receiver.event()
    assert event["statusCode"] == status
    assert event.get("errorName") == ("KeyError" if status == 500 else None)
    assert ("responsePayload" in event) is (not debug or status == 404)


def test_handlers_of_the_urlconf(
    monkeypatch: pytest.MonkeyPatch, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """handler404 and handler500 answer as ever."""
    monkeypatch.setattr(f"{PAGES}.handler404", f"{PAGES}.not_found", raising=False)
    monkeypatch.setattr(f"{PAGES}.handler500", f"{PAGES}.server_error", raising=False)
    assert compare(serving, "/no/such").body.endswith(b"our own 404")
    assert compare(serving, "/broken").body.endswith(b"our own 500")
    assert client.flush()
    missing, broken = receiver.events(2)
    assert (missing["statusCode"], missing["responsePayload"]) == (404, "our own 404")
    assert (broken["errorName"], broken["responsePayload"]) == ("KeyError", "our own 500")


def test_a_handler_that_breaks_is_the_failure(
    monkeypatch: pytest.MonkeyPatch, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """An exception while the 404 is being answered is the one event's exception."""
    monkeypatch.setattr(f"{PAGES}.handler404", f"{PAGES}.broken_handler", raising=False)
    assert compare(serving, "/missing").status == 500
    assert client.flush()
    event = receiver.event()
    assert (event["statusCode"], event["errorName"]) == (500, "RuntimeError")


def test_middlewares_that_break(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """One inside of us breaks: that is the exchange's exception. One around us: an event of its own."""
    for name in ("FailsBefore", "FailsAfter"):
        assert compare(serving, "/written", middleware=[OURS, f"{PAGES}.{name}"]).status == 500
    assert client.flush()
    assert [(event["eventType"], event["errorName"]) for event in receiver.taken()] == [
        ("api", "LookupError")
    ] * 2

    assert compare(serving, "/written", middleware=[f"{PAGES}.FailsAfter", OURS]).status == 500
    assert client.flush()
    passed, broken = receiver.taken()[2:]
    assert (passed["eventType"], passed["statusCode"]) == ("api", 200)
    assert (broken["eventType"], broken["errorName"]) == ("custom", "LookupError")
    assert broken["metadata"]["replaystack"]["parentTraceId"] == passed["traceId"]


def test_what_never_reaches_us_is_no_event(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A middleware in front of us may answer by itself; one behind us as well, and that we see."""
    compare(serving, "/written", middleware=[f"{PAGES}.Answers", OURS])
    assert client.flush()
    assert receiver.taken() == []
    compare(serving, "/written", middleware=[OURS, f"{PAGES}.Answers"])
    assert client.flush()
    assert receiver.event()["responsePayload"] == "from the middleware"
    assert "route" not in receiver.event()["metadata"]["replaystack"]


@pytest.mark.parametrize(("first", "status"), [(True, 301), (False, 404)])
def test_the_missing_slash(
    *, first: bool, status: int, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """APPEND_SLASH redirects as ever; in front of CommonMiddleware we see the redirect, behind it the 404."""
    middleware = [OURS, COMMON] if first else [COMMON, OURS]
    answer = compare(serving, "/slash", middleware=middleware)
    assert (answer.status, answer.headers["location"]) == (301, "/slash/")
    assert client.flush()
    assert receiver.event()["statusCode"] == status


@pytest.mark.parametrize("middleware", [[OURS, CONDITIONAL, COMMON], [CONDITIONAL, COMMON, OURS]])
def test_conditional_requests(
    middleware: list[str], serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """304 stays 304, from a decorator and from ConditionalGetMiddleware."""
    headers = {"If-None-Match": '"v7"'}
    assert compare(serving, "/conditional", headers=headers, middleware=middleware).status == 304
    etag = compare(serving, "/large", middleware=middleware).headers["etag"]
    headers = {"If-None-Match": etag}
    assert compare(serving, "/large", headers=headers, middleware=middleware).status == 304
    assert client.flush()
    decorated, _, again = receiver.events(3)
    assert (decorated["statusCode"], "responsePayload" in decorated) == (304, False)
    assert again["statusCode"] == (304 if middleware[0] == OURS else 200)


@pytest.mark.parametrize("middleware", [[OURS, GZIP], [GZIP, OURS]])
@pytest.mark.parametrize("path", ["/large", "/mixed-stream", "/report"])
def test_compressed_answers(
    path: str, middleware: list[str], serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """GZipMiddleware on either side of us: it compresses as ever, and we can read what we captured."""
    # The header of a gzip stream holds random bytes and the time: only what is inside can be compared.
    headers = {"Accept-Encoding": "gzip"}
    answers = []
    for names in ([GZIP], middleware):
        with serving({"capture_streaming_body": True}, middleware=names, ROOT_URLCONF=PAGES) as base_url:
            answers.append(exchange(base_url, "GET", path, headers))
    expected, answer = answers
    assert answer.status == expected.status == 200
    assert answer.headers.get("content-encoding") == expected.headers.get("content-encoding")
    assert client.flush()
    payload = receiver.event()["responsePayload"]
    assert {"/large": "words in it", "/mixed-stream": "text, bytes", "/report": "total: 7"}[path] in payload


def test_csrf_refusals_and_passes(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """CsrfViewMiddleware refuses and lets pass as ever, wherever we stand; tokens do not leave."""
    token = "a" * 32
    headers = {
        "Cookie": f"csrftoken={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for middleware in ([OURS, CSRF], [CSRF, OURS]):
        refused = compare(
            serving, "/protected", method="POST", headers=headers, body=b"name=ada", middleware=middleware
        )
        assert refused.status == 403
        body = f"name=ada&csrfmiddlewaretoken={token}".encode()
        passed = compare(
            serving, "/protected", method="POST", headers=headers, body=body, middleware=middleware
        )
        assert passed.status == 200
    assert client.flush()
    events = receiver.events(4)
    assert [event["statusCode"] for event in events] == [403, 200] * 2
    assert events[1]["requestPayload"]["name"] == "ada"
    assert not any(token in post.body.decode() for post in receiver.posts())


def test_sync_and_async_neighbours(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """A chain that changes between the modes around us works, with the request's own breadcrumbs."""
    for middleware in (
        [f"{PAGES}.only_sync", OURS],
        [OURS, f"{PAGES}.only_sync"],
        [f"{PAGES}.only_async", OURS],
        [OURS, f"{PAGES}.only_async"],
        [f"{PAGES}.only_async", OURS, f"{PAGES}.only_sync"],
    ):
        assert compare(serving, "/stepping", middleware=middleware).status == 200
        assert compare(serving, "/broken", middleware=middleware).status == 500
    assert client.flush()
    events = receiver.events(10)
    assert [event.get("errorName") for event in events] == [None, "KeyError"] * 5


def test_route_patterns(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """The pattern as the URLconf writes it, with what includes it; the path as the caller wrote it."""
    paths = ["/regular/7/", "/nested/deeper/a-b", "/caf%C3%A9/x%20y", "/no/such"]
    with serving(ROOT_URLCONF=PAGES) as base_url:
        for path in paths:
            exchange(base_url, "GET", path)
    assert client.flush()
    events = receiver.events(len(paths))
    assert [event["metadata"]["replaystack"].get("route") for event in events] == [
        r"/^regular/(?P<number>\d+)/$",
        "/nested/deeper/<slug:name>",
        "/café/<name>",
        None,
    ]
    assert events[2]["endpoint"] == "/café/x y"
    assert [event["requestUrl"] for event in events] == [f"http://shop.example:8000{path}" for path in paths]


def test_a_shared_response_gets_each_request_its_own_trace_id(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A view that returns the same object every time: the header follows the request."""
    with serving(ROOT_URLCONF=PAGES) as base_url:
        answers = [exchange(base_url, "GET", "/shared").headers["x-trace-id"] for _ in range(2)]
    assert client.flush()
    assert answers == [event["traceId"] for event in receiver.events(2)]
    assert answers[0] != answers[1]


def test_a_shared_response_tells_nobody_the_correlation_id_of_another(serving: Serving) -> None:
    """It is there for who sent one, gone for who did not, and an application's own stays."""
    with serving(ROOT_URLCONF=PAGES) as base_url:
        sent = [{"x-correlation-id": "cid-1"}, {}, {"x-correlation-id": "cid-2"}]
        answers = [exchange(base_url, "GET", "/shared", headers) for headers in sent]
    assert [answer.headers.get("x-correlation-id") for answer in answers] == ["cid-1", None, "cid-2"]


def test_a_cached_answer_carries_the_trace_id_of_its_request(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The site-wide cache stores responses that we have seen, and serves them through us again."""
    middleware = [
        "django.middleware.cache.UpdateCacheMiddleware",
        OURS,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    with serving(middleware=middleware, ROOT_URLCONF=PAGES) as base_url:
        first, second = (exchange(base_url, "GET", "/written") for _ in range(2))
    assert first.body == second.body
    assert client.flush()
    events = receiver.events(2)
    assert [event["traceId"] for event in events] == [
        first.headers["x-trace-id"],
        second.headers["x-trace-id"],
    ]
    assert "route" not in events[1]["metadata"]["replaystack"]  # it came out of the cache


def test_a_replaced_answer_loses_no_event(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A middleware around us that throws our answer away: what it got is captured, streamed or not."""
    for path in ("/written", "/mixed-stream"):
        answer = compare(serving, path, middleware=[f"{PAGES}.Replaces", OURS])
        assert answer.headers["location"] == "/elsewhere"
    gc.collect()  # nobody closes what was thrown away
    assert client.flush()
    assert [event["statusCode"] for event in receiver.events(2)] == [200, 200]


def test_two_installations_are_one(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """The middleware twice in the chain: one event per request, one per exception."""
    middleware = [OURS, *BEFORE, OURS, *AFTER]
    for path in ("/written", "/broken", "/mixed-stream"):
        compare(serving, path, middleware=middleware)
    assert client.flush()
    events = receiver.taken()
    assert [event.get("errorName") for event in events] == [None, "KeyError", None]
    assert [event["metadata"]["replaystack"]["route"] for event in events] == [
        "/written",
        "/broken",
        "/mixed-stream",
    ]


def test_exceptions_that_are_let_through(client: ReplayStackClient, receiver: Receiver) -> None:
    """DEBUG_PROPAGATE_EXCEPTIONS and Django's test client raise as ever: one event each."""
    for settings in ({}, {"DEBUG_PROPAGATE_EXCEPTIONS": True}):
        with sited(STACK, client, ROOT_URLCONF=PAGES, **settings), pytest.raises(KeyError, match="order 7"):
            Client().get("/broken")
    assert client.flush()
    assert [event["errorName"] for event in receiver.taken()] == ["KeyError"] * 2


def test_responses_can_be_pickled(client: ReplayStackClient) -> None:
    """What a cache does to a response: nothing of ours is in the way."""
    with sited(STACK, client, ROOT_URLCONF=PAGES):
        response = Client().get("/written")
    for name in ("client", "context", "json", "request", "resolver_match", "templates", "wsgi_request"):
        response.__dict__.pop(name, None)  # what the test client adds
    response._resource_closers = []
    assert pickle.loads(pickle.dumps(response)).content == b"first, second"
