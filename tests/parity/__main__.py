"""Compare both implementations: `python -m tests.parity --inputs 1000000 --seed 7 --jobs 2`.

Exit status 1 if a single byte, count or flag differs. What a seed, a kind and an index name is the same
input in every process of one tree: `--kind text --index 5` repeats that one alone.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, cast, get_args

from .compare import Comparison, differing
from .inputs import KINDS, Input, Kind, made, policies
from .shrink import shrunk

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK: Final = 1000  # inputs that share their policies, and so what is remembered under these
SHOWN: Final = 3  # differences of each kind that are printed
SAID_SECONDS: Final = 20.0  # between two lines of progress
LENGTH: Final = 2000  # characters of an input or an outcome that are printed


def main() -> int:
    """Compare; print what differs, and a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="in all, over all kinds")
    parser.add_argument("--seed", default=str(random.randrange(10**9)))
    parser.add_argument("--kind", default=",".join(KINDS), help="some of " + ",".join(KINDS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--index", type=int, help="only this input of one kind")
    options = parser.parse_args()
    kinds = _kinds(options.kind)
    if options.index is not None:
        return _repeat(kinds, options.seed, options.index)
    print(f"seed {options.seed}, {options.inputs} inputs, {options.jobs} jobs", flush=True)
    shares = sum(KINDS[kind] for kind in kinds)
    failed = 0
    # `spawn`: each job begins with nothing but its arguments, wherever it runs.
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for kind in kinds:
            count = -(-options.inputs * KINDS[kind] // shares)
            try:
                failed += _compared(pool, kind, options.seed, count)
            except BrokenProcessPool:
                print(f"{kind}: a job died, about where the last line says", flush=True)
                return 1
    print(f"seed {options.seed}: {failed} differences in all", flush=True)
    return 1 if failed else 0


def _compared(pool: ProcessPoolExecutor, kind: Kind, seed: str, count: int) -> int:
    """Compare the first inputs of a kind, tell what came out, and return how many differ."""
    starts = range(0, count, CHUNK)
    sizes = [min(CHUNK, count - start) for start in starts]
    found: list[int] = []
    masked, started = 0, time.monotonic()
    said = started
    chunks = pool.map(differing, [kind] * len(starts), [seed] * len(starts), starts, sizes)
    for done, (indexes, masked_ones) in enumerate(chunks, 1):
        found += indexes
        masked += masked_ones
        if time.monotonic() - said > SAID_SECONDS:
            said = time.monotonic()
            print(f"  {kind}: {done * CHUNK} of {count}, {len(found)} differ", flush=True)
    seconds = time.monotonic() - started
    print(
        f"{kind}: {count} inputs, {masked} of them masked, {len(found)} differences, {seconds:.0f} s",
        flush=True,
    )
    for index in found[:SHOWN]:
        _show(kind, seed, index)
    return len(found)


def _kinds(names: str) -> list[Kind]:
    known = get_args(Kind)
    kinds = names.split(",")
    unknown = [name for name in kinds if name not in known]
    if unknown:
        sys.exit(f"unknown kind {unknown[0]!r}: known are {', '.join(known)}")
    return cast("list[Kind]", kinds)


def _repeat(kinds: list[Kind], seed: str, index: int) -> int:
    found = [kind for kind in kinds if Comparison().differs(made(kind, seed, index, policies()))]
    for kind in found:
        _show(kind, seed, index)
    print(f"seed {seed}, index {index}: {len(found)} differences in {', '.join(kinds)}")
    return 1 if found else 0


def _show(kind: Kind, seed: str, index: int) -> None:
    """Print one difference as small as it can be made, and how to have it again."""
    compare = Comparison()
    given = made(kind, seed, index, policies())
    print(f"--- python -m tests.parity --seed {seed} --kind {kind} --index {index}")
    if not compare.differs(given):
        print(
            f"    alone it makes no difference: it takes the inputs from {index - index % CHUNK} on before it"
        )
    else:
        given = shrunk(given, compare.differs)
    for line in _lines(given, compare):
        print(f"    {line}", flush=True)


def _lines(given: Input, compare: Comparison) -> Iterator[str]:
    policy = given.policy
    yield f"policy {policy!r}"
    if given.kind == "value":
        yield f"place {given.place!r}, budget {given.budget_bytes}"
    if given.kind in ("event", "batch"):
        yield f"max_payload_bytes {given.max_payload_bytes}"
    yield f"input  {given.value!r:.{LENGTH}}"
    yield f"python {compare.python(given)!r:.{LENGTH}}"
    yield f"native {compare.native(given)!r:.{LENGTH}}"


if __name__ == "__main__":
    raise SystemExit(main())
