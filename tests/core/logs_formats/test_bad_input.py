"""The issue's "Bad input": the documented answer, and never more memory than the body itself costs."""

from __future__ import annotations

import codecs
import tracemalloc

import pytest

from replaystack.logs.formats import (
    FORMATS,
    Defaults,
    FormatError,
    FormatName,
    decode,
    read_entries,
    sniff,
)

NOW = 1_795_255_200_000
PLACE = Defaults(source="s", environment="e", level="info")
MIB = 1024 * 1024


@pytest.mark.parametrize(("mark", "encoding"), [
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
])  # fmt: skip
def test_byte_order_marks(mark: bytes, encoding: str) -> None:
    """A mark says the encoding and is no part of the text."""
    body = mark + '{"message": "é"}'.encode(encoding)
    assert decode(body, "json") == '{"message": "é"}'


def test_mixed_encodings_of_lines() -> None:
    """Text and syslog keep every line: one that is no UTF-8 is Latin-1; the others stay UTF-8."""
    body = "né\n".encode() + "né\n".encode("latin-1") + b"\xff\xfe!"
    for name in ("text", "syslog"):
        assert decode(body, name).split("\n") == ["né", "né", "ÿþ!"]


@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "obl"])
def test_wrong_encoding_where_all_or_nothing(name: FormatName) -> None:
    """Elsewhere it is refused, naming the line."""
    with pytest.raises(FormatError) as refused:
        decode(b'{"a":1}\n{"a":"\xff"}', name)
    assert refused.value.document()["error"] == "Failed to parse line 2: not UTF-8"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("body", ["", " \n\r\n\t"])
def test_empty_bodies(name: FormatName, body: str) -> None:
    """An empty body is an error in every format, never a silent success."""
    with pytest.raises(FormatError):
        read_entries(body, name, PLACE, NOW)


def test_a_malformed_line_among_good_ones() -> None:
    """JSONL is all or nothing, and names the 1-based line, empty ones counted."""
    with pytest.raises(FormatError) as refused:
        read_entries('{"level":"info","message":"m"}\n\n{"level":\n{"a":1}', "jsonl", PLACE, NOW)
    assert refused.value.document()["error"] == "Failed to parse line 3: invalid JSON"
    assert refused.value.code == "PARSE_ERROR"
    assert refused.value.line == 3


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("json", "[" * 100_000),
        ("json", '{"a":' * 100_000),
        ("json", "[NaN]"),
        ("json", "[" + "9" * 5000 + "]"),
        ("json", "3"),
        ("json", '{"logs": 3}'),
        ("json", "[3]"),
        ("jsonl", "[]\n"),
        ("csv", 'level,message\ninfo,"open'),
        ("csv", "level,,message\n"),
        ("csv", "level,level\n"),
        ("csv", ",".join("abc" + str(n) for n in range(1000))),
        ("csv", "level,message\ninfo," + "x" * 200_000),
        ("csv", "message,timestamp\nm," + "9" * 5000),
        ("obl", "/* open"),
        ("obl", "{}"),
        ("obl", "[]"),
        ("obl", '{"format": "open-board-log-0.1"}'),
        ("obl", '{"format": "open-board-log-0.1", "sessions": [3]}'),
        ("obl", '{"format": "open-board-log-0.1", "sessions": [{"events": [3]}]}'),
        ("obl", '{"format": "open-board-log-0.1", "sessions": [{"events": {}}]}'),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_place(name: FormatName, body: str) -> None:
    """Every refusal has a path, quotes nothing of the body, and is the same error."""
    with pytest.raises(FormatError) as refused:
        read_entries(body, name, PLACE, NOW)
    assert refused.value.issues
    assert "9999" not in str(refused.value.document())


def test_issue_paths_reach_into_obl() -> None:
    """The path is the document's own."""
    with pytest.raises(FormatError) as refused:
        read_entries(
            '{"format": "open-board-log-0.1", "sessions": [{}, {"events": [{}, 3]}]}', "obl", PLACE, NOW
        )
    assert refused.value.issues[0].path == ("sessions", 1, "events", 1)


@pytest.mark.parametrize("name", ["text", "syslog"])
@pytest.mark.parametrize(
    "start", ["", "<13>", "<13>1 - - a - - [x ", '<165>1 - - a - - [a b="', "[", "ERROR "]
)
def test_ten_megabytes_without_a_line_end(name: FormatName, start: str) -> None:
    """Such a line is cut with a visible mark; what is held beside it is a few copies of it at most."""
    line = start + "a b" * (10 * MIB // 3)
    tracemalloc.start()
    (entry,) = read_entries(line, name, PLACE, NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(entry["message"]) == 10_000
    assert "[truncated, 10" in entry["message"]
    assert peak < 5 * len(line)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "unit", ["<", "[", "{", '"', "\\", " ", "-", "/*", "2024-", '[a b="', "=", "a=", ",\t"]
)
def test_no_input_takes_quadratic_time(name: FormatName, unit: str) -> None:
    """A megabyte of anything is answered; the guard is the suite's own against hangs."""
    body = unit * (MIB // len(unit))
    for text in (body, "<13>" + body, "<13>1 - - a - - " + body, "level,message\n" + body):
        sniff(text)
        try:
            read_entries(text, name, PLACE, NOW)
        except FormatError:
            pass
