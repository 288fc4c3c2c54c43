"""What `configure_domains` was told, checked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ..levels import SEVERITY, read_level
from .names import ERRORS, is_domain_name
from .rendering import RENDERINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DomainSettings", "checked_settings"]


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """One configuration; equal ones mean the same files."""

    folder: Path
    domains: frozenset[str] | None
    severity: int
    console: bool
    format: str
    max_bytes: int
    backup_count: int
    compress: bool
    retention_days: float | None
    accept_pii: bool


def checked_settings(
    log_dir: str | os.PathLike[str],
    *,
    domains: Iterable[str] | None,
    level: str | int,
    console: bool,
    format: str,
    max_bytes: int,
    backup_count: int,
    compress: bool,
    retention_days: float | None,
    accept_pii: bool,
) -> DomainSettings:
    """Return the settings, or raise ConfigError for the first that cannot work."""
    grade = read_level(level)
    if grade is None:
        raise ConfigError(f"level must be one of debug, info, warning, error, critical: got {level!r}")
    if format not in RENDERINGS:
        raise ConfigError(f"format must be text or json: got {format!r}")
    if type(max_bytes) is not int or max_bytes < 1:
        raise ConfigError(f"max_bytes must be at least 1: got {max_bytes!r}")
    if type(backup_count) is not int or backup_count < 0:
        raise ConfigError(f"backup_count must be 0 or more: got {backup_count!r}")
    is_number = isinstance(retention_days, (int, float)) and not isinstance(retention_days, bool)
    if retention_days is not None and (not is_number or retention_days <= 0):
        raise ConfigError(f"retention_days must be above 0, or None to keep all: got {retention_days!r}")
    return DomainSettings(
        # Absolute: a later change of the working directory must not move the logs. Not resolved: a link
        # stays the name that was given.
        folder=Path(os.path.abspath(os.fspath(log_dir))),  # noqa: PTH100 - as said
        domains=_checked_domains(domains),
        severity=SEVERITY[grade],
        console=bool(console),
        format=format,
        max_bytes=max_bytes,
        backup_count=backup_count,
        compress=bool(compress),
        retention_days=retention_days,
        accept_pii=bool(accept_pii),
    )


def _checked_domains(domains: Iterable[str] | None) -> frozenset[str] | None:
    if domains is None:
        return None
    if isinstance(domains, str):
        raise ConfigError(f"domains must be several names: got the text {domains!r}")
    names = list(domains)
    for name in names:
        if not is_domain_name(name):
            raise ConfigError(
                "domains must be names of 1 to 100 letters, digits, `_`, `-` and `.`, not beginning with `.` "
                f"or `-`, and not {ERRORS!r}, which is the file of all errors: got {name!r}"
            )
    return frozenset(names)
