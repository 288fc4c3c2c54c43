"""What this receiver can do beyond single events, told on every answer of the ingest side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CAPABILITIES", "INGEST_PREFIX", "CapabilitiesHeader"]

CAPABILITIES: Final = ("bulk", "gzip", "drops", "logs", "flows", "pii")
"""A sender uses what stands here without asking again: only what works may stand here."""

INGEST_PREFIX: Final = "/api/v1/ingest"
_PREFIXES: Final = (f"{INGEST_PREFIX}/", "/v1/")


class CapabilitiesHeader:
    """ASGI middleware: adds the header below the ingest prefixes, to refusals as well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the header added to the answer."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIXES):
            await self._app(scope, receive, send)
            return

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-replaystack-capabilities"] = ", ".join(CAPABILITIES)
            await send(message)

        await self._app(scope, receive, send_with_header)
