"""ReplayStack: capture what a request or job really did, mask it, deliver it, see it.

Importing this starts no thread, opens nothing, installs no hook and imports nothing
third-party.
"""

from .client import ReplayStackClient, set_default_client
from .delivery import Stats
from .errors import CaptureFailure, ConfigError, DeliveryError, ReceiverRejected
from .event import Breadcrumb, CaptureResponse
from .guards import install_replaystack_process_guards
from .logs import get_logger, log_with_correlation
from .logs.domains import STANDARD_DOMAINS, configure_domains
from .metrics import MetricsHook
from .recorder import add_breadcrumb, clear_breadcrumbs, get_breadcrumbs, run_with_replaystack_context
from .sanitize import NativeStatus, native_status
from .scope import get_correlation_id, set_correlation_id
from .version import __version__

__all__ = [
    "STANDARD_DOMAINS",
    "Breadcrumb",
    "CaptureFailure",
    "CaptureResponse",
    "ConfigError",
    "DeliveryError",
    "MetricsHook",
    "NativeStatus",
    "ReceiverRejected",
    "ReplayStackClient",
    "Stats",
    "__version__",
    "add_breadcrumb",
    "clear_breadcrumbs",
    "configure_domains",
    "get_breadcrumbs",
    "get_correlation_id",
    "get_logger",
    "install_replaystack_process_guards",
    "log_with_correlation",
    "native_status",
    "run_with_replaystack_context",
    "set_correlation_id",
    "set_default_client",
]
