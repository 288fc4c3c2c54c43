"""Raw logs of other programs, masked on their way to a receiver: whole documents, lines, rows, texts.

There is no Rust twin: this takes bodies apart, and the backend masks the parts.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ._backend import mask_json, mask_text, mask_value
from ._masked import Masked, seal
from ._spelling import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._policy import Policy

__all__ = ["NotMaskableError", "mask_log_document", "mask_log_lines", "mask_log_rows", "mask_log_texts"]

# Keys of a log entry that look like secrets by their name and are none (MASKING.md section 1), and
# the list of an Open Board Log that holds everything. Whoever masks one of them by name still does.
_ENVELOPE: Final = frozenset(
    normalise(name)
    for name in ("sessionId", "session_id", "userId", "requestId", "flowId", "traceId", "sessions")
)


class NotMaskableError(ValueError):
    """Something that cannot be masked and therefore does not leave; the text quotes nothing of it."""

    def __init__(self, reason: str, index: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        """Which of the lines or rows that were given."""


@lru_cache(maxsize=8)
def _for_logs(policy: Policy) -> Policy:
    named = policy.mask_fields | policy.remote_fields
    return dataclasses.replace(policy, unmask_fields=policy.unmask_fields | (_ENVELOPE - named))


def mask_log_document(text: str, policy: Policy) -> Masked:
    """Return one JSON document, every byte as it came but for what is masked.

    Raises:
        NotMaskableError: it is no JSON.

    """
    return seal(_json(text, _for_logs(policy), 0).encode())


def mask_log_lines(lines: Sequence[str], policy: Policy) -> Masked:
    """Return JSON Lines, each masked as a document of its own.

    Raises:
        NotMaskableError: one is no JSON; `index` tells which.

    """
    for_logs = _for_logs(policy)
    return seal("\n".join([_json(line, for_logs, index) for index, line in enumerate(lines)]).encode())


def mask_log_rows(
    header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str, policy: Policy
) -> Masked:
    """Return a table with its header: each cell by the name of its column and by value.

    Raises:
        NotMaskableError: a row is too large, or its masking failed; `index` tells which.

    """
    names = [mask_text(name, policy) for name in header]
    for_logs = _for_logs(policy)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    for index, row in enumerate(rows):
        cells = dict(zip(header, row))  # noqa: B905 - a short row leaves its last columns out
        masked: Any = mask_value(cells, for_logs)
        if type(masked) is not dict or len(masked) != len(row) or "__unmasked_dropped" in masked:
            raise NotMaskableError("the row cannot be masked", index)
        writer.writerow([_cell(value) for value in masked.values()])
    return seal(out.getvalue().encode("utf-8", "replace"))


def mask_log_texts(lines: Sequence[str], policy: Policy) -> Masked:
    """Return lines of text, masked together, so that a key over several lines is one secret."""
    return seal(mask_text("\n".join(lines), policy).encode("utf-8", "replace"))


def _json(text: str, for_logs: Policy, index: int) -> str:
    masked = mask_json(text, for_logs)
    if masked is None:
        raise NotMaskableError("not JSON", index)
    return masked


def _cell(value: object) -> str:
    if type(value) is not str:
        raise NotMaskableError("a cell cannot be masked")
    return value
