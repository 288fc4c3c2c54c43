"""How the time of masking grows with texts made to be slow: four times the text, about four times the time.

Each shape repeats what could make a careless rule start over at every place. What takes far longer than it
should is stopped and counts as missed.
"""

from __future__ import annotations

import math
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from replaystack.exchange import RawBody
from replaystack.sanitize import Limits, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks._masking_contenders import Backend

__all__ = ["FACTOR_MAX", "SHAPES", "SIZES", "Growth", "Shape", "measure", "work"]

SIZES: Final = (64 * 1024, 256 * 1024, 1024 * 1024)
FACTOR_MAX: Final = 8.0
"""From the middle size to the largest. Linear is 4, quadratic 16; between them lies a machine's noise."""
_CONFIRMING_SIZE: Final = 16 * SIZES[-1]
"""A larger factor counts only if the two steps to this size are as large: where the memory that a text needs
no longer fits a cache or comes from the system anew, time jumps, and what is quadratic jumps each time."""
_CONFIRMING_SECONDS: Final = 10.0  # what takes longer there is missed: 0.6 s for each megabyte
_PATIENCE_SECONDS: Final = 4.0  # of processor time, for the smallest size: it takes 0.3 s at most
_PATIENCE_FACTOR: Final = 1.25 * FACTOR_MAX  # of the smaller size's time, for the others: then it is missed
_PATIENCE_MIN_SECONDS: Final = 0.5

_ENOUGH_SECONDS: Final = 0.02  # shorter measurements are repeated: a switch to another process costs as much
_POLICY: Final = Policy.build()
_LIMITS: Final = Limits(max_payload_bytes=2 * _CONFIRMING_SIZE)


class _OutOfPatienceError(BaseException):
    """Raised by the timer. No `Exception`: masking catches those."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A hostile text: `before`, then `unit` again and again, then `after`."""

    name: str
    unit: str
    before: str = ""
    after: str = ""
    content_type: str | None = None
    """Of the body that it is sent as; without one it goes through `mask_text`."""
    complete: bool = True
    """Whether all of the body was seen."""

    def text(self, size: int) -> str:
        """Return the text of at most that many characters; units stay whole, so that each size ends alike."""
        room = size - len(self.before) - len(self.after)
        return self.before + self.unit * (room // len(self.unit)) + self.after


@dataclass(frozen=True, slots=True)
class Growth:
    """Milliseconds by size; infinite where patience ended."""

    milliseconds: tuple[float, ...]
    confirming_factor: float = math.inf
    """Of each of the two steps beyond the largest size, where the last factor was over the bound."""

    @property
    def factors(self) -> tuple[float, ...]:
        """How much longer each size took than the one before."""
        pairs = zip(self.milliseconds, self.milliseconds[1:], strict=False)
        return tuple(math.inf if math.isinf(later) else later / before for before, later in pairs)

    @property
    def is_missed(self) -> bool:
        """Tell whether the last factor is over the bound."""
        return min(self.factors[-1], self.confirming_factor) > FACTOR_MAX


def measure(shape: Shape, backend: Backend) -> Growth:
    """Time a shape at each size, and at a larger one if the last step was too large."""
    milliseconds: list[float] = []
    for size in SIZES:
        milliseconds.append(_grown(work(shape, backend, size), milliseconds))
    growth = Growth(tuple(milliseconds))
    if growth.is_missed and math.isfinite(milliseconds[-1]):
        confirming = _milliseconds(work(shape, backend, _CONFIRMING_SIZE), _CONFIRMING_SECONDS)
        growth = Growth(growth.milliseconds, math.sqrt(confirming / milliseconds[-1]))
    return growth


def _grown(run: Callable[[], object], before: list[float]) -> float:
    """Return the milliseconds of `run`; the times of smaller sizes tell how long to wait."""
    if not before:
        return _milliseconds(run, _PATIENCE_SECONDS)
    if math.isinf(before[-1]):
        return math.inf
    patience = max(_PATIENCE_MIN_SECONDS, before[-1] / 1000 * _PATIENCE_FACTOR)
    taken = _milliseconds(run, patience)
    if FACTOR_MAX < taken / before[-1] < math.inf:  # once more before it is believed
        taken = min(taken, _milliseconds(run, patience))
    return taken


def work(shape: Shape, backend: Backend, size: int) -> Callable[[], object]:
    """Return what is timed: one call with the shape at that size."""
    text = shape.text(size)
    if shape.content_type is None:
        return lambda: backend.mask_text(text, _POLICY)
    data = text.encode()
    body = RawBody(data, shape.content_type, total_bytes=len(data), complete=shape.complete)
    return lambda: backend.encode({"requestPayload": body}, _POLICY, _LIMITS)


def _milliseconds(run: Callable[[], object], patience_seconds: float) -> float:
    """Return the shortest of some runs."""
    best, spent = math.inf, 0.0
    try:
        with _patience(patience_seconds):
            while spent < _ENOUGH_SECONDS:
                # Not `process_time`: it goes by the system's ticks while a timer of the process runs.
                started = time.thread_time()
                run()
                taken = time.thread_time() - started
                best, spent = min(best, taken), spent + taken
    except _OutOfPatienceError:
        return math.inf if math.isinf(best) else best * 1000
    return best * 1000


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Raise in the block once it used up its processor time. Only where the system has such a timer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_number: int, _frame: object) -> None:
        raise _OutOfPatienceError

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"

SHAPES: Final = (
    # JSON web tokens, credentials, keys
    Shape("eyJ", "eyJ"),
    Shape("eyJ.", "eyJ."),
    Shape("long eyJ parts", "eyJhbGciOiJIUzI1NiJ9."),
    Shape("bearer", "bearer "),
    Shape("Bearer with words", "Bearer aaaaaaaaaaa "),
    Shape("bearer and blanks", " ", before="bearer"),
    Shape("BEGIN PRIVATE KEY", "-----BEGIN PRIVATE KEY-----"),
    Shape("BEGIN and END halves", "-----BEGIN PRIVATE KEY----- -----END PRIVATE "),
    Shape("BEGIN", "-----BEGIN "),
    Shape("vendor prefixes", "sk-a sk_live_ AKIA ASIA AIza ghp_ glpat- xoxb- SG. npm_ pypi- "),
    Shape("sk-a", "sk-a"),
    Shape("sk_live_", "sk_live_"),
    Shape("SG. halves", "SG." + "a" * 16 + "."),
    # cards
    Shape("digits", "4"),
    Shape("digit groups", "4242 "),
    Shape("card groups without Luhn", "4242-4242-4242-4243 "),
    Shape("cards", "4242424242424242 "),
    Shape("UUIDs of digits", "12345678-1234-1234-1234-123456789012 "),
    # URLs
    Shape("://", "://"),
    Shape("://@", "://@"),
    Shape("URLs with userinfo", "a://b:c@"),
    Shape("one long URL", "a=b&", before="https://h/?"),
    Shape("URLs in a query", "u=https://h/?", before="https://h/?"),
    Shape("?a=b;", "?a=b;", before="https://h/"),
    Shape("%41", "%41", before="https://h/?"),
    Shape("%41 before =", "%41=b ", before="password=x "),
    # assignments
    Shape("password=", "password="),
    Shape("password: ", "password: "),
    Shape('password="', 'password="'),
    Shape('quotes after password="', '\\"', before='password="'),
    Shape('backslashes after password="', "\\", before='password="'),
    Shape("doubled quotes after password='", "''", before="password='"),
    Shape("escaped names", '\\"password\\": \\"'),
    Shape("brackets after password=", "[{", before="password="),
    Shape("password=[", "password=["),
    Shape("secret={ and quotes", "'\"", before="secret={"),
    Shape("session={", "session={"),
    Shape("('a', ", "('a', "),
    Shape("('password', '", "('password', '"),
    Shape("authorization: ", "authorization: "),
    Shape("YAML blocks", "password: |\n  a\n"),
    Shape("YAML, one block", "  abc\n", before="password: |\n"),
    Shape("YAML, empty blocks", "password: |\n\n"),
    Shape("masks", "password=[MASK"),
    # markup
    Shape("<password>", "<password>"),
    Shape("<password></password>", "<password></password>"),
    Shape("<password>, one end", "<password>", after="</password>"),
    Shape("<auth><b></b>", "<auth><b></b>"),
    Shape('<a name="secret">', '<a name="secret">'),
    Shape("<a ", "<a "),
    # JSON within a text, names in a row
    Shape('{"a": in a text', '{"a":', after="}"),
    Shape("not ASCII", "é="),
    # bodies
    Shape("body: [[", "[", content_type=_JSON),
    Shape('body: {"a":', '{"a":', content_type=_JSON),
    Shape("body: pairs", '["a","b"],', before="[", after="1]", content_type=_JSON),
    Shape("body: passwords", '{"password":"x"},', before="[", after="1]", content_type=_JSON),
    Shape("body: broken JSON", '\\u0070assword": "', before='{"', content_type=_JSON),
    Shape("body: NDJSON", "[1]\n", content_type="application/x-ndjson"),
    Shape("body: form", "a%41=b&", content_type=_FORM),
    Shape("body: form of %41", "%41", before="a=", content_type=_FORM),
    Shape("body: XML", "<password>", content_type="text/xml"),
    # Not all of it arrived, though what did is below the limit: the client hung up.
    Shape("cut body: [[", "[", content_type=_JSON, complete=False),
    Shape('cut body: {"a":', '{"a":', content_type=_JSON, complete=False),
    Shape("cut body: list", '"a",', before="[", content_type=_JSON, complete=False),
    Shape("cut body: one string", "a\\", before='["', content_type=_JSON, complete=False),
)
