from __future__ import annotations

import socket

import pytest

from replaystack_server.serving import listen, url_of
from replaystack_server.testing import running_server


def test_answers_leave_at_once() -> None:
    """No connection waits for the other side's acknowledgement before the body follows the head."""
    with listen("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname()) as client:
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert client.getpeername() == bound.getsockname()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (("127.0.0.1", 8790), "http://127.0.0.1:8790"),
        (("0.0.0.0", 80), "http://127.0.0.1:80"),
        (("::1", 8790, 0, 0), "http://[::1]:8790"),
        (("::", 8790, 0, 0), "http://127.0.0.1:8790"),
    ],
)
def test_the_url_is_one_that_a_browser_here_can_open(name: tuple[object, ...], expected: str) -> None:
    """An address that means all interfaces is no address to go to."""

    class Bound:
        def getsockname(self) -> tuple[object, ...]:
            return name

    assert url_of(Bound()) == expected  # type: ignore[arg-type]  # all that is asked of a socket


def test_two_servers_run_side_by_side() -> None:
    """Each on its own port with its own file, key and token, for as long as its block lasts."""
    with running_server() as one, running_server() as other:
        assert one.url != other.url
        assert one.database != other.database
        assert not {one.key, one.token} & {other.key, other.token}
    assert not one.database.exists()
