"""Secrets in what FastAPI itself says: the answer to a body that fails validation quotes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.planted import post_secrets

from replaystack.testing import assert_no_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.receiver import Receiver

    from replaystack import ReplayStackClient
    from replaystack.testing import Canaries


def test_no_planted_secret_leaves_by_a_validation_error(
    instrumented: Callable[..., AbstractContextManager[str]],
    client: ReplayStackClient,
    receiver: Receiver,
    replaystack_canaries: Canaries,
) -> None:
    """The 422 repeats the input; it is of use, and 0 planted secrets are on the wire."""
    with instrumented() as base_url:
        answer = post_secrets(base_url, "/validate", "application/json", replaystack_canaries)
    assert answer.status == 422
    assert client.flush()
    event = receiver.event()
    assert event["authMode"] == "bearer"
    assert "page=2" in event["requestUrl"]
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")
