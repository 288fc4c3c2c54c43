"""Flows: entries that belong together, numbered in the order in which they were said."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any

from ..recorder import beside_the_loop
from ..scope import current_flow_id, current_scope, enter_flow
from .logger import Logger
from .stamping import as_text

if TYPE_CHECKING:
    from types import TracebackType

    from ..recorder import Recorder

__all__ = ["Flow", "new_flow", "new_flow_async"]

ID_MAX = 50
"""Characters of a flow's id on the wire."""
_SUFFIX_BYTES = 4
_NAME_MAX = ID_MAX - 2 * _SUFFIX_BYTES - 1


class Flow(Logger):
    """A logger whose entries carry the flow's id and a step, from `start` on. Thread-safe.

    What the level filters takes no step. As a context manager (`with`, `async with`) it is the
    current flow of the block: events that are captured there carry its id, and so do the entries
    of other loggers, without a step. A request in which a flow took a step carries its id too.
    """

    __slots__ = ("_before", "_flow_name", "_id", "_steps")

    def __init__(
        self,
        name: str,
        flow_id: str,
        *,
        start: int = 0,
        logger: str = "app",
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(logger, recorder)
        self._flow_name = name
        self._id = flow_id
        self._steps = itertools.count(max(0, start))  # one step of the interpreter: no lock
        self._before: list[str | None] = []

    @property
    def id(self) -> str:
        """What to hand to another process, which goes on with `client.flow(name, id=..., start=...)`."""
        return self._id

    @property
    def name(self) -> str:
        """The flow's name. Its entries carry the name of the logger that it was made with."""
        return self._flow_name

    def _place(self) -> tuple[str | None, int | None]:
        scope = current_scope()
        if scope is not None and scope.flow is None:
            scope.flow = self._id
        return self._id, next(self._steps)

    def __enter__(self) -> Flow:
        scope = current_scope()
        if scope is not None and scope.flow is None:
            scope.flow = self._id
        self._before.append(enter_flow(self._id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        before = self._before.pop() if self._before else None
        if current_flow_id() == self._id:
            enter_flow(before)

    async def __aenter__(self) -> Flow:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<Flow {self._id}>"


def new_flow(
    name: str, *, recorder: Recorder | None, id: str | None = None, start: int = 0, logger: str = "app"
) -> Flow:
    """Return a flow with a new id, `{name}-{8 hex digits}`, or one that goes on under `id`."""
    return Flow(name, id or _new_id(name), start=start, logger=logger, recorder=recorder)


def _new_id(name: str) -> str:
    # A name that is too long for the wire is cut here, and not the random part of the id.
    return f"{name[:_NAME_MAX]}-{secrets.token_hex(_SUFFIX_BYTES)}"


async def new_flow_async(name: str, *, recorder: Recorder, logger: str = "app") -> Flow:
    """Return a flow whose id the receiver made (`POST /v1/flows`), or a local one where it does not answer.

    One attempt, beside the event loop, for `timeout_seconds` at most. Never raises.
    """
    name = as_text(name, recorder.policy)
    made: Any = await beside_the_loop(lambda: recorder.create_flow(name))
    flow_id = made.get("flowId") if isinstance(made, dict) else None
    if not isinstance(flow_id, str) or not 0 < len(flow_id) <= ID_MAX:
        return new_flow(name, recorder=recorder, logger=logger)
    given = made.get("name")
    return Flow(given if isinstance(given, str) else name, flow_id, logger=logger, recorder=recorder)
