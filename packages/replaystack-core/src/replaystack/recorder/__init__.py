"""From a capture to a `Pending`: admission, identity, scope; flush, close and the account."""

from .recorder import Recorder
from .registry import (
    add_breadcrumb,
    clear_breadcrumbs,
    default_recorder,
    get_breadcrumbs,
    register,
    run_with_replaystack_context,
    set_default_recorder,
    unregister,
)

__all__ = [
    "Recorder",
    "add_breadcrumb",
    "clear_breadcrumbs",
    "default_recorder",
    "get_breadcrumbs",
    "register",
    "run_with_replaystack_context",
    "set_default_recorder",
    "unregister",
]
