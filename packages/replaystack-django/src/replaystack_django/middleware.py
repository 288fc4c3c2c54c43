"""The middleware: it looks on as requests and answers pass its place in MIDDLEWARE.

What it adds to an answer are the headers `x-trace-id` and, where there is one, `x-correlation-id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async

from .configuration import open_adapter
from .passage import Passage
from .watch import watch_exceptions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReplayStackDjangoMiddleware"]


class ReplayStackDjangoMiddleware:
    """Captures each request that passes as one event of `settings.REPLAYSTACK_CLIENT`.

    For sync and async chains; thread-safe, as Django asks of middleware. Settings are read when the
    chain is built. First in MIDDLEWARE it sees what goes out; further in, what the middlewares before
    it get, and it knows nothing of requests that those answer by themselves.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self._adapter = open_adapter()
        if self._adapter is not None:
            watch_exceptions(self._adapter)
        self._is_async: bool = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Pass the request on, with eyes on it where it is to be captured."""
        if self._is_async:
            return self._call_async(request)
        passage = self._begin(request)
        if passage is None:
            return self.get_response(request)
        with passage.scope_entered():
            try:
                response = self.get_response(request)
            except BaseException as error:
                passage.torn_off(error)
                raise
            passage.ask_user()
            passage.answer(response)
            if passage.must_be_sent_here:
                passage.hand_over()
        return response

    async def _call_async(self, request: Any) -> Any:
        passage = self._begin(request)
        if passage is None:
            return await self.get_response(request)
        with passage.scope_entered():
            try:
                response = await self.get_response(request)
                if passage.has_user_to_ask:
                    # The thread for sync code: there the user's callable may ask the database.
                    await sync_to_async(passage.ask_user, thread_sensitive=True)()
            except BaseException as error:
                passage.torn_off(error)
                raise
            passage.answer(response)
            if passage.must_be_sent_here:
                await sync_to_async(passage.hand_over, thread_sensitive=False)()
        return response

    def _begin(self, request: Any) -> Passage | None:
        """Return the passage of a request that is to be captured, or that one further out captures."""
        adapter = self._adapter
        if adapter is None or not adapter.is_open:
            return None
        try:
            return Passage.begin(adapter, request)
        except Exception as error:  # noqa: BLE001 - then the request passes unseen
            adapter.guard.caught(error, "beginning an exchange")
            return None
