"""The JSON shapes that every road of the API answers with (WIRE.md section 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refusal", "failure", "plain", "success"]


class Refusal(Exception):  # noqa: N818 - an answer to the caller, no fault of ours
    """Ends a request with an error answer; `message` is for the caller's eyes."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.document = document
        """The whole answer, where it says more than the message."""
        self.status = status
        self.message = message
        self.headers = headers


def success(data: Mapping[str, Any], message: str | None = None, status: int = 200) -> Response:
    """Return `{"success": true, "data": ...}`."""
    content: dict[str, Any] = {"success": True}
    if message is not None:
        content["message"] = message
    return Response(orjson.dumps({**content, "data": data}), status, media_type="application/json")


def plain(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return `content` as it is: below `/v1/` answers have no envelope."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return `{"success": false, "message": ...}`."""
    content = orjson.dumps({"success": False, "message": message})
    return Response(content, status, headers, media_type="application/json")
