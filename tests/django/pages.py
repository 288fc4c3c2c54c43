"""A site of odd ends: views, handlers and middlewares that the contract does not know."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import include, path, re_path
from django.utils.decorators import async_only_middleware, sync_only_middleware
from django.views.decorators.csrf import csrf_exempt, csrf_protect, ensure_csrf_cookie
from django.views.decorators.http import condition

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SHARED", "urlpatterns"]

SHARED = HttpResponse("shared")
"""One response object for every request: unwise, and it works."""


def raising(error: Exception) -> Callable[..., Any]:
    """Return a view that raises it."""

    def view(request: Any) -> Any:
        raise error

    return view


def quoted(request: Any) -> Any:
    """Keep the body in a local variable, as debug pages show them, and quote it."""
    order = request.body.decode()
    raise ValueError(f"cannot read {order}")


async def raising_async(request: Any) -> Any:
    raise KeyError("order 7")


def posted(request: Any) -> HttpResponse:
    return JsonResponse({"post": request.POST.dict(), "files": sorted(request.FILES)})


def posted_then_body(request: Any) -> HttpResponse:
    return JsonResponse([request.POST.dict(), len(request.body)], safe=False)


def body_then_posted(request: Any) -> HttpResponse:
    return JsonResponse([len(request.body), request.POST.dict(), request.read(3).decode()], safe=False)


def lines(request: Any) -> HttpResponse:
    return JsonResponse([line.decode() for line in request], safe=False)


def read_then_body(request: Any) -> HttpResponse:
    request.read(3)
    return HttpResponse(request.body)


def template(request: Any) -> TemplateResponse:
    return TemplateResponse(request, engines["django"].from_string("<p>{{ name }}</p>"), {"name": "ada"})


def broken_template(request: Any) -> TemplateResponse:
    return TemplateResponse(request, engines["django"].from_string("{{ broken.now }}"), {"broken": Broken()})


class Broken:
    def now(self) -> str:
        raise LookupError("broke while rendering")


def written(request: Any) -> HttpResponse:
    response = HttpResponse("first")
    response.write(", second")
    return response


def several(request: Any) -> HttpResponse:
    return HttpResponse(iter(["one,", "two"]))


def shared(request: Any) -> HttpResponse:
    return SHARED


def report(request: Any) -> FileResponse:
    return FileResponse(io.BytesIO(b"total: 7"), as_attachment=True, filename="report.txt")


def empty_stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(()))


def mixed_stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(["text, ", b"bytes"]))


@condition(etag_func=lambda request: '"v7"')  # type: ignore[untyped-decorator]  # Django has no types
def conditional(request: Any) -> HttpResponse:
    return HttpResponse("tagged")


def large(request: Any) -> HttpResponse:
    return HttpResponse("a page with words in it " * 1000)


def not_found(request: Any, exception: Exception) -> HttpResponse:
    return HttpResponse("our own 404", status=404)


def broken_handler(request: Any, exception: Exception) -> HttpResponse:
    raise RuntimeError("the handler broke")


def server_error(request: Any) -> HttpResponse:
    return HttpResponse("our own 500", status=500)


class FailsBefore:
    """A middleware that breaks on the way in."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        raise LookupError("broke on the way in")


class FailsAfter:
    """A middleware that breaks on the way out."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        self.get_response(request)
        raise LookupError("broke on the way out")


class ReadsForms:
    """A middleware that reads the form before anybody else."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.POST.get("name")
        return self.get_response(request)


class Answers:
    """A middleware that answers by itself."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return HttpResponse("from the middleware")


class Replaces:
    """A middleware that throws away what it gets."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        self.get_response(request)
        return HttpResponseRedirect("/elsewhere")


@sync_only_middleware  # type: ignore[untyped-decorator]  # Django has no types
def only_sync(get_response: Any) -> Any:
    """Pass on, in sync mode only."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


@async_only_middleware  # type: ignore[untyped-decorator]  # same
def only_async(get_response: Any) -> Any:
    """Pass on, in async mode only."""
    assert iscoroutinefunction(get_response)

    async def middleware(request: Any) -> Any:
        return await get_response(request)

    return middleware


async def stepping(request: Any) -> HttpResponse:
    """Go through a thread in the middle."""
    return JsonResponse({"length": await sync_to_async(len)("abc")})


urlpatterns = [
    path("missing", raising(Http404("nothing here"))),
    path("denied", raising(PermissionDenied("not you"))),
    path("suspicious", raising(SuspiciousOperation("hm"))),
    path("bad", raising(BadRequest("hm"))),
    path("broken", raising(KeyError("order 7"))),
    path("broken-async", raising_async),
    path("none", lambda request: None),
    path("quoted", csrf_exempt(quoted)),
    path("posted", csrf_exempt(posted)),
    path("posted-then-body", csrf_exempt(posted_then_body)),
    path("body-then-posted", csrf_exempt(body_then_posted)),
    path("read-then-body", csrf_exempt(read_then_body)),
    path("unread", csrf_exempt(written)),
    path("lines", csrf_exempt(lines)),
    path("protected", csrf_protect(posted)),
    path("token", ensure_csrf_cookie(written)),
    path("template", template),
    path("broken-template", broken_template),
    path("written", written),
    path("several", several),
    path("shared", shared),
    path("report", report),
    path("empty-stream", empty_stream),
    path("mixed-stream", mixed_stream),
    path("conditional", conditional),
    path("large", large),
    path("stepping", stepping),
    path("slash/", written),
    path("café/<name>", written),
    re_path(r"^regular/(?P<number>\d+)/$", lambda request, number: HttpResponse(number)),
    path("nested/", include([path("deeper/<slug:name>", lambda request, name: HttpResponse(name))])),
]
