"""Texts at the edges of the rules: personal data, shapes made to be slow, JSON within JSON within a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from benchmarks._masking_growth import SHAPES

from .grammar import Grammar
from .words import NAMES, SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OddTexts"]

HOSTILE_LENGTH: Final = 8000
NESTED_LENGTH: Final = 4000
"""Characters: what is deeper within strings of JSON is only longer."""

_PERSONAL = """ada@example.org ada+tag@sub.example.co.uk "a b"@x.org @x.org a@b a@b.c ada@[10.0.0.1]
4.9301234567 +49.301234567 +49-30-123456 +4930123456789012 (030) 123456 (555)123-4567 555-123-4567
5551234567x12
5551234567ext 15550101234 1.555.010.1234 +1.5550101234 tel:+1-555-010-1234 12:30+0100
2020-01-02T12:30:00+01:00 +0200 DE89370400440532013000 de89 3704 0044 0532 0130 00
GB82WEST12345698765432 GB82-WEST-1234-5698-7654-32 NO9386011117947 XX00 10.0.0.1 %2010.0.0.1 v1.2.3.4
1.2.3.4.5 999.1.1.1 127.0.0.1:80 10.0.0.1/8 Chrome/114.0.0.0 version 1.2.3.4 fe80::1 fe80::1%eth0
2001:db8::1 ::1 [::1]:80 :: ::ffff:10.0.0.1 ::ffff:0a00:1 abc::def a::b x[::2] )[::2] [::1]
1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:80 00:11:22:33:44:55:66:77 00:11:22:33:44:55 2001:db8:0:0:0:0:0:1:
fe80::1:error addr:2001:db8::1 addr:::1 0.1:80:1 5::bigint 1::Int 1:2:3:4:5:6:10.0.0.1 %3A:1 std::vec
12:30:45 0::10.0.0.1. 2001:db8::10.0.0.1:80 12345678-1234-1234-1234-123456789012 4242424242424242
4242-4242-4242-4242 4242 4242 4242 4242 42424242424242420 4242424242424242.5 3.4242424242424242
0x4242424242424242 4111111111111111/12 378282246310005 30569309025904 6011111111111117 5555555555554444
2223003122003222 4242424242424242_ _4242424242424242 a4242424242424242 4242424242424242a
4242-424242424242-42 4242 4242424242 42 4242424242424242e5""".split()  # noqa: SIM905 - reads better
PERSONAL: Final = (
    *_PERSONAL,
    "(030) 123456",
    "de89 3704 0044 0532 0130 00",
    "4242 4242 4242 4242",
    '"a b"@x.org',
)
"""Addresses, numbers of telephones, accounts, cards and machines, and what looks like them."""


class OddTexts(Grammar):
    """Makes odd texts among the others."""

    def text(self) -> str:
        """Return a text, two of five times an odd one."""
        makers: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.20, self.personal),
            (0.27, self.hostile),
            (0.32, self.nested),
            (0.37, lambda: "\n".join((self.usual(), self.usual(), "  " + self.usual()))),
            (0.40, lambda: (self.usual()[:40] + self.pick((" ", "", ","))) * self.pick((1, 3, 40))),
            (1.00, self.usual),
        )
        kind = self.rng.random()
        return next(make for up_to, make in makers if kind < up_to)()

    def usual(self) -> str:
        """Return a text of the grammar."""
        return super().text()

    def personal(self) -> str:
        """Return pieces of personal data beside each other."""
        glue = self.pick(("", " ", ",", "x", ":"))
        breaks = (*SIGNS, "1", "12", "::", ":", ".", "-", "@", "+", "fe80")
        pieces = [self.pick(PERSONAL if self.happens(0.7) else breaks) for _ in range(1 + self.below(6))]
        text = glue.join(pieces)
        return self.mutated(text) if self.happens(0.4) else text

    def hostile(self) -> str:
        """Return what could make a careless rule start over at every place."""
        text = ""
        for _ in range(1 + self.below(3)):
            shape = self.pick(SHAPES)
            text += shape.before + shape.unit * self.pick((2, 3, 5, 20, 100, 300))
            text += shape.after if self.happens(0.7) else ""
            text += self.assignments() if self.happens(0.5) else ""
        return (self.mutated(text) if self.happens(0.5) else text)[:HOSTILE_LENGTH]

    def nested(self) -> str:
        """Return a text within up to three strings of JSON."""
        text = self.usual()
        for _ in range(1 + self.below(3)):
            around = self.pick((text, {"a": text}, [text], {self.pick(NAMES): text}))
            text = json.dumps(around, ensure_ascii=self.happens(0.5))
        return text[:NESTED_LENGTH]
