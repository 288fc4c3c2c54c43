"""Secrets to plant, each made up afresh in every run, and the places where applications carry them.

A fixed secret would prove little: a masker could be made to leave just that one out.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

__all__ = ["Canaries", "Secret", "card_number", "jwt", "password"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be found, and where it was put."""

    where: str
    value: str

    def __repr__(self) -> str:
        """Name the place only: this is what a failing test prints."""
        return f"Secret({self.where!r})"


class Canaries:
    """The secrets of one run, and one harmless marker that must be found where they must not."""

    def __init__(self) -> None:
        """Start with no secret; the marker is there from the beginning."""
        self.marker: str = f"marker{secrets.token_hex(12)}"
        self._values: dict[str, str] = {}

    def plant(self, where: str, value: str | None = None) -> str:
        """Remember a secret that goes to `where`, a new token unless `value` is given, and return it."""
        value = secrets.token_urlsafe(24) if value is None else value
        # One value may be planted in several places: it is one secret, with all of them named.
        self._values[value] = f"{self._values[value]}; {where}" if value in self._values else where
        return value

    def headers(self) -> dict[str, str]:
        """Return request headers with a secret in each, cookies included."""
        return {
            "Authorization": f"Bearer {self.plant('header Authorization')}",
            "X-Api-Key": self.plant("header X-Api-Key"),
            "Cookie": f"session={self.plant('cookie session')}; theme={self.plant('cookie theme')}",
            "Referer": f"https://shop.example/callback?access_token={self.plant('header Referer')}",
        }

    def query(self) -> str:
        """Return a query string (without the question mark) with secrets beside a harmless parameter."""
        return f"page=2&token={self.plant('query token')}&api_key={self.plant('query api_key')}"

    def json_body(self) -> dict[str, Any]:
        """Return a JSON object with secrets at several depths, the marker, and a text that quotes one."""
        return {
            "note": self.marker,
            "password": self.plant("JSON password"),
            "card": {"card_number": self.plant("JSON card_number", card_number("4242")), "cvv": 987},
            "nested": [{"clientSecret": self.plant("JSON clientSecret")}],
            "remark": f"my token={self.plant('text in JSON')} does not work",
            "jwt_in_text": f"sent {self.plant('JWT in text', jwt())} along",
        }

    def form(self) -> str:
        """Return a form body with a secret field."""
        return f"user=ada&password={quote_plus(self.plant('form password', password()))}"

    def exception(self) -> RuntimeError:
        """Return an exception whose message and cause quote secrets, as drivers' messages do."""
        error = RuntimeError(f"login failed: password={self.plant('exception message')}")
        where = f"postgresql://shop:{self.plant('exception cause')}@db/orders"
        error.__cause__ = ConnectionError(f"{where} is away")
        return error

    def log_message(self) -> str:
        """Return a log line that quotes a secret."""
        return f"retrying with Authorization: Bearer {self.plant('log message')}"

    @property
    def planted(self) -> list[Secret]:
        """Every secret of this run, in the order of planting."""
        return [Secret(where, value) for value, where in self._values.items()]


def password(accent: str = "é") -> str:
    """Return a new password that is awkward in JSON, in forms and in URLs."""
    return f'p"a\\s/s+{accent}%&= {secrets.token_hex(12)}'


def card_number(prefix: str) -> str:
    """Return a new 16-digit card number that begins with `prefix` and has a valid check digit."""
    body = prefix + "".join(str(secrets.randbelow(10)) for _ in range(15 - len(prefix)))
    # Luhn: from the right, beginning with the digit before the check digit, each second one is doubled.
    doubled = [int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(body))]
    total = sum(number // 10 + number % 10 for number in doubled)
    return body + str(-total % 10)


def jwt() -> str:
    """Return a new token in the shape of a JSON Web Token; nobody could verify its signature."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"jti": secrets.token_hex(12), "sub": "ada"})
    encoded = [_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return ".".join([*encoded, _base64url(secrets.token_bytes(32))])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
