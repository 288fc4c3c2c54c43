"""A captured request as a command line that is safe to paste."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

__all__ = ["curl_command"]

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~\-]+", re.ASCII)
"""The characters of RFC 9110. Without `@`, with which curl would read a file."""

_METHOD: Final = re.compile(r"[A-Z]{1,20}", re.ASCII)

# Keys and escape sequences of a terminal: pasting them could end the quotes' protection.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

_LEFT_OUT: Final = re.compile(
    "host|content-length|content-encoding|accept-encoding|transfer-encoding|te|trailer|upgrade|expect|"
    "connection|keep-alive|proxy-connection|x-trace-id",
    re.IGNORECASE,
)
"""What curl writes itself, or what was true of that one connection only."""


def curl_command(event: Mapping[str, Any]) -> str | None:
    """Return a command that repeats the request; masked values stay as placeholders.

    None if the event has no http(s) URL. The text is quoted for a POSIX shell.
    """
    url = event.get("requestUrl")
    if not isinstance(url, str) or not _is_web(url):
        return None
    method = str(event.get("method") or "GET").upper()
    notes: list[str] = []
    arguments = ["curl --globoff"]  # brackets in the URL, as in [MASKED], are no pattern
    if method == "HEAD":
        arguments.append("--head")
    elif _METHOD.fullmatch(method):
        arguments.append(f"--request {method}")
    arguments.append(f"--url {_quoted(url)}")
    headers = event.get("requestHeaders")
    if isinstance(headers, Mapping):
        arguments += [f"--header {_quoted(line)}" for line in _header_lines(headers)]
    body, note = _body(event.get("requestPayload"), headers if isinstance(headers, Mapping) else {})
    if body is not None:
        # --data-raw: the other --data options read a file for a value that begins with @.
        arguments.append(f"--data-raw {_quoted(body)}")
    if note:
        notes.append(f"# {note}\n")
    command = " \\\n  ".join(arguments)
    if "[MASKED]" in command:
        notes.append("# Put real values where it says [MASKED].\n")
    return "".join(notes) + command


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def _quoted(text: str) -> str:
    return shlex.quote(_CONTROL.sub("\ufffd", text))


def _header_lines(headers: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or _LEFT_OUT.fullmatch(name):
            continue
        values = value if isinstance(value, list) else [value]
        lines += [f"{name}: {single}".replace("\n", " ") for single in values if isinstance(single, str)]
    return lines


def _body(payload: object, headers: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the body and a remark, either None."""
    if payload is None or payload == "":
        return None, None
    if isinstance(payload, str):
        return payload, None
    if isinstance(payload, Mapping):
        if payload.get("__truncated") is True:
            return None, "The captured body was truncated and is left out."
        if any(str(key).startswith("__") for key in payload) or payload.get("captured") is False:
            return None, "The body was not captured."
        content_type = str(next((v for k, v in headers.items() if k.lower() == "content-type"), ""))
        if content_type.startswith("application/x-www-form-urlencoded"):
            return urlencode(payload, doseq=True, safe="[]"), None
        if content_type.startswith("multipart/"):
            return None, "A multipart body is kept as its fields only and is left out."
    return json.dumps(payload, ensure_ascii=False), None
