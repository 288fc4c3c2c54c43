"""ReplayStack: capture what a request or job really did, mask it, deliver it, see it.

Importing this starts no thread, opens nothing, installs no hook and imports nothing
third-party.
"""

from .client import ReplayStackClient, set_default_client
from .delivery import Stats
from .errors import CaptureFailure, ConfigError, DeliveryError, ReceiverRejected
from .event import Breadcrumb, CaptureResponse
from .recorder import add_breadcrumb, clear_breadcrumbs, get_breadcrumbs, run_with_replaystack_context
from .version import __version__

__all__ = [
    "Breadcrumb",
    "CaptureFailure",
    "CaptureResponse",
    "ConfigError",
    "DeliveryError",
    "ReceiverRejected",
    "ReplayStackClient",
    "Stats",
    "__version__",
    "add_breadcrumb",
    "clear_breadcrumbs",
    "get_breadcrumbs",
    "run_with_replaystack_context",
    "set_default_client",
]
