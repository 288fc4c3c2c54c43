"""The contract's site on Django, with a few views of its own; bare and with us, for WSGI and for ASGI.

Settings are the process's: `configure` sets what all sites share, `settings` is for what a test changes.
A handler keeps the middleware that the settings had when it was made, so a bare one and one with us serve
side by side.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition

from replaystack import CaptureFailure, ReplayStackClient, get_logger, set_correlation_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.adapters.gate import Gate

    Serving = Callable[..., AbstractContextManager[str]]

__all__ = ["HANDLING", "OURS", "STACK", "asgi", "bare", "configure", "instrumented", "sited", "wsgi"]

OURS = "replaystack_django.ReplayStackDjangoMiddleware"
HANDLING = "tests.django.site.Handling"
BEFORE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
AFTER = [
    "django.middleware.csrf.CsrfViewMiddleware",
    HANDLING,
]
STACK = [*BEFORE, OURS, *AFTER]
"""As in the seed's README: security and common middleware, ours, the application's own."""


def configure() -> None:
    """Set what all sites of this process share. Again is nothing new."""
    if django_settings.configured:
        return
    django_settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DATA_UPLOAD_MAX_MEMORY_SIZE=100 * 1024 * 1024,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[*BEFORE, *AFTER],
        ROOT_URLCONF="tests.django.site",
        SECRET_KEY="tests",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
    )
    django.setup()


def sited(middleware: list[str], client: Any = None, options: Any = None, **more: Any) -> Any:
    """Return a context manager: the settings of a site for as long as it lasts."""
    configure()
    return override_settings(
        MIDDLEWARE=middleware, REPLAYSTACK_CLIENT=client, REPLAYSTACK_OPTIONS=options, **more
    )


def wsgi(middleware: list[str], client: Any = None, options: Any = None) -> WSGIHandler:
    """Return a WSGI application with this chain; all other settings are those of the moment."""
    with sited(middleware, client, options):
        return WSGIHandler()


def asgi(middleware: list[str], client: Any = None, options: Any = None) -> ASGIHandler:
    """Return the same as an ASGI application."""
    with sited(middleware, client, options):
        return ASGIHandler()


def bare() -> WSGIHandler:
    """Return the site for a server in another process."""
    return wsgi([*BEFORE, *AFTER])


def instrumented() -> WSGIHandler:
    """Return it with a client towards REPLAYSTACK_ENDPOINT, for a server in another process."""
    client = ReplayStackClient(
        api_key="rs_test", batch_interval_seconds=0.01, async_send=os.environ.get("TESTS_SYNC") != "1"
    )
    return wsgi(STACK, client)


class HandledError(Exception):
    """An error for which the application has a handler."""


class RefusedError(Exception):
    """An error for which the application has a handler that answers 409."""


class SorryError(CaptureFailure):
    """A failure for which the application has a handler."""


class Handling:
    """The application's own middleware: answers some exceptions."""

    sync_capable = async_capable = True

    def __new__(cls, get_response: Callable[[Any], Any]) -> Any:
        """Pass requests on as they are: the chain's own callable does, in either mode."""
        get_response.process_exception = cls.process_exception  # type: ignore[attr-defined]  # a function
        return get_response

    @staticmethod
    def process_exception(request: Any, exception: Exception) -> HttpResponse | None:
        """Answer, or leave it to Django."""
        if isinstance(exception, HandledError):
            return JsonResponse({"handled": True}, status=500)
        if isinstance(exception, RefusedError):
            return JsonResponse({"refused": True}, status=409)
        if isinstance(exception, SorryError):
            return JsonResponse({"sorry": True}, status=402)
        return None


def _streamed(request: Any, pieces: Iterator[bytes], content_type: str) -> StreamingHttpResponse:
    """Stream as it is done on this kind of server."""

    async def asynchronously() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    content = asynchronously() if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, content_type=content_type)


def _wait_for_gate() -> None:
    gate: Gate | None = getattr(django_settings, "GATE", None)
    if gate is not None:
        gate.wait()


def ok(request: Any) -> HttpResponse:
    return JsonResponse({"ok": True})


def item(request: Any, item_id: int) -> HttpResponse:
    return JsonResponse({"id": item_id})


def echo(request: Any) -> HttpResponse:
    return JsonResponse(json.loads(request.body), safe=False)


def twice(request: Any) -> HttpResponse:
    return JsonResponse([len(request.body), len(request.body)], safe=False)


def partly(request: Any) -> HttpResponse:
    return JsonResponse({"head": request.read(10).decode()})


def unparsed(request: Any) -> HttpResponse:
    return JsonResponse({"size": len(request.body)})


def form(request: Any) -> HttpResponse:
    return JsonResponse({"user": request.POST["user"], "files": sorted(request.FILES)})


def upload(request: Any) -> HttpResponse:
    digest, size = hashlib.sha256(), 0
    while chunk := request.read(65536):
        digest.update(chunk)
        size += len(chunk)
    return JsonResponse({"size": size, "sha256": digest.hexdigest()})


def teapot(request: Any) -> HttpResponse:
    return HttpResponse("short and stout", status=418)


def fail(request: Any) -> HttpResponse:
    try:
        raise OSError("connection refused")
    except OSError as cause:
        raise ValueError("no such order: password=hunter2-CANARY") from cause


def handled(request: Any) -> HttpResponse:
    raise HandledError("handled")


def refused(request: Any) -> HttpResponse:
    raise RefusedError("refused")


def declined(request: Any) -> HttpResponse:
    raise CaptureFailure("declined", {"reason": "card", "cvv": "123"}, 402)


def sorry(request: Any) -> HttpResponse:
    raise SorryError("declined", {"reason": "card", "cvv": "123"}, 402)


def stream(request: Any) -> StreamingHttpResponse:
    return _streamed(request, iter((b"first", b"other", b"third")), "text/plain")


def sse(request: Any) -> StreamingHttpResponse:
    def events() -> Iterator[bytes]:
        yield b"data: one of /sse\n\n"
        _wait_for_gate()
        yield b"data: two\n\n"

    return _streamed(request, events(), "text/event-stream")


def midstream(request: Any) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield b"first"
        _wait_for_gate()
        raise RuntimeError("broke in the middle")

    return _streamed(request, chunks(), "text/plain")


def file(request: Any) -> HttpResponse:
    """Send this very file. Ranges are the application's: Django's FileResponse does not know them."""
    where = Path(__file__)
    asked = re.fullmatch(r"bytes=(\d+)-(\d+)?", request.headers.get("Range", ""))
    if asked is None:
        return FileResponse(where.open("rb"), content_type="text/plain")
    size, start = where.stat().st_size, int(asked[1])
    end = int(asked[2]) if asked[2] else size - 1
    if start >= size:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = io.BytesIO(where.read_bytes()[start : end + 1])
    headers = {"Content-Range": f"bytes {start}-{end}/{size}"}
    return FileResponse(part, status=206, content_type="text/plain", headers=headers)


def logged(request: Any) -> JsonResponse:
    get_logger("orders").warning("out of stock", sku="TEA-001", password="CANARY-body")
    return JsonResponse({"ok": True})


def correlated(request: Any) -> JsonResponse:
    set_correlation_id("order-7")
    return logged(request)


def nothing(request: Any) -> HttpResponse:
    response = HttpResponse(status=204)
    del response["Content-Type"]  # Django sends one, which PEP 3333's validator refuses
    return response


@condition(etag_func=lambda request: '"v1"')  # type: ignore[untyped-decorator]  # Django has no types
def cached(request: Any) -> HttpResponse:
    return JsonResponse({"ok": True})


def cookie(request: Any) -> HttpResponse:
    response = JsonResponse({"ok": True})
    response.set_cookie("session", "CANARY-one")
    response.set_cookie("theme", "CANARY-two")
    return response


def own_trace(request: Any) -> HttpResponse:
    return HttpResponse("ok", headers={"X-Trace-Id": "mine"})


def crumb(request: Any, name: str) -> HttpResponse:
    client: ReplayStackClient | None = django_settings.REPLAYSTACK_CLIENT
    if client is not None:
        client.add_breadcrumb(f"before {name}")
        client.add_breadcrumb(f"after {name}")
    return JsonResponse({"name": name})


def act(request: Any) -> HttpResponse:
    django_settings.ACT()
    return JsonResponse({"ok": True})


def endless(request: Any) -> StreamingHttpResponse:
    """Stream for as long as the test says so; on an ASGI server letting go of the loop in between."""

    def pieces() -> Iterator[bytes]:
        while django_settings.ACT():
            yield b"x" * 65536

    async def asynchronously() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece
            await asyncio.sleep(0)

    return StreamingHttpResponse(asynchronously() if isinstance(request, ASGIRequest) else pieces())


async def deferred(request: Any) -> HttpResponse:
    """Answer by an async view."""
    return JsonResponse({"async": True})


_items = [path("<int:item_id>", item)]

urlpatterns = [
    path("ok", ok),
    path("items/", include(_items)),
    path("echo", csrf_exempt(echo)),
    path("twice", csrf_exempt(twice)),
    path("unread", csrf_exempt(ok)),
    path("partly", csrf_exempt(partly)),
    path("unparsed", csrf_exempt(unparsed)),
    path("form", csrf_exempt(form)),
    path("upload", csrf_exempt(upload)),
    path("teapot", teapot),
    path("fail", fail),
    path("handled", handled),
    path("refused", refused),
    path("declined", declined),
    path("sorry", sorry),
    path("stream", stream),
    path("sse", sse),
    path("midstream", midstream),
    path("file", file),
    path("logged", logged),
    path("correlated", correlated),
    path("nothing", nothing),
    path("cached", cached),
    path("cookie", cookie),
    path("own-trace", own_trace),
    path("health", ok),
    path("crumb/<name>", crumb),
    path("act", act),
    path("endless", endless),
    path("deferred", deferred),
]
