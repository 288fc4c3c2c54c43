"""Exceptions taken apart: frames, causes, and foreign code that must not get in the way."""

from __future__ import annotations

import builtins
import gc
import sys
import weakref

import pytest

from replaystack.stacktrace import describe_exception, exception_frames


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Return `error` with a traceback."""
    try:
        raise error from cause
    except BaseException as caught:  # noqa: BLE001 - that is the point
        return caught


def test_frames_end_with_the_innermost() -> None:
    """The last frame is where it was raised, with the file and line that an editor can open."""

    def inner() -> None:
        raise KeyError("user")

    try:
        inner()
    except KeyError as error:
        info = describe_exception(error)
    assert info.name == "KeyError"
    assert info.frames[-1].function_name == "inner"
    assert info.frames[-1].file_name == __file__
    assert info.frames[-1].raw == f"{__file__}:{info.frames[-1].line_number} in inner"
    assert "KeyError: 'user'" in info.stack_trace


def test_causes_are_listed_nearest_first() -> None:
    """A chain of causes and contexts tells how one failure led to the next."""
    root = raised(OSError("connection refused"))
    middle = raised(RuntimeError("no database"), root)
    info = describe_exception(raised(ValueError("no order"), middle))
    assert [(c["relation"], c["errorName"]) for c in info.causes] == [
        ("cause", "RuntimeError"),
        ("cause", "OSError"),
    ]


def test_a_suppressed_context_is_no_cause() -> None:
    """`raise ... from None` says that what came before is not the reason."""
    error = ValueError("plain")
    try:
        try:
            raise OSError("detail")
        except OSError:
            raise error from None
    except ValueError:
        pass
    assert error.__context__ is not None
    assert describe_exception(error).causes == ()


def test_a_cycle_of_causes_ends() -> None:
    """Exceptions that cause each other must not hang the application."""
    first, second = raised(ValueError("a")), raised(ValueError("b"))
    first.__cause__, second.__cause__ = second, first
    assert len(describe_exception(first).causes) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_members_of_a_group_are_causes() -> None:
    """What a task group collected is not lost behind its summary."""
    group = builtins.BaseExceptionGroup("two", [ValueError("a"), KeyError("b")])  # type: ignore[attr-defined]  # Python 3.11
    causes = describe_exception(group).causes
    assert [(c["relation"], c["errorName"]) for c in causes] == [
        ("member", "ValueError"),
        ("member", "KeyError"),
    ]


def test_an_exception_that_cannot_be_read_is_described_all_the_same() -> None:
    """A raising __str__ belongs to the application and must not cost the event."""

    class Hostile(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no")

    info = describe_exception(raised(Hostile()))
    assert info.message == "[Unreadable]"
    assert info.name == "Hostile"


def test_a_runaway_recursion_keeps_both_ends() -> None:
    """At most 100 frames, from where it began and where it broke."""

    def deeper() -> None:
        deeper()

    try:
        deeper()
    except RecursionError as error:
        frames = exception_frames(error)
    assert len(frames) == 100
    assert frames[0].function_name == "test_a_runaway_recursion_keeps_both_ends"
    assert frames[-1].function_name == "deeper"


def test_no_local_variable_is_kept_alive() -> None:
    """A description outlives its exception; the objects in its frames must not."""

    class Big:
        pass

    def fail() -> weakref.ref[Big]:
        big = Big()
        reference = weakref.ref(big)
        raise LookupError(reference)

    try:
        fail()
    except LookupError as error:
        reference = error.args[0]
        info = describe_exception(error)
    gc.collect()
    assert info.frames
    assert reference() is None
