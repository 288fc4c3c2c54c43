"""Secrets made for one case of one run, and put where a template asks for them.

A template is an event with marks in its texts: `{{secret}}` becomes a new random secret, `{{card}}` a
payment card that passes Luhn. Whatever is made is remembered, so that the scorer knows what to look for.
"""

from __future__ import annotations

import base64
import random
import re
import string
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from replaystack.exchange import RawBody, RawHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Plant"]

_MARK: Final = re.compile(r"\{\{([a-z]+)(?: ([a-z0-9]+))?\}\}")
_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_JWT_HEADER: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"


class Plant:
    """The secrets of one case. The same seed and name give the same secrets."""

    def __init__(self, seed: int, name: str) -> None:
        self._chance = random.Random(f"{seed}/{name}")  # noqa: S311 - must be repeatable, opens no door
        self.secrets: list[str] = []
        """Everything that must not be found in what leaves."""
        self._makers: dict[str, Callable[[str], str]] = {
            "secret": lambda size: self._keep(self._text(_ALPHANUMERIC, int(size or 20))),
            "upper": lambda size: self._keep(self._text(string.ascii_uppercase + "234567", int(size))),
            "hex": lambda size: self._keep(self._text("0123456789abcdef", int(size))),
            "digits": lambda size: self._keep("7" + self._text(string.digits, int(size) - 1)),
            "card": self._card,
            "jwt": lambda _: self._jwt(),
            "pem": lambda _: self._pem(),
            "basic": lambda _: self._basic(),
        }

    def fill(self, template: Any) -> Any:
        """Return `template` with each mark replaced; a function in it is called with this plant."""
        kind = type(template)
        if kind is str:
            return self._fill_text(template)
        if kind is bytes:
            return self._fill_text(template.decode("latin-1")).encode("latin-1")
        if kind is dict:
            return {self.fill(key): self.fill(value) for key, value in template.items()}
        if kind in (list, tuple, set, frozenset):
            return kind(self.fill(item) for item in template)
        if kind is RawHeaders:
            return RawHeaders(self.fill(template.items))
        if kind is RawBody:
            data = self.fill(template.data)
            return RawBody(data, template.content_type, template.content_encoding, len(data))
        return template(self) if kind is FunctionType else template

    def _fill_text(self, template: str) -> Any:
        whole = _MARK.fullmatch(template)
        if whole and whole[1] == "int":
            return int(self._card("") if whole[2] == "card" else self._makers["digits"](whole[2]))
        return _MARK.sub(lambda mark: self._makers[mark[1]](mark[2] or ""), template)

    def _text(self, alphabet: str, size: int) -> str:
        """Return random characters, the second of them a digit, as credentials have one."""
        drawn = self._chance.choices(alphabet, k=size)
        if size > 2 and not set(drawn) & set(string.digits):
            drawn[1] = "7"
        return "".join(drawn)

    def _keep(self, secret: str) -> str:
        self.secrets.append(secret)
        return secret

    def _card(self, style: str) -> str:
        """Return a Visa number, or an American Express one; `spaced` and `dashed` are written in groups."""
        body = (
            "37" + self._text(string.digits, 12) if style == "amex" else "4" + self._text(string.digits, 14)
        )
        doubled = sum(int(digit) for place in body[::-2] for digit in str(2 * int(place)))
        card = body + str(-(doubled + sum(map(int, body[-2::-2]))) % 10)
        self._keep(card)
        if style in ("spaced", "dashed"):
            mark = " " if style == "spaced" else "-"
            return self._keep(mark.join(card[at : at + 4] for at in range(0, 16, 4)))
        return card

    def _jwt(self) -> str:
        payload = self._keep(self._text(_ALPHANUMERIC, 60))
        return f"{_JWT_HEADER}.eyJ{payload}.{self._keep(self._text(_ALPHANUMERIC, 43))}"

    def _pem(self) -> str:
        lines = [self._keep(self._text(_ALPHANUMERIC, 64)) for _ in range(3)]
        return "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"])

    def _basic(self) -> str:
        password = self._keep(self._text(_ALPHANUMERIC, 20))
        return self._keep(base64.b64encode(f"ada:{password}".encode()).decode().rstrip("=")) + "=="
