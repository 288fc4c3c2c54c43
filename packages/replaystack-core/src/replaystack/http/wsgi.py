"""Any WSGI application, with eyes on what it reads and answers (PEP 3333).

Nothing is read, changed or held back; added to an answer are `x-trace-id` and, where there is one,
`x-correlation-id`. A list, a tuple or a file for the server to send is returned as the same object;
any other iterable is wrapped, so that its end and its `close()` are seen.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..scope import enter_scope
from .adapter import Adapter
from .environ import has_body, read_environ, read_path
from .head import header_value
from .options import MiddlewareOptions
from .stream import RequestStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..recorder import Recorder
    from .head import HeaderPairs
    from .recording import Recording

__all__ = ["WsgiMiddleware"]

Environ = dict[str, Any]
_BODY = "wsgi.input"
_FILE_WRAPPER = "wsgi.file_wrapper"


class WsgiMiddleware:
    """Captures each request that passes as one exchange of `recorder`'s client.

    An adapter subclasses it and says what only its framework knows: `framework_request` and
    `describe`. Thread-safe, as the application is.
    """

    def __init__(self, app: Any, recorder: Recorder, options: MiddlewareOptions | None = None) -> None:
        self.app: Any = app
        self.adapter: Adapter = Adapter(recorder, options or MiddlewareOptions())

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Pass the call on, with eyes on it where the request is to be captured."""
        adapter, recording = self.adapter, None
        if adapter.is_open:
            try:
                recording = self._begin(environ)
            except Exception as error:  # noqa: BLE001 - then the request passes unseen
                adapter.guard.caught(error, "beginning an exchange")
        if recording is None:
            result: Iterable[bytes] = self.app(environ, self._told(environ, start_response))
            return result
        return _Passage(self, recording, environ).run(start_response)

    def framework_request(self, environ: Environ) -> object:
        """Return what the user's `get_trace_id` and `get_user` get. Must not read the body."""
        return environ

    def describe(self, recording: Recording, environ: Environ) -> None:
        """Note what only the framework knows: `route`, `user`. It may raise.

        Called when the answer begins, while the application's own context is still there.
        """
        self.adapter.ask_user(recording, partial(self.framework_request, environ))

    def _told(self, environ: Environ, start_response: Any) -> Any:
        """Tell an adapter further out, at the right moment, what only this framework knows."""
        outer = self.adapter.recording_of(environ) if self.adapter.is_open else None
        if outer is None:
            return start_response

        def telling(*args: Any, **kwargs: Any) -> Any:
            with self.adapter.guard.protect("looking at an answer"):
                if not outer.ended:
                    self.describe(outer, environ)
            return start_response(*args, **kwargs)

        return telling

    def _begin(self, environ: Environ) -> Recording | None:
        adapter = self.adapter
        if adapter.ignores(read_path(environ)) or (
            environ.get("SCRIPT_NAME") and adapter.ignores(environ.get("PATH_INFO", ""))
        ):
            return None
        request = read_environ(environ)
        recording = adapter.begin(request, environ, partial(self.framework_request, environ))
        if recording is not None and recording.request_tap is not None and has_body(environ):
            environ[_BODY] = RequestStream(environ[_BODY], recording, adapter.guard)
        return recording


class _Passage:
    """One request on its way through the application."""

    __slots__ = (
        "_environ",
        "_middleware",
        "_remembered_files",
        "_waiting",
        "adapter",
        "recording",
        "sent_bytes",
    )

    def __init__(self, middleware: WsgiMiddleware, recording: Recording, environ: Environ) -> None:
        self._middleware = middleware
        self._environ = environ
        self._remembered_files: list[Any] = []
        self.sent_bytes = 0
        self._waiting = False
        self.adapter = middleware.adapter
        self.recording = recording

    def run(self, start_response: Any) -> Iterable[bytes]:
        """Call the application; whatever it raises goes on."""
        self._watch_file_wrapper()
        before = enter_scope(self.recording.scope)
        try:
            result: Iterable[bytes] = self._middleware.app(self._environ, self._tapped(start_response))
        except BaseException as error:
            self.failed(error)
            self.closed()
            raise
        finally:
            enter_scope(before)
        try:
            return self._watched(result)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self.adapter.guard.caught(error, "looking at an answer")
            return result

    def _watch_file_wrapper(self) -> None:
        """Remember what a `wsgi.file_wrapper` that is no type returns: nothing else tells it (uWSGI)."""
        wrapper = self._environ.get(_FILE_WRAPPER)
        if wrapper is None or isinstance(wrapper, type):
            return

        def remembering(*args: Any, **kwargs: Any) -> Any:
            wrapped = wrapper(*args, **kwargs)
            self._remembered_files.append(wrapped)
            return wrapped

        self._environ[_FILE_WRAPPER] = remembering

    def _is_file(self, result: object) -> bool:
        wrapper = self._environ.get(_FILE_WRAPPER)
        if isinstance(wrapper, type):
            return isinstance(result, wrapper)
        # Compared by identity: an iterable's own __eq__ is foreign code.
        return bool(self._remembered_files) and any(result is file for file in self._remembered_files)

    # -- the head -------------------------------------------------------------------------------

    def _tapped(self, start_response: Any) -> Any:
        recording, guard = self.recording, self.adapter.guard

        def tapped(status: str, headers: Any, exc_info: Any = None) -> Any:
            raw: HeaderPairs = ()
            try:
                if type(headers) is list:  # anything else is against PEP 3333, and the server's to judge
                    raw = _raw_headers(headers)
                    for name, value in recording.own_headers():
                        if header_value(raw, name.encode()) is None:
                            headers = [*headers, (name, value)]
                            raw = (*raw, (name.encode(), value.encode()))
                if exc_info is not None and not recording.ended:
                    recording.handled(exc_info[1])
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                guard.caught(error, "looking at an answer")
            write = (
                start_response(status, headers)
                if exc_info is None
                else start_response(status, headers, exc_info)
            )
            try:
                if not recording.ended:
                    recording.response_start(int(status[:3]), raw)
                    self._middleware.describe(recording, self._environ)
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                guard.caught(error, "looking at an answer")
            return partial(self._write, write)

        return tapped

    # -- the body -------------------------------------------------------------------------------

    def _write(self, write: Any, data: bytes) -> Any:
        """Send a piece through the `write` of old, which blocks until the server has it."""
        try:
            result = write(data)
        except OSError:  # the server's way to say that the caller is gone
            self.recording.caller_gone()
            raise
        try:
            self.recording.response_chunk(data, last=False)
            self.sent_bytes += len(data)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self.adapter.guard.caught(error, "looking at an answer")
        return result

    def _watched(self, result: Iterable[bytes]) -> Iterable[bytes]:
        if type(result) is list or type(result) is tuple:
            self.recording.response_whole(result)
        elif self._is_file(result):
            self.recording.response_unseen()
        else:
            # A server may rely on len() where there is one (PEP 3333), so it stays as it is.
            body = _SizedBody if hasattr(type(result), "__len__") else _Body
            return body(result, self)
        self._complete()
        self.closed()
        return result

    def exhausted(self) -> None:
        """Note that the whole body has been sent: the server asked for more, and there was none."""
        try:
            self.recording.response_chunk(b"", last=True)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self.adapter.guard.caught(error, "looking at an answer")
        self._complete()

    def failed(self, error: BaseException) -> None:
        """Note what the application raised, wherever. An interrupt is noted, and nothing waited for."""
        if not (self.sent_bytes or self.recording.disconnected or self.recording.ended):
            self.recording.response_withdrawn()  # a server sends the head with the first piece, not before
        if isinstance(error, Exception):
            self.adapter.fail(self.recording, error)
            self._complete()
        elif not self.recording.ended:
            if isinstance(error, GeneratorExit):
                self.recording.caller_gone()
            else:
                self.adapter.fail(self.recording, error)
            if self.adapter.end(self.recording):
                self.adapter.hand_over(self.recording, may_block=False)

    def cut_short(self) -> None:
        """Note that the server asks for no more, although nobody said that this was all."""
        recording = self.recording
        if not recording.ended:
            if recording.is_answered(self.sent_bytes):
                self.exhausted()
            else:
                recording.caller_gone()

    def _complete(self) -> None:
        """End the exchange. In sync mode it is sent once the answer is closed, not before."""
        recording, adapter = self.recording, self.adapter
        if recording.ended or not adapter.end(recording):
            return
        if adapter.recorder.config.async_send:
            adapter.hand_over(recording)
        else:
            self._waiting = True

    def closed(self, *, may_block: bool = True) -> None:
        """Note that the server is done with the answer: in sync mode the event is sent here."""
        self._complete()
        if self._waiting:
            self._waiting = False
            self.adapter.hand_over(self.recording, may_block=may_block)


class _Body:
    """An answer's body on its way to the server: one iterator, its chunks untouched."""

    __slots__ = ("_is_closed", "_iterable", "_iterator", "_passage")

    def __init__(self, iterable: Any, passage: _Passage) -> None:
        self._iterable = iterable
        self._iterator: Iterator[bytes] | None = None
        self._passage = passage
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        passage = self._passage
        recording = passage.recording
        # The server runs in no scope of ours: it is entered for each piece that the application makes.
        before = enter_scope(recording.scope)
        try:
            iterator = self._iterator
            if iterator is None:
                iterator = self._iterator = iter(self._iterable)
            chunk = next(iterator)
        except StopIteration:
            passage.exhausted()
            raise
        except BaseException as error:
            passage.failed(error)
            raise
        finally:
            enter_scope(before)
        try:
            recording.response_chunk(chunk, last=False)
            passage.sent_bytes += len(chunk)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            passage.adapter.guard.caught(error, "looking at an answer")
        return chunk

    def close(self) -> None:
        """Close the application's iterable, then end the exchange."""
        self._is_closed = True
        passage = self._passage
        passage.cut_short()
        before = enter_scope(passage.recording.scope)
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            passage.failed(error)
            raise
        finally:
            enter_scope(before)
            passage.closed()

    def __del__(self) -> None:
        """End the exchange where the server, or a middleware around us, never called `close()`."""
        if not self._is_closed:
            self._passage.cut_short()
            self._passage.closed(may_block=False)


class _SizedBody(_Body):
    __slots__ = ()

    def __len__(self) -> int:
        return len(self._iterable)


def _raw_headers(headers: Iterable[tuple[str, str]]) -> HeaderPairs:
    """Return an answer's headers as pairs that cannot change."""
    return tuple(
        [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
    )
