"""Request headers of any framework, as 1.x read them."""

from __future__ import annotations

from typing import Any

from replaystack.auth import API_KEY_HEADERS

__all__ = ["detect_auth_mode", "headers_to_object"]

_AUTHORIZATION_MODES = {
    "bearer": "bearer",
    "basic": "basic",
    "token": "api_key",
    "apikey": "api_key",
    "api-key": "api_key",
}


def headers_to_object(headers: Any) -> dict[str, Any] | None:
    """Return headers as a dict, a repeated name with a list of its values.

    Takes whatever has `items()`: dicts, Werkzeug's, Django's and Starlette's headers. None for
    everything else, and where `items()` itself fails.
    """
    if isinstance(headers, dict):
        return dict(headers)
    if not hasattr(headers, "items"):
        return None
    collected: dict[str, Any] = {}
    try:
        for name, value in headers.items():
            if name not in collected:
                collected[name] = value
            elif isinstance(collected[name], list):
                collected[name] = [*collected[name], value]
            else:
                collected[name] = [collected[name], value]
    except Exception:  # noqa: BLE001 - a foreign container; without its items there are no headers
        return None
    return collected


def detect_auth_mode(headers: Any) -> dict[str, str | None]:
    """Return `{"mode": AuthMode, "scheme": str | None}` for unmasked request headers.

    The scheme is the first word of `Authorization`, so a header that is nothing but a token
    comes back as scheme: keep the result to yourself. What ReplayStack captures is read by
    `replaystack.auth`, which never lets a token through.
    """
    present = {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        for name, value in (headers_to_object(headers) or {}).items()
        if value is not None
    }
    if present.get("authorization"):
        scheme = (present["authorization"].split(None, 1) or [""])[0]
        return {"mode": _AUTHORIZATION_MODES.get(scheme.lower(), "other"), "scheme": scheme or None}
    for name in API_KEY_HEADERS:
        if present.get(name):
            return {"mode": "api_key", "scheme": name}
    return {"mode": "cookie" if present.get("cookie") else "none", "scheme": None}
