"""Whether what happened in a cell is what was promised."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.faults.promises import PROMISES, promise
from tests.faults.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.promises import Promise
    from tests.faults.receiver import Arrivals
    from tests.faults.stage import Process, Run

__all__ = ["complaints"]

LINE = re.compile(
    r"^replaystack: exiting with (\d+) undelivered events? and (\d+) undelivered log entr(?:y|ies)$",
    re.MULTILINE,
)
STATUSES = {"return": 0, "sys.exit": 3, "exception": 1, "SIGTERM": -15, "kill-9": -9, "os._exit": 7}
"""How a process ends that has nobody between it and its own end."""
EXIT_CODE_OF_ITS_OWN = frozenset({"plain", "threads", "asyncio"})
PYTHON_RUNS_AT_EXIT = frozenset({"return", "sys.exit", "exception"})


def complaints(run: Run) -> list[str]:
    """Return everything that is not as promised; nothing if all is well."""
    found: list[str] = []
    for process in run.processes.values():
        found += _ledger(process.accounts, process.marks)
        found += process.surprises
        found += _last_words(run, process)
    found += _arrivals(run, run.events, "events")
    found += _arrivals(run, run.logs, "logs") if run.cell.takes_logs else []
    found += _carried(run.events)
    found += _lines(run)
    found += _ending(run)
    found += [f"the spool holds a secret: {where}" for where in run.seen_on_disk]
    if run.following is not None:
        found += _following(run, run.following)
    return found


def _promised(run: Run, process: Process) -> Promise:
    """Return what holds for one process: its own end may be another than the one that the cell is about."""
    return PROMISES[promise(replace(run.cell, ending=process.ending))]


def _ledger(accounts: list[dict[str, Any]], marks: list[str]) -> list[str]:
    """Check both laws at every moment that was looked at, and that every call was counted."""
    found = []
    for kind, stats in _by_kind(accounts):
        came = stats["captured"] + stats.get("adopted", 0)
        went = stats["delivered"] + stats["queued"] + stats["in_flight"] + stats.get("spooled", 0)
        if came != went + stats["carried"] + sum(stats["dropped"].values()):
            found.append(f"the ledger of {kind} does not add up: {stats}")
    for kind in ("events", "logs"):
        # The highest: threads may say theirs out of turn.
        counted = max((stats["captured"] for one, stats in _by_kind(accounts) if one == kind), default=0)
        if counted != len(marks):
            found.append(f"{len(marks)} {kind}, the ledger says {counted}")
    return found


def _by_kind(accounts: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for account in accounts:
        yield "events", account
        yield "logs", account["logs"]


def _last_words(run: Run, process: Process) -> list[str]:
    """Check that the application's own exit handler ran wherever Python runs one, and saw nothing dropped."""
    last = process.last_account
    if last is None:
        runs = process.ending in PYTHON_RUNS_AT_EXIT and run.cell.running != "celery-prefork"
        if runs and process.marks:
            return [f"the application's own exit handler did not run in {process.pid} ({process.ending})"]
        return []
    found = []
    for kind, stats in _by_kind([last]):
        dropped = dict(stats["dropped"])
        if kind == "logs" and run.cell.has_spool and not run.cell.takes_logs:
            # Written to disk before it was known that nobody takes them; they were in their events.
            dropped.pop("no_log_receiver", None)
        if dropped:
            found.append(f"{kind} dropped without a reason to: {dropped}")
    return found


def _arrivals(run: Run, arrivals: Arrivals, kind: str) -> list[str]:
    found = []
    accepted = Counter(arrivals.accepted.values())
    known = {mark for process in run.processes.values() for mark in process.marks}
    found += [f"{mark} was accepted as {times} {kind}" for mark, times in accepted.items() if times > 1]
    found += [f"{mark} was accepted of {kind}, but never captured" for mark in accepted if mark not in known]
    ids: dict[str, set[str]] = {}
    for attempt in arrivals.attempts:
        for mark, identity in zip(attempt.marks, attempt.ids, strict=True):
            ids.setdefault(mark, set()).add(identity)
    found += [
        f"{mark} of {kind} was sent under {len(names)} ids" for mark, names in ids.items() if len(names) > 1
    ]
    for process in run.processes.values():
        promised = _promised(run, process)
        missing = [mark for mark in process.marks if mark not in accepted]
        if promised.arrives == "all" and missing:
            found.append(f"{process.pid} ({process.ending}): of {kind} never arrived: {missing}")
        if promised.arrives == "none" and len(missing) < len(process.marks):
            found.append(f"{process.pid}: {kind} arrived at a receiver that takes nothing")
        repeated = [mark for mark in process.marks if arrivals.repeats[mark]]
        if repeated:  # the process that lost the acknowledgement is not there to repeat it
            found.append(f"of {kind} sent again after a 2xx: {repeated}")
    return found


def _carried(arrivals: Arrivals) -> list[str]:
    """Check that each accepted event brought its log entry: the only way where nobody takes entries."""
    missing = sorted(set(arrivals.accepted.values()) - arrivals.carried)
    return [f"events without their log entry: {missing}"] if missing else []


def _lines(run: Run) -> list[str]:
    """One line per process that lost something and could say so, with the exact numbers; no other."""
    said = Counter((int(events), int(entries)) for events, entries in LINE.findall(run.stderr))
    expected: Counter[tuple[int, int]] = Counter()
    for process in run.processes.values():
        promised = _promised(run, process)
        if promised.line and process.marks:
            expected[len(process.marks), len(process.marks)] += 1
    found = []
    if said != expected:
        found.append(
            f"lines on stderr: {dict(said)}, expected: {dict(expected)}; stderr: {run.stderr[-1500:]}"
        )
    rest = LINE.sub("", run.stderr).replace(str(ROOT), "")  # a clone may lie in a folder of that name
    if "replaystack" in rest:
        found.append(f"more of ours on stderr: {rest[-2000:]}")
    if run.cell.ending == "exception" and "OwnError: the application's own error" not in rest:
        found.append(f"the application's own traceback is missing: {rest[-1000:]}")
    return found


def _ending(run: Run) -> list[str]:
    found = []
    if run.seconds_to_end > run.seconds_allowed:
        found.append(f"the end took {run.seconds_to_end:.1f} s")
    if run.cell.running in EXIT_CODE_OF_ITS_OWN:
        expected = STATUSES[run.cell.ending]
    else:
        expected = -9 if run.cell.ending == "kill-9" and run.cell.running != "multiprocessing" else 0
    if run.status != expected:
        found.append(f"exit status {run.status}, expected {expected}; stderr: {run.stderr[-1500:]}")
    wrong = {pid: code for pid, code in run.children.items() if code != STATUSES[run.cell.ending]}
    if wrong:
        found.append(f"exit status of children: {wrong}, expected {STATUSES[run.cell.ending]}")
    return found


def _following(run: Run, following: Process) -> list[str]:
    """Check that the next process has delivered everything, once, and left nothing."""
    found = _ledger(following.accounts, following.marks) + following.surprises
    found += _delivered_later(run, run.events_later, "events", following)
    found += _delivered_later(run, run.logs_later, "logs", following) if run.cell.takes_logs else []
    found += _carried(run.events_later)
    if run.following_status != 0 or run.following_stderr:
        found.append(
            f"the next process: status {run.following_status}, stderr {run.following_stderr[-1500:]}"
        )
    if run.left_on_disk:
        found.append(f"left on disk: {run.left_on_disk}")
    return found


def _delivered_later(run: Run, arrivals: Arrivals, kind: str, following: Process) -> list[str]:
    accepted = Counter(arrivals.accepted.values())
    found = [f"{mark} is there as {times} {kind}" for mark, times in accepted.items() if times > 1]
    captured = [(mark, process) for process in run.processes.values() for mark in process.marks]
    missing = [mark for mark, _ in captured if mark not in accepted]
    if missing:
        account = following.accounts[-1]
        found.append(f"with the spool, of {kind} never arrived: {missing}; the next process: {account}")
    if "following" not in accepted:
        found.append(f"the next process's own of {kind} did not arrive")
    for mark, process in captured:
        if arrivals.repeats[mark] > (1 if _promised(run, process).repeats else 0):
            found.append(f"{mark} of {kind} was sent again by the next process")
    return found
