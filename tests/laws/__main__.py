"""Check every law on many inputs: `python -m tests.laws --inputs 200000 --seed 7`."""

from __future__ import annotations

import argparse
import random
import time
from typing import TYPE_CHECKING

from .laws import LAWS

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Run all laws in turn; print the seed of each input that breaks one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="in all, over all laws")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--law", default="", help="only the laws with this in their name")
    options = parser.parse_args()
    laws = [law for law in LAWS if options.law in law.__name__]
    print(f"seed {options.seed}", flush=True)
    failed = 0
    for law in laws:
        started = time.monotonic()
        count = -(-options.inputs // len(laws))
        broken: list[int] = []
        for seed in range(count):
            if not _holds(law, f"{options.seed}/{seed}", loud=len(broken) < _SHOWN):
                broken.append(seed)
        failed += len(broken)
        print(
            f"{law.__name__}: {count} inputs, {len(broken)} broken, {time.monotonic() - started:.0f} s",
            *broken[:_SHOWN],
            flush=True,
        )
    return 1 if failed else 0


_SHOWN = 3  # broken inputs of each law that are printed


def _holds(law: Callable[[random.Random], None], seed: str, *, loud: bool) -> bool:
    try:
        law(random.Random(seed))
    except Exception as error:  # noqa: BLE001 - an error breaks a law as an assertion does
        if loud:
            print(f"  seed {seed}: {type(error).__name__}: {str(error)[:600]}", flush=True)
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
