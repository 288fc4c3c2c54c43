from collections.abc import Callable
from typing import Any, final

__version__: str  # of the distribution that this module was built from

def contract_version() -> int: ...  # compared with core's own before core trusts this module

# A panic is a BaseException of the module `pyo3_runtime`. Nothing is written to stderr: this is where the
# calling thread's last one happened. `panic` makes one, for tests.
def panic_place() -> str | None: ...
def panic(text: str) -> None: ...

# What one client masks. Immutable, safe to share between threads. The names come normalised.
@final
class CompiledPolicy:
    def __new__(
        cls,
        mask_fields: set[str] | frozenset[str],
        unmask_fields: set[str] | frozenset[str],
        remote_fields: set[str] | frozenset[str],
        mask_values: bool,
        classes: list[str],  # of VALUE_CLASSES, in that order
        contains_only: bool,
    ) -> CompiledPolicy: ...
    def text(self, text: str, /) -> str: ...  # under the value rules
    def url(self, url: str, /) -> str: ...  # without secrets

# Each returns what is left and how many places were masked; None stands for "no JSON".
def mask_text(policy: CompiledPolicy, text: str) -> tuple[str, int]: ...
def mask_url(policy: CompiledPolicy, url: str) -> tuple[str, int]: ...
def mask_json(policy: CompiledPolicy, text: str) -> tuple[str, int] | None: ...
def mask_json_prefix(policy: CompiledPolicy, text: str) -> tuple[str, int] | None: ...

# JSON text, how many places were masked, and whether the bound was crossed.
def encode_value(
    policy: CompiledPolicy,
    value: object,
    place: int,
    budget_bytes: int,
    plain: Callable[[object], Any],
    key_text: Callable[[object], str],
) -> tuple[str, int, bool]: ...

# Encodes events; `raw_body` and `raw_headers` are the types of `replaystack.exchange`. Raises for fields of
# other types than those say. May be used by several threads. Holds the lock of the interpreter, but for the
# bodies of a call if they are 256 KiB and more: these are masked without it, before all else.
@final
class EventEncoder:
    def __new__(cls, raw_body: type, raw_headers: type) -> EventEncoder: ...
    def encode_event(
        self,
        policy: CompiledPolicy,
        policy_hash: str,
        max_payload_bytes: int,
        event: dict[Any, Any],
        plain: Callable[[object], Any],
        key_text: Callable[[object], str],
    ) -> bytes: ...
    def encode_batch(
        self,
        policy: CompiledPolicy,
        policy_hash: str,
        max_payload_bytes: int,
        events: list[dict[Any, Any]],
        plain: Callable[[object], Any],
        key_text: Callable[[object], str],
    ) -> list[bytes]: ...
