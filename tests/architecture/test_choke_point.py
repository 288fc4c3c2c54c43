"""There is one road out of the process, and it leads through `replaystack.sanitize`."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path

import pytest

import replaystack
from replaystack.delivery import HttpTransport, UserTransport
from replaystack.sanitize import Masked, Policy, encode_event

CORE = Path(replaystack.__file__).parent

# Modules of the standard library and of third parties that carry bytes out of a process.
CARRIERS = {
    "asyncio.streams", "ftplib", "http.client", "httpx", "requests", "shelve", "smtplib", "socket", "sqlite3",
    "ssl", "subprocess", "urllib.request", "urllib3", "xmlrpc",
}  # fmt: skip
# Where they may be named: the transport, and a test helper that reads what a receiver stored.
ALLOWED = {
    "delivery/transport.py": {"requests", "urllib3"},
    "delivery/lazy_imports.py": {"requests", "urllib3"},
    "delivery/deadline.py": {"socket", "urllib3"},  # urllib3: waiting for a socket, whatever its number
    "testing/storage.py": {"sqlite3"},
}


def modules() -> list[tuple[str, ast.Module]]:
    """Return every module of core, parsed, by its path inside the package."""
    return [(str(path.relative_to(CORE)), ast.parse(path.read_text())) for path in sorted(CORE.rglob("*.py"))]


def imported(tree: ast.Module) -> set[str]:
    """Return the absolute names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def called(tree: ast.Module) -> set[str]:
    """Return the bare names that a module calls."""
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize(
    ("path", "tree"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_only_the_transport_reaches_the_network(path: str, tree: ast.Module) -> None:
    """No other module of core imports what could carry an event out, or opens a file."""
    carriers = {
        carrier
        for name in imported(tree)
        for carrier in CARRIERS
        if name == carrier or name.startswith(carrier + ".")
    }
    assert carriers <= ALLOWED.get(path, set())
    assert "open" not in called(tree)


@pytest.mark.parametrize(
    ("path", "tree"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_only_sanitize_makes_masked_bytes(path: str, tree: ast.Module) -> None:
    """`seal` is called, and `Masked` constructed, inside of `sanitize` alone."""
    if path.startswith("sanitize/"):
        return
    assert not {"seal", "Masked"} & called(tree)
    assert not [name for name in imported(tree) if "_masked" in name]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert not node.module.endswith("sanitize._masked")
            assert "seal" not in {alias.name for alias in node.names}


def test_masked_cannot_be_forged() -> None:
    """Not by its constructor, not by a subclass, not by pickling, not by changing one."""
    event = encode_event({"traceId": "t"}, Policy.build())
    with pytest.raises(TypeError):
        Masked(b"{}", object())
    with pytest.raises(TypeError):
        type("Forged", (Masked,), {})
    with pytest.raises(TypeError):
        pickle.dumps(event)
    with pytest.raises(AttributeError):
        event._data = b"raw"
    assert copy.copy(event) is event
    assert copy.deepcopy(event) is event
    assert "t" not in repr(event).replace("bytes", "").replace("Masked", "")


class LooksMasked:
    data = b'{"password": "raw"}'

    def __len__(self) -> int:
        return len(self.data)


@pytest.mark.parametrize("body", [b"{}", "{}", {}, LooksMasked(), None])
def test_a_transport_takes_nothing_else(body: object) -> None:
    """What was not made by `sanitize` is refused before any connection is opened."""

    class Recorder:
        called = False

        def post(self, *args: object, **kwargs: object) -> None:
            self.called = True

    recorder = Recorder()
    with pytest.raises(TypeError):
        UserTransport(recorder).post("http://127.0.0.1:9/", body, {}, 1.0)  # type: ignore[arg-type]  # the point
    assert not recorder.called
    with pytest.raises(TypeError):
        HttpTransport().post("http://127.0.0.1:9/", body, {}, 1.0)  # type: ignore[arg-type]  # the point
