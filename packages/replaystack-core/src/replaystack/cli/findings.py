"""What `doctor` found, and how it is shown: text for people, one JSON object for programs."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..sanitize import Policy, mask_text
from ..version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "MASKED",
    "Finding",
    "Level",
    "as_json",
    "as_text",
    "counted",
    "has_problem",
    "note",
    "ok",
    "problem",
]

Level = Literal["ok", "note", "problem"]

_POLICY = Policy.build()

MASKED = "[MASKED]"
_KEY_MIN_CHARS = 4
"""A shorter key stands in our own words by chance. What the receiver said is without it already."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """Which check: one word."""
    level: Level
    """`problem`: events would be lost or refused; `note`: worth knowing."""
    text: str
    """One or two sentences, without a secret."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: plain JSON values, without a secret."""


def ok(check: str, text: str, **facts: Any) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, "ok", text, facts)


def note(check: str, text: str, **facts: Any) -> Finding:
    """Return a finding that is worth knowing."""
    return Finding(check, "note", text, facts)


def problem(check: str, text: str, **facts: Any) -> Finding:
    """Return a finding that should be mended."""
    return Finding(check, "problem", text, facts)


def has_problem(findings: Sequence[Finding]) -> bool:
    """Tell whether anything should be mended."""
    return any(finding.level == "problem" for finding in findings)


def as_text(findings: Sequence[Finding], secret: str | None) -> str:
    """Return the report for people. `secret` does not stand in it, whatever quoted it."""
    python = f"Python {platform.python_version()}, {platform.system()}"
    lines = [f"replaystack doctor {__version__}, {python}", ""]
    wide = max(len(finding.check) for finding in findings)
    lines += [
        f"  {finding.level:<9}{finding.check:<{wide}}  {_clean(finding.text, secret)}" for finding in findings
    ]
    counts = [sum(finding.level == level for finding in findings) for level in ("problem", "note")]
    lines += ["", f"{counted(counts[0], 'problem')}, {counted(counts[1], 'note')}"]
    return "\n".join(lines)


def as_json(findings: Sequence[Finding], secret: str | None) -> str:
    """Return the report for programs, on one line. `secret` does not stand in it."""
    report = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "ok": not has_problem(findings),
        "findings": [
            {
                "check": finding.check,
                "level": finding.level,
                "text": _clean(finding.text, secret),
                "facts": _clean_facts(finding.facts, secret),
            }
            for finding in findings
        ],
    }
    return json.dumps(report)


def counted(count: int, word: str) -> str:
    """Return `no events`, `1 event`, `2 events`."""
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def _clean(text: str, secret: str | None) -> str:
    """Return `text` on one line, without the key and without what the masking would mask."""
    if secret is not None and len(secret) >= _KEY_MIN_CHARS:
        text = text.replace(secret, MASKED)
    return " ".join(mask_text(text, _POLICY).split())


def _clean_facts(value: Any, secret: str | None) -> Any:
    if isinstance(value, str):
        return _clean(value, secret)
    if isinstance(value, (list, tuple)):
        return [_clean_facts(item, secret) for item in value]
    if isinstance(value, dict):
        return {key: _clean_facts(item, secret) for key, item in value.items()}
    return value
