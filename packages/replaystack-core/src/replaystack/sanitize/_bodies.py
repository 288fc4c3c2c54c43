"""Bodies as they stood on the wire: decoded, masked by their content type, limited."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ._forms import mask_cut_form, mask_form
from ._json import WHITE_SPACE, NotJsonError, dumps, loads, loads_prefix
from ._keys import INPUT, LOC, NAME, VALUE, lower, role
from ._limits import preview_of
from ._marks import CUT, MASKED, omitted, truncated
from ._multipart import mask_multipart

if TYPE_CHECKING:
    from ..exchange import RawBody
    from ._limits import Limits
    from ._walk import Walker

__all__ = ["HELD_BYTES", "mask_body"]

HELD_BYTES: Final = 16_384
"""Of a body over the limit only so much is looked at (MASKING.md section 4)."""

_CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "utf-8",  # a subset; what is wrongly called ASCII is mostly UTF-8
    "us-ascii": "utf-8",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-1": "latin-1",
}
_TEXT_TYPES: Final = frozenset(
    {
        "application/xml",
        "application/graphql",
        "application/javascript",
        "application/x-javascript",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/sql",
    }
)
_NDJSON_TYPES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


_UNKNOWN: Final = object()  # a content that is not decoded; None is a JSON document


@dataclass(frozen=True, slots=True)
class _Content:
    """A body without its content encoding."""

    data: bytes
    whole: bool
    size_bytes: int
    size_is_lower_bound: bool = False


def mask_body(body: RawBody, walker: Walker, limits: Limits) -> Any:
    """Return what the event keeps of a body, as plain JSON values; None if there was none.

    `walker` counts what was masked.
    """
    if not body.data and not body.total_bytes:
        return None
    media_type, charset = _read_content_type(body.content_type)
    seen = max(body.total_bytes, len(body.data))
    content = _decoded(body, seen, limits.max_payload_bytes)
    if content is None or charset is None:
        return omitted(media_type, seen)
    maximum = limits.max_payload_bytes
    if content.size_bytes > maximum or content.size_is_lower_bound:
        text = _mask_prefix(content.data[:HELD_BYTES], media_type, charset, walker)
        if text is None:
            return omitted(media_type, seen)
        preview = preview_of(text, maximum, walker.text)
        return truncated(content.size_bytes, maximum, preview, lower_bound=content.size_is_lower_bound)
    if not content.whole:
        text = _mask_prefix(content.data, media_type, charset, walker)
        # What is a text from now on must be stable as one.
        return omitted(media_type, seen) if text is None else walker.text(text)
    masked = _mask_whole(content.data, media_type, body.content_type or "", charset, walker)
    return omitted(media_type, seen) if masked is _UNKNOWN else masked


def _read_content_type(value: str | None) -> tuple[str, str | None]:
    """Return the media type in lower case and the codec, None for a charset that is not decoded."""
    parts = lower(value or "").split(";")
    charset = "utf-8"
    for part in parts[1:]:
        name, _, text = part.partition("=")
        if name.strip() == "charset":
            charset = text.strip(" \t\"'") or charset
    return parts[0].strip(), _CHARSETS.get(charset)


# --- content encodings --------------------------------------------------------------------------


def _decoded(body: RawBody, seen: int, maximum: int) -> _Content | None:
    """Undo gzip and deflate, but never make more of it than the limit; None for other encodings."""
    whole = body.complete and len(body.data) >= body.total_bytes
    encoding = lower(body.content_encoding or "").strip()
    if encoding in ("", "identity"):
        return _Content(body.data, whole, seen)
    if encoding in ("gzip", "x-gzip"):
        windows: tuple[int, ...] = (16 + zlib.MAX_WBITS,)
    elif encoding == "deflate":
        windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # with the header of the standard, and without it
    else:
        return None
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            data = inflater.decompress(body.data, maximum + 1)
        except zlib.error:
            continue
        whole = whole and inflater.eof
        over = len(data) > maximum
        return _Content(data, whole, len(data) if whole else max(len(data), seen), over)
    return None


# --- content types --------------------------------------------------------------------------------


def _is_json(media_type: str) -> bool:
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type.endswith("+xml")


def _starts_like_json(text: str) -> bool:
    return text.lstrip(WHITE_SPACE)[:1] in ("{", "[") and bool(text)


def _mask_whole(data: bytes, media_type: str, content_type: str, charset: str, walker: Walker) -> Any:
    if media_type == "multipart/form-data":
        form = mask_multipart(data, content_type, walker)
        return _UNKNOWN if form is None else form
    text = _text_of(data, charset)
    if "\0" in text:
        return _UNKNOWN  # binary, or UTF-16: a NUL in each character hides every name
    if media_type in _NDJSON_TYPES:
        return [_mask_document(line, walker) for line in text.split("\n") if line.strip(WHITE_SPACE)]
    if _is_json(media_type):
        return _mask_document(text, walker)
    if media_type == _FORM_TYPE:
        return mask_form(text, walker)
    if _starts_like_json(text):
        try:
            return walker.walk(loads(text))
        except NotJsonError:
            pass
    if _is_text(media_type) or (not media_type and _is_readable(data)):
        return walker.text(_unescaped(text) if _starts_like_json(text) else text)
    return _UNKNOWN


def _text_of(data: bytes, charset: str) -> str:
    return data.decode(charset, "replace").removeprefix("\ufeff")


# Letters, digits and the like, escaped for no reason but to hide: JSON that does not parse is a text,
# and in a text `p\\u0061ssword` is no password.
_ESCAPED = re.compile(r"\\u00(2[0-9a-fA-F]|[3-7][0-9a-fA-F])")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_character, text) if "\\u00" in text else text


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character.isalnum() or character in " -_=:@/.?&" else escape.group()


def _is_readable(data: bytes) -> bool:
    """Tell whether a body of no declared type is a text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(character) < 32 and character not in "\t\r\n" for character in text[:1024])


def _mask_document(text: str, walker: Walker) -> Any:
    """Return a JSON document masked; what is none is a text."""
    try:
        return walker.walk(loads(text))
    except NotJsonError:
        return walker.text(_unescaped(text))


# --- the beginning of a body ----------------------------------------------------------------------


def _mask_prefix(data: bytes, media_type: str, charset: str, walker: Walker) -> str | None:
    """Return the masked text of a body that was cut; None if it is no text."""
    if media_type == "multipart/form-data":
        return None
    text = _prefix_text(data, charset)
    if "\0" in text:
        return None
    if media_type == _FORM_TYPE:
        return mask_cut_form(text, walker) if "=" in text else walker.cut(text)
    if media_type in _NDJSON_TYPES:
        complete, newline, last = text.rpartition("\n")
        lines = [_masked_line(line, walker) for line in complete.split("\n")] if newline else []
        return "\n".join([*lines, _mask_json_prefix(last, walker)])
    if _is_json(media_type) or _starts_like_json(text):
        return _mask_json_prefix(text, walker)
    if _is_text(media_type) or (not media_type and _is_readable(data)):
        return walker.cut(text)
    return None


def _masked_line(line: str, walker: Walker) -> str:
    masked = _mask_document(line, walker)
    return masked if type(masked) is str else dumps(masked)


def _prefix_text(data: bytes, charset: str) -> str:
    """Decode without the character that the cut went through."""
    if charset == "utf-8":
        for back in range(1, min(4, len(data) + 1)):
            lead = data[-back]
            if lead >= 0xC0:  # the first byte of a character; it is cut if it announces more than follow
                needed = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
                data = data[:-back] if needed > back else data
                break
            if lead < 0x80:
                break
    return _text_of(data, charset)


def _mask_json_prefix(text: str, walker: Walker) -> str:
    """Return the beginning of a JSON document as text: what stood complete, then `…`."""
    try:
        document, still_open = loads_prefix(text)
    except NotJsonError:
        return walker.cut(_unescaped(text))
    _assume_the_worst(document, still_open)
    masked = dumps(walker.walk(document))
    closers = len(masked) - len(masked.rstrip("]}"))  # fewer than were open if one of those was masked
    return masked[: len(masked) - min(closers, still_open)] + CUT


def _assume_the_worst(document: Any, still_open: int) -> None:
    """Mask what only the missing rest could have declared harmless, along the open containers.

    A `value` whose `name` did not arrive may be that of a password, an `input` without its `loc` too.
    A list is a list of pairs as long as nothing else is in it, and half a pair at its end is nothing else.
    """
    at = document
    for _ in range(still_open):
        if type(at) is dict and at:
            following = at[next(reversed(at))]
            roles = {key: role(key) for key in at}
            for half, other in ((VALUE, NAME), (INPUT, LOC)):
                if other not in roles.values():
                    at.update({key: MASKED for key, found in roles.items() if found == half})
        elif type(at) is list and at:
            following = at[-1]
            if type(following) is list and len(following) < 2:
                at.pop()
        else:
            return
        at = following
