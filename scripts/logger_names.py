"""Write the table of ReplayStack's own loggers into docs/logs.md; `tests/docs` compares it with the code."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "logs.md"
BEGIN, END = "<!-- loggers: begin -->", "<!-- loggers: end -->"
MAKERS = {"getLogger", "RateLimitedLogger"}


def sources() -> list[Path]:
    """Return every module of every distribution."""
    return sorted(ROOT.glob("packages/*/src/**/*.py"))


def module_name(path: Path) -> str:
    """Return the name by which `path` is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts[3:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def own_loggers() -> dict[str, str]:
    """Return each logger that a module of ours makes for itself, with what the module is about."""
    found: dict[str, str] = {}
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in MAKERS:
                continue
            argument = node.args[0]
            about = (ast.get_docstring(tree) or "").split("\n")[0]
            if isinstance(argument, ast.Name) and argument.id == "__name__":
                found[module_name(path)] = about
            elif isinstance(argument, ast.Constant) and str(argument.value).startswith("replaystack"):
                found[str(argument.value)] = about
    return dict(sorted(found.items()))


def table() -> str:
    """Return the table as Markdown."""
    rows = [f"| `{name}` | {about} |" for name, about in own_loggers().items()]
    return "\n".join(["| logger | its module |", "|---|---|", *rows])


def page_with_table(page: str) -> str:
    """Return `page` with the table of today between the marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Write the page; return the exit status."""
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
