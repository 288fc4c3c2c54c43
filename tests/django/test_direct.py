"""The middleware called directly, without a handler, as unit tests of a project do it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from tests.django.site import sited

from replaystack import ReplayStackClient, add_breadcrumb
from replaystack.diagnostics import raise_internal_errors
from replaystack_django import ReplayStackDjangoMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.receiver import Receiver


@pytest.fixture(params=[True, False], ids=["async_send", "sync_send"])
def client(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[ReplayStackClient]:
    """Open a client of either kind."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin, async_send=request.param) as running:
        yield running


def middleware(get_response: Callable[[Any], Any], client: ReplayStackClient) -> Any:
    """Return the middleware around a function."""
    with sited([], client):
        return ReplayStackDjangoMiddleware(get_response)


def always(answer: Any) -> Callable[[Any], Any]:
    """Return a function that answers each request with it, once: it keeps nothing."""
    answers = [answer]

    def view(request: Any) -> Any:
        return answers.pop()

    return view


def test_a_plain_answer(client: ReplayStackClient, receiver: Receiver) -> None:
    """The same response object comes back, and its event is there while it is still in use."""
    response = HttpResponse("ok")

    def view(request: Any) -> HttpResponse:
        add_breadcrumb("in the view")
        return response

    answer = middleware(view, client)(RequestFactory().post("/orders", {"a": 1}))
    assert answer is response
    assert not client.config.async_send or client.flush()
    (event,) = receiver.taken()
    assert (event["endpoint"], event["traceId"]) == ("/orders", response.headers["x-trace-id"])
    assert [crumb["message"] for crumb in event["breadcrumbs"]][1] == "in the view"


def test_a_coroutine(client: ReplayStackClient, receiver: Receiver) -> None:
    """Around a coroutine function the middleware is one."""

    async def view(request: Any) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse("ok")

    wrapped = middleware(view, client)
    assert iscoroutinefunction(wrapped)
    response = asyncio.run(wrapped(AsyncRequestFactory().get("/orders")))
    assert not client.config.async_send or client.flush()
    (event,) = receiver.taken()
    assert event["traceId"] == response.headers["x-trace-id"]


def test_a_query_that_is_text(client: ReplayStackClient, receiver: Receiver) -> None:
    """Django's own async test client puts a text into the ASGI scope, where servers put bytes."""

    async def view(request: Any) -> HttpResponse:
        return HttpResponse("ok")

    asyncio.run(middleware(view, client)(AsyncRequestFactory().get("/orders", {"page": "2"})))
    assert client.flush()
    (event,) = receiver.taken()
    assert event["requestUrl"].endswith("/orders?page=2")


def test_an_exception_goes_on(client: ReplayStackClient, receiver: Receiver) -> None:
    """Without Django's own handling it reaches the caller unchanged, and is captured once."""
    error = KeyError("order 7")

    def view(request: Any) -> HttpResponse:
        raise error

    with pytest.raises(KeyError) as caught:
        middleware(view, client)(RequestFactory().get("/orders"))
    assert caught.value is error
    assert client.flush()
    (event,) = receiver.taken()
    assert (event["statusCode"], event["errorName"]) == (500, "KeyError")


def test_an_interrupt_goes_on(client: ReplayStackClient, receiver: Receiver) -> None:
    """KeyboardInterrupt is noted, and nothing is waited for."""

    def view(request: Any) -> HttpResponse:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        middleware(view, client)(RequestFactory().get("/orders"))
    assert client.flush()
    assert receiver.event()["errorName"] == "KeyboardInterrupt"


def test_a_cancelled_request(client: ReplayStackClient, receiver: Receiver) -> None:
    """A task that is cancelled, as Django does when the caller goes away, is a disconnect."""

    async def scenario() -> None:
        started = asyncio.Event()

        async def view(request: Any) -> HttpResponse:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

        task = asyncio.create_task(middleware(view, client)(AsyncRequestFactory().get("/orders")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "warning"
    assert event["metadata"]["replaystack"]["bodies"]["disconnected"] is True
    assert "errorName" not in event


def test_a_stream_that_is_read_and_closed(client: ReplayStackClient, receiver: Receiver) -> None:
    """Its pieces pass one by one; the event is there once the stream is closed."""
    response = middleware(lambda request: StreamingHttpResponse(iter("abc")), client)(
        RequestFactory().get("/orders")
    )
    assert list(response) == [b"a", b"b", b"c"]
    response.close()
    assert not client.config.async_send or client.flush()
    (event,) = receiver.taken()
    assert event["metadata"]["replaystack"]["bodies"]["response"]["totalBytes"] == 3


def test_an_async_stream_that_is_left_alone(client: ReplayStackClient, receiver: Receiver) -> None:
    """Neither read to its end nor closed: its event is not lost, and says what was seen."""

    async def pieces() -> AsyncIterator[str]:
        yield "first"
        yield "second"

    async def scenario() -> None:
        async def view(request: Any) -> StreamingHttpResponse:
            return StreamingHttpResponse(pieces())

        response = await middleware(view, client)(AsyncRequestFactory().get("/orders"))
        async for piece in response:
            assert piece == b"first"
            break
        del response

    asyncio.run(scenario())
    gc.collect()
    assert client.flush()
    event = receiver.event()
    bodies = event["metadata"]["replaystack"]["bodies"]
    assert (bodies["response"]["totalBytes"], bodies["response"]["incomplete"]) == (5, True)


def test_a_garbled_answer_is_handed_on(client: ReplayStackClient, receiver: Receiver) -> None:
    """What is no response is the caller's to judge, as bare; a defect of ours in there costs nothing."""
    raise_internal_errors(False)  # as in production
    try:
        for answer in (None, "text"):
            assert middleware(always(answer), client)(RequestFactory().get("/")) is answer
    finally:
        raise_internal_errors(True)
    assert client.flush()
    assert len(receiver.taken()) == 2  # that they happened is known all the same


@pytest.mark.parametrize("streamed", [False, True])
def test_requests_and_answers_are_let_go(*, streamed: bool, client: ReplayStackClient) -> None:
    """Without the garbage collector's help: nothing of ours keeps a request or a response alive."""
    gc.collect()
    gc.disable()
    try:
        # With Python 3.10, Django itself keeps a response that was closed.
        bare, watched = (
            kept(lambda view: view, streamed),
            kept(lambda view: middleware(view, client), streamed),
        )
    finally:
        gc.enable()
    assert watched == bare
    assert watched[0] is False


def kept(install: Callable[[Any], Any], streamed: bool) -> tuple[bool, bool]:  # noqa: FBT001 - told apart by name
    """Make a request; tell whether it and its answer are still there when all is done."""
    request = RequestFactory().get("/orders")
    response = StreamingHttpResponse(iter("abc")) if streamed else HttpResponse("ok")
    answer = install(always(response))(request)
    assert b"".join(answer)
    answer.close()
    references = weakref.ref(request), weakref.ref(response)
    del request, response, answer
    return references[0]() is not None, references[1]() is not None
