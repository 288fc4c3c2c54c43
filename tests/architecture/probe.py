"""What an import does besides defining names, seen from inside a fresh interpreter.

Started as a script in a child process: `probe.py MODULE [FRAMEWORK]`. Prints one JSON list of findings; an
empty list is a harmless import. It looks at the process only, so any module can be probed. The framework is
imported before the watch begins: what it does by itself is not our doing.
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import os
import signal
import sys
import threading
from typing import Any

# Audit events that an import has no business raising. Opening a file to read is how imports work;
# opening one to write is not.
FORBIDDEN_EVENTS = (
    "socket.",
    "subprocess.",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.mkdir",
    "os.remove",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND


class Probe:
    """Records what happens between `start` and `findings`."""

    def __init__(self, subject: str, framework: str = "") -> None:
        self._subject = subject.partition(".")[0]
        self._framework = framework.partition(".")[0]
        self._found: list[str] = []
        self._modules: set[str] = set()
        self._hooks: dict[str, object] = {}

    def start(self) -> None:
        """Begin to watch. The audit hook cannot be removed: this process is good for one probe."""
        self._modules = set(sys.modules)
        self._hooks = _hooks()
        self._watch_registrations(atexit, "register")
        self._watch_registrations(os, "register_at_fork")
        sys.addaudithook(self._audit)

    def findings(self) -> list[str]:
        """Return what has happened since `start`, in words."""
        found = list(dict.fromkeys(self._found))
        found += [f"hook changed: {name}" for name, hook in _hooks().items() if hook != self._hooks[name]]
        found += [f"thread: {t.name}" for t in threading.enumerate() if t is not threading.main_thread()]
        tops = {name.partition(".")[0] for name in set(sys.modules) - self._modules}
        known = {*sys.stdlib_module_names, self._subject, self._framework, "replaystack"}
        found += [f"third-party module: {name}" for name in sorted(tops - known)]
        return found

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN_EVENTS):
            self._found.append(f"audit event: {event}")
        elif event == "open" and len(arguments) == 3 and int(arguments[2] or 0) & WRITING:
            self._found.append(f"file opened for writing: {arguments[0]}")

    def _watch_registrations(self, module: Any, name: str) -> None:
        """Note calls of `module.name` that come from us; the standard library's own are its affair."""
        original = getattr(module, name)

        def register(*arguments: Any, **keywords: Any) -> Any:
            caller = str(sys._getframe(1).f_globals.get("__name__"))
            if caller.partition(".")[0] in {self._subject, "replaystack"}:
                self._found.append(f"{module.__name__}.{name} called by {caller}")
            return original(*arguments, **keywords)

        setattr(module, name, register)


def _hooks() -> dict[str, object]:
    """Return everything process-wide that a library could put itself into."""
    hooks: dict[str, object] = {
        "sys.excepthook": sys.excepthook,
        "sys.unraisablehook": sys.unraisablehook,
        "sys.meta_path": list(sys.meta_path),
        "sys.path_hooks": list(sys.path_hooks),
        "sys.gettrace()": sys.gettrace(),
        "sys.getprofile()": sys.getprofile(),
        "threading.excepthook": threading.excepthook,
        "root logger's handlers": list(logging.getLogger().handlers),
        "root logger's level": logging.getLogger().level,
        "logging.getLoggerClass()": logging.getLoggerClass(),
        "logging.getLogRecordFactory()": logging.getLogRecordFactory(),
    }
    hooks.update({f"handler of {number.name}": signal.getsignal(number) for number in signal.Signals})
    return hooks


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    probe = Probe(*sys.argv[1:])
    probe.start()
    importlib.import_module(sys.argv[1])
    sys.stdout.write(json.dumps(probe.findings()))
