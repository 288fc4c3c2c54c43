"""Raw bodies and headers from a seed: every content type and encoding that is known, whole and cut."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Final

from tests.laws import documents

from replaystack.exchange import RawBody, RawHeaders

from .corpus import corpus
from .grammar import percent_encoded
from .odd_texts import OddTexts
from .words import HEADER_NAMES, NAMES, VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bodies"]

LINES: Final = ("application/x-ndjson", "application/jsonl", "application/json-seq")
FORMS: Final = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8")
MULTIPARTS: Final = (
    *("multipart/form-data; boundary=b", 'multipart/form-data; boundary="b"', "multipart/mixed; boundary=b"),
)
CONTENT_TYPES: Final = (
    *("application/json", "application/json; charset=utf-8", "application/json; charset=latin1"),
    *("application/problem+json", "text/plain", "text/plain; charset=ascii", "text/plain; charset=utf-16"),
    *('TEXT/PLAIN; Charset="UTF-8"', "text/html; charset=latin-1", "text/xml", "application/xml"),
    *("application/vnd.x+xml", "application/graphql", "application/javascript", "application/yaml"),
    *("text/csv", "text/event-stream", "application/octet-stream", "image/png", "", None),
    *LINES,
    *FORMS,
    *MULTIPARTS,
)
ENCODINGS: Final = ("gzip", "br", "identity", "", "gzip, gzip", "x-gzip", "deflate")
"""As a header may claim without anything being encoded."""
LARGE_BYTES: Final = 300_000
CHARSETS: Final = (*("utf-8",) * 8, "latin-1", "utf-16")


class Bodies(OddTexts):
    """Makes JSON documents, bodies and headers."""

    def document(self) -> str:
        """Return JSON, or what nearly is."""
        kind = self.rng.random()
        if kind < 0.5:
            text = documents.document(self.rng)
        elif kind < 0.65:
            text = documents.mutated(self.rng, documents.document(self.rng))
        elif kind < 0.8:
            text = self.pick(corpus().documents)
        elif kind < 0.95:
            text = json.dumps(self.tree(2), ensure_ascii=self.happens(0.5), indent=self.pick((None, None, 1)))
        else:
            text = self.text()
        if self.happens(0.2):
            text = self.mutated(text)
        return text.replace("{", "{ ", 1) if self.happens(0.05) else text

    def prefix(self) -> str:
        """Return the beginning of a document, perhaps all of it."""
        document = self.document()
        return document[: self.below(len(document) + 1)]

    def tree(self, depth: int) -> object:
        """Return a value of JSON with at most `depth` containers around each scalar."""
        if depth == 0 or self.happens(0.25):
            return self.leaf()
        kind = self.rng.random()
        if kind < 0.5:
            return {self._key(): self.tree(depth - 1) for _ in range(self.below(4))}
        if kind < 0.55:
            name, value = self.pick(("name", "key", "label", "id", "field", "header")), self.pick(NAMES)
            return {
                name: value,
                self.pick(("value", "input", "val", "content", "values")): self.tree(depth - 1),
            }
        if kind < 0.6:
            path = [self.pick(NAMES), self.pick(NAMES), 0][self.below(3) :]
            return {
                "loc": path,
                "input": self.tree(depth - 1),
                "msg": self.text(),
                "ctx": self.tree(depth - 1),
            }
        if kind < 0.7:
            return [[self.pick(NAMES), self.leaf()] for _ in range(1 + self.below(3))]
        return [self.tree(depth - 1) for _ in range(self.below(4))]

    def _key(self) -> str:
        return self.pick(NAMES) if self.happens(0.8) else self.text()[:60]

    def leaf(self) -> object:
        """Return a scalar of JSON."""
        kind = self.rng.random()
        if kind < 0.6:
            return self.text()
        return self.pick(SCALARS) if kind < 0.8 else self.pick(NAMES)

    # --- bodies ---

    def body(self) -> RawBody:
        """Return a body: often JSON or text, in some charset, perhaps encoded, perhaps cut."""
        content_type = self.pick(CONTENT_TYPES)
        data = self._content(content_type).encode(self.pick(CHARSETS), "replace")
        if self.happens(0.05):
            data = data[: self.below(len(data))] + bytes([self.below(256)]) + data
        data, encoding = self._encoded(data)
        total, complete, kind = len(data), True, self.rng.random()
        if kind < 0.3:
            data, complete = data[: self.below(len(data) + 1)], self.happens(0.3)
        elif kind < 0.4:
            complete = False
        elif kind < 0.45:
            total = self.pick((0, 10, 600_000, 10_000_000, -1))
        return RawBody(data, content_type, encoding, total, complete)

    def large_body(self) -> RawBody:
        """Return a body of some 300 kB, near its usual limit; it may be JSON."""
        documents = [self.document().encode("utf-8", "replace") for _ in range(20)]
        row = b"[" + b",".join(documents) + b"]"
        data = b"[" + b",".join([row] * (LARGE_BYTES // len(row))) + b"]"
        return RawBody(data, self.pick(CONTENT_TYPES), None, len(data))

    def _content(self, content_type: str | None) -> str:
        kind = self.rng.random()
        if content_type in LINES or kind < 0.1:
            return self._lines()
        if content_type in FORMS:
            return self._form()
        if content_type in MULTIPARTS:
            return self._multipart()
        return self.document() if kind < 0.55 else self.text()

    def _lines(self) -> str:
        end = self.pick(("\n", "\r\n", "\n\n", "\n \n", "\x1e"))
        lines = [self.document() if self.happens(0.7) else self.text() for _ in range(self.below(5))]
        text = end.join(lines)
        if self.happens(0.7):
            return text
        return text.replace("\n", " ") if self.happens(0.2) else text + "\n"

    def _form(self) -> str:
        fields = [
            self.pick(NAMES) + self.pick(("=", "=", "%3D", "", "[]=")) + self._form_value()
            for _ in range(self.below(5))
        ]
        text = self.pick(("&", ";", "&")).join(fields)
        return self.mutated(text) if self.happens(0.3) else text

    def _form_value(self) -> str:
        return self.pick(VALUES) if self.happens(0.6) else percent_encoded(self.text(), "replace")

    def _multipart(self) -> str:
        text = "".join(self._part() for _ in range(self.below(4)))
        text += self.pick(("--b--\r\n", "--b--", "--b", ""))
        return self.mutated(text) if self.happens(0.4) else text

    def _part(self) -> str:
        name = self.pick(NAMES) + self.pick(('"', '"; filename="a.txt"', "\"; filename*=utf-8''x"))
        types = ("", "\r\nContent-Type: text/plain", "\r\nContent-Type: application/json")
        head = f'--b\r\nContent-Disposition: form-data; name="{name}{self.pick(types)}\r\n\r\n'
        return head + (self.text() if self.happens(0.6) else self.document()) + "\r\n"

    def _encoded(self, data: bytes) -> tuple[bytes, str | None]:
        kind = self.rng.random()
        if kind < 0.05:
            return gzip.compress(data, mtime=0), "gzip"
        if kind < 0.08:
            return zlib.compress(data), "deflate"
        if kind < 0.1:
            return zlib.compress(data)[2:-4], self.pick(("deflate", "gzip, deflate", "Deflate"))
        return data, self.pick(ENCODINGS) if kind < 0.12 else None

    # --- headers ---

    def headers(self) -> RawHeaders:
        """Return up to four header fields."""
        return RawHeaders(tuple(self._header() for _ in range(self.below(5))))

    def _header(self) -> tuple[bytes, bytes]:
        name = self.pick(HEADER_NAMES)
        makers: tuple[Callable[[], str], ...] = (lambda: self.pick(VALUES), self.url, self.text)
        text = self.pick(makers)()
        if "ookie" in name and self.happens(0.6):
            text = "; ".join(f"{self.pick(NAMES)}={self.pick(VALUES)}" for _ in range(3))
        if name == "Link":
            text = f"<{self.url()}>; rel=next"
        return name.encode("utf-8", "replace"), text.encode(self.pick(("utf-8", "latin-1")), "replace")


SCALARS: Final = (
    *(0, 1, -1, 1.5, True, False, None, "", "x", 4242424242424242, 4111111111111111, 10**20, -0.0, 1e300),
    *(123456789012, "hunter2"),
)
