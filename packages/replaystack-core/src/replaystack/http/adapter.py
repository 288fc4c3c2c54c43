"""What every adapter does alike for one client: begin an exchange or not, ask the user's options, hand over.

An adapter of a framework keeps one of these and adds what only it knows: how a request is read,
where chunks pass by, what the route is called.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from ..scope import Scope, current_scope
from .recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ..diagnostics import Guard
    from ..recorder import Recorder
    from .head import HttpRequest
    from .options import MiddlewareOptions

__all__ = ["Adapter"]

RecordingType = TypeVar("RecordingType", bound=Recording)

_MARK = "replaystack.scope"
"""In a request's environ or ASGI scope: the `Scope` of this request, which knows who records it."""


class Adapter:
    """One client's part in one adapter. Thread-safe: it holds nothing of a request.

    `begin` and `ask` run in the request; none of the methods raises into it, but for `begin`,
    whose caller guards it together with its own reading of the request.
    """

    def __init__(self, recorder: Recorder, options: MiddlewareOptions) -> None:
        self.recorder: Recorder = recorder
        self.guard: Guard = recorder.guard
        self.options: MiddlewareOptions = options
        self._ignored = options.path_filter(recorder.config.ignored_paths)

    @property
    def is_open(self) -> bool:
        """Whether captures lead anywhere; if not, an adapter does nothing at all."""
        return self.recorder.is_open

    def ignores(self, path: str) -> bool:
        """Tell whether requests for this path are left alone."""
        return self._ignored.ignores(path)

    def begin(
        self,
        request: HttpRequest,
        marks: MutableMapping[str, Any],
        framework_request: Callable[[], object],
        recording_type: type[RecordingType] = Recording,  # type: ignore[assignment]  # PEP 696 needs 3.13
    ) -> RecordingType | None:
        """Begin an exchange; None where an adapter further out records this request already.

        Args:
            request: the head, read.
            marks: the request's own dict (environ, ASGI scope); its mark of ours is set here.
            framework_request: makes what `get_trace_id` gets; called only if there is one to ask.
            recording_type: `SocketRecording` for a websocket.

        """
        scope, outer = _scope_around(request, marks), None
        if scope is not None:
            if id(self.recorder) in scope.recordings:
                marks[_MARK] = scope
                return None
            outer = next(filter(None, scope.recordings.values()), None)
        asked = self.ask("get_trace_id", framework_request) if outer is None else None
        recording = recording_type(self.recorder, self.options, request, asked, outer=outer)
        marks[_MARK] = recording.scope
        return recording

    def recording_of(self, marks: MutableMapping[str, Any]) -> Recording | None:
        """Return this client's running exchange of the request, whoever began it. For hooks inside."""
        scope = marks.get(_MARK)
        recording: Recording | None = scope.recordings.get(id(self.recorder)) if scope is not None else None
        return recording

    def ask(self, name: str, framework_request: Callable[[], object]) -> object:
        """Call the user's option `name` with the framework's request; None without one, or if it raises."""
        question = getattr(self.options, name)
        if question is None:
            return None
        try:
            answer: object = question(framework_request())
            if inspect.iscoroutine(answer):
                answer.close()
                raise TypeError(f"{name} must be a plain function: it returned a coroutine")
        except Exception as error:  # noqa: BLE001 - the user's callable falls back, the request goes on
            self.guard.report(error, "replaystack: %s raised", name)
            return None
        return answer

    def ask_user(self, recording: Recording, framework_request: Callable[[], object]) -> None:
        """Note whom `get_user` names. Once per request, while the framework still knows."""
        if self.options.get_user is None:
            return
        user = self.ask("get_user", framework_request)
        if isinstance(user, str):
            recording.user = user

    def fail(self, recording: Recording, error: BaseException) -> None:
        """Note an exception that nobody handled, whenever it came.

        After the exchange's end it is an event of its own (and blocks in sync mode); a
        complaint that the caller is gone is no failure of the application.
        """
        try:
            if recording.ended:
                recording.late_exception(error)
            elif not (recording.disconnected and isinstance(error, OSError)):
                recording.fail(error)
        except Exception as defect:  # noqa: BLE001 - ours; the application's exception goes on
            self.guard.caught(defect, "noting an exception")

    def end(self, recording: Recording) -> bool:
        """Complete the exchange; True if it is to be handed over, by `hand_over`, once."""
        try:
            return recording.end()
        except Exception as error:  # noqa: BLE001 - the answer is out; only the event is at stake
            self.guard.caught(error, "ending an exchange")
            return False

    def hand_over(self, recording: Recording, *, may_block: bool = True) -> None:
        """Give a completed exchange to the client: an append; in sync mode it is sent, here.

        `may_block=False`: where nothing may be waited for; in sync mode it leaves with the next
        flush, close or tick.
        """
        try:
            if may_block:
                self.recorder.exchange(recording)
            else:
                self.recorder.exchange_later(recording)
        except Exception as error:  # noqa: BLE001 - the answer is out; only the event is at stake
            self.guard.caught(error, "handing over an exchange")


def _scope_around(request: HttpRequest, marks: MutableMapping[str, Any]) -> Scope | None:
    """Return the scope in which this very request is being recorded, if it is.

    Between frameworks (Flask mounted in FastAPI) no mark gets through: there the current
    scope tells, if what it records has this method and a path that ends with this one. Another
    request that the application makes of itself meanwhile has another path.
    """
    marked: Scope | None = marks.get(_MARK)
    if marked is not None:
        return marked
    scope = current_scope()
    if scope is None:
        return None
    for recording in scope.recordings.values():
        if recording is not None:
            around = recording.request
            if around.method == request.method and around.path.endswith(request.path):
                return scope
    return None
