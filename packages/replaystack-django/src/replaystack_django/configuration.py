"""What the settings say: `REPLAYSTACK_CLIENT`, `REPLAYSTACK_OPTIONS`, and what is wrong with them.

A mistake in there never keeps a site from serving: then nothing is captured, and that is said.
"""

from __future__ import annotations

import difflib
import logging
import os
import threading
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings

from replaystack import ConfigError, ReplayStackClient
from replaystack.http import Adapter, MiddlewareOptions

from .options import DjangoMiddlewareOptions

__all__ = ["Problem", "open_adapter", "read_client", "read_options"]

_logger = logging.getLogger("replaystack.django")

API_KEY_VARIABLE = "REPLAYSTACK_API_KEY"


@dataclass(frozen=True)
class Problem(Exception):  # noqa: N818 - it is shown as a check's message, seldom raised
    """Why nothing is captured, in words for the person who wrote the settings."""

    identifier: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


class _FromEnvironment:
    """The client of a site that has set `REPLAYSTACK_API_KEY` and nothing else: one per process."""

    def __init__(self) -> None:
        self._client: ReplayStackClient | None = None
        self._lock = threading.Lock()  # servers may load two handlers at once

    def get(self) -> ReplayStackClient:
        with self._lock:
            if self._client is None or not self._client.recorder.is_open:
                self._client = ReplayStackClient()
            return self._client


_from_environment = _FromEnvironment()


def read_client() -> ReplayStackClient | None:
    """Return `settings.REPLAYSTACK_CLIENT`; None where the environment has a key instead.

    Raises Problem where there is neither, or something else than a client.
    """
    client: Any = getattr(settings, "REPLAYSTACK_CLIENT", None)
    if isinstance(client, ReplayStackClient):
        return client
    if client is not None:
        raise Problem(
            "replaystack.W002",
            f"REPLAYSTACK_CLIENT must be a ReplayStackClient: got {type(client).__name__}.",
            "Set it to ReplayStackClient(api_key=...); until then nothing is captured.",
        )
    if not os.environ.get(API_KEY_VARIABLE):
        raise Problem(
            "replaystack.W001",
            f"There is neither a REPLAYSTACK_CLIENT in the settings nor {API_KEY_VARIABLE}.",
            "Set one of them; until then nothing is captured.",
        )
    return None


def read_options() -> MiddlewareOptions:
    """Return `settings.REPLAYSTACK_OPTIONS`, also from a plain dict. Raises Problem."""
    options: Any = getattr(settings, "REPLAYSTACK_OPTIONS", None)
    if options is None:
        return DjangoMiddlewareOptions()
    if isinstance(options, MiddlewareOptions):
        return options
    wrong = f"got {type(options).__name__}"
    if isinstance(options, dict):
        known = [field.name for field in fields(DjangoMiddlewareOptions) if field.init]
        unknown = [key for key in options if key not in known]
        if not unknown:
            try:
                return DjangoMiddlewareOptions(**options)
            except ConfigError as error:
                wrong = str(error)
        else:
            near = difflib.get_close_matches(str(unknown[0]), known, 1)
            wrong = f"unknown option {unknown[0]!r}" + (f", did you mean {near[0]!r}?" if near else "")
    raise Problem(
        "replaystack.W003",
        f"REPLAYSTACK_OPTIONS must be DjangoMiddlewareOptions(...) or a dict of its options: {wrong}.",
        "Correct it; until then nothing is captured, lest something be captured that the options forbid.",
    )


def open_adapter() -> Adapter | None:
    """Return the adapter that the settings ask for; None and one warning where they do not allow it."""
    try:
        client, options = read_client(), read_options()
        return Adapter((client or _from_environment.get()).recorder, options)
    except Exception as error:  # noqa: BLE001 - whatever the settings hold: the site serves
        _logger.warning("replaystack: nothing is captured: %s", error)
        return None
