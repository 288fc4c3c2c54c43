"""The implementations of masking, for tests that must hold of each."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import pytest
from tests.availability import missing

from replaystack.sanitize import _backend

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKENDS: Final = ("python", "native")


def without_native(problem: object) -> NoReturn:
    """Skip: the wheel is absent. An error under CI, but where `make test-absent` took it away."""
    if os.environ.get("TESTS_NATIVE") == "absent":
        pytest.skip("the native wheel is absent on purpose")
    missing(f"the native extension is not there: {problem}")


@contextmanager
def masking_with(name: str) -> Iterator[None]:
    """Let `name` mask in this process; skip (an error under CI) where it was not built."""
    before = _backend._active
    try:
        _backend.use(name)
    except ImportError as problem:
        without_native(problem)
    try:
        yield
    finally:
        _backend._active = before
