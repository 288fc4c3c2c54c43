"""Run the demo: `python -m examples.shop.demo` in the root of the repository.

With DEMO_ONCE=1 it ends by itself: status 0 if everything that it claims held, 1 if not.
Otherwise it stays up until Ctrl-C, so that the pages can be looked at.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from replaystack.testing import Canaries, Haystack, blind_spots, database_haystacks, prove

from .checks import LOGGED, Captured, Check, capture_checks, expected_events, proof_checks
from .journey import Journey
from .processes import ChildError, Children
from .receiver import Receiver
from .screen import Screen
from .stage import ROOT, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .stage import Stage

__all__ = ["main"]

_ARRIVAL_SECONDS = 10.0  # ten times what a batch needs; on a busy machine patience is cheaper than doubt
_WATCH_SECONDS = 0.5
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130  # what shells report for a process that Ctrl-C ended


def main() -> int:
    """Run the demo; return the status for the shell."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # captured texts may hold what this terminal cannot show
    screen = Screen(sys.stdout)
    # `kill` and a closed terminal take the same orderly way out as Ctrl-C.
    for ending in _ENDINGS:
        if ending != signal.SIGHUP or signal.getsignal(ending) != signal.SIG_IGN:  # nohup asked to stay up
            signal.signal(ending, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="replaystack-demo-") as name:
        folder = Path(name)
        children = Children(ROOT, folder)
        try:
            status = _run(screen, children, folder)
        except KeyboardInterrupt:
            status = _INTERRUPTED
        except BrokenPipeError:  # `| head` has read enough; what is said from now on goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 1
        except (ChildError, httpx.HTTPError, StopIteration) as exc:
            screen.verdict(f"The demo could not be shown: {exc or type(exc).__name__}", good=False)
            screen.say(children.tail("shop", 40))
            status = 1
        finally:
            # From here on nothing interrupts: each child gets its bounded time to end in order.
            for ending in _ENDINGS:
                signal.signal(ending, signal.SIG_IGN)
            killed = children.stop()
        if killed:
            screen.verdict(f"had to be killed: {', '.join(killed)}", good=False)
            status = status or 1
        else:
            screen.say("   everything stopped")
    return status


def _run(screen: Screen, children: Children, folder: Path) -> int:
    canaries = Canaries()
    screen.heading("ReplayStack demo")
    screen.progress("starting the receiver, a payment provider and a shop, each a process of its own")
    stage = set_up(children, folder, canaries)
    screen.places({"receiver": stage.receiver_url, "provider": stage.provider_url, "shop": stage.shop_url})
    screen.progress("sending the shop ordinary, wrong and failing requests, with secrets in all of them")
    with Journey(stage.shop_url, canaries, stage.customer_password) as journey:
        journey.run()
    with Receiver(stage.receiver_url, stage.read_token) as receiver:
        rows = receiver.wait_for(expected_events(journey.answers), _ARRIVAL_SECONDS)
        captured = Captured(
            journey.answers,
            rows,
            [receiver.event(row["eventId"]) for row in rows],
            receiver.wait_for_logs(len(LOGGED), _ARRIVAL_SECONDS),
        )
        screen.heading(f"What the receiver has of {len(journey.answers)} requests")
        screen.events(rows)
        checks = [*capture_checks(captured), *_prove(stage, receiver, canaries, captured)]
    screen.heading("What has to hold")
    screen.checks(checks)
    failed = sum(bool(check.faults) for check in checks)
    leak_check = checks[-2]
    screen.verdict(leak_check.claim, good=not leak_check.faults)
    if failed:
        screen.verdict(f"{failed} of {len(checks)} checks failed", good=False)
    if os.environ.get("DEMO_ONCE", "") not in {"", "0"}:
        return 1 if failed else 0
    _stay(screen, children, stage, captured)
    return 1 if failed else 0


def _prove(stage: Stage, receiver: Receiver, canaries: Canaries, captured: Captured) -> Iterator[Check]:
    """Search the receiver's file and everything it answers, and yield what that came to."""
    secrets = canaries.planted
    log = Haystack(stage.receiver_log.name, stage.receiver_log.read_bytes())
    haystacks = [*database_haystacks(stage.database), log, *receiver.haystacks(captured.rows)]
    verdict = prove(secrets, canaries.marker, haystacks)
    yield from proof_checks(verdict, blind_spots(secrets))


def _stay(screen: Screen, children: Children, stage: Stage, captured: Captured) -> None:
    """Say where to look, and wait for Ctrl-C. Raises `ChildError` when a process dies meanwhile."""
    event_id = captured.of("refund").get("metadata", {}).get("replaystack", {}).get("eventId", "")
    screen.heading("Look")
    screen.places(
        {
            "sign in": stage.login_url,
            "the 500": f"{stage.receiver_url}/events/{event_id}",
            "a flow": f"{stage.receiver_url}/flows/checkout-00000002",
            "one more": f"curl -X POST {stage.shop_url}/orders/1/refund",
        }
    )
    screen.say("\n   Ctrl-C stops everything.")
    try:
        while not (dead := children.dead()):
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        screen.say()  # behind the ^C that the terminal shows
        return
    raise ChildError(f"{', '.join(dead)} ended by itself")


if __name__ == "__main__":
    sys.exit(main())
