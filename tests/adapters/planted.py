"""Requests full of secrets: a body of each kind, and what of it may be found at the receiver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.wire_client import RawAnswer, exchange

if TYPE_CHECKING:
    from replaystack.testing import Canaries

__all__ = ["BODIES", "post_secrets"]

JSON = "application/json"
BODIES = [
    ("/echo", JSON),
    ("/echo", "application/vnd.shop+json"),
    ("/echo", "text/plain"),
    ("/echo", ""),
    ("/unparsed", "application/x-www-form-urlencoded"),
    ("/unparsed", "multipart/form-data; boundary=b"),
    ("/unparsed", "text/xml"),
    ("/upload", "application/octet-stream"),
    ("/partly", JSON),
    ("/twice", JSON),
    ("/no/such/path", JSON),
]
"""Routes of the contract, and what the body posted there says that it is."""


def post_secrets(base_url: str, path: str, content_type: str, canaries: Canaries) -> RawAnswer:
    """Post a body of this type, with secrets in it, in the headers and in the query; return the answer."""
    headers = canaries.headers()
    if content_type:
        headers["Content-Type"] = content_type
    return exchange(base_url, "POST", f"{path}?{canaries.query()}", headers, _body(content_type, canaries))


def _body(content_type: str, canaries: Canaries) -> bytes:
    if "urlencoded" in content_type:
        return canaries.form().encode()
    if "multipart" in content_type:
        secret = canaries.plant("multipart field")
        return f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{secret}\r\n--b--\r\n'.encode()
    if "xml" in content_type:
        return f"<login user='ada' password='{canaries.plant('XML attribute')}'/>".encode()
    return json.dumps(canaries.json_body()).encode()
