"""Bodies as they stood on the wire: decoded, masked by their content type, limited."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._forms import mask_cut_form, mask_form
from ._json import WHITE_SPACE, NotJsonError, dumps
from ._limits import preview_of
from ._marks import omitted, truncated
from ._multipart import mask_multipart
from ._raw_json import is_json, mask_json, mask_json_lines, mask_json_prefix
from ._spelling import BLANKS, lower

if TYPE_CHECKING:
    from ..exchange import RawBody
    from ._limits import Limits
    from ._walk import Walker

__all__ = ["HELD_BYTES", "mask_body"]

_MEMBERS_MAX: Final = 1000  # of a gzip file; each costs an object, and nobody sends more
_SHORT = 256  # characters; nobody sends more blanks than that on purpose
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


@dataclass(frozen=True, slots=True)
class _Content:
    """A body without its content encoding."""

    data: bytes
    whole: bool
    size_bytes: int
    size_is_lower_bound: bool = False


def mask_body(body: RawBody, walker: Walker, limits: Limits) -> str:
    """Return what the event keeps of a body, as JSON text; `null` if there was none.

    JSON that came as JSON stays as it came, but for what is masked. `walker` counts that.
    """
    if not body.data and not body.total_bytes:
        return "null"
    media_type, charset = _read_content_type(body.content_type)
    shown = walker.text(media_type)  # a sender may write anything there
    seen = max(body.total_bytes, len(body.data))
    content = _decoded(body, seen, limits.max_payload_bytes)
    if content is None or charset is None:
        return dumps(omitted(shown, seen))
    maximum = limits.max_payload_bytes
    if content.size_bytes > maximum or content.size_is_lower_bound:
        text = _mask_prefix(content.data[:HELD_BYTES], media_type, charset, walker)
        if text is None:
            return dumps(omitted(shown, seen))
        preview = preview_of(text, maximum, walker.text)
        return dumps(truncated(content.size_bytes, maximum, preview, lower_bound=content.size_is_lower_bound))
    if not content.whole:
        text = _mask_prefix(content.data, media_type, charset, walker)
        # What is a text from now on must be stable as one.
        return dumps(omitted(shown, seen) if text is None else walker.text(text))
    masked = _mask_whole(content.data, media_type, body.content_type or "", charset, walker)
    if masked is None:
        return dumps(omitted(shown, seen))
    return masked if len(masked) > _SHORT or not _says_nothing(masked) else "null"


def _says_nothing(document: str) -> bool:
    """Tell whether a document is empty but for its blanks."""
    bare = document.strip(WHITE_SPACE)
    return bare in ("null", '""') or (bare[0] in "{[" and not bare[1:-1].strip(WHITE_SPACE))


def _read_content_type(value: str | None) -> tuple[str, str | None]:
    """Return the media type in lower case and the codec, None for a charset that is not decoded."""
    parts = lower(value or "").split(";")
    charset = "utf-8"
    for part in parts[1:]:
        name, _, text = part.partition("=")
        if name.strip(BLANKS) == "charset":
            charset = text.partition(",")[0].strip(" \t\"'") or charset  # two fields joined have a comma
    return parts[0].strip(BLANKS), _CHARSETS.get(charset)


# --- content encodings --------------------------------------------------------------------------


def _decoded(body: RawBody, seen: int, maximum: int) -> _Content | None:
    """Undo gzip and deflate, but never make more of it than the limit; None for other encodings."""
    whole = body.complete and len(body.data) >= body.total_bytes
    encoding = lower(body.content_encoding or "").strip(BLANKS)
    if encoding in ("", "identity"):
        return _Content(body.data, whole, seen)
    if encoding in ("gzip", "x-gzip"):
        windows: tuple[int, ...] = (16 + zlib.MAX_WBITS,)
    elif encoding == "deflate":
        windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # with the header of the standard, and without it
    else:
        return None
    for window in windows:
        try:
            data, ended = _inflated(body.data, window, maximum + 1)
        except zlib.error:
            continue
        if not data and not ended:
            continue  # cut in its head, or rubbish that zlib and Rust's inflater notice at different bytes
        whole = whole and ended
        over = len(data) > maximum
        return _Content(data, whole, len(data) if whole else max(len(data), seen), over)
    return None


def _inflated(data: bytes, window: int, maximum: int) -> tuple[bytes, bool]:
    """Return at most so many bytes, of all members of a gzip file, and whether it was read to its end."""
    out = b""
    for _ in range(_MEMBERS_MAX):
        inflater = zlib.decompressobj(window)
        try:
            out += inflater.decompress(data, maximum - len(out))
        except zlib.error:
            if not out:
                raise
            return out, False  # something else follows
        data = inflater.unused_data
        if not inflater.eof or not data or len(out) >= maximum:
            return out, inflater.eof and not data
    return out, False


# --- content types --------------------------------------------------------------------------------


def _is_json(media_type: str) -> bool:
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in _TEXT_TYPES or media_type.endswith("+xml")


def _starts_like_json(text: str) -> bool:
    return text.lstrip(WHITE_SPACE)[:1] in ("{", "[") and bool(text)


def _mask_whole(data: bytes, media_type: str, content_type: str, charset: str, walker: Walker) -> str | None:
    """Return a complete body as JSON text; None if its content is not known."""
    if media_type == "multipart/form-data":
        form = mask_multipart(data, content_type, walker)
        return None if form is None else dumps(form)
    text = _text_of(data, charset)
    if "\0" in text:
        return None  # binary, or UTF-16: a NUL in each character hides every name
    if media_type in _NDJSON_TYPES:
        return _mask_lines(text, walker)
    is_form = media_type == _FORM_TYPE
    if is_form and not _starts_like_json(text):
        return dumps(mask_form(text, walker))
    named_json = _is_json(media_type)
    if named_json or _starts_like_json(text):
        try:
            return mask_json(text, walker)
        except NotJsonError:
            if is_form:
                return dumps(mask_form(text, walker))
            text = _unescaped(text)
    if named_json or _is_text(media_type) or (not media_type and _is_readable(data)):
        return dumps(walker.text(text))
    return None


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


def _mask_lines(text: str, walker: Walker) -> str:
    """Return NDJSON as a list of documents; lines that are none are texts, neighbours together.

    One document over several lines, as pretty printers write it, is a list of one. The list is masked
    as a whole: lines such as `["password", "x"]` are pairs.
    """
    documents: list[str] = []
    others: list[str] = []
    for line in text.split("\n"):
        if not line.strip(WHITE_SPACE):
            continue
        if is_json(line, walker):
            documents += _joined(others)
            others = []
            documents.append(line)
        else:
            others.append(line)
    if others and is_json(text, walker):
        documents, others = [text], []
    return mask_json(f"[{','.join([*documents, *_joined(others)])}]", walker)


def _joined(lines: list[str]) -> list[str]:
    return [dumps(_unescaped("\n".join(lines).strip(WHITE_SPACE)))] if lines else []


# --- the beginning of a body ----------------------------------------------------------------------


def _mask_prefix(data: bytes, media_type: str, charset: str, walker: Walker) -> str | None:
    """Return the masked text of a body that was cut; None if it is no text."""
    if media_type == "multipart/form-data":
        return None
    text = _prefix_text(data, charset)
    if "\0" in text:
        return None
    if media_type == _FORM_TYPE and not _starts_like_json(text):  # `curl -d` calls JSON a form
        return mask_cut_form(text, walker) if "=" in text else walker.cut(text)
    if media_type in _NDJSON_TYPES:
        return _mask_cut_lines(text, walker)
    if _is_json(media_type) or _starts_like_json(text):
        return _mask_prefix_of_json(text, walker)
    if _is_text(media_type) or (not media_type and _is_readable(data)):
        return walker.cut(text)
    return None


def _mask_cut_lines(text: str, walker: Walker) -> str:
    """Return the beginning of NDJSON as text; unless each line is a document, all of it is one."""
    complete, newline, last = text.rpartition("\n")
    lines = [line for line in complete.split("\n") if line.strip(WHITE_SPACE)] if newline else []
    if not all(is_json(line, walker) for line in lines):
        return _mask_prefix_of_json(text, walker)
    try:
        return mask_json_lines(lines, last, walker)
    except NotJsonError:
        whole = mask_json_lines(lines, None, walker)
        return "\n".join([*filter(None, [whole]), walker.cut(_unescaped(last))])


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


def _mask_prefix_of_json(text: str, walker: Walker) -> str:
    """Return the beginning of a JSON document as text: what stood complete, then `…`."""
    try:
        return mask_json_prefix(text, walker)
    except NotJsonError:
        return walker.cut(_unescaped(text))
