"""A request's body as the application reads it, with eyes on what passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..diagnostics import Guard
    from .recording import Recording

__all__ = ["RequestStream"]


class RequestStream:
    """Stands in for a binary stream (`wsgi.input`): reads what it is asked for, no byte more.

    Whatever the stream can do besides reading goes to the stream itself. What is read while the
    exchange runs is noted in `recording`, as far as the limit goes. As safe across threads as
    the stream is. An OSError of the stream is how servers say that the caller is gone.
    """

    def __init__(self, stream: Any, recording: Recording, guard: Guard) -> None:
        self._stream = stream
        self._recording = recording
        self._guard = guard

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        """Read as the stream does."""
        return self._take(self._stream.read, args, kwargs)

    def readline(self, *args: Any, **kwargs: Any) -> bytes:
        """Read a line as the stream does."""
        return self._take(self._stream.readline, args, kwargs, whole=False)

    def readlines(self, *args: Any, **kwargs: Any) -> list[bytes]:
        """Read lines as the stream does."""
        try:
            lines: list[bytes] = self._stream.readlines(*args, **kwargs)
        except OSError:
            self._recording.caller_gone()
            raise
        self._note(lines, last=not args or not lines)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            line: bytes = next(self._stream)
        except StopIteration:
            self._note((), last=True)
            raise
        except OSError:
            self._recording.caller_gone()
            raise
        self._note((line,), last=False)
        return line

    def __enter__(self) -> Any:
        self._stream.__enter__()
        return self

    def __exit__(self, *args: object) -> Any:
        return self._stream.__exit__(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as the stream itself does."""
        return _itself, (self._stream,)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._stream, name)
        if name in {"read1", "readinto", "readinto1", "seek"}:
            return getattr(self, f"_{name}")(attribute)
        return attribute

    def _read1(self, read: Any) -> Any:
        def read1(*args: Any, **kwargs: Any) -> bytes:
            return self._take(read, args, kwargs, whole=False)

        return read1

    def _readinto(self, read: Any) -> Any:
        def readinto(buffer: Any) -> int | None:
            try:
                size: int | None = read(buffer)
            except OSError:
                self._recording.caller_gone()
                raise
            if size is not None:
                self._note((memoryview(buffer).cast("B")[:size],), last=size == 0)
            return size

        return readinto

    _readinto1 = _readinto

    def _seek(self, move: Any) -> Any:
        """Read again from the beginning: then the body is what is read from now on."""

        def seek(*args: Any, **kwargs: Any) -> Any:
            position = move(*args, **kwargs)
            if args and args[0] == 0 and (len(args) == 1 or args[1] == 0):
                self._recording.request_rewound()
            return position

        return seek

    def _take(self, read: Any, args: Any, kwargs: Any, *, whole: bool = True) -> bytes:
        try:
            data: bytes = read(*args, **kwargs)
        except OSError:
            self._recording.caller_gone()
            raise
        size = args[0] if args else None
        unbounded = size is None or (isinstance(size, int) and size < 0)
        last = whole and not kwargs if unbounded and data else data == b"" and size != 0
        try:
            self._recording.request_chunk(data, last=last)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the request
            self._guard.caught(error, "looking at a request")
        return data

    def _note(self, chunks: Iterable[bytes | memoryview], *, last: bool) -> None:
        try:
            for chunk in chunks:
                self._recording.request_chunk(chunk, last=False)
            if last:
                self._recording.request_chunk(b"", last=True)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the request
            self._guard.caught(error, "looking at a request")


def _itself(stream: Any) -> Any:
    return stream
