"""Inputs that no literal can express, for the table in `vector_cases.py`."""

from __future__ import annotations

import enum
from typing import Any

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"

SIMPLE = 'def outer():\n    inner()\ndef inner():\n    raise ValueError("boom é")'
CHAINED = (
    "def outer():\n    try:\n        {}['k']\n"
    "    except KeyError as error:\n        raise RuntimeError('second') from error"
)
SILENT = "class Odd(Exception):\n    pass\ndef outer():\n    raise Odd"

PYTHON_TRACE = """Traceback (most recent call last):
  File "/app/main.py", line 18, in create_order
    order["id"]
  File "<string>", line 1, in <module>
  File "/app/views.py", line 7
TypeError: 'NoneType' object is not subscriptable"""

V8_TRACE = """TypeError: Cannot read properties of undefined (reading 'id')
    at createOrder (/srv/app/orders.js:18:11)
    at async Promise.all (index 0)
    at async handler (file:///srv/app/server.mjs:44:5)
    at new Order (/srv/app/order.js:3:9)
    at Object.<anonymous> (C:\\app\\main.js:1:2)
    at /srv/app/anonymous.js:9:1
    at async /srv/app/anonymous.js:10:2
    at node:internal/process/task_queues:95:5
    at <anonymous>"""


class Repeated:
    """Headers of which a name may occur twice, as frameworks have them."""

    def __init__(self, *pairs: tuple[str, Any]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[str, Any]]:
        return list(self._pairs)


class Broken:
    """Headers that cannot be read."""

    def items(self) -> list[tuple[str, Any]]:
        raise RuntimeError("no items today")


class Speaking:
    """An object with a text of its own."""

    def __str__(self) -> str:
        return "speaking"

    __repr__ = __str__


class Silent:
    """An object whose text raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        return "<silent>"


class Colour(enum.Enum):
    """A plain enumeration."""

    RED = "red"


class Level(enum.IntEnum):
    """An enumeration that is a number."""

    HIGH = 3


class Accepting:
    """A transport that takes everything and goes nowhere."""

    status_code = 200
    content = b""
    text = ""

    def post(self, url: str, **request: Any) -> Accepting:
        return self

    def json(self) -> Any:
        return {"success": True}


def cycle() -> dict[str, Any]:
    """Return a dict that holds itself, directly and through a list."""
    value: dict[str, Any] = {"name": "outer", "password": "p"}
    value["self"] = value
    value["items"] = [value, 1]
    return value


def list_cycle() -> list[Any]:
    """Return a list that holds itself."""
    value: list[Any] = [1]
    value.append(value)
    return value


def shared() -> dict[str, Any]:
    """Return a dict that holds the same dict and the same list twice, and no cycle."""
    part, row = {"token": "t", "id": 1}, [1, 2]
    return {"first": part, "second": part, "rows": [row, row]}


def locked() -> dict[str, Any]:
    """Return a dict that cannot be copied deeply."""
    return {"password": "p", "lock": _Uncopyable()}


class _Uncopyable:
    """Refuses to be copied, like a lock, but with a repr that is the same everywhere."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Uncopyable:
        raise TypeError("cannot be copied")

    def __repr__(self) -> str:
        return "<lock>"


def deep(levels: int) -> dict[str, Any]:
    """Return dicts within dicts."""
    value: dict[str, Any] = {"password": "p"}
    for _ in range(levels):
        value = {"next": value}
    return value


def caught(source: str) -> BaseException:
    """Return what `outer()` of `source` raises, with frames that no checkout changes."""
    run = "def run():\n    try:\n        outer()\n    except BaseException as error:\n        return error\n"
    namespace: dict[str, Any] = {}
    exec(compile(f"{source}\n{run}", "<vector>", "exec"), namespace)
    error = namespace["run"]()
    assert isinstance(error, BaseException)
    return error


def getter(**headers: Any) -> Any:
    """Return a header lookup; `_` in a keyword stands for `-`."""
    return {name.replace("_", "-"): value for name, value in headers.items()}.get
