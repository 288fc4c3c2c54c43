"""All the checks of `doctor`, in order; one that fails itself is a finding, not the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .configuration import check_configuration
from .distributions import check_backend, check_distributions, check_other_sdks
from .findings import problem
from .process import check_application, check_gevent, check_workers
from .receiver import check_receiver
from .spool import check_spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .configuration import Setting
    from .findings import Finding

__all__ = ["Questions", "examine"]


@dataclass(frozen=True, slots=True)
class Questions:
    """What `doctor` was asked to look at beyond the plain checks."""

    send: bool = False
    """Post a marked event."""
    offline: bool = False
    """Leave the receiver alone."""
    application: str | None = None
    """A module to import first."""


def examine(setting: Setting, questions: Questions) -> list[Finding]:
    """Run the checks. Takes as long as the receiver does, at most twice `timeout_seconds`."""
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = []
    if questions.application is not None:
        target = questions.application
        checks.append(("application", lambda: check_application(target)))
    checks += [
        ("backend", check_backend),
        ("versions", check_distributions),
        ("variables", lambda: check_configuration(setting)),
    ]
    if not questions.offline:
        checks.append(("receiver", lambda: check_receiver(setting, send=questions.send)))
    checks += [
        ("spool", lambda: check_spool(setting.config)),
        ("workers", check_workers),
        ("gevent", check_gevent),
        ("other SDKs", check_other_sdks),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings.extend(check())
        except Exception as error:  # noqa: BLE001 - the other checks are worth having all the same
            findings.append(problem(name, f"the check itself failed: {type(error).__name__}: {error}"))
    return findings
