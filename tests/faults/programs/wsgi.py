"""A WSGI application for gunicorn. With preload it is imported, and captures one event, in the master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

work = Work()
if work.cell.running == "gunicorn-preload":
    work.capture("master")


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer /capture/<mark>, /end and /tick."""
    _, verb, *rest = environ["PATH_INFO"].split("/")
    if verb == "capture":
        size = len(environ["wsgi.input"].read())
        work.capture(rest[0], large=size > 0)
    elif verb == "end":
        work.end()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{verb} done".encode()]
