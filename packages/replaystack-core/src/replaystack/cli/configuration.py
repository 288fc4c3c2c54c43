"""What a client would be configured with here: the variables of the environment, the two options given."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from ..config import OPTIONS, Config, resolve
from .findings import note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .findings import Finding

__all__ = ["Setting", "check_configuration", "read_setting"]

_PREFIX = "REPLAYSTACK_"
_OTHERS = (
    "REPLAYSTACK_BACKEND",
    "REPLAYSTACK_SERVER_INGEST_KEY",
    "REPLAYSTACK_SERVER_READ_TOKEN",
    "REPLAYSTACK_SERVER_VIEWER_TOKEN",
)
_BACKENDS = ("auto", "python", "native")


class Setting(NamedTuple):
    """What was found out about a client's options."""

    config: Config
    has_key: bool
    """False: there is none, and `config.api_key` only stands in for it."""

    @property
    def is_address_usable(self) -> bool:
        """Whether the address is the one that was meant, and not the default instead of a malformed one."""
        return not any(
            line.startswith(f"{_PREFIX}{name}") for line in self.config.malformed for name in _URLS
        )


_URLS = ("ENDPOINT", "INGEST_URL")


def read_setting(options: Mapping[str, Any]) -> Setting:
    """Resolve the options as a client would.

    Raises:
        ConfigError: one of `options` has a value that cannot work.

    """
    has_key = bool(options.get("api_key") or os.environ.get("REPLAYSTACK_API_KEY", "").strip())
    config = resolve(options if has_key else {**options, "api_key": "none"})
    return Setting(config, has_key)


def check_configuration(setting: Setting) -> Iterator[Finding]:
    """Look at the key, at malformed variables, and at names that are nearly ours."""
    config = setting.config
    if not setting.has_key:
        yield problem(
            "key", "there is no API key: set REPLAYSTACK_API_KEY; a client without one raises ConfigError"
        )
    named = sorted(name for name, value in os.environ.items() if name.startswith(_PREFIX) and value.strip())
    for line in config.malformed:
        yield problem("variables", line, variable=line.partition(" ")[0])
    backend = os.environ.get("REPLAYSTACK_BACKEND", "").strip().lower()
    if backend and backend not in _BACKENDS:
        text = f"REPLAYSTACK_BACKEND must be one of {', '.join(_BACKENDS)}"
        yield problem("variables", text, variable="REPLAYSTACK_BACKEND")
    known = {option.env for option in OPTIONS.values() if option.env}.union(_OTHERS)
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield note("variables", f"{name} is no variable of ours{hint}", variable=name)
    read = [name for name in named if name in known]
    yield ok("variables", f"read: {', '.join(read) or 'none'}", read=read)
    if not config.enabled and setting.is_address_usable:
        yield note("enabled", "capturing is switched off (REPLAYSTACK_ENABLED)")
