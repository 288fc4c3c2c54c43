"""Values that are not JSON: read without running a line of their own code."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import logging
import pathlib
import threading
import types
import uuid
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, SecretStr

from replaystack.sanitize import Limits, Policy, encode_event, mask_value

POLICY = Policy.build()
M = "[MASKED]"


def plain(value: object) -> Any:
    """Return `value` masked, after a look that it is JSON."""
    masked = mask_value(value, POLICY)
    json.dumps(masked, allow_nan=False)
    return masked


class Colour(enum.Enum):
    RED = "red"
    NESTED = ("a", {"token": "x"})


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Point(NamedTuple):
    x: int
    token: str


@dataclasses.dataclass
class Account:
    user: str
    password: str
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    a: int
    secret: str


class Child(Account):
    extra = "class attribute"


class Model(BaseModel):
    user: str
    api_key: str
    pin: SecretStr = SecretStr("1234")


SHANGHAI = ZoneInfo("Asia/Shanghai")

VALUES: list[tuple[Any, Any]] = [
    (float("nan"), "NaN"),
    (float("inf"), "Infinity"),
    (float("-inf"), "-Infinity"),
    (1e400, "Infinity"),
    (-0.0, -0.0),
    (1e16, 1e16),
    (10**39, 10**39),
    (-(10**40), str(-(10**40))),
    (10**5000, "<int>"),
    (True, True),
    ("a\ud800b\udc00", "a\ufffdb\ufffd"),
    ("\x00", "\x00"),
    (b"abc", "abc"),
    (b"\xff\xfe", {"__bytes": 2}),
    (bytearray(b"abc"), "abc"),
    ('{"password": "x"}'.encode("utf-16-le"), {"__bytes": 34}),
    (memoryview(b"abc"), "abc"),
    (b"password=x", f"password={M}"),
    ((1, (2,)), [1, [2]]),
    ({3}, [3]),
    (frozenset({3}), [3]),
    (collections.deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    (array.array("i", [1, 2]), [1, 2]),
    (collections.OrderedDict(b=1, token="x"), {"b": 1, "token": M}),
    (collections.defaultdict(list, {"a": [1]}), {"a": [1]}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (collections.ChainMap[str, Any]({"a": 1}, {"a": 2, "token": "x"}), {"a": 1, "token": M}),
    (collections.UserDict({"password": "x"}), {"password": M}),
    (collections.UserList([1]), [1]),
    (collections.UserString("token=x"), f"token={M}"),
    (types.MappingProxyType({"password": "x"}), {"password": M}),
    ({"password": 1}.items(), [["password", M]]),
    ({"a": 1}.keys(), ["a"]),
    ({"a": 1}.values(), [1]),
    (dt.datetime(2026, 11, 20, 1, 2, 3, 4000), "2026-11-20T01:02:03.004000"),  # noqa: DTZ001 - naive on purpose
    (dt.datetime(2026, 11, 20, tzinfo=dt.timezone.utc), "2026-11-20T00:00:00+00:00"),
    (dt.datetime(2026, 11, 20, tzinfo=SHANGHAI), "2026-11-20T00:00:00+08:00"),
    (dt.date(2026, 11, 20), "2026-11-20"),
    (dt.time(1, 2, 3), "01:02:03"),
    (dt.timedelta(seconds=61), "0:01:01"),
    (decimal.Decimal("1.10"), "1.10"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Colour.NESTED, ["a", {"token": M}]),
    (Number.ONE, 1),
    (Text("token=x"), f"token={M}"),
    (Point(1, "x"), {"x": 1, "token": M}),
    (Account("ada", "x"), {"user": "ada", "password": M, "tags": []}),
    (Child("ada", "x"), {"user": "ada", "password": M, "tags": []}),
    (Slotted(1, "x"), {"a": 1, "secret": M}),
    (Model(user="ada", api_key="x"), {"user": "ada", "api_key": M, "pin": M}),
    (SecretStr("1234"), "<pydantic.types.SecretStr>"),
    (ValueError("bad password=x"), f"bad password={M}"),
    (KeyError("password"), "'password'"),
    (logging.LogRecord("n", 20, "p", 1, "token=%s", ("x",), None), f"token={M}"),
    (object(), "<builtins.object>"),
    ((item for item in [1]), "<builtins.generator>"),
    (int, "<builtins.type>"),
    (len, "<builtins.builtin_function_or_method>"),
    (threading.Lock(), "<_thread.lock>"),
]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=[type(value).__name__ for value, _ in VALUES])
def test_values_of_python_become_json(value: object, expected: Any) -> None:
    """Each kind of value has one JSON form, the same at the top, in a list and in a dict."""
    assert plain(value) == expected
    assert plain([value, {"v": value}]) == [expected, {"v": expected}]


KEYS: list[tuple[Any, str]] = [
    (1, "1"),
    (1.5, "1.5"),
    (True, "true"),
    (None, "null"),
    (float("nan"), "NaN"),
    (Colour.RED, "red"),
    (Number.ONE, "1"),
    (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (b"abc", "abc"),
    (b"\xff", "bytes"),
    ((1, 2), "tuple"),
    (Text("a"), "a"),
    (10**50, str(10**50)),
    (frozenset(), "frozenset"),
    ("a\ud800", "a\ufffd"),
]


@pytest.mark.parametrize(("key", "text"), KEYS, ids=[text.replace("\ufffd", "?") for _, text in KEYS])
def test_keys_become_texts(key: Any, text: str) -> None:
    """Whatever a key is, it has a text; what has none is named by its type."""
    assert plain({key: 1}) == {text: 1}


def test_bytes_and_other_keys_are_judged_by_their_text() -> None:
    """A secret's name is one in bytes or as an Enum too."""
    name = enum.Enum("name", {"SECRET": "api_key"})
    assert plain({b"password": "x", name.SECRET: "y", Text("token"): "z"}) == dict.fromkeys(
        ("password", "api_key", "token"), M
    )
    assert plain([[b"password", "x"], (Text("token"), "y")]) == [["password", M], ["token", M]]
    assert plain({b"name": b"password", b"value": "x"}) == {"name": "password", "value": M}


def test_attrs_classes_are_read_by_their_fields() -> None:
    """Classes of attrs show their fields as declared, with or without slots."""
    attrs = pytest.importorskip("attrs")
    fields = {"user": attrs.field(), "password": attrs.field()}
    for slots in (True, False):
        made = attrs.make_class("Made", fields, slots=slots)
        assert list(plain(made("ada", "x")).items()) == [("user", "ada"), ("password", M)]


def test_structs_are_read_by_their_fields() -> None:
    """A Struct of msgspec shows its fields as declared."""
    msgspec = pytest.importorskip("msgspec")
    made = msgspec.defstruct("Made", [("user", str), ("password", str)])
    assert list(plain(made("ada", "x")).items()) == [("user", "ada"), ("password", M)]


FIRED: list[str] = []
"""The code of foreign objects that ran."""


def _fire(*_args: Any) -> Any:
    FIRED.append("ran")
    raise AssertionError("code of a foreign object ran")


_HOOKS = """
__str__ __repr__ __iter__ __len__ __getitem__ __bool__ __eq__ __hash__ __getattr__ __contains__ keys
items __reduce_ex__ __format__ __int__ __float__ __index__ __fspath__ isoformat utcoffset dst tzname
decode
""".split()  # noqa: SIM905 - reads as a table


def _explosive(*bases: type, **more: Any) -> Any:
    """Return a class whose every hook fires."""
    return type("Explosive", bases, {**dict.fromkeys(_HOOKS, _fire), **more})


class Meta(type):
    """A metaclass whose hooks fire once its classes are made."""

    armed = False

    def _fire(cls, *_args: Any) -> Any:
        return _fire() if Meta.armed else NotImplemented

    def __getattribute__(cls, name: str) -> Any:
        return _fire() if Meta.armed else type.__getattribute__(cls, name)

    def __hash__(cls) -> int:
        return _fire() if Meta.armed else id(cls)

    __eq__ = __instancecheck__ = __subclasscheck__ = _fire


def _explosive_values() -> list[object]:
    filled = dict.__new__(_explosive(dict))
    dict.__setitem__(filled, "password", "x")
    numbers = list.__new__(_explosive(list))
    list.append(numbers, 1)
    made: Any = Meta("Made", (), {})
    zone = _explosive(dt.tzinfo)()
    hollow = property(_fire)
    wrapped = object.__new__(_explosive(collections.UserDict, __dict__=hollow))
    return [
        object.__new__(_explosive(__dict__=hollow, __class__=hollow)),
        filled,
        numbers,
        str.__new__(_explosive(str), "abc"),
        int.__new__(_explosive(int), 5),
        bytes.__new__(_explosive(bytes), b"abc"),
        set.__new__(_explosive(set)),
        _explosive(dt.datetime, year=hollow)(2026, 1, 2),
        dt.datetime(2026, 1, 2, tzinfo=zone),
        dt.time(1, 2, tzinfo=zone),
        pathlib.PurePosixPath.__new__(_explosive(pathlib.PurePosixPath), "/a"),
        _explosive(decimal.Decimal)("1.5"),
        _explosive(uuid.UUID, int=hollow).__new__(_explosive(uuid.UUID)),
        object.__new__(made),
        made,
        wrapped,
    ]


def test_no_code_of_a_value_runs() -> None:
    """Neither text forms, properties, iterators, lengths, hashes nor metaclasses are called."""
    values = _explosive_values()
    FIRED.clear()  # what making them took
    Meta.armed = True
    try:
        masked = [plain(value) for value in values]
    finally:
        Meta.armed = False
    assert FIRED == []
    assert masked[1] == {"password": M}
    assert masked[2:6] == [[1], "abc", 5, "abc"]
    assert masked[7:12] == ["2026-01-02T00:00:00", "2026-01-02T00:00:00", "01:02:00", masked[10], "1.5"]
    assert masked[10].startswith("<")


def test_explosive_values_inside_of_others() -> None:
    """As keys, under secret keys and in pairs they are as harmless."""
    bomb = object.__new__(_explosive())
    key = object.__new__(_explosive(__hash__=object.__hash__, __eq__=object.__eq__))
    given = {"password": bomb, "a": [bomb, (bomb, 1), [["x", bomb]]], key: bomb, "value": bomb, "name": bomb}
    FIRED.clear()
    masked = plain(given)
    assert FIRED == []
    assert masked["password"] == M


def test_a_lazy_object_is_not_evaluated() -> None:
    """Django's lazy objects and query sets stay what they are: no SQL, no import, no callback."""
    from django.utils.functional import SimpleLazyObject

    def evaluate() -> object:
        raise AssertionError("evaluated")

    assert plain({"user": SimpleLazyObject(evaluate)}) == {
        "user": "<django.utils.functional.SimpleLazyObject>"
    }


def test_generators_keep_their_items() -> None:
    """An iterator in a payload is not consumed."""
    items = iter([1, 2])
    assert plain({"items": items}) == {"items": "<builtins.list_iterator>"}
    assert list(items) == [1, 2]


def test_an_exception_is_asked_once_and_guarded() -> None:
    """The text of an exception is its own; one that fails costs that text alone."""

    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    class LiarError(Exception):
        def __str__(self) -> str:
            return Text("token=x")

    assert plain([SilentError(), LiarError(), 1]) == ["[Unreadable]", f"token={M}", 1]
    record = logging.LogRecord("n", 20, "p", 1, "%d", ("x",), None)
    assert plain(record) == "[Unreadable]"


def test_cycles_end_and_shared_objects_stay() -> None:
    """Only a true cycle is cut: the same object twice is written twice."""
    shared = {"x": 1}
    assert plain({"p": shared, "q": [shared, shared]}) == {"p": {"x": 1}, "q": [{"x": 1}, {"x": 1}]}
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = [loop]
    assert plain(loop) == {"a": 1, "self": ["[Circular]"]}
    account = Account("ada", "x")
    account.tags = [account]  # type: ignore[list-item]
    assert plain(account) == {"user": "ada", "password": M, "tags": ["[Circular]"]}
    pair: list[Any] = ["a", None]
    pair[1] = pair
    assert plain([pair]) == [["a", "[Circular]"]]
    wrapped = collections.UserList([1])
    wrapped.data = wrapped  # type: ignore[assignment]
    assert plain(wrapped) == "[Unreadable]"


def test_depth_is_bounded() -> None:
    """Containers deeper than 64 are named, not walked."""
    value: Any = "x"
    for _ in range(100_000):
        value = [value]
    masked = plain(value)
    for _ in range(64):
        [masked] = masked
    assert masked == "[Depth]"
    inner: Any = {"token": "x"}
    for _ in range(63):
        inner = {"a": inner}
    assert '"token":"[MASKED]"' in json.dumps(plain(inner), separators=(",", ":"))


def test_a_dict_that_changes_while_it_is_read() -> None:
    """Another thread may change what is being captured: the event comes out and nothing raises."""
    shared: dict[str, Any] = {str(number): {"token": "x"} for number in range(200)}
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shared[str(number % 400)] = {"token": "x"}
            shared.pop(str((number * 7) % 400), None)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(50):
            masked = plain(
                [shared, collections.OrderedDict(shared.copy()), collections.defaultdict(int, shared.copy())]
            )
            assert all(item == {"token": M} for item in masked[0].values())
    finally:
        stop.set()
        thread.join()


def test_huge_containers_are_bounded_by_the_limit() -> None:
    """A million keys cost no more than four times the limit, and the mark says that it is a lower bound."""
    limits = Limits(max_payload_bytes=10_000)
    for huge in (
        dict.fromkeys(range(1_000_000), 1),
        [0] * 1_000_000,
        [{"a": [1] * 1000}] * 100_000,
        {"a": "x " * 25_000_000},
        ["y" * 1000] * 100_000,
    ):
        event = {"requestPayload": {"password": "hunter2", "huge": huge}}
        mark = json.loads(encode_event(event, POLICY, limits).data)["requestPayload"]
        assert mark["__truncated"] is True
        assert mark["originalSizeBytes"] == 40_000
        assert mark["sizeIsLowerBound"] is True
        assert mark["preview"].startswith(f'{{"password":"{M}","huge":')
        assert len(mark["preview"]) == 2000


def test_an_own_mapping_that_lies_is_not_asked() -> None:
    """A dict with a false length, and a mapping that is none of the standard library's."""

    class Liar(dict):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 10**9

        def items(self) -> Any:
            raise AssertionError("called")

    class Own(collections.abc.Mapping):  # type: ignore[type-arg]
        def __getitem__(self, key: str) -> str:
            raise AssertionError("called")

        __iter__ = __len__ = __getitem__  # type: ignore[assignment]

    assert plain(Liar(token="x")) == {"token": M}
    assert plain(Own()).startswith("<")
    assert plain(types.MappingProxyType(Own())).startswith("<")
