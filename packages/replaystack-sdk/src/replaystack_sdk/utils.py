"""Re-exports only: `replaystack_sdk.utils` is an import path that applications of 1.x use.

The house rule against modules of this name holds for our own code; a drop-in cannot choose
the names that its users already wrote. Nothing may be defined here, and nothing of ours
imports from here.
"""

from __future__ import annotations

from .clock import create_trace_id, should_sample, sleep_seconds
from .headers import detect_auth_mode, headers_to_object
from .masking import DEFAULT_MASK_FIELDS, mask_data, mask_sensitive_data, normalize_key
from .payloads import safe_json_clone, safe_stringify, truncate_payload, truncate_utf8_string
from .stacktrace import get_error_details
from .urls import (
    HeaderGetter,
    build_absolute_request_url_from_parts,
    normalize_absolute_request_url,
    normalize_endpoint,
    should_ignore_path,
)

__all__ = [
    "DEFAULT_MASK_FIELDS",
    "HeaderGetter",
    "build_absolute_request_url_from_parts",
    "create_trace_id",
    "detect_auth_mode",
    "get_error_details",
    "headers_to_object",
    "mask_data",
    "mask_sensitive_data",
    "normalize_absolute_request_url",
    "normalize_endpoint",
    "normalize_key",
    "safe_json_clone",
    "safe_stringify",
    "should_ignore_path",
    "should_sample",
    "sleep_seconds",
    "truncate_payload",
    "truncate_utf8_string",
]
