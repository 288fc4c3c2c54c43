"""Texts made to be slow: each rule looks at every place a bounded number of times."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Any

import pytest

from replaystack.exchange import RawBody
from replaystack.sanitize import Policy, encode_event, mask_text, mask_url

if TYPE_CHECKING:
    from types import FrameType

POLICY = Policy.build()

# Repeated until the text is large; each could make a careless pattern start over at every place.
UNITS = [
    "a=",
    "password=",
    "password:",
    '"',
    'password="',
    "password='\\'",
    "secret={",
    'secret={"\\"',
    "{",
    "[",
    '[["a","b"],',
    "<password>",
    "<a>",
    "<a ",
    "</password>",
    "<auth>",
    "<auth><b></b>",
    "<password></x>",
    '<a name="secret">',
    "://",
    "a://b@",
    "://u:x/",
    "http://h/?token=x&",
    "?a=b;",
    "?u=https://x",
    "eyJ",
    "eyJ.",
    "eyJabcdefghijk.",
    "Bearer ",
    "bearer aaaaaaaa",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "1",
    "1 ",
    "4242 ",
    "4242424242424242 ",
    "4242-",
    "sk-",
    "sk-a",
    "sk_live_",
    "SG.",
    "SG." + "a" * 16,
    "xoxb-",
    "AKIA",
    "SK",
    "a,password=",
    "password=a,",
    ',"a"',
    "('a', '",
    "('password', '",
    "\\",
    '\\"password\\": \\"',
    "cookie: a\n",
    "api key: a ",
    "%70",
    "x-",
    "_",
    "é=",
    '{"a":',
    '["',
    '{"password":"x"}',
    "session={",
    "''",
    "password=''",
    "12345678-1234-1234-1234-123456789012 ",
    "[MASKED]",
    "password=[MASK",
    "b'",
    "%3D",
    "authorization: ",
    "&",
    ";",
]


class _Work:
    """Counts the lines of our own code that run: a measure of work that no slow machine disturbs."""

    def __enter__(self) -> _Work:
        self.lines = 0
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if "sanitize" not in frame.f_code.co_filename:
            return None
        self.lines += event == "line"
        return self._trace


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Four times the text is about four times the work, for a text that is nothing but traps."""
    work: list[int] = []
    for size in (1_000, 4_000, 16_000):
        with _Work() as measured:
            mask_text((unit * size)[:size], POLICY)
            mask_url("/?" + (unit * size)[:size], POLICY)
        work.append(measured.lines)
    for smaller, larger in itertools.pairwise(work):
        assert larger <= 6 * smaller + 2_000


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("before", ["", "password=", "{", "secret={"])
def test_no_pattern_hangs_on_a_large_text(unit: str, before: str) -> None:
    """A pattern that looked twice at each place would take minutes here; the suite's guard would end it."""
    text = before + (unit * 30_000)[:30_000]
    masked = mask_text(text, POLICY)
    assert mask_text(masked, POLICY) == masked


@pytest.mark.parametrize("unit", ["[", '{"a":', "<password>", "a=b&", 'password="', "4242 "])
def test_a_megabyte_of_traps_as_a_body(unit: str) -> None:
    """The largest body that is captured, made to be slow, still comes out."""
    data = (unit * 1_000_000)[: 512 * 1024].encode()
    for content_type in ("application/json", "text/xml", "application/x-www-form-urlencoded"):
        body = RawBody(data, content_type, total_bytes=len(data))
        assert len(encode_event({"requestPayload": body}, POLICY)) < 2_000_000
