"""`Logger`: the verbs of API.md section 6. Never blocks, never raises.

What it is told becomes one `LogEntry`, at the call. The entry goes to the recorder (an event, the
receiver), to the sinks of this process, and to the standard library's logger of the same name.

Over 400 lines: seven verbs repeat one signature, so that editors and type checkers show it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..diagnostics import Guard, RateLimitedLogger, is_strict
from ..recorder import default_recorder
from ..sanitize import Policy, mask_log_text
from .arguments import MISSPELT, UNSET, exception_of, is_true, listed, read_arguments
from .behind import hand_to_logging
from .entry import NO_FIELDS
from .levels import SEVERITY, read_level
from .sinks import emit_to_sinks, local_sinks
from .stamping import as_fields, as_tags, as_text, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..recorder import Recorder
    from .entry import LogEntry
    from .levels import Level
    from .sinks import Sink

__all__ = ["Logger", "get_logger"]

_log = RateLimitedLogger(__name__)
_guard = Guard()  # for loggers without a client
_policy: Policy | None = None  # the same
_here = (
    threading.local()
)  # whether this thread is inside of a sink or a handler: they must not feed themselves

_GIVEN: Final = (
    "user_id", "session_id", "request_id", "error_name", "error_stack", "flow_id", "step_index", "dataset",
    "ip_address", "country", "correlation_id",
)  # fmt: skip
"""Attributes that an entry passed to `log` may bring along."""

L = TypeVar("L", bound="Logger")


class Logger:
    """One name under which things are said. Cheap; safe in any thread; make one wherever you want.

    Args:
        name: of the logger, and of the standard library's logger behind it.
        recorder: of the client that it belongs to. None: of the default client, at each call, or
            local sinks alone.

    """

    __slots__ = ("_bound", "_bound_pii", "_bound_tags", "_name", "_recorder", "_std")

    def __init__(self, name: str = "app", recorder: Recorder | None = None) -> None:
        self._name = name if type(name) is str and name else "app"
        self._recorder = recorder
        self._std = logging.getLogger(self._name)
        self._bound: dict[str, Any] = {}
        self._bound_tags: tuple[Any, ...] = ()
        self._bound_pii = False

    @property
    def name(self) -> str:
        """The name that its entries carry."""
        return self._name

    # -- verbs ----------------------------------------------------------------------------------

    def debug(  # noqa: D102 - see `info`
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        if self._std.level <= 10:
            self._say("debug", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    def info(
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        """Say something. Returns this logger; never blocks, never raises.

        Args:
            message: what happened, short; details belong into fields. With `%` in it and arguments
                that are no dict, it is formatted as the standard library does.
            data: a dict of fields, or an exception: then its name, traceback and text are taken.
            options: `LogOptions`, or a dict of the same.
            args: more arguments for a message with `%`.
            tags: texts to find the entry by.
            is_pii: message and fields are personal data, for those alone who may see such.
            exc_info: an exception, or True for the one that is being handled.
            extra: more fields, as the standard library spells it.
            fields: what belongs to the message, by name.

        """
        if self._std.level <= 20:
            self._say("info", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    def warning(  # noqa: D102 - see `info`
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        if self._std.level <= 30:
            self._say("warning", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    warn = warning

    def error(  # noqa: D102 - see `info`
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        if self._std.level <= 40:
            self._say("error", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    def critical(  # noqa: D102 - see `info`
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        if self._std.level <= 50:
            self._say("critical", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    def exception(
        self: L,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = True,
        extra: object = None,
        **fields: Any,
    ) -> L:
        """Say `error`, with the traceback of the exception that is being handled."""
        if self._std.level <= 40:
            self._say("error", message, data, options, args, tags, is_pii, exc_info, extra, fields)
        return self

    def log(
        self: L,
        entry: object,
        message: object = "",
        data: object = UNSET,
        options: object = UNSET,
        /,
        *args: object,
        tags: object = (),
        is_pii: object = False,
        exc_info: object = None,
        extra: object = None,
        **fields: Any,
    ) -> L:
        """Say what an entry object says, with full control; or `log(level, message, ...)`.

        The entry is any object, or a dict, with the attributes of `replaystack.timberlogs.LogEntry`.
        It is masked like everything, and stamped now unless it brings a `timestamp`.
        """
        level = read_level(entry)
        if level is not None or type(entry) in (str, int):
            if self._std.level <= SEVERITY[level or "info"]:
                self._say(
                    level or "info", message, data, options, args, tags, is_pii, exc_info, extra, fields
                )
            return self
        try:
            self._log_entry(entry)
        except Exception as error:  # noqa: BLE001 - the wall; see `_say`
            (self._recorder.guard if self._recorder else _guard).caught(error, "logging an entry")
        return self

    # -- configuration --------------------------------------------------------------------------

    def bind(self: L, *, tags: object = (), is_pii: object = False, **fields: Any) -> L:
        """Return a logger like this one that says `fields`, and `tags`, each time; a call's own win."""
        bound = type(self).__new__(type(self))
        for name in _slots(type(self)):
            setattr(bound, name, getattr(self, name))
        is_pii = self._read_pii(is_pii, fields)
        bound._bound = {**self._bound, **fields}  # noqa: SLF001 - its own kind
        bound._bound_tags = (*self._bound_tags, *listed(tags))  # noqa: SLF001 - its own kind
        bound._bound_pii = self._bound_pii or bool(is_pii)  # noqa: SLF001 - its own kind
        return bound

    def setLevel(self: L, level: str | int) -> L:  # noqa: N802 - the standard library's name
        """Say nothing below `level`, whoever would hear it. It is the level of the logger behind."""
        known = read_level(level)
        if known is None:
            raise ValueError(f"level must be one of {', '.join(SEVERITY)}, or a number: got {level!r}")
        self._std.setLevel(level if type(level) is int else SEVERITY[known])
        return self

    def addHandler(self: L, handler: logging.Handler) -> L:  # noqa: N802 - the standard library's name
        """Let a handler of the standard library have the records of this logger."""
        self._std.addHandler(handler)
        return self

    def removeHandler(self: L, handler: logging.Handler) -> L:  # noqa: N802 - the standard library's name
        """Take it away again."""
        self._std.removeHandler(handler)
        return self

    def isEnabledFor(self, level: str | int) -> bool:  # noqa: N802 - the standard library's name
        """Tell whether something of that level is said at all."""
        known = read_level(level)
        return known is not None and self._std.level <= SEVERITY[known]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    # -- the way of an entry --------------------------------------------------------------------

    def _say(  # noqa: PLR0917 - by name it would take half as long again
        self,
        level: Level,
        message: object,
        data: object,
        options: object,
        args: tuple[object, ...],
        tags: object,
        is_pii: object,
        exc_info: object,
        extra: object,
        fields: dict[str, Any],
    ) -> None:
        recorder = self._recorder or default_recorder()
        try:
            policy = _default_policy() if recorder is None else recorder.policy
            given: Mapping[str, Any] = NO_FIELDS
            error: BaseException | None = None
            if data is not UNSET or options is not UNSET or args or "data" in fields or "options" in fields:
                message, error, found, option_tags, is_pii = read_arguments(
                    message, data, options, args, fields, is_pii, policy
                )
                tags = option_tags or tags
                fields = {**found, **fields}
            if not message and "message" in fields and type(fields["message"]) is str:
                message = fields.pop("message")
            if not MISSPELT.isdisjoint(fields):
                is_pii = self._read_pii(is_pii, fields)
            elif is_pii is not False:
                is_pii = is_true(is_pii)
            if extra is not None:
                fields = (
                    {**as_fields(extra, policy), **fields}
                    if type(extra) is dict
                    else {**fields, "extra": extra}
                )
            if self._bound:
                fields = {**self._bound, **fields}
            if "correlation_id" in fields:
                given = {"correlation_id": as_text(fields.pop("correlation_id"), policy)[:128]}
            if exc_info and error is None:
                error = exception_of(exc_info)
            if tags or self._bound_tags:
                tags = as_tags((*self._bound_tags, *listed(tags)), policy)
            flow_id, step = self._place()
            entry = stamp(
                recorder,
                policy,
                self._name,
                level,
                time.time(),
                message,
                fields,
                is_pii=self._bound_pii or is_pii is True,
                tags=tags,  # type: ignore[arg-type]  # read by `as_tags`, or an empty tuple
                error=error,
                flow_id=flow_id,
                step_index=step,
                given=given,
            )
            self._send(recorder, entry)
        except Exception as error_of_ours:  # noqa: BLE001 - the wall: no log line may hurt the application
            (_guard if recorder is None else recorder.guard).caught(error_of_ours, "logging")

    def _place(self) -> tuple[str | None, int | None]:
        """Return the flow and the step that the next entry is. A flow's loggers know better."""
        return None, None

    def _log_entry(self, source: object) -> None:
        recorder = self._recorder or default_recorder()
        policy = _default_policy() if recorder is None else recorder.policy
        take = (
            source.get if type(source) is dict else lambda name, default=None: getattr(source, name, default)
        )
        level = read_level(take("level"))
        fields = dict(take("fields") or {})
        data = take("data")
        if data is not None:
            fields = {**fields, **as_fields(data, policy)}
        if level is None:
            if take("level") is not None:
                fields.setdefault("level", take("level"))
            level = "info"
        if self._std.level > SEVERITY[level]:
            return
        given: dict[str, Any] = {
            name: value if name == "step_index" and type(value) is int else as_text(value, policy)
            for name in _GIVEN
            if (value := take(name)) is not None
        }
        if "step_index" in given and type(given["step_index"]) is not int:
            fields.setdefault("step_index", given.pop("step_index"))
        for name, value in given.items():
            if type(value) is str:
                limit = 65_536 if name == "error_stack" else 200
                given[name] = mask_log_text(value, policy, limit, keep_end=name == "error_stack")
        if "flow_id" not in given:
            flow_id, step = self._place()
            given.update({} if flow_id is None else {"flow_id": flow_id, "step_index": step})
        moment: Any = take("timestamp")
        is_moment = type(moment) in (int, float) and 0 <= moment < 1e10
        entry = stamp(
            recorder,
            policy,
            self._name,
            level,
            moment if is_moment else time.time(),
            take("message") or "",
            {**self._bound, **fields},
            is_pii=self._bound_pii or is_true(take("is_pii")),
            tags=as_tags((*self._bound_tags, *listed(take("tags"))), policy),
            given=given,
        )
        self._send(recorder, entry)

    def _send(self, recorder: Recorder | None, entry: LogEntry) -> None:
        """Hand an entry to all who may have it."""
        severity = SEVERITY[entry.level]
        if recorder is not None and recorder.config.enabled and not recorder.log(entry, severity):
            return
        sinks = local_sinks()
        std = self._std
        listens = std.isEnabledFor(severity)
        if not sinks and not listens:
            return
        if getattr(_here, "is_emitting", False):  # a sink or a handler that logs: it would hear itself
            return
        _here.is_emitting = True
        try:
            if sinks:
                emit_to_sinks(sinks, entry, _report_sink)
            if listens:
                hand_to_logging(std, entry)
        finally:
            _here.is_emitting = False

    def _read_pii(self, is_pii: object, fields: dict[str, Any]) -> bool:
        """Return what the flag says in whatever spelling, which is taken out of `fields`; say so once."""
        found = [name for name in fields if name in MISSPELT]
        marked = is_true(is_pii)
        for name in found:
            marked = is_true(fields.pop(name)) or marked
        if found:
            if is_strict():
                raise TypeError(f"is_pii is misspelt: {found[0]!r}")
            _log.log(logging.WARNING, "is_pii is misspelt (%s): it counts as is_pii", found[0])
        return marked


def get_logger(name: str = "app") -> Logger:
    """Return the logger of that name, for the default client: without one, for local sinks alone.

    The same object for the same name. Opens nothing, whatever the name.
    """
    known = _loggers.get(name)
    return known if known is not None else _loggers.setdefault(name, Logger(name))


_loggers: dict[str, Logger] = {}


def _slots(kind: type) -> tuple[str, ...]:
    return tuple(name for base in kind.__mro__ for name in getattr(base, "__slots__", ()))


def _default_policy() -> Policy:
    global _policy  # noqa: PLW0603 - built at first use: importing costs nothing
    if _policy is None:
        _policy = Policy.build()
    return _policy


def _report_sink(error: BaseException, sink: Sink) -> None:
    _guard.report(error, "replaystack: %s failed", f"the sink {type(sink).__name__}")
