"""The documents and texts that masking is timed on: many different ones, the same in each run.

A processor learns a document that is masked again and again, and every scanner then looks up to twice as
fast as it is. So each size is a corpus of at least 32 documents whose shapes, lengths and values differ. They
are made of orders, users and notes with secrets planted under secret names and in texts; what was planted,
and what must survive, is kept beside each document for the checks.
"""

from __future__ import annotations

import functools
import json
import random
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Document", "documents", "joined", "sentence"]

_ONES = """the a an order parcel customer invoice basket courier address warehouse shelf label price discount
refund total morning evening week delivery window kitchen garden table lamp chair wool cotton oak steel blue
green narrow wide light heavy arrives leaves waits returns contains replaces confirms before after within
between without against around because while since until please thank often never always again twice only
almost reservation schedule manager neighbour reception entrance staircase document signature receipt message
question answer support agent request session profile settings language currency region country""".split()  # noqa: SIM905 - reads as text
_NAMES = (
    *("Ada Lovelace", "Zoë Müller", "João Araújo", "Jane Doe", "Søren Åberg", "田中 花子", "Ivan Petrov"),
    *("Mary O'Neil", "Łukasz Żak", "Li Wei", "Amara Okafor", "Tom Smith", "Chloé Dubois", "Peter Jones"),
)
_CITIES = ("Berlin", "Porto", "Kraków", "Malmö", "Leeds", "Graz", "東京", "Nantes", "Boston", "Zürich")
_STREETS = ("Main St", "Station Rd", "Rue de la Paix", "Hauptstraße", "Via Roma", "Elm Avenue", "Kungsgatan")
_STATES = ("new", "paid", "packed", "shipped", "delivered", "returned")
_SECRET_NAMES = ("password", "access_token", "apiKey", "clientSecret", "sessionId", "refreshToken", "cvv")
_YEAR_SECONDS = 31_536_000


@dataclass(slots=True)
class Document:
    """One JSON document, and what is known of it."""

    tree: dict[str, Any]
    """As `json.loads` made it: no key object is shared with another document."""
    raw: bytes
    """The same on the wire."""
    secrets: tuple[str, ...]
    safe: tuple[str, ...]


@dataclass(slots=True)
class _Writer:
    """Writes the parts of one document and notes what it planted."""

    chance: random.Random
    secrets: list[str] = field(default_factory=list)
    safe: list[str] = field(default_factory=list)

    def secret(self) -> str:
        secret = f"x{self.chance.getrandbits(88):022x}"
        self.secrets.append(secret)
        return secret

    def identifier(self) -> str:
        number = f"ORD-{self.chance.randrange(10**6):06d}-{self.chance.choice('ABCDEF')}"
        self.safe.append(number)
        return number

    def uuid(self) -> str:
        digits = f"{self.chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def moment(self) -> str:
        at = self.chance.randrange(_YEAR_SECONDS)
        day, second = divmod(at, 86_400)
        return (
            f"2026-{day // 31 + 1:02d}-{day % 28 + 1:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:"
            f"{second % 60:02d}.{self.chance.randrange(1000):03d}Z"
        )

    def note(self) -> str:
        """Return a few sentences; one in eight holds a line break or quotes, one in 40 a secret."""
        text = " ".join(sentence(self.chance) for _ in range(self.chance.randrange(1, 5)))
        dice = self.chance.random()
        if dice < 0.025:
            how = (
                "retry with password={}",
                "Authorization: Bearer {}",
                "https://u:{}@host.example/x",
                "token='{}'",
            )
            return f"{text} {self.chance.choice(how).format(self.secret())}"
        if dice < 0.15:
            return text.replace(" ", "\n", 1) if dice < 0.09 else f'{text} "{self.chance.choice(_ONES)}"'
        return text

    def url(self) -> str:
        host = self.chance.choice(("shop.example", "cdn.example.net", "api.shop.example"))
        return f"https://{host}/products/{self.chance.randrange(10**5)}?page={self.chance.randrange(40)}&sort=price"

    def item(self) -> dict[str, Any]:
        chance = self.chance
        item: dict[str, Any] = {
            "sku": f"{chance.choice(_ONES)[:3].upper()}-{chance.randrange(10**4)}",
            "qty": chance.randrange(1, 9),
            "price": round(chance.random() * 300, 2),
            "tax": chance.choice((0.07, 0.19, 0.2)),
            "gift": chance.random() < 0.2,
            "title": " ".join(chance.choices(_ONES, k=chance.randrange(2, 7))),
        }
        if chance.random() < 0.3:
            item["tags"] = chance.choices(_ONES, k=chance.randrange(3))
        if chance.random() < 0.1:
            item["size"] = [chance.randrange(100) for _ in range(3)]
        if chance.random() < 0.1:
            item["image"] = self.url()
        return item

    def order(self) -> dict[str, Any]:
        chance = self.chance
        order: dict[str, Any] = {
            "id": self.identifier(),
            "uuid": self.uuid(),
            "state": chance.choice(_STATES),
            "placedAt": self.moment(),
            "updated_ms": 1_760_000_000_000 + chance.randrange(10**10),
            "total": round(chance.random() * 2000, 2),
            "paid": chance.random() < 0.8,
            "coupon": None if chance.random() < 0.8 else chance.choice(_ONES).upper(),
            "items": [self.item() for _ in range(chance.randrange(1, 9))],
            "ship": {
                "name": chance.choice(_NAMES),
                "street": f"{chance.choice(_STREETS)} {chance.randrange(200)}",
                "city": chance.choice(_CITIES),
                "zip": f"{chance.randrange(10**5):05d}",
                "lat": chance.uniform(-90, 90),
                "lon": round(chance.uniform(-180, 180), 4),
            },
        }
        if chance.random() < 0.8:
            order["note"] = self.note()
        if chance.random() < 0.4:
            order["history"] = [
                [chance.choice(_STATES), chance.randrange(10**5)] for _ in range(chance.randrange(6))
            ]
        if chance.random() < 0.3:
            order["user"] = self.user()
        return order

    def user(self) -> dict[str, Any]:
        chance = self.chance
        name = chance.choice(_NAMES)
        user: dict[str, Any] = {
            "id": chance.randrange(10**7),
            "name": name,
            "email": f"{name.split(' ', 1)[0].lower()}{chance.randrange(1000)}@mail.example",
            "isActive": chance.random() < 0.9,
            "age": chance.randrange(18, 90),
            "score": chance.random(),
            "roles": chance.choices(("buyer", "seller", "admin", "guest"), k=chance.randrange(3)),
            "lastSeen": self.moment() if chance.random() < 0.7 else None,
        }
        if chance.random() < 0.35:
            user[chance.choice(_SECRET_NAMES)] = self.secret()
        return user


def sentence(chance: random.Random) -> str:
    """Return one sentence of plain words."""
    words = chance.choices(_ONES, k=chance.randrange(4, 13))
    if chance.random() < 0.3:
        words[1] += ","
    return " ".join(words).capitalize() + chance.choice("....!?")


@functools.cache
def documents(count: int, size_bytes: int, seed: int = 7) -> tuple[Document, ...]:
    """Return that many documents of about `size_bytes` each."""
    chance = random.Random(seed * 1_000_003 + size_bytes)  # noqa: S311 - the same corpus in each run
    return tuple(_document(chance, size_bytes) for _ in range(count))


def _document(chance: random.Random, size_bytes: int) -> Document:
    writer = _Writer(chance)
    # One secret of each kind for certain; the others come as they come.
    tree: dict[str, Any] = {
        "page": chance.randrange(100),
        "login": {"name": chance.choice(_NAMES), "password": writer.secret()},
        "orders": [],
    }
    size = _size(tree)
    while size < size_bytes:
        order = writer.order()
        # The last one is cut to what is left: an order is a kilobyte, and small documents vary too much else.
        while order["items"] and size + _size(order) > size_bytes + 100:
            order["items"].pop()
        tree["orders"].append(order)
        size += _size(order) + 1
    as_ascii = chance.random() < 0.2  # one client in five writes `\u00e9`
    text = json.dumps(tree, ensure_ascii=as_ascii, separators=(",", ":"))
    return Document(json.loads(text), text.encode(), tuple(writer.secrets), tuple(writer.safe))


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def joined(parts: tuple[Document, ...], count: int, each: int, seed: int = 11) -> tuple[Document, ...]:
    """Return `count` large documents, each made of `each` others; they share memory."""
    chance = random.Random(seed)  # noqa: S311 - the same corpus in each run
    found = []
    for _ in range(count):
        chosen = chance.sample(parts, each)
        raw = b'{"parts":[' + b",".join(part.raw for part in chosen) + b"]}"
        secrets = tuple(secret for part in chosen for secret in part.secrets)
        found.append(Document({"parts": [part.tree for part in chosen]}, raw, secrets, ()))
    return tuple(found)
