"""What is installed: the backend, our own distributions, a rival for their names, other SDKs."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from typing import TYPE_CHECKING, Any

from .. import sanitize
from ..version import __version__
from .findings import note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .findings import Finding

__all__ = ["check_backend", "check_distributions", "check_other_sdks"]

_OURS = re.compile(r"replaystack-(core|fastapi|flask|django|sdk|server|native)")
_DROP_IN = "replaystack_sdk"

_OTHER_SDKS = {
    "apitally": "apitally",
    "datadog": "datadog",
    "ddtrace": "ddtrace",
    "elastic-apm": "elasticapm",
    "honeybadger": "honeybadger",
    "logfire": "logfire",
    "newrelic": "newrelic",
    "rollbar": "rollbar",
    "sentry-sdk": "sentry_sdk",
}
"""Distribution -> the module it is imported as."""
_OTEL = re.compile(r"opentelemetry-instrumentation-(asgi|django|fastapi|flask|starlette|wsgi)")


def check_backend() -> Iterator[Finding]:
    """Tell which implementation masks, and why."""
    status_of: Any = getattr(sanitize, "native_status", None)
    if status_of is None:
        yield ok("backend", "python", backend="python")
        return
    try:
        status = status_of()
    except ImportError as error:  # REPLAYSTACK_BACKEND=native, and there is none
        yield problem("backend", f"the native one was asked for and cannot be had: {error}")
        return
    why = f": {status.reason}" if status.reason else ""
    yield ok("backend", f"{status.backend}{why}", backend=status.backend, reason=status.reason)


def _name(distribution: importlib.metadata.Distribution) -> str:
    """Return the name in the form that all indexes agree on; empty for what is no sound distribution."""
    name: str | None = distribution.metadata["Name"]
    return re.sub(r"[-_.]+", "-", name or "").lower()


def check_distributions() -> Iterator[Finding]:
    """Look for versions that do not belong together, and for a second provider of the drop-in."""
    found: dict[str, list[str]] = {}
    providers: set[tuple[str, str]] = set()
    for distribution in importlib.metadata.distributions():
        name = _name(distribution)
        if _OURS.fullmatch(name):
            found.setdefault(name, []).append(distribution.version)
        if name == _DROP_IN.replace("_", "-") or _provides(distribution, _DROP_IN):
            providers.add((name, distribution.version))
    facts = {"installed": {name: versions[0] for name, versions in sorted(found.items())}}
    for name, versions in sorted(found.items()):
        # The one that is imported comes first; a second one lies behind it on the path.
        for version in dict.fromkeys(versions):
            if version != __version__:
                text = f"{name} {version} is installed beside core {__version__}: they belong together"
                yield problem("versions", text, distribution=name, version=version)
    yield ok(
        "versions", ", ".join(f"{name} {versions[0]}" for name, versions in sorted(found.items())), **facts
    )
    others = sorted(
        provider for provider in providers if provider != (_DROP_IN.replace("_", "-"), __version__)
    )
    if len(providers) > 1 and others:
        named = ", ".join(f"{name} {version}" for name, version in sorted(providers))
        text = f"`{_DROP_IN}` is provided by {named}: which one is imported is a matter of luck; keep one"
        yield problem("drop-in", text, providers=[list(provider) for provider in sorted(providers)])


def _provides(distribution: importlib.metadata.Distribution, package: str) -> bool:
    """Tell whether files of `package` belong to the distribution, without importing anything."""
    for record in ("RECORD", "installed-files.txt", "SOURCES.txt"):
        listed = distribution.read_text(record)
        if listed is not None:
            return re.search(rf"(^|/){package}/__init__\.py", listed, re.MULTILINE) is not None
    return False


def check_other_sdks() -> Iterator[Finding]:
    """Name the SDKs that wrap applications as ours do. That is allowed; the order of wrapping matters."""
    for distribution in importlib.metadata.distributions():
        name = _name(distribution)
        module = _OTHER_SDKS.get(name)
        if module is None and _OTEL.fullmatch(name):
            module = name.replace("-", "_").replace("_instrumentation_", ".instrumentation.")
        if module is None:
            continue
        is_imported = module in sys.modules
        state = "imported" if is_imported else "installed"
        version = distribution.version
        text = f"{name} {version} is {state}: it may wrap the application too; set ReplayStack up last"
        yield note("other SDKs", text, distribution=name, version=version, imported=is_imported)
