"""Events at the edges: our own marks come back, headers as objects, great depth, much of everything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from replaystack.exchange import RawBody

from .events import Events
from .words import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OddEvents"]

LIMITED: Final = ("requestPayload", "responsePayload", "requestHeaders")
LARGE_FIELDS: Final = (
    *(
        "requestPayload",
        "responsePayload",
        "metadata",
        "own",
        "own2",
        "requestHeaders",
        "logs",
        "breadcrumbs",
    ),
    *("stackFrames", "stackTrace", "errorMessage", "requestUrl", "userAgent", "endpoint"),
)
HEADERS: Final = (
    *("Cookie", "set-cookie", "Location", "LINK", "sec-websocket-protocol", "Referer", "Authorization", "x"),
    *("origin", "password"),
)
HELD_BYTES: Final = 16_384
LARGE_LENGTH: Final = 300_000


class OddEvents(Events):
    """Makes odd events among the others."""

    def foreign_tree(self, depth: int) -> Any:
        """Return a value, rarely one of our own marks, or one that is too deep."""
        if self.happens(0.03):
            return self.mark()
        return self.deep() if self.happens(0.02) else super().foreign_tree(depth)

    def event(self) -> dict[Any, Any]:
        """Return an event, now and then with a mark in it."""
        event = super().event()
        for key in LIMITED:
            if key in event and self.happens(0.1):
                event[key] = self.mark()
        if self.happens(0.05):
            event[self.pick(("x", "y"))] = self.mark()
        return event

    def mark(self) -> dict[str, Any]:
        """Return what the encoder writes in the place of a value, or what nearly is one."""
        marks: tuple[dict[str, Any], ...] = (
            {"__unmasked_dropped": True},
            {"__omitted": True, "contentType": self.text()[:50], "sizeBytes": 5},
            {"__truncated": True, "originalSizeBytes": 5, "maxSizeBytes": 2, "preview": self.text()},
            {"__truncated": True, "originalSizeBytes": 1 << 63, "preview": "x"},
            {"__truncated": 1},
            {"__truncated": True, "preview": "p" * 2001},
            {"__truncated": True, "x": 1},
            {"preview": "x", "__truncated": True},
        )
        mark = self.pick(marks)
        return {**mark, self.pick(NAMES): 1} if self.happens(0.2) else mark

    def deep(self) -> object:
        """Return a scalar within about as many containers as may stand around it."""
        value = self.leaf()
        for _ in range(self.pick((60, 63, 64, 65, 66, 70))):
            name = self.pick(NAMES)
            around: tuple[object, ...] = ([value], {"a": value}, {"password": [value]}, [[name, value]])
            value = self.pick((*around, {"name": name, "value": value}))
        return value

    # --- headers as an application has them ---

    def _headers(self) -> object:
        if self.happens(0.6):
            return super()._headers()
        pairs = [(self.pick(HEADERS), self._header_value()) for _ in range(self.below(5))]
        kind = self.rng.random()
        if kind < 0.4:
            return dict(pairs)
        fields: list[object] = [list(pair) if self.happens(0.5) else pair for pair in pairs]
        if kind >= 0.9:
            fields.append(self.pick(((1, 2), ("a",), 5, [None, "x"], ("a", "b", "c"))))
        return fields

    def _header_value(self) -> object:
        url, text = self.url(), self.text()
        values: tuple[object, ...] = (
            *(
                text,
                url,
                "bearer, abc",
                "x, Bearer.abc",
                "bearer",
                "a=b; c=d==; =x; e",
                f"<{url}>; rel=a, <{url}>",
            ),
            *(url.encode("latin-1", "replace"), [text, "bearer", url], [url, 5, None, [url]], ("a", url)),
            *({"a": url}, {"": ""}, b"\xff\xe9", 5, None, True, 4242424242424242),
        )
        return self.pick(values)

    # --- much ---

    def large_event(self) -> dict[Any, Any]:
        """Return an event whose parts are over their limits, if these are not very large."""
        event = self.event()
        for _ in range(1 + self.below(4)):
            key = self.pick(LARGE_FIELDS)
            value = self._much()
            if key in ("logs", "breadcrumbs", "stackFrames") and self.happens(0.8):
                value = [self._entry() for _ in range(20)] * self.pick((1, 10, 60))
            if key.endswith("Payload") and self.happens(0.5):
                value = self._as_body(value)
            event[key] = value
        return event

    def _much(self) -> object:
        makers: tuple[Callable[[], object], ...] = (
            lambda: self.text() * self.pick((1, 20, 200)),
            lambda: [self.tree(2) for _ in range(50)] * self.pick((1, 2, 10)),
            lambda: {f"k{number}": self.text() for number in range(self.pick((10, 300)))},
            lambda: "lorem ipsum " * self.pick((10, 1000, 6000)),
        )
        much = self.pick(makers)()
        return much[:LARGE_LENGTH] if isinstance(much, str) else much

    def _as_body(self, value: object) -> RawBody:
        text = value if isinstance(value, str) else json.dumps(value)
        data = text.encode("utf-8", "replace")
        held = data[:HELD_BYTES] if self.happens(0.5) else data
        types = (
            "application/json",
            "text/plain",
            "application/x-ndjson",
            None,
            "application/x-www-form-urlencoded",
        )
        return RawBody(held, self.pick(types), None, len(data))
