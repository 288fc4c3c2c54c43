"""Objects that are not JSON: instances of the application's classes, bytes, containers."""

from __future__ import annotations

import collections
import enum
import logging
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pydantic

from .case import Case, described, leaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plant import Plant

__all__ = ["CASES"]


@dataclass
class _Login:
    user: str
    password: str
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _SlottedLogin:
    __slots__ = ("api_key", "user")
    user: str
    api_key: str


class _Pair(NamedTuple):
    user: str
    accessToken: str  # noqa: N815 - as the wire spells it


class _Model(pydantic.BaseModel):
    user: str
    client_secret: str
    note: str = "x"


class _SecretModel(pydantic.BaseModel):
    user: str
    value: pydantic.SecretStr


class _Talkative:
    """Shows its secret to everyone who prints it, asks for its property or iterates it."""

    def __init__(self, secret: str) -> None:
        self._hidden = secret

    def __repr__(self) -> str:
        return f"<talkative {self._hidden}>"

    @property
    def secret(self) -> str:
        return self._hidden

    def __iter__(self) -> Iterator[str]:
        yield self._hidden


class _Text(str):
    __slots__ = ()


def _secret(plant: Plant) -> str:
    return str(plant.fill("{{secret}}"))


def _jwt(plant: Plant) -> str:
    return str(plant.fill("{{jwt}}"))


def _record(plant: Plant) -> logging.LogRecord:
    return logging.LogRecord("shop", logging.INFO, "a.py", 1, "password=%s", (_secret(plant),), None)


def _attrs(plant: Plant) -> object:
    """Return an instance of an attrs class; without attrs, one that carries the same marks."""
    try:
        import attrs  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - one case does without
    except ImportError:
        made = type("Login", (), {"__attrs_attrs__": (types.SimpleNamespace(name="password"),)})()
        made.password = _secret(plant)
        return made
    maker: Any = attrs.make_class("Login", ["user", "password"])
    return maker("ada", _secret(plant))


def _enum(value: str) -> object:
    Mode = enum.Enum("Mode", {"A": value})  # noqa: N806 - a class
    return next(iter(Mode))


def _circular(plant: Plant) -> dict[str, object]:
    ring: dict[str, object] = {"password": _secret(plant)}
    ring["self"] = ring
    return ring


CASES: Final[list[Case]] = leaks(
    "instances",
    {
        "dataclass": described(lambda plant: _Login("ada", _secret(plant), [f"Bearer {_secret(plant)}"])),
        "dataclass with slots": described(lambda plant: _SlottedLogin("ada", _secret(plant))),
        "list of dataclasses": described(lambda plant: [_Login("ada", _secret(plant))] * 2),
        "NamedTuple": described(lambda plant: _Pair("ada", _secret(plant))),
        "pydantic model": described(lambda plant: _Model(user="ada", client_secret=_secret(plant))),
        "pydantic model, text": described(lambda plant: _Model(user="a", client_secret="", note=_jwt(plant))),
        "pydantic SecretStr": described(
            lambda plant: _SecretModel(user="ada", value=pydantic.SecretStr(_secret(plant)))
        ),
        "attrs": described(_attrs),
        "simple namespace": described(lambda plant: types.SimpleNamespace(password=_secret(plant))),
        "unknown object": described(lambda plant: {"seen": _Talkative(_secret(plant))}),
        "unknown object as key": described(lambda plant: {_Talkative(_secret(plant)): 1}),
        "generator": described(lambda plant: {"rows": (row for row in [_secret(plant)])}),
        "str subclass": described(lambda plant: {"memo": _Text(f"password={_secret(plant)}")}),
        "str subclass as key": described(lambda plant: {_Text("password"): _secret(plant)}),
        "enum value": described(lambda plant: {"mode": _enum(_jwt(plant))}),
        "OrderedDict": described(lambda plant: collections.OrderedDict(api_key=_secret(plant))),
        "defaultdict": described(lambda plant: collections.defaultdict(str, password=_secret(plant))),
        "ChainMap": described(lambda plant: collections.ChainMap({"a": "b"}, {"password": _secret(plant)})),
        "UserDict": described(lambda plant: collections.UserDict(password=_secret(plant))),
        "mapping proxy": described(lambda plant: types.MappingProxyType({"pwd": _secret(plant)})),
        "deque": described(lambda plant: collections.deque([{"password": _secret(plant)}, _jwt(plant)])),
        "bytearray": described(lambda plant: {"raw": bytearray(f"password={_secret(plant)}".encode())}),
        "memoryview": described(lambda plant: {"raw": memoryview(f"password={_secret(plant)}".encode())}),
        "exception": described(lambda plant: {"error": RuntimeError(f"Bearer {_secret(plant)}")}),
        "log record": described(lambda plant: {"record": _record(plant)}),
        "circular": described(_circular),
        "deep list": described(lambda plant: [[[[[[[[{"token": _secret(plant)}]]]]]]]]),
        "beside NaN": described(lambda plant: {"ratio": float("nan"), "password": _secret(plant)}),
        "beside a lock": described(lambda plant: {"lock": object(), "password": _secret(plant)}),
    },
)
