"""Write the tables of docs/masking.md from the code, so that the page cannot say what is not so.

    .venv/bin/python scripts/masking_doc.py          # rewrites the tables in place

A test compares the page with what this would write.
"""

from __future__ import annotations

from pathlib import Path

from replaystack.sanitize import _keys as keys
from replaystack.sanitize import _names as names
from replaystack.sanitize import _spelling as spelling

PAGE = Path(__file__).resolve().parent.parent / "docs" / "masking.md"


def _names(names: object) -> str:
    return " ".join(f"`{name}`" for name in sorted(names))  # type: ignore[call-overload]  # any collection of str


def _with_role(role: int) -> list[str]:
    return [name for name, found in keys.ROLES.items() if found == role]


def key_table() -> str:
    """Return the key rules as a Markdown table, in the order in which they are asked."""
    rows = [
        ("the whole key, or its last segment after `[ ] . : /`, is", _names(names.EXACT)),
        (f"it contains (but for `{names.NOT_SECRET}...`)", _names(names.CONTAINS)),
        ("it ends with", _names(names.ENDS)),
        ("its last word is", _names(names.LAST_WORDS)),
        ("one of these words, or such an ending, is followed by", _names({*spelling.TAILS, "v2"})),
        (
            f"it is {_names(_with_role(keys.VALUE))}, and beside it a secret is named by",
            _names(_with_role(keys.NAME)),
        ),
        ("in a query or form it also is", _names(names.FORM_EXACT)),
        ("in a query or form it also ends with", _names(names.FORM_ENDS)),
        ("in a header it also is", _names(names.HEADER_EXACT)),
        ("in a header it also ends with", _names(names.HEADER_ENDS)),
    ]
    return "\n".join(
        ["| a key is secret if | |", "|---|---|", *(f"| {rule} | {names} |" for rule, names in rows)]
    )


def exception_table() -> str:
    """Return what the key rules leave alone."""
    rows = [
        ("what follows the secret word is", _names(names.NOT_REST)),
        ("its first word is", _names(names.NOT_FIRST_WORDS)),
        ("it is", _names(names.NOT_EXACT)),
        ("it is the header", _names(names.HEADER_NOT)),
        ("its value is an object (which is walked instead)", _names(names.WALKED)),
    ]
    return "\n".join(["| and is not if | |", "|---|---|", *(f"| {rule} | {names} |" for rule, names in rows)])


TABLES = {"keys": key_table, "exceptions": exception_table}


def rendered(page: str) -> str:
    """Return the page with every table between its markers as the code has it today.

    Raises:
        ValueError: a marker is missing.

    """
    for name, table in TABLES.items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(begin)
        if not found or end not in rest:
            raise ValueError(f"docs/masking.md needs a table {name!r}")
        page = before + begin + table() + "\n" + end + rest.partition(end)[2]
    return page


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
    print(f"wrote {len(TABLES)} tables")
