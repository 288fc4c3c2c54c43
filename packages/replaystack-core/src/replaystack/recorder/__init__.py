"""From a capture to a `Pending`: admission, identity, scope; flush, close and the account."""

from .beside import beside_the_loop
from .enrolment import register
from .process_end import flush_at_exit, is_exiting
from .recorder import Recorder
from .registry import (
    add_breadcrumb,
    clear_breadcrumbs,
    default_recorder,
    get_breadcrumbs,
    open_recorders,
    run_with_replaystack_context,
    set_default_recorder,
    unregister,
)

__all__ = [
    "Recorder",
    "add_breadcrumb",
    "beside_the_loop",
    "clear_breadcrumbs",
    "default_recorder",
    "flush_at_exit",
    "get_breadcrumbs",
    "is_exiting",
    "open_recorders",
    "register",
    "run_with_replaystack_context",
    "set_default_recorder",
    "unregister",
]
