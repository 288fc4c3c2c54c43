"""One event, masked, limited and encoded: the road that everything takes out of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..exchange import RawBody
from ..wire import RESERVED_METADATA_KEY
from ._bodies import mask_body
from ._event_fields import (
    ENTRY_FIELDS,
    ENTRY_TEXTS,
    HEADERS,
    KNOWN,
    LISTS,
    NUMBERS,
    PAYLOADS,
    TEXTS,
    is_evidence,
)
from ._headers import COOKIES_MAX, mask_headers
from ._json import dumps, loads, quoted
from ._keys import Place, role
from ._limits import Limits, fit, preview_of, utf8_length
from ._marks import MASKED, dropped, is_mark, truncated
from ._plain import as_json_type, key_text, snapshot
from ._policy import RULES_VERSION, Policy
from ._rules import UNBOUNDED
from ._walk import Walker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["dropped_event", "encode_event"]

_EMPTY: Final = frozenset({"null", '""', "{}", "[]"})
_SHORT = 1024  # characters: far below every limit, whatever their encoding
_PATIENCE = 4096  # small limits must not cut a text in front of a secret's end
_HEADLINE_TEXT_BYTES = 2048  # two dozen of them, escaped, are far below any event's limit

_RESERVED_BYTES = 65_536
"""Of `metadata.replaystack`: what the recorder writes there takes a few KiB."""


def encode_event(event: Mapping[str, object], policy: Policy, limits: Limits) -> bytes:
    """Return the event as masked bytes (see `_backend.encode_event`, which seals them). Never raises."""
    encoder = _Encoder(policy, limits)
    try:
        return encoder.encode(event)
    except Exception:  # noqa: BLE001 - fail closed: what is left of the event says that it was dropped
        return dropped_event(policy)


def dropped_event(policy: Policy) -> bytes:
    """Return what stands for an event that could not be masked."""
    evidence = {"policy": policy.hash, "rules": RULES_VERSION, "masked": 0, "dropped": 1}
    return dumps({**dropped(), "metadata": {RESERVED_METADATA_KEY: {"masking": evidence}}}).encode()


class _Encoder:
    """The work on one event: its encoded parts by wire key, and what was learned on the way."""

    def __init__(self, policy: Policy, limits: Limits) -> None:
        self._policy = policy
        self._limits = limits
        self._parts: dict[str, str] = {}
        self._metadata: dict[str, Any] = {}
        self._reserved: dict[str, Any] = {}
        self._cookies: set[str] = set()
        self._seen_before = False
        self._masked = 0
        self._dropped = 0

    def encode(self, event: Mapping[str, object]) -> bytes:
        items = snapshot(event) if type(event) is dict else list(event.items())
        fields = {key if type(key) is str else key_text(key): value for key, value in items}
        self._read_metadata(fields.get("metadata"))
        plain = self._plain_texts(fields)
        others: dict[str, Any] = {}
        for key, value in fields.items():
            if key in plain:
                if value:
                    self._parts[key] = quoted(plain[key])
            elif key == "metadata":
                self._parts[key] = ""  # keeps its place
            elif value is None:
                continue
            elif key in KNOWN:
                self._add(key, value)
            else:
                others[key] = value
        self._parts.setdefault("metadata", "")
        self._add_others(others)
        self._parts["metadata"] = self._encode_metadata()
        if self._size() > self._limits.event_bytes:
            self._degrade()
        parts = ",".join([f"{quoted(key)}:{part}" for key, part in self._parts.items()])
        return f"{{{parts}}}".encode()

    def _plain_texts(self, fields: dict[str, Any]) -> dict[str, str]:
        """Return the short texts of the envelope that no rule changes: together, as most are so."""
        texts = {
            key: value
            for key, value in fields.items()
            if type(value) is str and len(value) <= _SHORT and key in TEXTS
        }
        try:
            changed = self._walker(UNBOUNDED).changed(list(texts.values()))
        except Exception:  # noqa: BLE001 - each will fail, or not, by itself
            return {}
        return {key: value for key, value in texts.items() if value not in changed}

    def _walker(self, budget_bytes: int) -> Walker:
        return Walker(self._policy, budget_bytes)

    def _size(self) -> int:
        return sum([utf8_length(key) + utf8_length(part) + 4 for key, part in self._parts.items()]) + 2

    # --- fields ---

    def _add(self, key: str, value: object) -> None:
        try:
            encode = self._encoders(key)
            part = encode(key, value)
        except Exception:  # noqa: BLE001 - fail closed, part by part: the neighbours still arrive
            self._dropped += 1
            part = dumps(MASKED if key in TEXTS or key == "requestUrl" else dropped())
        if part not in _EMPTY:
            self._parts[key] = part

    def _encoders(self, key: str) -> Callable[[str, Any], str]:
        if key in TEXTS or key == "requestUrl":
            return self._text
        if key in PAYLOADS or key in HEADERS:
            return self._field
        return self._list if key in LISTS else self._number

    def _add_others(self, fields: dict[str, Any]) -> None:
        """Add what is no key of the wire: user data, masked by key like any, and together as one object."""
        walker = self._walker(self._limits.event_bytes)
        try:
            tree = walker.walk(fields)
        except Exception:  # noqa: BLE001 - fail closed
            tree = self._one_by_one(fields)
        self._masked += walker.masked
        parts = {key: dumps(value) for key, value in tree.items()}
        self._parts.update((key, part) for key, part in parts.items() if part not in _EMPTY)

    def _one_by_one(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Mask what can be masked; a `value` without the names beside it cannot."""
        masked: dict[str, Any] = {}
        for key, value in fields.items():
            walker = self._walker(self._limits.event_bytes)
            try:
                masked.update(walker.walk({key: dropped() if role(key) else value}))
            except Exception:  # noqa: BLE001 - fail closed, part by part
                self._dropped += 1
                name = _mask_key(walker, key)
                if name is not None:
                    masked[name] = dropped()
        return masked

    def _text(self, key: str, value: Any) -> str:
        walker = self._walker(self._limits.event_bytes)
        value = as_json_type(value)
        if type(value) is int or type(value) is float:
            value = walker.walk(value)  # a card number, or what is no number in JSON, becomes a text
        if type(value) is not str:
            return self._whole(walker, walker.walk(value))
        is_url = key == "requestUrl"
        mask = walker.url if is_url else walker.text
        maximum = self._limits.request_url_bytes if is_url else TEXTS[key]
        # Beyond four times the limit nothing is looked at; what the cut leaves there is no half secret.
        over = len(value) > 4 * maximum + _PATIENCE
        text = walker.cut(value[: 4 * maximum + _PATIENCE]) if over else mask(value)
        text = fit(text, maximum, mask)
        self._masked += walker.masked
        return quoted(text)

    def _number(self, _key: str, value: Any) -> str:
        walker = self._walker(self._limits.event_bytes)
        return self._whole(walker, walker.walk(value))

    def _field(self, key: str, value: Any) -> str:
        """Encode a payload or headers, limited."""
        maximum = self._limits.max_payload_bytes
        raw = type(value) is RawBody
        walker = self._walker(UNBOUNDED if raw or is_mark(value) else self._limits.budget_bytes)
        if raw:
            part = mask_body(value, walker, self._limits)
            self._masked += walker.masked
            return part
        if key in HEADERS:
            tree, cookies = mask_headers(value, walker)
            self._cookies.update(cookies)
        else:
            tree = walker.walk(value)
        part = dumps(tree)
        # What was encoded before has met its limit, as raw bytes perhaps: only the event's own remains.
        limited = (is_mark(tree) and is_mark(value)) or (self._seen_before and not walker.full)
        if not limited and (walker.full or utf8_length(part) > maximum):
            part = self._truncate(part, walker)
        self._masked += walker.masked
        return part

    def _truncate(self, part: str, walker: Walker) -> str:
        maximum = self._limits.max_payload_bytes
        quiet = self._walker(UNBOUNDED)  # masking the preview again finds nothing new to count
        text = loads(part) if part[0] == '"' else part
        preview = preview_of(text, maximum, quiet.text)
        size = self._limits.budget_bytes if walker.full else utf8_length(part)
        return dumps(truncated(size, maximum, preview, lower_bound=walker.full))

    def _whole(self, walker: Walker, tree: Any) -> str:
        self._masked += walker.masked
        part = dumps(tree)
        if not walker.full:
            return part
        size = self._limits.event_bytes
        text = tree if type(tree) is str else part
        preview = preview_of(text, self._limits.max_payload_bytes, self._walker(UNBOUNDED).text)
        return dumps(truncated(size, size, preview, lower_bound=True))

    # --- lists of entries ---

    def _list(self, key: str, value: Any) -> str:
        """Encode breadcrumbs, logs or frames; when they are too many, the newest stay."""
        value = as_json_type(value)
        items = (
            [as_json_type(item) for item in value] if type(value) is list or type(value) is tuple else None
        )
        if items is None or any(type(item) is list or type(item) is tuple for item in items):
            walker = self._walker(self._limits.event_bytes)  # no list of entries, whatever it is
            return self._whole(walker, walker.walk(value if items is None else items))
        left = self._limits.event_bytes
        entries: list[str] = []
        for entry in reversed(items):
            walker = self._walker(left)
            part = self._whole(walker, self._entry(entry, walker, key))
            left -= utf8_length(part) + 1
            if left < 0:
                break
            entries.append(part)
        return "[" + ",".join(reversed(entries)) + "]"

    def _entry(self, entry: Any, walker: Walker, kind: str) -> Any:
        if type(entry) is not dict:
            return walker.walk(entry)
        masked: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for key, value in snapshot(entry):
            name = key if type(key) is str else key_text(key)
            if name in ENTRY_TEXTS:
                masked[name] = _entry_text(value, walker)
            elif name in ENTRY_FIELDS:
                masked[name] = self._entry_fields(value, walker, kind)
            else:
                others[name] = value
        if others:
            masked.update(walker.walk(others))
        return masked

    def _entry_fields(self, value: Any, walker: Walker, kind: str) -> Any:
        """Mask the fields of an entry by key, but for `replaystack`, which is ours."""
        value = as_json_type(value)
        place = Place.LOG if kind == "logs" else Place.PAYLOAD
        if type(value) is not dict:
            return walker.walk(value, place)
        fields = {key if type(key) is str else key_text(key): item for key, item in snapshot(value)}
        reserved = fields.get(RESERVED_METADATA_KEY)
        if type(reserved) is not dict:
            return walker.walk(fields, place)
        fields[RESERVED_METADATA_KEY] = None  # keeps its place
        masked = walker.walk(fields, place)
        masked[RESERVED_METADATA_KEY] = walker.walk(reserved, Place.NONE)
        return masked

    # --- metadata ---

    def _read_metadata(self, value: Any) -> None:
        """Take metadata apart: the user's, and what stands under the reserved key."""
        if value is None:
            return
        try:
            value = as_json_type(value)
            if type(value) is not dict:
                value = {"value": value}
            self._metadata = {
                key if type(key) is str else key_text(key): item for key, item in snapshot(value)
            }
            reserved = self._metadata.get(RESERVED_METADATA_KEY)
            if type(reserved) is not dict:
                return
            walker = self._walker(_RESERVED_BYTES)
            masked = walker.walk(reserved, Place.NONE)
            if walker.full or type(masked) is not dict:
                return
            self._reserved = masked
            self._masked += walker.masked
            self._seen_before = is_evidence(masked.get("masking"))
        except Exception:  # noqa: BLE001 - fail closed: metadata that cannot be read is dropped whole
            self._dropped += 1
            self._metadata = dropped()

    def _encode_metadata(self) -> str:
        fields = dict(self._metadata)
        fields[RESERVED_METADATA_KEY] = None  # keeps its place, or takes the last one
        walker = self._walker(self._limits.event_bytes)
        try:
            tree = walker.walk(fields)
            self._masked += walker.masked
        except Exception:  # noqa: BLE001 - fail closed
            self._dropped += 1
            tree = dropped()
        if walker.full:
            size = self._limits.event_bytes
            tree = truncated(size, size, None, lower_bound=True)
        tree[RESERVED_METADATA_KEY] = self._evidence()
        return dumps(tree)

    def _evidence(self) -> dict[str, Any]:
        """Return `metadata.replaystack` with the cookies' names and the evidence of masking."""
        reserved = self._reserved
        if self._cookies:
            known = reserved.get("cookieNames")
            names = self._cookies.union(
                name for name in (known if type(known) is list else ()) if type(name) is str
            )
            walker = self._walker(UNBOUNDED)
            reserved["cookieNames"] = walker.walk(sorted(names)[:COOKIES_MAX], Place.NONE)
        evidence: dict[str, Any] = {"policy": self._policy.hash, "rules": RULES_VERSION, "masked": 0}
        if self._seen_before:
            evidence = dict(reserved["masking"])
        evidence["masked"] += self._masked
        if self._dropped:
            evidence["dropped"] = evidence.get("dropped", 0) + self._dropped
        reserved["masking"] = evidence
        return reserved

    # --- an event over its limit ---

    def _degrade(self) -> None:
        """Make the event fit: bodies become previews, then shapes remain, then the headline alone."""
        for step in (self._drop_bodies, self._keep_shapes, self._keep_headline):
            step()
            if self._size() <= self._limits.event_bytes:
                return

    def _drop_bodies(self) -> None:
        walker = self._walker(UNBOUNDED)
        for key in PAYLOADS & self._parts.keys():
            if not self._parts[key].startswith('{"__truncated":true'):
                self._parts[key] = self._truncate(self._parts[key], walker)

    def _keep_shapes(self) -> None:
        """Leave of everything but the texts what it was and how large."""
        for key, part in list(self._parts.items()):
            if key in TEXTS or key in NUMBERS or key in ("requestUrl", "metadata"):
                continue
            shape = dumps(truncated(utf8_length(part), self._limits.max_payload_bytes, None))
            if len(shape) < len(part):
                self._parts[key] = f"[{shape}]" if key in LISTS else shape
        size = utf8_length(self._parts["metadata"])
        shape_of_metadata = truncated(size, self._limits.event_bytes, None)
        self._parts["metadata"] = dumps({**shape_of_metadata, RESERVED_METADATA_KEY: self._reserved})

    def _keep_headline(self) -> None:
        walker = self._walker(UNBOUNDED)
        for key, part in list(self._parts.items()):
            if key == "metadata" or key in NUMBERS:
                continue
            if key not in TEXTS and key != "requestUrl":
                del self._parts[key]
            elif len(part) > _HEADLINE_TEXT_BYTES:
                mask = walker.url if key == "requestUrl" else walker.text
                tree = loads(part)
                text = tree if type(tree) is str else part
                self._parts[key] = dumps(fit(text, _HEADLINE_TEXT_BYTES, mask))
        self._parts["metadata"] = dumps({RESERVED_METADATA_KEY: self._reserved})


def _entry_text(value: Any, walker: Walker) -> Any:
    """Mask what is no secret by its own name; what is no text but a structure is user data like any."""
    value = as_json_type(value)
    is_structure = type(value) in (dict, list, tuple)
    return walker.walk(value, Place.PAYLOAD if is_structure else Place.NONE)


def _mask_key(walker: Walker, key: str) -> str | None:
    """Return a key as it may be written, or None if even that fails."""
    try:
        return walker.text(key)
    except Exception:  # noqa: BLE001 - fail closed
        return None
