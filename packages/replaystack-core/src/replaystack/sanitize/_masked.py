"""The one type that sockets and files accept: bytes that went through masking."""

from __future__ import annotations

from typing import Any, NoReturn, final

__all__ = ["Masked", "seal"]

_SEAL = object()


@final
class Masked:
    """One JSON document, UTF-8, masked and limited. Only `replaystack.sanitize` can make one.

    Immutable and safe to share between threads. Its text forms show the size and never the content,
    so that it may stand in a log line or a traceback. It can neither be pickled nor subclassed:
    either would be a second road to `Masked` past the masking. `copy` returns the same object.
    """

    __slots__ = ("_data",)
    _data: bytes

    def __init__(self, data: bytes, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Masked is made by replaystack.sanitize only")
        object.__setattr__(self, "_data", data)

    def __init_subclass__(cls, **_kwargs: Any) -> NoReturn:
        raise TypeError("Masked cannot be subclassed")

    @property
    def data(self) -> bytes:
        """The document itself."""
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if type(other) is Masked else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<Masked {len(self._data)} bytes>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("Masked is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Masked is immutable")

    def __copy__(self) -> Masked:
        return self

    def __deepcopy__(self, memo: object) -> Masked:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Masked cannot be pickled: bytes from elsewhere must be masked again")


def seal(data: bytes) -> Masked:
    """Declare `data` masked. To be called by the encoders of this package alone."""
    return Masked(data, _SEAL)
