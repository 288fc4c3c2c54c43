"""Ratios as a picture: one group of bars per work, a logarithmic scale, the floor as the line at 1."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["draw"]

_COLOURS: Final = {"native": "#2f7d4f", "python": "#3b6ea5", "json.dumps": "#b9b9b9"}
_OTHER: Final = "#8a6fb0"
_WHOLE: Final = 10


def draw(title: str, works: Sequence[tuple[str, Mapping[str, float]]], path: Path) -> None:
    """Write an SVG of `works`: a label and a ratio by contender each. Needs matplotlib.

    Raise ImportError where it is missing: it is one of the optional packages of the benchmarks.
    """
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    matplotlib.rcParams["svg.hashsalt"] = "replaystack"  # the same picture from the same figures
    names = list(dict.fromkeys(name for _, ratios in works for name in ratios))
    figure = figures.Figure(figsize=(9, 0.9 + 0.32 * len(names) * len(works)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(names)
    for at, name in enumerate(names):
        rows = [(row, ratios[name]) for row, (_, ratios) in enumerate(works) if name in ratios]
        places = [row + (at - (len(names) - 1) / 2) * height for row, _ in rows]
        ratios_of = [ratio for _, ratio in rows]
        bars = axes.barh(places, ratios_of, height, label=name, color=_COLOURS.get(name, _OTHER))
        labels = [f"{ratio:.2g}x" if ratio < _WHOLE else f"{ratio:.0f}x" for ratio in ratios_of]
        axes.bar_label(bars, labels, padding=3)
    axes.set_xscale("log")
    axes.axvline(1, color="#444444", linewidth=1)
    axes.set_yticks(range(len(works)), [label for label, _ in works])
    axes.invert_yaxis()
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter("{x:g}x")
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False)
    figure.savefig(path, metadata={"Date": None})
