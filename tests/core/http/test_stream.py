"""The request's stream: as the stream underneath in every way, and what was read is known."""

from __future__ import annotations

import copy
import io
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack import ReplayStackClient
from replaystack.http import MiddlewareOptions, Recording, RequestStream, read_environ

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.http.conftest import Collected


@pytest.fixture(scope="module")
def client() -> Any:
    """Open a client that sends nothing: the tests look at the recording."""
    with ReplayStackClient(api_key="k", enabled=False) as running:
        yield running


def recording_of(client: ReplayStackClient, length: int | None = None) -> Recording:
    """Return a recording of a request with a body of `length` bytes."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/x"}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return Recording(client.recorder, MiddlewareOptions(), read_environ(environ))


def captured(recording: Recording) -> bytes:
    """Return what was captured of the body."""
    tap = recording.request_tap
    assert tap is not None
    body = tap.body(None, None)
    return b"" if body is None else body.data


def into(stream: Any, size: int, name: str) -> bytes:
    """Read by `readinto`, which fills a buffer of the caller's."""
    buffer = bytearray(size)
    count = getattr(stream, name)(buffer)
    return bytes(buffer[:count])


WAYS: list[tuple[str, Callable[[Any, int], Any]]] = [
    ("read(n)", lambda stream, size: stream.read(size)),
    ("read()", lambda stream, size: stream.read()),
    ("read(-1)", lambda stream, size: stream.read(-1)),
    ("read(None)", lambda stream, size: stream.read(None)),
    ("readline()", lambda stream, size: stream.readline()),
    ("readline(n)", lambda stream, size: stream.readline(size)),
    ("readlines(n)", lambda stream, size: stream.readlines(size)),
    ("next", lambda stream, size: next(stream, None)),
    ("loop", lambda stream, size: list(stream)),
    ("read1(n)", lambda stream, size: stream.read1(size)),
    ("readinto", lambda stream, size: into(stream, size, "readinto")),
    ("readinto1", lambda stream, size: into(stream, size, "readinto1")),
]


@given(
    st.binary(max_size=200).map(lambda data: data.replace(b"\x00", b"\n")),
    st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 50)), max_size=12),
)
def test_every_way_of_reading_gives_what_the_stream_gives(client: Any, data: bytes, steps: Any) -> None:
    """The application cannot tell the difference; what was captured is exactly what it has read."""
    plain = io.BufferedReader(io.BytesIO(data))
    under = io.BytesIO(data)
    recording = recording_of(client, len(data))
    watched = RequestStream(io.BufferedReader(under), recording, client.recorder.guard)
    for (name, read), size in steps:
        assert read(watched, size) == read(plain, size), name
    position = plain.tell()
    assert watched.tell() == position
    assert captured(recording) == data[:position]
    assert recording.request_tap is not None
    if position == len(data) and data:
        assert recording.request_tap.complete


def test_it_reads_nothing_by_itself(client: Any) -> None:
    """A body that nobody reads stays in the stream."""
    under = io.BytesIO(b"abc")
    recording = recording_of(client, 3)
    RequestStream(under, recording, client.recorder.guard)
    assert under.tell() == 0
    assert captured(recording) == b""
    assert recording.request_tap is not None
    assert not recording.request_tap.complete


def test_without_a_length_the_end_is_seen(client: Any) -> None:
    """An empty read ends a body whose length nobody told; a read of nothing does not."""
    recording = recording_of(client)
    stream = RequestStream(io.BytesIO(b"abc"), recording, client.recorder.guard)
    assert recording.request_tap is not None
    assert stream.read(0) == b""
    assert not recording.request_tap.complete
    assert stream.read(10) == b"abc"
    assert not recording.request_tap.complete
    assert stream.read(10) == b""
    assert recording.request_tap.complete


def test_read_again_from_the_beginning(client: Any) -> None:
    """Where the stream can go back, the body is not captured twice over."""
    recording = recording_of(client, 6)
    stream = RequestStream(io.BytesIO(b"abcdef"), recording, client.recorder.guard)
    assert stream.read(3) == b"abc"
    stream.seek(0)
    assert stream.read() == b"abcdef"
    assert captured(recording) == b"abcdef"


def test_what_a_stream_cannot_do_it_still_cannot_do(client: Any) -> None:
    """No method appears that the server's stream does not have, and none is lost."""

    class Bare:
        name = "bare"

        def read(self, size: int = -1) -> bytes:
            return b""

    stream = RequestStream(Bare(), recording_of(client), client.recorder.guard)
    assert stream.name == "bare"
    for name in ("read1", "readinto", "seek", "fileno", "close"):
        assert not hasattr(stream, name)
    with pytest.raises(AttributeError, match="readline"):
        stream.readline()


def test_a_text_layer_and_a_with_block_work(client: Any) -> None:
    """Applications wrap the stream: what they look for is there."""
    recording = recording_of(client, 8)
    stream = RequestStream(io.BytesIO("é;b\nc;d".encode()), recording, client.recorder.guard)
    with stream as entered:
        text = io.TextIOWrapper(entered, encoding="utf-8")
        assert text.read() == "é;b\nc;d"
    assert captured(recording) == "é;b\nc;d".encode()


def test_the_streams_own_errors_go_on(client: Any, collected: Collected) -> None:
    """An OSError says that the caller is gone; it reaches the application as it is."""

    class Broken:
        def read(self, *_: Any) -> bytes:
            raise ConnectionResetError("gone")

        readline = readlines = __next__ = readinto = read

    for read in (
        lambda stream: stream.read(),
        lambda stream: stream.readline(),
        lambda stream: stream.readlines(),
        next,
        lambda stream: stream.readinto(bytearray(1)),
    ):
        recording = recording_of(client, 3)
        with pytest.raises(ConnectionResetError, match="gone"):
            read(RequestStream(Broken(), recording, client.recorder.guard))
        assert recording.disconnected


def test_after_the_end_it_only_passes_on(client: Any) -> None:
    """What is read once the exchange has ended belongs to nothing: its event is on its way."""
    recording = recording_of(client, 3)
    stream = RequestStream(io.BytesIO(b"abc"), recording, client.recorder.guard)
    recording.end()
    assert stream.read() == b"abc"
    assert captured(recording) == b""


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_an_environ_can_be_copied_as_before(take: Any, client: Any) -> None:
    """Some applications copy or pickle a request: marks and streams of ours do not keep them from it."""
    recording = recording_of(client, 3)
    stream = RequestStream(io.BytesIO(b"abc"), recording, client.recorder.guard)
    copied = take({"wsgi.input": stream, "replaystack.scope": recording.scope})
    assert copied["wsgi.input"].read() == b"abc"
    if take is not copy.copy:
        assert type(copied["wsgi.input"]) is io.BytesIO
        assert copied["replaystack.scope"].trace_id == recording.trace_id
        assert copied["replaystack.scope"].recordings == {}
        assert captured(recording) == b""
