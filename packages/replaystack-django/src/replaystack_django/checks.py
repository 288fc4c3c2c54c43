"""System checks (`manage.py check`): the settings that the adapter reads, and its place in MIDDLEWARE.

All are warnings: an error would keep `migrate` and `runserver` from running, and no mistake in here
is worth that.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Warning as Finding
from django.utils.module_loading import import_string

from .configuration import Problem, read_client, read_options
from .middleware import ReplayStackDjangoMiddleware

__all__ = ["check_settings"]


def check_settings(**_: Any) -> list[Finding]:
    """Return what keeps the adapter from capturing, or makes it do so in vain."""
    installed = _count(list(settings.MIDDLEWARE))
    if not installed:
        if getattr(settings, "REPLAYSTACK_CLIENT", None) is None:
            return []  # imported, and not used: nothing to complain about
        return [
            Finding(
                "There is a REPLAYSTACK_CLIENT, but ReplayStackDjangoMiddleware is not in MIDDLEWARE.",
                hint='Add "replaystack_django.ReplayStackDjangoMiddleware", first or near the beginning.',
                id="replaystack.W004",
            )
        ]
    found = []
    for read in (read_client, read_options):
        try:
            read()
        except Problem as problem:
            found.append(Finding(problem.message, hint=problem.hint, id=problem.identifier))
    if installed > 1:
        message = "ReplayStackDjangoMiddleware is in MIDDLEWARE more than once: only the first captures."
        found.append(Finding(message, hint="Remove the others.", id="replaystack.W005"))
    return found


def _count(paths: list[str]) -> int:
    count = 0
    for path in paths:
        try:
            middleware = import_string(path)
        except Exception:  # noqa: BLE001 - what cannot be imported is for Django to complain about
            continue
        if isinstance(middleware, type) and issubclass(middleware, ReplayStackDjangoMiddleware):
            count += 1
    return count
