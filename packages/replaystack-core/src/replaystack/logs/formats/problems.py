"""What is wrong with a body, in the shape in which the receiver says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FormatError", "Issue", "parse_error", "validation_error"]

_SHOWN = 20
"""Issues in one answer: a body of a hundred bad entries needs no thousand lines to be mended."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, and where: `("logs", 0, "level")` or `("line", 3)`."""

    path: tuple[str | int, ...]
    message: str


class FormatError(ValueError):
    """A body that cannot be taken. The text is for the sender's eyes; it quotes no value of the body."""

    def __init__(
        self,
        message: str,
        code: Literal["PARSE_ERROR", "VALIDATION_ERROR"],
        issues: Iterable[Issue] = (),
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.issues: tuple[Issue, ...] = tuple(issues)
        self.line = line
        """1-based, in the body; None where the place is no line."""

    def document(self) -> dict[str, Any]:
        """Return the JSON answer: `{"error", "code", "issues": [{"path", "message"}]}`."""
        issues = [{"path": list(issue.path), "message": issue.message} for issue in self.issues[:_SHOWN]]
        if len(self.issues) > _SHOWN:
            issues.append({"path": [], "message": f"and {len(self.issues) - _SHOWN} more"})
        answer: dict[str, Any] = {"error": self.message, "code": self.code}
        return {**answer, "issues": issues} if issues else answer


def parse_error(line: int, what: str, reason: str) -> FormatError:
    """Return `Failed to parse line 3: invalid JSON`, with the reason as an issue."""
    return FormatError(
        f"Failed to parse line {line}: {what}", "PARSE_ERROR", [Issue(("line", line), reason)], line
    )


def validation_error(issues: Iterable[Issue], line: int | None = None) -> FormatError:
    """Return `Validation error` with its issues."""
    return FormatError("Validation error", "VALIDATION_ERROR", issues, line)
