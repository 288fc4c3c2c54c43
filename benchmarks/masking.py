"""What masking costs, as ratios within one run, and how it grows with texts that were made to be slow.

The rows of MASKING.md section 10, over corpora of at least 32 different documents: masking, limiting and
encoding against `orjson` doing nothing but its own part. Before a case is timed, its output is checked:
strict JSON, no planted secret in it, nothing else changed. Then hostile texts of three sizes: four times the
text must not take more than eight times as long.

The runner is our own (`_masking_rounds.py`) since a ratio needs both sides next to each other in time:
pytest-benchmark finishes one contender before it begins the next, and on a machine that others use as well
their quotient then says more about the others. Nor has it a corpus of which each round takes another part.

`python -m benchmarks.masking [--only TEXT] [--backend NAME] [--profile TEXT] [--seed N] [--write]`. Fails if
a target is missed; `--profile` shows where the time of a case goes instead.
"""

from __future__ import annotations

import argparse
import cProfile
import functools
import math
import platform
import pstats
import random
import time
from typing import TYPE_CHECKING

import orjson
from benchmarks._masking_cases import CASES, Case
from benchmarks._masking_contenders import BACKENDS
from benchmarks._masking_growth import FACTOR_MAX, SHAPES, SIZES, measure, work
from benchmarks._masking_rounds import run_rounds
from benchmarks._picture import draw
from benchmarks._results import PICTURES, RESULTS, commit, machine, write_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks._masking_contenders import Backend
    from benchmarks._masking_growth import Growth, Shape
    from benchmarks._masking_rounds import Figures

PICTURE = PICTURES / "masking-cost.svg"
PROFILED_FUNCTIONS = 25
PROFILED_SECONDS = 2.0  # long enough that no function of weight is missed by chance


def main(arguments: Sequence[str] | None = None) -> int:
    """Time what was chosen and print the tables; 1 if a target was missed."""
    options = _parse(arguments)
    backends = [BACKENDS[name] for name in options.backend or BACKENDS]
    if options.profile:
        return _profile(options.profile, backends[0])
    cases = [case for case in CASES if _is_chosen(case.name, options.only)]
    shapes = [shape for shape in SHAPES if _is_chosen(f"growth {shape.name}", options.only)]
    if not cases and not shapes:
        print(f"nothing begins with {options.only}: ", *(case.name for case in CASES), "growth", sep="; ")
        return 2
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"{len(cases)} cases, {len(shapes)} hostile shapes, order by seed {seed}", flush=True)
    works = {case.name: case.prepare(backends) for case in cases}
    print(f"outputs checked after {time.process_time():.0f} s", flush=True)
    figures = run_rounds(cases, works, seed)
    costs, missed = _costs(cases, figures, backends)
    if cases:
        print(costs, flush=True)
    grown = {(shape.name, backend.name): measure(shape, backend) for shape in shapes for backend in backends}
    growth = _growth(grown)
    if shapes:
        print(growth)
    missed += [f"growth of {shape!r} ({name})" for (shape, name), one in grown.items() if one.is_missed]
    print(f"missed: {'; '.join(missed)}" if missed else "every target met")
    if options.write:
        versions = f"Python {platform.python_version()}, orjson {orjson.__version__}"
        note = (
            f"{versions}, {machine()}, commit {commit()}. Medians of the ratios of each round, in brackets"
            " the first and the third quartile. Method: `benchmarks/masking.py`. As a picture:"
            " `docs/images/masking-cost.svg`."
        )
        title = "## Masking: cost against orjson, growth on hostile texts"
        write_section("masking", f"{title}\n\n{costs}\n\n{growth}\n\n{note}")
        print(f"written: {RESULTS.name}")
        _draw(cases, figures, backends)
    return 1 if missed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masking")
    parser.add_argument("--only", action="append", help="cases that begin so, or 'growth'; repeatable")
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all that there are")
    parser.add_argument("--profile", metavar="TEXT", help="profile the one case or hostile shape so named")
    parser.add_argument(
        "--seed", type=int, help="of the order in which things run; default: another each time"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/RESULTS.md")
    return parser.parse_args(arguments)


def _is_chosen(name: str, only: list[str] | None) -> bool:
    return not only or name.startswith(tuple(only))


# --- tables ---------------------------------------------------------------------------------------


def _costs(
    cases: Sequence[Case], figures: Mapping[str, Figures], backends: Sequence[Backend]
) -> tuple[str, list[str]]:
    """Return the table of ratios, one row per case and backend, and the names of missed targets."""
    rows = [["work", "corpus", "backend", "us", "floor", "us", "other floors", "ratio", "target", ""]]
    missed: list[str] = []
    for case in cases:
        one = figures[case.name]
        floor, *others = one.work.floors
        beside = ", ".join(f"{name} {one.ratio(name):.1f}x" for name in others)
        for backend in backends:
            target = case.targets.get(backend.name)
            ratio = one.ratio(backend.name)
            verdict = "" if target is None else "pass" if ratio <= target else "MISS"
            if verdict == "MISS":
                missed.append(f"{case.name} ({backend.name}): {ratio:.2f}x, target {target:g}x")
            rows.append(
                [
                    case.name,
                    f"{one.work.items} x {one.work.mean_bytes} B",
                    backend.name,
                    f"{one.microseconds(backend.name):.2f}",
                    floor,
                    f"{one.microseconds(floor):.3f}",
                    beside,
                    _spread(one.ratios(backend.name), ratio),
                    "" if target is None else f"{target:g}x",
                    verdict,
                ]
            )
    return _markdown(rows, left={0, 1, 2, 4, 6, 9}), missed


def _draw(cases: Sequence[Case], figures: Mapping[str, Figures], backends: Sequence[Backend]) -> None:
    """Draw the ratios of the works that have a target."""
    works: list[tuple[str, dict[str, float]]] = []
    for case in cases:
        if case.targets:
            one = figures[case.name]
            ratios = {backend.name: one.ratio(backend.name) for backend in backends}
            works.append((case.name[2:], ratios | {name: one.ratio(name) for name in [*one.work.floors][1:]}))
    try:
        draw("Masking, against orjson or bytes.find doing their own part (less is better)", works, PICTURE)
        print(f"drawn: {PICTURE.name}")
    except ImportError:
        print("NOT drawn: matplotlib is missing (pip install -r benchmarks/requirements-peers.txt)")


def _spread(ratios: Sequence[float], middle: float) -> str:
    quarter = len(ratios) // 4
    return f"{middle:.2f}x ({ratios[quarter]:.2f}-{ratios[-1 - quarter]:.2f})"


def _growth(grown: Mapping[tuple[str, str], Growth]) -> str:
    """Return the table of hostile shapes, the one that grows most first."""
    sizes = [f"{size // 1024} KiB" for size in SIZES]
    rows = [["hostile text", "backend", *(f"{size}, ms" for size in sizes), "x4", "x4", f"<= {FACTOR_MAX:g}"]]
    for (name, backend), one in sorted(grown.items(), key=lambda item: -item[1].factors[-1]):
        times = [f"{taken:.1f}" if math.isfinite(taken) else "stopped" for taken in one.milliseconds]
        factors = [f"{factor:.1f}" if math.isfinite(factor) else "more" for factor in one.factors]
        label = f"`{name}`".replace("|", "\\|")
        verdict = "MISS" if one.is_missed else "pass"
        if math.isfinite(one.confirming_factor):
            verdict += f", beyond x{one.confirming_factor:.1f}"
        rows.append([label, backend, *times, *factors, verdict])
    return _markdown(rows, left={0, 1, len(rows[0]) - 1})


def _markdown(rows: Sequence[Sequence[str]], left: set[int]) -> str:
    columns = range(len(rows[0]))
    widths = [max(len(row[at]) for row in rows) for at in columns]
    rule = ["-" * widths[at] if at in left else "-" * (widths[at] - 1) + ":" for at in columns]
    return "\n".join(
        "| "
        + " | ".join(row[at].ljust(widths[at]) if at in left else row[at].rjust(widths[at]) for at in columns)
        + " |"
        for row in [rows[0], rule, *rows[1:]]
    )


# --- profiles -------------------------------------------------------------------------------------


def _profile(text: str, backend: Backend) -> int:
    """Print where the time of one case goes, by each function's own time."""
    found: list[Case | Shape] = [one for one in (*CASES, *SHAPES) if text in one.name]
    exact = [one for one in found if one.name == text]
    if not found:
        print(f"no case with {text!r} in its name; there are: {'; '.join(case.name for case in CASES)}")
        return 2
    chosen = (exact or found)[0]
    run = _runnable(chosen, backend)
    print(f"{chosen.name}, {backend.name}")
    profile = cProfile.Profile()
    ending = time.process_time() + PROFILED_SECONDS
    run()  # warm
    while time.process_time() < ending:
        profile.runcall(run)
    pstats.Stats(profile).sort_stats(pstats.SortKey.TIME).print_stats(PROFILED_FUNCTIONS)
    return 0


def _runnable(chosen: Case | Shape, backend: Backend) -> Callable[[], object]:
    if isinstance(chosen, Case):
        return functools.partial(chosen.prepare([backend]).backends[backend.name], 0)
    return work(chosen, backend, SIZES[0])


if __name__ == "__main__":
    raise SystemExit(main())
