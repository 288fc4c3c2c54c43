"""What may leave the process: masking, limits, encoding. The only maker of `Masked` bytes."""

from ._backend import (
    NativeStatus,
    encode_batch,
    encode_event,
    mask_text,
    mask_url,
    mask_value,
    native_status,
    require_backend,
)
from ._documents import bulk_document, without_bodies
from ._explain import Finding, explain
from ._limits import Limits
from ._log_entries import encode_log_entry, logs_document, mask_log_fields, mask_log_text
from ._masked import Masked
from ._policy import RECEIVER_POLICY, RULES_VERSION, VALUE_CLASSES, Policy
from ._raw_logs import (
    NotMaskableError,
    mask_log_document,
    mask_log_lines,
    mask_log_rows,
    mask_log_texts,
)
from ._reseal import PROOF_BYTES, prove, reseal, reseal_log_entry

__all__ = [
    "PROOF_BYTES",
    "RECEIVER_POLICY",
    "RULES_VERSION",
    "VALUE_CLASSES",
    "Finding",
    "Limits",
    "Masked",
    "NativeStatus",
    "NotMaskableError",
    "Policy",
    "bulk_document",
    "encode_batch",
    "encode_event",
    "encode_log_entry",
    "explain",
    "logs_document",
    "mask_log_document",
    "mask_log_fields",
    "mask_log_lines",
    "mask_log_rows",
    "mask_log_text",
    "mask_log_texts",
    "mask_text",
    "mask_url",
    "mask_value",
    "native_status",
    "prove",
    "require_backend",
    "reseal",
    "reseal_log_entry",
    "without_bodies",
]
