"""The optional Rust half of ReplayStack: the compiled module `_native` under its public name."""

from ._native import (
    CompiledPolicy,
    EventEncoder,
    __version__,
    contract_version,
    encode_value,
    mask_json,
    mask_json_prefix,
    mask_text,
    mask_url,
    panic,
    panic_place,
)

__all__ = [
    "CompiledPolicy",
    "EventEncoder",
    "__version__",
    "contract_version",
    "encode_value",
    "mask_json",
    "mask_json_prefix",
    "mask_text",
    "mask_url",
    "panic",
    "panic_place",
]
