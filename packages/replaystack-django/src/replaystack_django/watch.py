"""Where exceptions can be seen: Django's signal for those that nothing handles, and two calls for the others.

Django answers an exception before any middleware gets to see it, so a middleware learns of it here. For
one that a `process_exception` or Django REST framework answers there is no signal: the methods that hand
it to them are given a first look, for the whole process and once. The look changes nothing.
"""

from __future__ import annotations

import sys
import threading
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.signals import got_request_exception, request_started

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack.http import Adapter, Recording

__all__ = ["Watcher", "is_served", "watch_exceptions", "watch_request", "watch_rest_framework"]

_SERVED = "replaystack.django"
"""In a request's environ or ASGI scope: a handler of Django's serves it, and will close the answer."""

_LOOKED_AT = "_replaystack_looks"
_UID = "replaystack"


class Watcher:
    """Notes the exceptions of one request in its recording. Knows nothing of the request itself."""

    __slots__ = ("_adapter", "_is_ours", "_noted", "_recording")

    def __init__(self, adapter: Adapter, recording: Recording, *, is_ours: bool) -> None:
        self._adapter = adapter
        self._recording = recording
        self._is_ours = is_ours
        self._noted: int | None = None

    def handled(self, error: BaseException) -> None:
        """Note an exception for which the application may have an answer."""
        with self._adapter.guard.protect("noting an exception"):
            if not self._recording.ended:
                self._recording.handled(error)

    def unhandled(self, error: BaseException) -> None:
        """Note an exception that nothing handled: after the end it is an event of its own. Twice is once."""
        # After its end a recording that another adapter began is that adapter's affair.
        if self._noted != id(error) and (self._is_ours or not self._recording.ended):
            self._noted = id(error)
            self._adapter.fail(self._recording, error)


_watchers: WeakKeyDictionary[Any, list[Watcher]] = WeakKeyDictionary()
"""By request. Here and not on the request: what lies there is copied and pickled with it."""

_installing = threading.Lock()  # servers may build two chains at once
_rest_framework_is_watched = False


def watch_request(request: Any, watcher: Watcher) -> None:
    """Tell `watcher` of the exceptions of `request`, for as long as that lives. It must not hold on to it."""
    _watchers.setdefault(request, []).append(watcher)


def watch_exceptions(adapter: Adapter) -> None:
    """Begin to look; again is nothing new. For a client that sends in the request, also at what is served."""
    from django.core.handlers.base import BaseHandler  # noqa: PLC0415 - not while settings are being loaded

    with _installing, adapter.guard.protect("watching for exceptions"):
        got_request_exception.connect(_on_unhandled, dispatch_uid=_UID)
        if not adapter.recorder.config.async_send:
            request_started.connect(_on_started, dispatch_uid=_UID)
        _look_first(BaseHandler, "process_exception_by_middleware", _on_handled)


def watch_rest_framework(adapter: Adapter) -> None:
    """Look at the exceptions that Django REST framework answers, where the site uses it.

    For the first request: the views are about to be imported anyway then, and not before.
    """
    global _rest_framework_is_watched  # noqa: PLW0603 - once per process is what is meant
    if _rest_framework_is_watched:
        return
    _rest_framework_is_watched = True
    if "rest_framework" in settings.INSTALLED_APPS:
        with _installing, adapter.guard.protect("watching for exceptions"):
            _look_first(import_module("rest_framework.views").APIView, "handle_exception", _on_api_exception)


def is_served(marks: Any) -> bool:
    """Tell whether a handler serves the request of this environ or scope, so that its answer gets closed."""
    return _SERVED in marks


def _look_first(owner: Any, name: str, look: Callable[..., None]) -> None:
    original = getattr(owner, name, None)
    if original is None or hasattr(original, _LOOKED_AT):
        return

    @wraps(original)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(looked_at, _LOOKED_AT, True)
    setattr(owner, name, looked_at)


def _on_started(environ: Any = None, scope: Any = None, **_: Any) -> None:
    marks = environ if environ is not None else scope
    if marks is not None:
        marks[_SERVED] = True


def _on_unhandled(request: Any = None, **_: Any) -> None:
    error = sys.exc_info()[1]
    if error is not None:
        for watcher in _watchers_of(request):
            watcher.unhandled(error)


def _on_handled(_handler: Any, exception: BaseException, request: Any) -> None:
    for watcher in _watchers_of(request):
        watcher.handled(exception)


def _on_api_exception(view: Any, exc: BaseException) -> None:
    # The framework wraps Django's request in one of its own.
    request = getattr(view, "request", None)
    for watcher in _watchers_of(getattr(request, "_request", request)):
        watcher.handled(exc)


def _watchers_of(request: Any) -> list[Watcher]:
    try:
        return _watchers.get(request, [])
    except TypeError:  # None, or something else that is no request: anyone may send the signal
        return []
