"""A signal that ends the process by default: what is queued goes out first; all else stays as it was."""

from __future__ import annotations

import importlib.util
import signal
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest
from tests.availability import missing
from tests.core.guards.children import ended_by, run, started
from tests.receiver import Receiver, Reply

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there SIGTERM runs no handler")

TEN = """
client = ReplayStackClient()
install(client)
for number in range(10):
    client.capture_event(endpoint=f"job-{number}")
"""
WAIT = "print('ready', flush=True)\ntime.sleep(60)\n"
HERE = "os.kill(os.getpid(), signal.SIGTERM)\n"
BACKLOG = "import gc\nbacklog = next(one for one in gc.get_objects() if type(one).__name__ == 'Backlog')\n"
ALL_TEN = [f"job-{number}" for number in range(10)]

SLOW = """
class Slow:
    status_code = 201
    def post(self, url, json, headers, timeout):
        {meanwhile}
        with open({path!r}, "a") as arrived:
            arrived.write(json["endpoint"] + "\\n")
        return self
    def json(self):
        return {{"success": True}}
"""
"""A transport of the user's, which something happens to in the middle of a delivery."""


def endpoints(receiver: Receiver) -> list[str]:
    """Return what was taken."""
    return sorted(str(event["endpoint"]) for event in receiver.taken())


# -- the default action


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_what_is_queued_arrives_and_the_status_is_the_signals(number: signal.Signals) -> None:
    """The parent sees a process that this signal has ended, as without guards; ten of ten arrive."""
    ctrl_c = "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    with Receiver(capabilities="bulk") as receiver:
        done = ended_by(ctrl_c + TEN + WAIT, receiver, number)
        assert (done.returncode, done.stdout, done.stderr) == (-number, "", "")
        assert endpoints(receiver) == ALL_TEN


def test_a_receiver_that_is_away_costs_one_line() -> None:
    """What could not be delivered is counted on stderr, once, and the status stays."""
    with Receiver() as receiver:
        pass
    done = ended_by(TEN + WAIT, receiver)
    assert done.returncode == -signal.SIGTERM
    assert done.stderr == "replaystack: exiting with 10 undelivered events\n"


def test_a_hanging_receiver_does_not_hold_the_end() -> None:
    """The wait is bounded by `shutdown_timeout_seconds`, whatever an attempt may take."""
    options = "ReplayStackClient(timeout_seconds=600, shutdown_timeout_seconds=0.5)"
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        with started(TEN.replace("ReplayStackClient()", options) + WAIT, receiver) as process:
            receiver.wait_for_posts(1)
            sent = time.monotonic()
            process.terminate()
            _, errors = process.communicate(timeout=60)
            assert time.monotonic() - sent < 5 * (0.5 + 0.5)
    assert process.returncode == -signal.SIGTERM
    assert "exiting with 10 undelivered events" in errors


def test_with_a_spool_nothing_is_lost(tmp_path: Path) -> None:
    """What a receiver that is away does not take is on disk at the end, and nothing is said."""
    client = f"ReplayStackClient(spool_path={str(tmp_path / 'spool')!r})"
    with Receiver() as receiver:
        pass
    done = ended_by(TEN.replace("ReplayStackClient()", client) + WAIT, receiver)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    written = b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
    assert [name for name in ALL_TEN if f'"{name}"'.encode() not in written] == []


def test_a_terminated_child_delivers_its_own() -> None:
    """Guards are inherited by a fork: `Process.terminate()` ends the child so, and not the parent."""
    script = """
        import multiprocessing
        client = ReplayStackClient()
        install(client)
        client.capture_event(endpoint="parent")
        begun = multiprocessing.get_context("fork").Event()
        def work():
            client.capture_event(endpoint="child")
            begun.set()
            time.sleep(60)
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        begun.wait()
        child.terminate()
        child.join()
        print(child.exitcode)
    """
    with Receiver() as receiver:
        done = run(textwrap.dedent(script), receiver)
        assert (done.returncode, done.stdout, done.stderr) == (0, "-15\n", "")
        assert endpoints(receiver) == ["child", "parent"]


def test_every_open_client_is_flushed() -> None:
    """The process ends for all of them, also for those without guards; a closed one is no matter."""
    script = """
        guarded, other, closed = ReplayStackClient(), ReplayStackClient(), ReplayStackClient()
        closed.close()
        install(guarded)
        guarded.capture_event(endpoint="guarded")
        other.capture_event(endpoint="other")
    """
    with Receiver() as receiver:
        assert ended_by(textwrap.dedent(script) + WAIT, receiver).returncode == -signal.SIGTERM
        assert endpoints(receiver) == ["guarded", "other"]


@pytest.mark.parametrize("runner", ["asyncio.run", "uvloop.run"])
def test_under_an_event_loop(runner: str) -> None:
    """A program that awaits is ended like any other."""
    module = runner.partition(".")[0]
    _require(module)
    script = f"import asyncio, {module}\n{TEN}print('ready', flush=True)\n{runner}(asyncio.sleep(60))"
    with Receiver() as receiver:
        assert ended_by(script, receiver).returncode == -signal.SIGTERM
        assert endpoints(receiver) == ALL_TEN


@pytest.mark.parametrize("wait", [WAIT, HERE], ids=["hub", "greenlet"])
def test_under_gevent(wait: str) -> None:
    """Also while the hub runs, which must not block: a greenlet flushes and the signal comes again."""
    _require("gevent")
    patched = "from gevent import monkey; monkey.patch_all()\n"
    with Receiver() as receiver:
        done = (
            ended_by(patched + TEN + WAIT, receiver) if wait == WAIT else run(patched + TEN + wait, receiver)
        )
        assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
        assert endpoints(receiver) == ALL_TEN


def _require(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        missing(f"{module} is not installed")


# -- while something of ours is under way


def test_a_lock_of_ours_that_is_never_released() -> None:
    """Another thread holds the lock that the flush needs: the process ends all the same, and says so."""
    script = """
        def hold():
            with backlog._lock:
                held.set()
                time.sleep(60)
        held = threading.Event()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
    """
    client = TEN.replace("ReplayStackClient()", "ReplayStackClient(shutdown_timeout_seconds=0.5)")
    with Receiver() as receiver:
        done = ended_by(client + BACKLOG + textwrap.dedent(script) + WAIT, receiver)
    assert done.returncode == -signal.SIGTERM
    assert done.stderr == "replaystack: ended by a signal before the undelivered events could be counted\n"


def test_a_lock_of_ours_on_the_interrupted_thread() -> None:
    """The signal interrupts our own critical section: that ends first, then all is delivered."""
    script = f"""
        with backlog._lock:
            {HERE.strip()}
            for _ in range(1000): pass
        time.sleep(60)
    """
    with Receiver() as receiver:
        done = run(TEN + BACKLOG + textwrap.dedent(script), receiver)
        assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
        assert endpoints(receiver) == ALL_TEN


@pytest.mark.parametrize("async_send", [True, False])
def test_a_signal_within_a_hook(async_send: bool) -> None:  # noqa: FBT001 - a parameter
    """It interrupts `before_send`, on whichever thread that runs: the event still goes out."""
    script = f"""
        def hook(event):
            {HERE.strip()}
            return event
        client = ReplayStackClient(before_send=hook, async_send={async_send})
        install(client)
        client.capture_event(endpoint="x")
        time.sleep(60)
    """
    with Receiver() as receiver:
        done = run(textwrap.dedent(script), receiver)
        assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
        assert endpoints(receiver) == ["x"]


def test_a_signal_within_a_delivery_of_the_same_thread(tmp_path: Path) -> None:
    """In sync mode it interrupts the request itself: the request ends first."""
    arrived = tmp_path / "arrived"
    script = SLOW.format(meanwhile=HERE.strip(), path=str(arrived)) + textwrap.dedent("""
        client = ReplayStackClient(transport=Slow(), async_send=False)
        install(client)
        client.capture_event(endpoint="x")
        time.sleep(60)
    """)
    with Receiver() as receiver:
        done = run(script, receiver)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    assert arrived.read_text() == "x\n"


def test_the_same_signal_again_does_not_cut_it_short(tmp_path: Path) -> None:
    """A supervisor that signals process and group: the second one changes nothing."""
    arrived = tmp_path / "arrived"
    again = f"while not replaystack.recorder.is_exiting(): time.sleep(0.01)\n        {HERE.strip()}"
    meanwhile = f"{again}\n        time.sleep(0.3)"
    script = SLOW.format(meanwhile=meanwhile, path=str(arrived)) + textwrap.dedent("""
        import replaystack.recorder
        client = ReplayStackClient(transport=Slow())
        install(client)
        client.capture_event(endpoint="x")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """)
    with Receiver() as receiver:
        done = run(script, receiver)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    assert arrived.read_text() == "x\n"


def test_ctrl_c_during_the_wait_ends_it(tmp_path: Path) -> None:
    """Somebody does not want to wait: the process ends at once, by the first signal."""
    meanwhile = """
        while not replaystack.recorder.is_exiting(): time.sleep(0.01)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(600)
    """
    script = SLOW.format(meanwhile=meanwhile.strip(), path=str(tmp_path / "arrived"))
    with Receiver() as receiver:
        done = ended_by(
            f"import replaystack.recorder\n{script}\n"
            "client = ReplayStackClient(transport=Slow(), shutdown_timeout_seconds=600)\n"
            f"install(client)\nclient.capture_event(endpoint='x')\n{WAIT}",
            receiver,
        )
    assert done.returncode == -signal.SIGTERM


def test_a_child_forked_during_the_wait_can_be_ended() -> None:
    """The child has no flush under way: the same signal ends it too."""
    script = """
        from replaystack.guards.shutdown import SHUTDOWN
        SHUTDOWN._pid, SHUTDOWN._is_flushing = os.getpid(), True
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        SHUTDOWN._pid = 0
    """
    with Receiver() as receiver:
        assert run(TEN + textwrap.dedent(script), receiver).stdout == "-15\n"


def test_a_signal_while_the_exit_flushes(tmp_path: Path) -> None:
    """The exit goes on, within its own bound, and the event arrives."""
    arrived = tmp_path / "arrived"
    meanwhile = f"while not replaystack.recorder.is_exiting(): time.sleep(0.01)\n        {HERE.strip()}"
    script = SLOW.format(meanwhile=f"{meanwhile}\n        time.sleep(0.3)", path=str(arrived))
    with Receiver() as receiver:
        done = run(
            f"import replaystack.recorder\n{script}\nclient = ReplayStackClient(transport=Slow())\n"
            "install(client)\nclient.capture_event(endpoint='x')",
            receiver,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert arrived.read_text() == "x\n"


def test_a_logging_lock_that_the_interrupted_code_holds() -> None:
    """Our handler logs nothing on the interrupted thread, so no log handler can hold it up."""
    script = """
        import logging
        logging.basicConfig()
        client = ReplayStackClient(
            async_send=False, max_retries=0, timeout_seconds=0.5, shutdown_timeout_seconds=0.5
        )
        client.capture_event(endpoint="held")
        install(client)
        lock = threading.Lock()
        logging.getLogger().handlers[0].lock = lock
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
    """
    with Receiver() as receiver:
        receiver.reply = Reply(503)
        assert run(textwrap.dedent(script), receiver).returncode == -signal.SIGTERM


# -- signals that somebody else looks after


def test_a_handler_of_the_application_is_left_alone() -> None:
    """It is called as ever, and nothing else happens; the exit that follows flushes."""
    script = """
        def handler(number, frame):
            print("handled", number, flush=True)
            sys.exit(7)
        signal.signal(signal.SIGTERM, handler)
    """
    with Receiver() as receiver:
        done = ended_by(
            textwrap.dedent(script) + TEN + "assert signal.getsignal(15) is handler\n" + WAIT, receiver
        )
        assert (done.returncode, done.stdout, done.stderr) == (7, "handled 15\n", "")
        assert endpoints(receiver) == ALL_TEN


def test_what_is_ignored_stays_ignored() -> None:
    """SIG_IGN: the program goes on to its own end."""
    script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + TEN + HERE + "print('still here')"
    with Receiver() as receiver:
        done = run(script, receiver)
        assert (done.returncode, done.stdout) == (0, "still here\n")
        assert endpoints(receiver) == ALL_TEN


def test_ctrl_c_is_a_keyboard_interrupt() -> None:
    """SIGINT's usual handler stays: traceback, exit handlers and status are those of any program."""
    with Receiver() as receiver:
        done = ended_by(TEN + WAIT, receiver, signal.SIGINT)
        bare = ended_by(TEN.replace("install(client)", "") + WAIT, receiver, signal.SIGINT)
        assert done.returncode == bare.returncode
        for program in (done, bare):  # which line it interrupts may differ
            assert program.stderr.startswith("Traceback (most recent call last):\n")
            assert program.stderr.endswith("\nKeyboardInterrupt\n")
        assert endpoints(receiver) == sorted(2 * ALL_TEN)


def test_process_one_is_left_alone() -> None:
    """In a container the first process is not ended by an unhandled SIGTERM: nor does it run a handler."""
    script = f"import os\nos.getpid = lambda: 1\n{TEN}print(signal.getsignal(15) is signal.SIG_DFL)"
    with Receiver() as receiver:
        assert run(script, receiver).stdout == "True\n"


@pytest.mark.parametrize(
    "arguments",
    ["flush_on_shutdown=False", "shutdown_signals=()", "shutdown_signals=[signal.SIGUSR1]"],
)
def test_only_what_was_asked_for(arguments: str) -> None:
    """SIGTERM keeps its default action where it was not named."""
    script = f"install(ReplayStackClient(), {arguments})\nprint(signal.getsignal(15) is signal.SIG_DFL)"
    with Receiver() as receiver:
        assert run(script, receiver).stdout == "True\n"


def test_none_means_the_usual_signals() -> None:
    """As in 1.1.3, where that was the default."""
    script = "install(ReplayStackClient(), shutdown_signals=None)\nprint(callable(signal.getsignal(15)))"
    with Receiver() as receiver:
        assert run(script, receiver).stdout == "True\n"


def test_a_disabled_client_takes_no_signal() -> None:
    """enabled=False: nothing is installed at all."""
    script = "install(ReplayStackClient(enabled=False))\nprint(signal.getsignal(15) is signal.SIG_DFL)"
    with Receiver() as receiver:
        assert run(script, receiver).stdout == "True\n"


def test_off_the_main_thread() -> None:
    """Python sets handlers on the main thread only: one warning, however often; hooks are in place."""
    script = """
        import logging
        logging.basicConfig(format="%(levelname)s %(name)s")
        hook = sys.excepthook
        client = ReplayStackClient()
        for _ in range(2):
            thread = threading.Thread(target=install, args=[client])
            thread.start()
            thread.join()
        print(signal.getsignal(15) is signal.SIG_DFL, sys.excepthook is not hook)
    """
    with Receiver() as receiver:
        done = run(textwrap.dedent(script), receiver)
    assert (done.stdout, done.stderr) == ("True True\n", "WARNING replaystack.guards.shutdown\n")


@pytest.mark.parametrize("order", ["first(); second()", "second(); first()", "first(); first(); second()"])
def test_unsubscribing_restores_the_default(order: str) -> None:
    """In any order; until the last one the signal stays taken over."""
    script = f"""
        client = ReplayStackClient()
        first, second = install(client), install(client)
        is_default = lambda: signal.getsignal(15) is signal.SIG_DFL
        states = [is_default()]
        {order.rpartition(";")[0]}
        states.append(is_default())
        {order}
        print(states, is_default())
    """
    with Receiver() as receiver:
        assert run(textwrap.dedent(script), receiver).stdout == "[False, False] True\n"


def test_unsubscribing_off_the_main_thread() -> None:
    """The handler cannot be taken away there: it does what the default action would, at once."""
    script = """
        client = ReplayStackClient(shutdown_timeout_seconds=60, timeout_seconds=600)
        unsubscribe = install(client)
        client.capture_event(endpoint="x")
        thread = threading.Thread(target=unsubscribe)
        thread.start()
        thread.join()
    """
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        # With a flush it would outlive the guard against hangs.
        assert ended_by(textwrap.dedent(script) + WAIT, receiver).returncode == -signal.SIGTERM


def test_a_handler_set_since_then_stays() -> None:
    """What the application put over ours is not taken away with our guards."""
    script = """
        unsubscribe = install(ReplayStackClient())
        signal.signal(signal.SIGTERM, print)
        unsubscribe()
        sys.stdout.write(str(signal.getsignal(15) is print))
    """
    with Receiver() as receiver:
        assert run(textwrap.dedent(script), receiver).stdout == "True"
