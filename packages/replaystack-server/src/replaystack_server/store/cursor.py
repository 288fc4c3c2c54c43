"""The opaque text by which a reader says where a page ended."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Literal

__all__ = ["Cursor", "CursorError"]

_LAYOUT = struct.Struct(">BQ")
_DIRECTIONS: tuple[Literal["older"], Literal["newer"]] = ("older", "newer")
_MOST = 2**63 - 1
"""SQLite's largest integer: a larger position would fail inside the query."""


class CursorError(ValueError):
    """A text that this server never gave out as a cursor."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two events and the direction to read in.

    It names a place and no page number, so new events never shift what comes next.
    """

    direction: Literal["older", "newer"]
    position: int

    def __str__(self) -> str:
        raw = _LAYOUT.pack(_DIRECTIONS.index(self.direction), self.position)
        return base64.urlsafe_b64encode(raw).decode("ascii")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str(cursor)` wrote.

        Raises:
            CursorError: for anything else.

        """
        try:
            direction, position = _LAYOUT.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
            cursor = cls(_DIRECTIONS[direction], position)
        except (binascii.Error, struct.error, ValueError, IndexError):
            raise CursorError("not a cursor of this server") from None
        # A second spelling of the same bytes would break "what we gave out is what we take".
        if position > _MOST or str(cursor) != text:
            raise CursorError("not a cursor of this server")
        return cursor
