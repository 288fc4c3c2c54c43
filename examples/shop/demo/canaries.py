"""The secrets that the demo plants, each made up afresh in every run.

A fixed secret would prove little: a receiver could be made to leave just that one out.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass

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
        self.marker = f"marker{secrets.token_hex(12)}"
        self._values: dict[str, str] = {}

    def plant(self, where: str, value: str | None = None) -> str:
        """Remember a secret that goes to `where`, a new token unless `value` is given, and return it."""
        value = secrets.token_urlsafe(24) if value is None else value
        # One value may be planted in several places: it is one secret, with all of them named.
        self._values[value] = f"{self._values[value]}; {where}" if value in self._values else where
        return value

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
