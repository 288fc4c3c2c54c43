"""What nobody caught becomes one event, and everything else about it stays as it was."""

from __future__ import annotations

import itertools
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.guards.children import run
from tests.receiver import Receiver, Reply

import replaystack
from replaystack import ConfigError, ReplayStackClient, install_replaystack_process_guards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GUARDED = "client = ReplayStackClient(); install(client)\n"
UNGUARDED = "client = ReplayStackClient()\n"

UNCAUGHT = "/runtime/uncaughtException"
THREAD = "/runtime/thread"
UNRAISABLE = "/runtime/unraisable"

PROGRAMS = {
    "uncaught": ("raise ValueError('nobody caught this')", UNCAUGHT, "ValueError"),
    "chained": (
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise LookupError('x') from error",
        UNCAUGHT,
        "LookupError",
    ),
    "thread": (
        "thread = threading.Thread(target=lambda: {}['x'], name='baker')\nthread.start(); thread.join()",
        THREAD,
        "KeyError",
    ),
    "unraisable": (
        "class Torn:\n    def __del__(self): raise OSError('in __del__')\ntorn = Torn(); del torn",
        UNRAISABLE,
        "OSError",
    ),
    "own hook": (
        "sys.excepthook = lambda *_: sys.stderr.write('mine\\n')\ninstall(client)\nraise ValueError('x')",
        UNCAUGHT,
        "ValueError",
    ),
    "no stderr": ("sys.stderr = None\nraise ValueError('x')", UNCAUGHT, "ValueError"),
}
"""Name -> a program that fails, the endpoint of its one event, the name of its error."""

SILENT = {
    "Ctrl-C": "raise KeyboardInterrupt",
    "exit": "sys.exit(3)",
    "exit with a text": "sys.exit('good bye')",
    "exit in a thread": "thread = threading.Thread(target=sys.exit)\nthread.start(); thread.join()",
    "caught": "try:\n    1 / 0\nexcept ZeroDivisionError: pass",
}


def ending(program: str, receiver: Receiver, guards: str) -> tuple[int, str, str]:
    """Return how a program ends, without the addresses that differ from run to run."""
    done = run(guards + program, receiver)
    errors = "\n".join(line.partition(" at 0x")[0] for line in done.stderr.splitlines())
    return done.returncode, done.stdout, errors


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_nobody_caught_is_one_event(name: str) -> None:
    """The event arrives; exit status, output and traceback are those of the same program unguarded."""
    program, endpoint, error = PROGRAMS[name]
    with Receiver() as receiver:
        guarded = ending(program, receiver, GUARDED)
        event = receiver.event()
    with Receiver() as receiver:
        assert ending(program.replace("install(client)", ""), receiver, UNGUARDED) == guarded
        assert receiver.taken() == []
    facts = {key: event[key] for key in ("endpoint", "errorName", "status", "statusCode", "eventType")}
    assert facts == {
        "endpoint": endpoint,
        "errorName": error,
        "status": "failed",
        "statusCode": 500,
        "eventType": "custom",
    }
    assert event["stackFrames"]


def test_a_hook_of_others_may_raise() -> None:
    """The interpreter says so, and shows the original exception, as ever."""
    hook = "def hook(*_): raise RuntimeError('hook')\nsys.excepthook = hook\n"
    with Receiver() as receiver:
        done = run(f"{hook}{GUARDED}raise ValueError('x')", receiver)
        assert receiver.event()["errorName"] == "ValueError"
    assert done.returncode == 1
    assert done.stderr.startswith("Error in sys.excepthook:")
    assert "RuntimeError: hook" in done.stderr
    assert done.stderr.rstrip().endswith("ValueError: x")


@pytest.mark.parametrize("name", SILENT)
def test_what_is_no_failure_is_no_event(name: str) -> None:
    """KeyboardInterrupt and SystemExit end a program as ever, without an event."""
    with Receiver() as receiver:
        assert ending(SILENT[name], receiver, GUARDED) == ending(SILENT[name], receiver, UNGUARDED)
        assert receiver.taken() == []


def test_events_say_where_they_come_from() -> None:
    """The thread's name and the function that could not raise are in the metadata; secrets are masked."""
    program = PROGRAMS["thread"][0] + "\n" + PROGRAMS["unraisable"][0]
    with Receiver() as receiver:
        run(GUARDED + program + "\nraise ValueError('password=hunter2-planted')", receiver)
        events = {event["endpoint"]: event for event in receiver.events(3)}
        assert b"hunter2" not in b"".join(post.body for post in receiver.posts())
    assert events[THREAD]["metadata"]["thread"] == "baker"
    assert events[UNRAISABLE]["metadata"]["object"].endswith("Torn.__del__")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
@pytest.mark.parametrize(
    ("group", "count"),
    [
        ("BaseExceptionGroup('g', [KeyboardInterrupt(), BaseExceptionGroup('h', [SystemExit()])])", 0),
        ("BaseExceptionGroup('g', [KeyboardInterrupt(), ValueError()])", 1),
    ],
)
def test_a_group_of_wishes_to_end_is_none(group: str, count: int) -> None:
    """A task group that Ctrl-C tore is no failure; one with a real failure in it is."""
    with Receiver() as receiver:
        assert run(f"{GUARDED}raise {group}", receiver).returncode == 1
        assert len(receiver.taken()) == count


def test_a_defect_of_ours_changes_nothing() -> None:
    """If capturing itself fails, the traceback is printed as ever."""
    broken = "def broken(*_): raise RuntimeError('defect')\nclient.recorder.exception = broken\n"
    program = PROGRAMS["uncaught"][0]
    with Receiver() as receiver:
        guarded = ending(broken + program, receiver, GUARDED)
        assert guarded == ending(broken + program, receiver, UNGUARDED)
    assert guarded[0] == 1


def test_an_interactive_interpreter_goes_on() -> None:
    """At a prompt, and in shells built on `code` as IDLE's, an error is shown and the next line runs."""
    lines = "1 / 0\nprint('still', 'here')\n"
    with Receiver() as receiver:
        prompt = run(GUARDED, receiver, "-i", "-q", stdin=lines)
        shell = run(
            f"{GUARDED}import code\nshell = code.InteractiveInterpreter({{}})\n"
            "shell.runsource('1 / 0')\nshell.runsource('print(\"still\", \"here\")')",
            receiver,
        )
        assert [event["errorName"] for event in receiver.events(2)] == ["ZeroDivisionError"] * 2
    for done in (prompt, shell):
        assert (done.returncode, done.stdout.split()) == (0, ["still", "here"])
        assert "ZeroDivisionError: division by zero" in done.stderr


def test_pytest_sees_what_it_saw(tmp_path: Path) -> None:
    """Under pytest, which has hooks of its own, a thread's failure is an event and pytest's warning too."""
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
            import threading
            from replaystack import ReplayStackClient, install_replaystack_process_guards
            install_replaystack_process_guards(ReplayStackClient())
            def test_thread():
                thread = threading.Thread(target=lambda: 1 / 0)
                thread.start()
                thread.join()
        """),
        encoding="utf-8",
    )
    started = "import subprocess\nsys.exit(subprocess.call([sys.executable, '-m', 'pytest', '-q', {!r}]))"
    with Receiver() as receiver:
        done = run(started.format(str(tmp_path)), receiver)
        event = receiver.event()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PytestUnhandledThreadExceptionWarning" in done.stdout
    assert event["endpoint"] == THREAD


@pytest.mark.parametrize("async_send", [True, False])
def test_a_hanging_receiver_does_not_hold_the_end(async_send: bool) -> None:  # noqa: FBT001 - a parameter
    """An uncaught exception ends the program within its bounds, with its traceback and status."""
    options = "timeout_seconds=0.5, max_retries=0, shutdown_timeout_seconds=0.5"
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        program = f"install(ReplayStackClient({options}, async_send={async_send}))\nraise ValueError('lost')"
        done = run(program, receiver)  # the guard against hangs is the assertion
    assert done.returncode == 1
    assert "ValueError: lost" in done.stderr
    assert "replaystack: exiting with 1 undelivered event" in done.stderr


# -- installing and taking away, in this process


class Collecting:
    """A transport that keeps what it is given."""

    status_code = 201

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def post(self, url: str, *, json: Any, headers: Any, timeout: float) -> Collecting:
        self.events.append(json)
        return self

    def json(self) -> Any:
        return {"success": True}


class Subject:
    """A client that sends in the call, and what it has sent."""

    def __init__(self, **options: Any) -> None:
        self._transport = Collecting()
        self.client = ReplayStackClient(api_key="k", transport=self._transport, async_send=False, **options)

    def seen(self) -> list[str]:
        """Return the endpoints of what was captured since the last call."""
        endpoints = [str(event["endpoint"]) for event in self._transport.events]
        self._transport.events.clear()
        return endpoints


def hooks() -> tuple[object, ...]:
    """Return the three hooks as they are now."""
    return sys.excepthook, threading.excepthook, sys.unraisablehook


@pytest.fixture(autouse=True)
def quiet_hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put hooks in place that do nothing, and see that they are there again at the end."""
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    before = hooks()
    yield
    assert hooks() == before


def fail_everywhere() -> None:
    """Call each hook as the interpreter would."""
    error = ValueError("x")
    sys.excepthook(ValueError, error, None)
    threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, None)))

    class Args:
        exc_type, exc_value, exc_traceback, err_msg, object = ValueError, error, None, None, None

    sys.unraisablehook(Args)  # type: ignore[arg-type]  # its own type cannot be made in Python


def install(subject: Subject, **options: Any) -> Callable[[], None]:
    """Install guards without signals: this is the process of the tests."""
    return install_replaystack_process_guards(subject.client, flush_on_shutdown=False, **options)


EVERYWHERE = [UNCAUGHT, THREAD, UNRAISABLE]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_unsubscribing_restores_in_any_order(order: tuple[int, ...]) -> None:
    """Two clients, one of them twice: each is told once while it has guards; then all is as before."""
    first, second = Subject(), Subject()
    before = hooks()
    installed = [(first, install(first)), (second, install(second)), (first, install(first))]
    left = [0, 1, 2]
    for index in order:
        fail_everywhere()
        for subject in (first, second):
            told = any(installed[number][0] is subject for number in left)
            assert subject.seen() == (EVERYWHERE if told else [])
        left.remove(index)
        installed[index][1]()
        installed[index][1]()  # twice is once
    assert hooks() == before
    fail_everywhere()
    assert first.seen() == second.seen() == []


@pytest.mark.parametrize(
    ("option", "changed"),
    [("uncaught_exception", 0), ("thread_exception", 1), ("unraisable_exception", 2)],
)
def test_false_leaves_a_hook_untouched(option: str, changed: int) -> None:
    """Each option is about its own hook and about no other."""
    subject, before = Subject(), hooks()
    every = {"uncaught_exception": True, "thread_exception": True, "unraisable_exception": True}
    unsubscribe = install(subject, **{**every, option: False})
    assert [now is then for now, then in zip(hooks(), before, strict=True)] == [
        number == changed for number in range(3)
    ]
    fail_everywhere()
    assert subject.seen() == [name for number, name in enumerate(EVERYWHERE) if number != changed]
    unsubscribe()


def test_hooks_of_others_on_top_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others put over ours is theirs: it stays, works, and nothing is told twice or after the end."""
    subject, called, original = Subject(), [], sys.excepthook
    unsubscribe = install(subject)
    below = sys.excepthook

    def theirs(*args: Any) -> None:
        called.append("theirs")
        below(*args)

    monkeypatch.setattr(sys, "excepthook", theirs)
    again = install(subject)  # over theirs
    sys.excepthook(ValueError, ValueError("x"), None)
    assert (subject.seen(), called) == ([UNCAUGHT], ["theirs"])
    again()
    unsubscribe()
    assert sys.excepthook is theirs
    sys.excepthook(ValueError, ValueError("x"), None)
    assert (subject.seen(), called) == ([], ["theirs", "theirs"])
    monkeypatch.setattr(sys, "excepthook", below)  # they go; what they had found comes back
    third = install(subject)
    sys.excepthook(ValueError, ValueError("x"), None)
    assert subject.seen() == [UNCAUGHT]
    third()
    monkeypatch.setattr(sys, "excepthook", original)


def test_a_disabled_client_has_no_guards() -> None:
    """enabled=False: no hook is touched; the function to undo that is there all the same."""
    subject, before = Subject(enabled=False), hooks()
    unsubscribe = install_replaystack_process_guards(subject.client)
    assert hooks() == before
    unsubscribe()


def test_a_closed_client_counts_what_comes_too_late() -> None:
    """After close() the hooks still pass everything on; the event is a counted drop."""
    subject = Subject()
    unsubscribe = install(subject)
    subject.client.close()
    fail_everywhere()
    assert subject.client.stats().dropped == {"closed": 3}
    unsubscribe()


@pytest.mark.parametrize("signals", [[9999], ["TERM"], [None], [9]])
def test_what_is_no_signal_is_refused(signals: list[Any]) -> None:
    """An error in the call is an error at once, and nothing is installed."""
    subject, before = Subject(), hooks()
    with pytest.raises(ConfigError, match="shutdown_signals must be signals"):
        install_replaystack_process_guards(subject.client, shutdown_signals=signals)
    assert hooks() == before


def test_it_is_a_public_name() -> None:
    """`replaystack` exports it."""
    assert "install_replaystack_process_guards" in replaystack.__all__
