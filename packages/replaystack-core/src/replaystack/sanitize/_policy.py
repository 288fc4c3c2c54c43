"""What one client masks: the built-in rules plus the names that its user added or took away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._keys import Keyring
from ._spelling import normalise
from ._text import CLASSES

__all__ = ["RECEIVER_POLICY", "RULES_VERSION", "VALUE_CLASSES", "Policy"]

VALUE_CLASSES = tuple(CLASSES)
"""What `mask_values` may list: classes of personal data that are masked only for who asks for it."""

RULES_VERSION = 1
"""Counts up whenever the built-in rules change what they mask; part of every event's evidence."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to mask. Make one with `Policy.build`; immutable, hashable, safe to share between threads.

    The names are kept normalised (MASKING.md section 1). Two policies are equal, and have the same
    `hash`, when they mask alike.
    """

    mask_fields: frozenset[str] = frozenset()
    unmask_fields: frozenset[str] = frozenset()
    remote_fields: frozenset[str] = frozenset()
    mask_values: bool = True
    mask_classes: tuple[str, ...] = ()
    """Classes of personal data whose values are masked too, of `VALUE_CLASSES`, in that order."""
    contains_only: bool = False
    """The receiver's second pass: of the key rules only *contains* holds."""
    hash: str = field(init=False, repr=False, compare=False)
    """Twelve hex digits that are the same in every process with the same rules and names."""
    keyring: Keyring = field(init=False, repr=False, compare=False)
    compiled: Any = field(init=False, repr=False, compare=False, default=None)
    """What the native backend made of it, once; the same whoever makes it."""

    def __post_init__(self) -> None:
        keyring = Keyring(
            masked=self.mask_fields,
            unmasked=self.unmask_fields,
            remote=self.remote_fields,
            contains_only=self.contains_only,
        )
        object.__setattr__(self, "keyring", keyring)
        object.__setattr__(self, "hash", self._hashed())

    @classmethod
    def build(
        cls,
        *,
        mask_fields: Iterable[str] = (),
        unmask_fields: Iterable[str] = (),
        mask_values: bool | Iterable[str] = True,
        remote_fields: Iterable[str] = (),
    ) -> Policy:
        """Return the policy for these names, in any spelling: `card_number` is `cardNumber`.

        `mask_values` switches the value rules; a list of `VALUE_CLASSES` switches them on, and these too.
        Raise `ValueError` naming the option and the entry if a name is no string or has nothing in
        it but separators, or if a single string stands where a list of names belongs.
        """
        return cls(
            mask_fields=_names("mask_fields", mask_fields),
            unmask_fields=_names("unmask_fields", unmask_fields),
            remote_fields=_names("remote_fields", remote_fields),
            mask_values=mask_values is not False,
            mask_classes=_classes(mask_values),
        )

    def _hashed(self) -> str:
        document = [
            RULES_VERSION,
            sorted(self.mask_fields),
            sorted(self.unmask_fields),
            sorted(self.remote_fields),
            self.mask_values,
            self.mask_classes,
            self.contains_only,
        ]
        return hashlib.sha256(json.dumps(document).encode()).hexdigest()[:12]


def _classes(option: object) -> tuple[str, ...]:
    if type(option) is bool:
        return ()
    is_list = isinstance(option, Iterable) and not isinstance(option, (str, bytes, Mapping))
    given: list[object] = list(option) if is_list and isinstance(option, Iterable) else [option]
    unknown = [name for name in given if not is_list or name not in VALUE_CLASSES]
    if unknown:
        known = ", ".join(VALUE_CLASSES)
        raise ValueError(f"mask_values must be True, False or a list of {known}: got {unknown[0]!r}")
    return tuple(name for name in VALUE_CLASSES if name in given)


def _names(option: str, names: Iterable[str]) -> frozenset[str]:
    if isinstance(names, (str, bytes)):
        raise ValueError(f"{option} must be a list of field names: got the single string {names!r}")  # noqa: TRY004 - the value of an option; the client turns it into its ConfigError
    try:
        given = list(names)
    except TypeError:
        raise ValueError(f"{option} must be a list of field names: got {names!r}") from None
    found = set()
    for name in given:
        if not isinstance(name, str) or not normalise(name):
            raise ValueError(f"{option} must hold field names (non-empty strings): got {name!r}")
        found.add(normalise(name))
    return frozenset(found)


RECEIVER_POLICY = Policy(contains_only=True)
"""The server's second pass: value rules and *contains* key rules only, so that what a user of the
client chose to unmask stays as it is."""
