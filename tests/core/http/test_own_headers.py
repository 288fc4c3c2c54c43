"""What an answer gets of ours: the trace id, and a correlation id for who knows of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack import ReplayStackClient, set_correlation_id
from replaystack.http import MiddlewareOptions, Recording, read_environ

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def client() -> Iterator[ReplayStackClient]:
    """Open a client that sends nothing: the tests look at the recording."""
    with ReplayStackClient(api_key="k", enabled=False) as running:
        yield running


def recording_of(client: ReplayStackClient, sent: str | None = None) -> Recording:
    """Return a recording of a request whose caller sent this correlation id."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x"}
    if sent is not None:
        environ["HTTP_X_CORRELATION_ID"] = sent
    return Recording(client.recorder, MiddlewareOptions(), read_environ(environ))


def correlation_of(recording: Recording) -> str | None:
    """Return what the answer will say."""
    return dict(recording.own_headers()).get("x-correlation-id")


def test_who_sends_none_gets_none(client: ReplayStackClient) -> None:
    """Then the trace id is all that is added."""
    recording = recording_of(client)
    assert recording.own_headers() == (("x-trace-id", recording.trace_id),)


def test_the_last_that_is_set_wins_and_none_forgets_it(client: ReplayStackClient) -> None:
    """What was set before the request or after it says nothing here."""
    set_correlation_id("before")
    recording = recording_of(client, "cid-1")
    assert correlation_of(recording) == "cid-1"
    with recording.scope_entered():
        set_correlation_id("first")
        set_correlation_id("last")
        assert correlation_of(recording) == "last"
        set_correlation_id(None)
        assert correlation_of(recording) == "cid-1"
    set_correlation_id("after")
    assert correlation_of(recording) == "cid-1"
    set_correlation_id(None)


@given(st.text() | st.sampled_from(["a\r\nSet-Cookie: session=1", "é", "x" * 129, "a b", ""]))
def test_what_is_set_can_forge_no_header(client: ReplayStackClient, text: str) -> None:
    """Only what may stand in a header gets there; the caller's own is checked as well."""
    recording = recording_of(client)
    with recording.scope_entered():
        set_correlation_id(text)
    said = correlation_of(recording)
    assert said in (None, text)
    assert said is None or (said.isascii() and said.isprintable() and not set(said) & set(' \r\n;,="'))
