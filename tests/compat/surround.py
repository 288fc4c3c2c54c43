"""Puts the adapter around every application that this process makes, of Starlette, Flask or Django.

For the frameworks' own test suites (scripts/compat.py): `pytest -p surround`, or imported by a settings
module. Its client delivers to a transport that takes everything. At the end the file
`COMPAT_REPORT` tells what was captured and what went wrong inside of the SDK.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
from functools import wraps
from pathlib import Path
from typing import Any

from replaystack import ReplayStackClient

__all__ = ["CLIENT"]

_errors: list[str] = []


class _Taken:
    status_code = 201
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it

    def json(self) -> dict[str, bool]:
        return {"success": True}


class _Anywhere:
    """A receiver that takes everything and keeps nothing."""

    def post(self, url: str, json: Any, headers: Any, timeout: float) -> _Taken:
        return _Taken()


CLIENT = ReplayStackClient(
    api_key="rs_compat", transport=_Anywhere(), on_error=lambda error: _errors.append(repr(error))
)


def _around_starlette() -> None:
    from starlette.applications import Starlette

    from replaystack_fastapi import setup_fastapi

    _after_init(Starlette, lambda app: setup_fastapi(app, CLIENT))
    if importlib.util.find_spec("fastapi"):
        from fastapi import FastAPI  # it does not call Starlette's constructor

        _after_init(FastAPI, lambda app: setup_fastapi(app, CLIENT))


def _around_flask() -> None:
    from flask import Flask

    from replaystack_flask import setup_flask

    _after_init(Flask, lambda app: setup_flask(app, CLIENT))


def _around_django() -> None:
    from django.conf import settings
    from django.core.handlers.base import BaseHandler

    load: Any = BaseHandler.load_middleware
    name = "replaystack_django.ReplayStackDjangoMiddleware"

    @wraps(load)
    def load_with_replaystack(handler: Any, *args: Any, **options: Any) -> Any:
        before = settings.MIDDLEWARE
        settings.REPLAYSTACK_CLIENT = CLIENT
        settings.MIDDLEWARE = [name, *(before or ())]
        try:
            return load(handler, *args, **options)
        finally:
            settings.MIDDLEWARE = before
            del settings.REPLAYSTACK_CLIENT

    BaseHandler.load_middleware = load_with_replaystack


def _after_init(application: Any, install: Any) -> None:
    init = application.__init__

    @wraps(init)
    def init_with_replaystack(app: Any, *args: Any, **options: Any) -> None:
        init(app, *args, **options)
        install(app)

    application.__init__ = init_with_replaystack


def _report() -> None:
    CLIENT.close(60)
    stats = CLIENT.stats()
    found = {
        "captured": stats.captured,
        "delivered": stats.delivered,
        "dropped": dict(stats.dropped),
        "errors": _errors,
    }
    Path(os.environ["COMPAT_REPORT"]).write_text(json.dumps(found), encoding="utf-8")


for _name, _install in {
    "starlette": _around_starlette,
    "flask": _around_flask,
    "django": _around_django,
}.items():
    if importlib.util.find_spec(_name) and os.environ["COMPAT_AROUND"] == _name:
        _install()
atexit.register(_report)
