"""Raw bodies cut into requests: nothing lost, nothing doubled, each request complete in its format."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.logs.formats import FormatError, FormatName, parse
from replaystack.logs.raw_lines import MOST_LINE, file_lines, text_lines
from replaystack.logs.splitting import split
from replaystack.sanitize import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_795_255_200_000
POLICY = Policy.build()
BASE64 = "MIIEpAIBAAKCAQEA75xYzLmN0pQrStUvWxYz0123456789abcdefABCDEF+/"


def chunks(body: str, name: FormatName) -> list[str]:
    """Return the requests that a body comes to."""
    return [chunk.body.data.decode() for chunk in split(text_lines(body, name), name, POLICY)]


def body_of(messages: list[str], name: FormatName) -> str:
    """Return a body of that format with these messages."""
    if name in {"text", "syslog"}:
        return "\n".join(messages)
    if name == "csv":
        return "level,message\n" + "".join(f"info,{message}\n" for message in messages)
    if name == "jsonl":
        return "\n\n".join(json.dumps({"message": message}) for message in messages)
    if name == "json":
        # A second `logs` that a parser overwrites, and an inner one that is none of ours.
        inner = json.dumps([{"message": message} for message in messages], indent=1)
        return f'{{"logs": [1, 2], "other": {{"logs": [3]}}, "logs" : {inner}}}'
    half = len(messages) // 2
    sessions = [
        {"id": "a", "type": "log", "events": [{"type": "note", "text": text} for text in messages[:half]]},
        {"id": "b", "type": "log", "events": [{"type": "note", "text": text} for text in messages[half:]]},
    ]
    return "/* notice */ " + json.dumps(
        {"format": "open-board-log-0.1", "user_id": "u", "sessions": sessions}
    )


@pytest.mark.parametrize("name", ["json", "jsonl", "syslog", "text", "csv", "obl"])
@given(count=st.integers(1, 450))
def test_the_parts_are_the_whole(name: FormatName, count: int) -> None:
    """At most 100 logs in each request, all of them in order, each request readable by itself."""
    body = body_of([f"m{number}" for number in range(count)], name)
    parts = chunks(body, name)
    parsed = [list(parse(part, name, NOW)) for part in parts]
    assert all(1 <= len(part) <= 100 for part in parsed)
    assert len(parts) == -(-count // 100)
    assert [entry for part in parsed for entry in part] == list(parse(body, name, NOW))


def test_the_header_is_repeated_and_sessions_are_kept() -> None:
    """What a request needs to be understood is in each."""
    parts = chunks(body_of([f"m{n}" for n in range(250)], "csv"), "csv")
    assert [part.split("\n")[0] for part in parts] == ["level,message"] * 3
    documents = [json.loads(part) for part in chunks(body_of([f"m{n}" for n in range(250)], "obl"), "obl")]
    assert {document["user_id"] for document in documents} == {"u"}
    assert [[session["id"] for session in document["sessions"]] for document in documents] == [
        ["a"],
        ["a", "b"],
        ["b"],
    ]


def test_a_bare_array_and_spelling_survive() -> None:
    """Items go out as they stand in the body: numbers keep their digits."""
    items = [f'{{"message":"m","n":1.50e{n % 9}, "big":{2**70}}}' for n in range(150)]
    parts = chunks(" [ " + " , ".join(items) + " ] ", "json")
    assert parts == ['{"logs":[' + ",".join(items[:100]) + "]}", '{"logs":[' + ",".join(items[100:]) + "]}"]


@pytest.mark.parametrize("before", [0, 60, 97, 99, 100, 101])
@pytest.mark.parametrize("length", [2, 50, 300])
def test_a_private_key_is_never_cut(before: int, length: int) -> None:
    """Wherever it stands, it is masked as one; no line of it leaves."""
    key = ["-----BEGIN RSA PRIVATE KEY-----", *[BASE64] * length, "-----END RSA PRIVATE KEY-----"]
    lines = [*(f"m{n}" for n in range(before)), *key, *(f"n{n}" for n in range(120))]
    parts = chunks("\n".join(lines), "text")
    found = [line for part in parts for line in part.split("\n")]
    assert not [line for line in found if "MIIE" in line]
    assert found == [*(f"m{n}" for n in range(before)), "[MASKED]", *(f"n{n}" for n in range(120))]
    assert all(len(part.split("\n")) <= 100 for part in parts)


def test_an_indented_line_stays_with_the_one_before() -> None:
    """A validator names a field on one line and quotes its value on the next."""
    lines = [
        *(f"m{n}" for n in range(99)),
        "password",
        "  Input should be short [type=string_too_long, input_value='hunter2', input_type=str]",
    ]
    parts = chunks("\n".join(lines), "text")
    assert "hunter2" not in "".join(parts)
    assert parts[1].startswith("password\n")


def test_nothing_but_indented_lines_is_cut_all_the_same() -> None:
    """There is no quiet place; a request still holds at most 100."""
    parts = chunks("\n".join(f"  m{n}" for n in range(250)), "text")
    assert [len(part.split("\n")) for part in parts] == [100, 100, 50]


@pytest.mark.parametrize(
    ("name", "body", "line"),
    [("jsonl", '{"a":1}\n' * 120 + "\n{bad", 122), ("csv", "a,b\n" + "1,2\n" * 120 + "1,2,3\n", 122)],
)
def test_a_bad_line_is_named_after_what_was_good(name: FormatName, body: str, line: int) -> None:
    """The requests before it are whole; the error has the line of the body."""
    taken: list[int] = []
    with pytest.raises(FormatError) as refused:
        taken.extend(chunk.last_line for chunk in split(text_lines(body, name), name, POLICY))
    assert refused.value.line == line


# -- lines


hostile_bytes = st.lists(
    st.sampled_from(
        [
            b"a",
            b"\n",
            b"\r",
            b"\r\n",
            "é".encode(),
            b"\xff",
            b"\xef\xbb\xbf",
            b" ",
            b"\x85",
            "\u2028".encode(),
        ]
    ),
    max_size=30,
).map(b"".join)


@given(hostile_bytes)
def test_a_file_has_the_lines_of_its_text(body: bytes) -> None:
    """Read bit by bit or at once, lenient formats see the same lines with the same numbers."""
    by_file = [(number, line) for number, line in file_lines(io.BytesIO(body), "text") if line.strip()]
    by_text = [(number, line) for number, line in text_lines(body, "text") if line.strip()]
    assert by_file == by_text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_with_a_byte_order_mark(encoding: str) -> None:
    """UTF-8 and UTF-16, whose line ends are no single bytes; a character may lie across two reads."""
    lines = [f"{number} é ഊ ਊ" for number in range(20_000)]
    text = "\r\n".join(lines)
    body = (
        text.encode(encoding) if encoding in {"utf-8-sig", "utf-16"} else ("\ufeff" + text).encode(encoding)
    )
    assert [line for _, line in file_lines(io.BytesIO(body), "jsonl")] == lines


def test_a_wrong_byte_is_named_by_its_line() -> None:
    """In a format that is all or nothing."""
    with pytest.raises(FormatError, match="line 3: not UTF-8"):
        list(file_lines(io.BytesIO(b"{}\n{}\n\xff\n"), "jsonl"))


class Endless(io.RawIOBase):
    """A file of one line that takes no memory of its own."""

    def __init__(self, size: int, unit: bytes) -> None:
        self._left = size
        self._unit = unit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self._left)
        buffer[:size] = (self._unit * (size // len(self._unit) + 1))[:size]
        self._left -= size
        return size


def read_endless(unit: bytes, name: FormatName, size: int = 300 * MOST_LINE) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file of 300 MiB without a line end."""
    return file_lines(io.BufferedReader(Endless(size, unit)), name)


def test_a_line_without_an_end_takes_bounded_memory() -> None:
    """Text is cut at a whole word, with a mark; other formats refuse it. Neither holds the line."""
    tracemalloc.start()
    ((number, line),) = read_endless(b"word ", "text")
    with pytest.raises(FormatError, match="line 1: the line is longer than"):
        list(read_endless(b"{    ", "jsonl"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert number == 1
    assert line.endswith(f"word … [cut, longer than {MOST_LINE} bytes]")
    assert peak < 20 * MOST_LINE


def test_a_cut_line_ends_with_no_half_word() -> None:
    """Half a secret is one that no rule knows."""
    body = "x " * (MOST_LINE // 2 - 10) + "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc" + " tail" * 10
    ((_, line),) = text_lines(body, "text")
    assert "sk_live" not in line
    ((_, line),) = file_lines(io.BytesIO(body.encode()), "text")
    assert "sk_live" not in line
