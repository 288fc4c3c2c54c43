"""A JSON line of a domain file is what the standard library's encoder makes of the same record."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.core.domains.writing import entry

from replaystack.logs.domains.rendering import json_line

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3)
)


@given(
    message=TEXTS,
    fields=st.dictionaries(TEXTS, VALUES, max_size=4),
    ids=st.fixed_dictionaries({}, optional={"user_id": TEXTS, "correlation_id": TEXTS, "error_name": TEXTS}),
    tags=st.lists(TEXTS, max_size=2),
)
def test_a_line_is_what_json_makes_of_it(
    message: str, fields: dict[str, Any], ids: dict[str, str], tags: list[str]
) -> None:
    """Any texts, any plain values; byte for byte but for what ends a line in some readers."""
    line = json_line(entry(message, fields=fields, tags=tuple(tags), **ids))
    record = json.loads(line)
    expected: dict[str, Any] = {
        "timestamp": record["timestamp"],
        "domain": "agents",
        "level": "INFO",
        "message": message,
        "context": fields,
        **{name: ids[name] for name in ("correlation_id", "user_id") if name in ids},
        **({"tags": tags} if tags else {}),
        **({"error_name": ids["error_name"]} if "error_name" in ids else {}),
    }
    assert record == expected
    text = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
    for separator in "\x85\u2028\u2029":
        text = text.replace(separator, f"\\u{ord(separator):04x}")
    assert line == text + "\n"
    assert len(line.splitlines()) == 1
