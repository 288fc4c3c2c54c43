"""Write what masking makes of the shared vectors, `tests/vectors/*.json`, beside their inputs.

    .venv/bin/python scripts/vectors.py            # rewrites the outputs, keeps the inputs
    .venv/bin/python scripts/vectors.py --check    # fails where the code gives others

The files are read by pytest and by `cargo test`; `tests/vectors/README.md` describes their fields.
What is rewritten is to be read, case by case, before it is committed: the outputs are a promise.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import RECEIVER_POLICY, Limits, Policy, encode_event
from replaystack.sanitize._json import NotJsonError, dumps
from replaystack.sanitize._keys import MASK, SAFE, WALK, Place
from replaystack.sanitize._raw_json import mask_json, mask_json_prefix
from replaystack.sanitize._walk import Walker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FILES", "FOLDER", "Case", "completed", "differences", "event_of", "policy_of", "read", "rendered"]

FOLDER: Final = Path(__file__).resolve().parent.parent / "tests" / "vectors"
Case = dict[str, Any]
"""One vector: its name, its inputs, the secrets that were planted in it, its outputs."""

_VERDICTS: Final = {SAFE: "safe", MASK: "mask", WALK: "walk"}
_OUTPUTS: Final = ("verdict", "masked", "written", "encoded", "count", "hash")
_DIGITS_AT_ONCE: Final = 4000
"""Python refuses to read integers of more than 4300 digits in one go."""


# --- inputs as the files spell them --------------------------------------------------------------


def policy_of(case: Case) -> Policy:
    """Return the policy of a case; the default one, if it names none."""
    options = dict(case.get("policy", {}))
    return RECEIVER_POLICY if options.pop("receiver", False) else Policy.build(**options)


def event_of(case: Case) -> Case:
    """Return the event of a case, with raw bodies and headers in the place of what describes them."""
    return {key: _raw(value) for key, value in case["event"].items()}


def _raw(value: Any) -> Any:
    if type(value) is dict and set(value) == {"$headers"}:
        pairs = value["$headers"]
        return RawHeaders(tuple((name.encode("latin-1"), text.encode("latin-1")) for name, text in pairs))
    if type(value) is not dict or set(value) != {"$body"}:
        return value
    body = value["$body"]
    data = base64.b64decode(body["base64"], validate=True)
    return RawBody(
        data,
        body.get("content_type"),
        body.get("content_encoding"),
        body.get("total_bytes", len(data)),
        body.get("complete", True),
    )


def _number_of(case: Case) -> float | int:
    if "float" in case:
        (number,) = struct.unpack(">d", bytes.fromhex(case["float"]))
        return float(number)
    digits: str = case["int"].removeprefix("-")
    starts = range(0, len(digits), _DIGITS_AT_ONCE)
    parts = [digits[start : start + _DIGITS_AT_ONCE] for start in starts]
    whole = reduce(lambda number, part: number * 10 ** len(part) + int(part), parts, 0)
    return -whole if case["int"].startswith("-") else whole


# --- outputs, by the kind of input ---------------------------------------------------------------


def _judged(case: Case, policy: Policy) -> Case:
    return {"verdict": _VERDICTS[policy.keyring.judge(case["key"], Place[case["place"].upper()])]}


def _counted(mask: Callable[[Walker], str | None], policy: Policy) -> Case:
    walker = Walker(policy)
    try:
        masked = mask(walker)
    except NotJsonError:
        return {"masked": None, "count": 0}
    return {"masked": masked, "count": walker.masked}


def _document(text: str) -> str:
    return text.removeprefix("\ufeff")  # as `_bodies` does before it asks whether it is JSON


def _encoded(case: Case, policy: Policy) -> Case:
    limits = Limits(case["max_payload_bytes"]) if "max_payload_bytes" in case else Limits()
    return {"encoded": encode_event(event_of(case), policy, limits).data.decode()}


_MAKERS: Final[dict[str, Callable[[Case, Policy], Case]]] = {
    "key": _judged,
    "text": lambda case, policy: _counted(lambda walker: walker.text(case["text"]), policy),
    "url": lambda case, policy: _counted(lambda walker: walker.url(case["url"]), policy),
    "json": lambda case, policy: _counted(lambda walker: mask_json(_document(case["json"]), walker), policy),
    "prefix": lambda case, policy: _counted(
        lambda walker: mask_json_prefix(_document(case["prefix"]), walker), policy
    ),
    "value": lambda case, policy: _counted(lambda walker: dumps(walker.walk(case["value"])), policy),
    "float": lambda case, policy: {"written": dumps(Walker(policy).walk(_number_of(case)))},
    "int": lambda case, policy: {"written": dumps(Walker(policy).walk(_number_of(case)))},
    "event": _encoded,
}

FILES: Final[dict[str, frozenset[str]]] = {
    "keys.json": frozenset({"key"}),
    "texts.json": frozenset({"text"}),
    "urls.json": frozenset({"url"}),
    "json.json": frozenset({"json"}),
    "prefixes.json": frozenset({"prefix"}),
    "numbers.json": frozenset({"float", "int"}),
    "values.json": frozenset({"value"}),
    "events.json": frozenset({"event"}),
    "policies.json": frozenset({"key", "text", "url", "json", "value", "event"}),
}
"""The files, and the kinds of input that each of them holds."""


def completed(case: Case) -> Case:
    """Return a case with the outputs that the code gives today."""
    (kind,) = _MAKERS.keys() & case.keys()
    policy = policy_of(case)
    inputs = {name: value for name, value in case.items() if name not in _OUTPUTS}
    evidence = {"hash": policy.hash} if "policy" in case else {}
    return {**inputs, **_MAKERS[kind](case, policy), **evidence}


# --- the files -----------------------------------------------------------------------------------


def read(name: str) -> list[Case]:
    """Return the cases of one file."""
    cases: list[Case] = json.loads((FOLDER / name).read_text("ascii"))
    return cases


def rendered(cases: list[Case]) -> str:
    """Return the text of a file: sorted by name, one case per line, ASCII, so that nothing in it hides."""
    lines = [json.dumps(case) for case in sorted(cases, key=lambda case: str(case["name"]))]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def differences(name: str) -> list[str]:
    """Return what differs between a file and what this would write, a line for each case."""
    cases = read(name)
    news = [completed(case) for case in cases]
    found = [
        f"{name}: {case['name']}: {key} is {new[key]!r}, expected {case.get(key)!r}"
        for case, new in zip(cases, news, strict=True)
        for key in new
        if key in _OUTPUTS and (key not in case or case[key] != new[key])
    ]
    if not found and rendered(news) != (FOLDER / name).read_text("ascii"):
        found.append(f"{name}: is not sorted and written as `scripts/vectors.py` does")
    return found


def main() -> int:
    """Write or check all files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if something would")
    check = parser.parse_args().check
    found = [line for name in FILES for line in differences(name)]
    print(*found, sep="\n", end="\n" if found else "")
    if check:
        return 1 if found else 0
    for name in FILES:
        cases = [completed(case) for case in read(name)]
        (FOLDER / name).write_text(rendered(cases), "ascii")
        print(f"wrote {len(cases)} cases to {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
