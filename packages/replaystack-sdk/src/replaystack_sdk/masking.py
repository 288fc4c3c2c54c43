"""Masking by key name, as 1.x offered it to applications for their own data.

Nothing that ReplayStack captures passes through here: what leaves the process is masked by
`replaystack.sanitize`, whose rules go much further (MASKING.md).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_MASK_FIELDS", "mask_data", "mask_sensitive_data", "normalize_key"]

DEFAULT_MASK_FIELDS = {
    "authorization",
    "password",
    "passwd",
    "pwd",
    "token",
    "access_token",
    "refresh_token",
    "apikey",
    "api_key",
    "secret",
    "client_secret",
    "cookie",
    "set-cookie",
    "cardnumber",
    "card_number",
    "cvv",
    "otp",
}
"""What the seed documents. A plain set, because applications of 1.x added names to it."""


def normalize_key(key: str) -> str:
    """Return `key` in lower case, with `-` and blank read as `_`."""
    return key.lower().replace("-", "_").replace(" ", "_")


def mask_sensitive_data(
    value: Any, custom_fields: Iterable[str] | None = None, replacement: str = "[MASKED]"
) -> Any:
    """Return a deep copy of `value` in which the values of sensitive keys are `replacement`.

    Looks into dicts and lists; any value under a sensitive key is replaced, None and False
    included. A container inside itself becomes `[Circular]`; one that merely occurs twice is
    masked twice (1.x took it for circular). What cannot be copied is used as it is.

    Args:
        value: anything; neither it nor what it holds is changed.
        custom_fields: names beyond `DEFAULT_MASK_FIELDS`; case, `-`, `_` and blanks are alike.
        replacement: what stands in place of a masked value.

    """
    sensitive = {normalize_key(name) for name in (*DEFAULT_MASK_FIELDS, *(custom_fields or ()))}
    open_containers: set[int] = set()

    def masked(item: Any) -> Any:
        if not isinstance(item, (dict, list)):
            return item
        if id(item) in open_containers:
            return "[Circular]"
        open_containers.add(id(item))
        result: Any
        if isinstance(item, dict):
            result = {
                key: replacement if normalize_key(str(key)) in sensitive else masked(child)
                for key, child in item.items()
            }
        else:
            result = [masked(child) for child in item]
        open_containers.discard(id(item))
        return result

    try:
        value = copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - a lock, a socket, a foreign __deepcopy__ somewhere inside
        pass
    return masked(value)


mask_data = mask_sensitive_data
