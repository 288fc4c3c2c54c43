"""Laws of the raw formats, on whatever Hypothesis finds."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from replaystack.logs.formats import FORMATS, Defaults, FormatError, decode, parse, read_entries, sniff

NOW = 1_795_255_200_000
PLACE = Defaults(source="s", environment="e", level="info")

hostile = st.text(
    st.sampled_from(list('<>[]{}":,=\\ \t\n\r-/*T0123456789abcError\ufeff\u2028\x00\x85é')), max_size=200
) | st.text(max_size=200)
words = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
entries = st.fixed_dictionaries(
    {"level": st.sampled_from(["debug", "info", "warn", "error"]), "message": words},
    optional={
        "userId": st.text(min_size=1, max_size=100),
        "tags": st.lists(st.text(max_size=50), max_size=20),
        "stepIndex": st.integers(0, 1000),
        "timestamp": st.integers(0, 253_402_300_799_999),
        "data": st.dictionaries(st.text(max_size=8), plain, max_size=3),
        "isPii": st.booleans(),
    },
)


@given(hostile, st.sampled_from(FORMATS))
def test_any_text_is_entries_or_a_format_error(text: str, name: Any) -> None:
    """No body whatever raises anything else, and what comes out is complete and plain."""
    try:
        found = read_entries(text, name, PLACE, NOW)
    except FormatError as error:
        json.dumps(error.document())
        return
    for entry in found:
        assert entry["message"]
        assert {"level", "source", "environment", "isPii"} <= entry.keys()
        json.dumps(entry, allow_nan=False)


@given(st.binary(max_size=200), st.sampled_from(FORMATS))
def test_any_bytes_are_text_or_a_format_error(body: bytes, name: Any) -> None:
    """Text and syslog take every byte string; the others may refuse it."""
    try:
        text = decode(body, name)
    except FormatError:
        assert name not in {"text", "syslog"} or body[:2] in {b"\xff\xfe", b"\xfe\xff"}
        return
    assert sniff(text) in FORMATS


@given(st.lists(entries, min_size=1, max_size=20))
def test_json_and_jsonl_give_back_what_was_written(given_entries: list[dict[str, Any]]) -> None:
    """Whatever an entry holds, both JSON formats read the same, and sniffing finds them."""
    array = json.dumps({"logs": given_entries})
    lines = "\r\n".join(json.dumps(entry, ensure_ascii=False) for entry in given_entries)
    expected = read_entries(array, "json", PLACE, NOW)
    assert read_entries(lines, "jsonl", PLACE, NOW) == expected
    for entry, original in zip(expected, given_entries, strict=True):
        assert {key: entry[key] for key in original} == original
    assert sniff(array) == "json"


@given(
    st.lists(
        st.tuples(st.sampled_from(["info", "error"]), words, st.text(max_size=40)), min_size=1, max_size=20
    )
)
def test_csv_gives_back_what_a_writer_wrote(rows: list[tuple[str, str, str]]) -> None:
    """Commas, quotes, line ends in cells: nothing shifts."""
    rows = [tuple(cell.replace("\x00", "").replace("\r", "") or "x" for cell in row) for row in rows]  # type: ignore[misc]  # still three texts
    for dialect in ("excel", "excel-tab"):
        file = io.StringIO()
        writer = csv.writer(file, dialect)
        writer.writerow(["level", "message", "note"])
        writer.writerows(rows)
        found = list(parse(file.getvalue(), "csv", NOW))
        assert [(entry["level"], entry.get("message")) for entry in found] == [
            (row[0], row[1] if row[1].strip() else None) for row in rows
        ]


@given(st.lists(hostile.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=30))
def test_each_line_of_text_is_one_entry(lines: list[str]) -> None:
    """No line is lost and none is invented, for text and syslog alike."""
    expected = sum(1 for line in lines if line.strip())
    text = "\n".join(lines)
    assert sum(1 for _ in parse(text, "text", NOW)) == expected
    assert sum(1 for _ in parse(text, "syslog", NOW)) == expected


@given(
    st.integers(0, 191),
    st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}", fullmatch=True),
    st.text(
        st.characters(exclude_characters="\n\r\ufeff", exclude_categories=["Cs"]), min_size=1, max_size=80
    ),
)
def test_rfc_5424_gives_back_what_was_written(pri: int, name: str, message: str) -> None:
    """Priority, name and message come back whatever the message holds."""
    line = f"<{pri}>1 2024-01-15T10:30:00.000Z host {name} 42 - - {message}"
    (entry,) = parse(line, "syslog", NOW)
    assert entry["data"]["facility"] * 8 + entry["data"]["severity"] == pri
    assert (entry["source"], entry["message"]) == (name, message)
