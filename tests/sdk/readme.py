"""The code blocks of the seed's README, and two ways to run one.

The text lies in `readme_blocks/`, one file for each block, exactly as the README has it. Only
the key is replaced before a block runs; the endpoint comes from the environment.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

BLOCKS = Path(__file__).parent / "readme_blocks"
SEED = Path(__file__).parents[3] / "shared" / "seeds" / "replaystack-python-sdk.txt"
"""Lies beside the repository in some places only; the tests stand without it."""

KEY = "key-of-the-readme-tests"
"""Printable, and not of the shape that masking would take for a secret."""


def names() -> list[str]:
    """Return the names of all blocks, in the README's order."""
    return sorted(path.stem for path in BLOCKS.glob("*.txt"))


def raw(name: str) -> str:
    """Return a block exactly as the README has it."""
    return (BLOCKS / f"{name}.txt").read_text(encoding="utf-8")


def block(name: str) -> str:
    """Return a block with a key of ours instead of the README's."""
    return re.sub(r"rs_live_x+", KEY, raw(name))


def run_script(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `text` as a program of its own, to its end, with no variable of ours but `environment`."""
    script = folder / "app.py"
    script.write_text(text, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Session:
    """A block that runs in this process, statement by statement, so that a test can act in between."""

    def __init__(self, text: str, **names: Any) -> None:
        self._statements = ast.parse(text).body
        self.names: dict[str, Any] = {"__name__": "readme", **names}

    def step(self) -> None:
        """Run the next statement."""
        statement = self._statements.pop(0)
        exec(compile(ast.Module([statement], []), "<readme>", "exec"), self.names)

    def run(self) -> dict[str, Any]:
        """Run what is left and return the names that the block has defined."""
        while self._statements:
            self.step()
        return self.names
