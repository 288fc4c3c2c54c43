"""Bodies that no client should send: broken multipart, gzip in pieces, bytes of another charset."""

from __future__ import annotations

import gzip
from typing import Final

from replaystack.exchange import RawBody

from .bodies import Bodies
from .words import NAMES

__all__ = ["OddBodies"]

LARGE_FIELD: Final = 65_537
TYPES: Final = (
    *("application/json", "text/plain", "text/plain; charset=latin-1", "text/plain; charset=ISO-8859-1"),
    *(
        "text/plain;charset=us-ascii",
        'application/json; charset="utf8"',
        "application/x-ndjson",
        "x" * 200 + "/y",
    ),
    *("text/plain; charset=windows-1252; charset=utf-8", None),
)


class OddBodies(Bodies):
    """Makes odd bodies among the others."""

    def body(self) -> RawBody:
        """Return a body, two of five times an odd one."""
        kind = self.rng.random()
        if kind < 0.25:
            return self._odd_multipart()
        if kind < 0.35:
            return self._odd_gzip()
        return self._odd_charset() if kind < 0.4 else super().body()

    def _odd_multipart(self) -> RawBody:
        boundary = self.pick(("b", "----x", "a b", "é", ""))
        parts = "".join(self._odd_part(boundary) for _ in range(self.below(4)))
        text = self.pick(("", "", "pre\r\n")) + parts + "--" + boundary + self.pick(("--\r\n", "--", "", "-"))
        data = text.encode("utf-8", "replace")
        if self.happens(0.1):
            data = data.replace(b"y", b"\xff")
        options = (
            "; boundary=%",
            '; boundary="%"',
            "; Boundary=%; x=y",
            ";boundary = %",
            "; boundary='%'",
            "",
        )
        content_type = "multipart/form-data" + self.pick(options).replace("%", boundary)
        if self.happens(0.2):
            return RawBody(data[: self.below(len(data))], content_type, None, len(data), complete=False)
        return RawBody(data, content_type, None, len(data))

    def _odd_part(self, boundary: str) -> str:
        names = ("Content-Disposition", "content-disposition ", "X", "")
        head = self.pick(names) + ":" + self.pick((" form-data", "form-data", ""))
        for _ in range(self.below(3)):
            head += self.pick((";", "; ", " ;")) + self.pick(("name", "filename", "Name", "other"))
            text = self.pick(('"%"', "%", '"%', "utf-8''%", '"a\\"%"'))
            name = self.pick((*NAMES, "n%C3%A4me", "a%22b", "+", ""))
            head += self.pick(("=", "*=", "=", "= ")) + text.replace("%", name)
        head += self.pick(
            ("", "\r\nContent-Type: text/plain", "\r\nContent-Type:", "\r\ncontent-type: a/b; c=d")
        )
        large = "x" * LARGE_FIELD if self.happens(0.02) else "y"
        content = self.pick((self.text(), self.document(), large, "a\0b", ""))
        ends, tails = ("\r\n\r\n", "\r\n\r\n", "\n\n", "\r\n"), ("\r\n", "\r\n", "\n", "")
        return f"--{boundary}\r\n{head}{self.pick(ends)}{content}{self.pick(tails)}"

    def _odd_gzip(self) -> RawBody:
        members = [self.document().encode("utf-8", "replace") for _ in range(1 + self.below(4))]
        data = b"".join(gzip.compress(member, mtime=0) for member in members)
        if self.happens(0.4):
            data += self.pick((b"\0\0", b"junk", gzip.compress(b"x", mtime=0)[:8], b"\x1f\x8b"))
        if self.happens(0.3):
            data = data[: self.below(len(data))]
        if self.happens(0.1) and data:
            at = self.below(len(data))
            data = data[:at] + bytes([data[at] ^ (1 << self.below(8))]) + data[at + 1 :]
        types = ("application/json", "text/plain", "application/x-ndjson", None)
        total = len(data) if self.happens(0.8) else 10**6
        encoding = self.pick(("gzip", "x-gzip", "GZIP", " gzip "))
        return RawBody(data, self.pick(types), encoding, total, self.happens(0.7))

    def _odd_charset(self) -> RawBody:
        document = self.document().encode("utf-8", "replace")
        contents = (
            *(b'{"a":"\0"}', b"\xef\xbb\xbf" + document, b"\xff\xfe", document + b"\xc3"),
            *(self.text().encode("utf-16", "replace"), self.text().encode("utf-8", "surrogatepass")),
            self.text().encode("latin-1", "replace"),
        )
        data = self.pick(contents)
        return RawBody(data, self.pick(TYPES), None, len(data), self.happens(0.6))
