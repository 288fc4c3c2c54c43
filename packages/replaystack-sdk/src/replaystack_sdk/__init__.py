"""Drop-in successor of replaystack-sdk 1.x: every public name, over replaystack-core.

New code is better off with `replaystack` itself and the adapter of its framework; this
distribution exists so that code written for 1.x runs unchanged.
"""

from __future__ import annotations

from replaystack.version import __version__

from .client import ReplayStack, ReplayStackClient
from .clock import create_trace_id, should_sample, sleep_seconds
from .context import (
    add_breadcrumb,
    add_context_breadcrumb,
    clear_breadcrumbs,
    clear_context_breadcrumbs,
    get_breadcrumbs,
    get_context_breadcrumbs,
    run_with_replaystack_context,
)
from .headers import detect_auth_mode, headers_to_object
from .masking import mask_data, mask_sensitive_data
from .payloads import safe_json_clone, safe_stringify, truncate_payload, truncate_utf8_string
from .runtime import install_replaystack_process_guards
from .stacktrace import format_exception, get_error_details, parse_exception_stack, parse_stack_trace
from .types import (
    AuthMode,
    Breadcrumb,
    CaptureResponse,
    EventStatus,
    EventType,
    LogLevel,
    ReplayStackConfig,
    ReplayStackEvent,
    ReplayStackLog,
    StackFrame,
)
from .urls import (
    build_absolute_request_url_from_parts,
    normalize_absolute_request_url,
    normalize_endpoint,
    should_ignore_path,
)

__all__ = [
    "AuthMode",
    "Breadcrumb",
    "CaptureResponse",
    "EventStatus",
    "EventType",
    "LogLevel",
    "ReplayStack",
    "ReplayStackClient",
    "ReplayStackConfig",
    "ReplayStackEvent",
    "ReplayStackLog",
    "StackFrame",
    "__version__",
    "add_breadcrumb",
    "add_context_breadcrumb",
    "build_absolute_request_url_from_parts",
    "clear_breadcrumbs",
    "clear_context_breadcrumbs",
    "create_trace_id",
    "detect_auth_mode",
    "format_exception",
    "get_breadcrumbs",
    "get_context_breadcrumbs",
    "get_error_details",
    "headers_to_object",
    "install_replaystack_process_guards",
    "mask_data",
    "mask_sensitive_data",
    "normalize_absolute_request_url",
    "normalize_endpoint",
    "parse_exception_stack",
    "parse_stack_trace",
    "run_with_replaystack_context",
    "safe_json_clone",
    "safe_stringify",
    "should_ignore_path",
    "should_sample",
    "sleep_seconds",
    "truncate_payload",
    "truncate_utf8_string",
]
