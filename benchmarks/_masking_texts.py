"""Clean texts of 1 KiB each: realistic ones in which no value rule finds anything.

They are not chosen to be easy. Prose has colons and quotes now and then, descriptions have prices and sizes,
log lines are nearly all punctuation; words such as `session` or `request` stand in each of them.
"""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

from benchmarks._masking_corpus import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TEXT_BYTES", "log_lines", "mixed", "not_ascii"]

TEXT_BYTES = 1024
_PIECES = ("oak", "steel", "wool", "cotton", "glass")
_LOGGERS = ("shop.orders", "shop.stock", "uvicorn.access", "mail.worker", "db.pool")
_ACCENTS = str.maketrans({"a": "ä", "e": "é", "o": "ø", "u": "ü"})


def _prose(chance: random.Random) -> str:
    text = sentence(chance)
    dice = chance.random()
    if dice < 0.04:
        return text.replace(" ", ": ", 1)
    if dice < 0.08:
        return f'"{text[:-1]}," said the manager.'
    return text.replace(" ", "\n", 1) if dice < 0.12 else text


def _description(chance: random.Random) -> str:
    """Return a sentence of a shop's catalogue."""
    width, height = chance.randrange(20, 240), chance.randrange(20, 240)
    return chance.choice(
        (
            f"{sentence(chance)[:-1]} ({width} x {height} cm)",
            f"Made of {chance.choice(_PIECES)}, {chance.randrange(1, 40)} kg; {sentence(chance).lower()}",
            f"From {chance.randrange(1000) / 10:.2f} EUR - {sentence(chance).lower()}",
            f"It's {chance.choice(_PIECES)}-lined & 100% recycled.",
        )
    )


def _message(chance: random.Random) -> str:
    """Return a log message without its head."""
    number, small = chance.randrange(10**6), chance.randrange(1, 900)
    return chance.choice(
        (
            f"order {number} placed by customer {number // 7} in {small} ms",
            f"retrying delivery, attempt {small % 5} of 5",
            f"cache miss for product {number}",
            f"sent 3 mails in {chance.random():.3f}s",
            "worker started",
        )
    )


def _log_line(chance: random.Random) -> str:
    """Return a line as a log file has it: times, levels, fields, addresses."""
    second, number, small = chance.randrange(86_400), chance.randrange(10**4), chance.randrange(20)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{number % 1000:03d}"
    moment = f"2026-11-{small + 1:02d}T{clock}Z"
    rest = chance.choice(
        (
            f"{_message(chance)}: items={small} total={chance.random() * 300:.2f}",
            f'10.0.0.{small}:{40_000 + number} - "GET /orders/{number} HTTP/1.1" 200',
            f"pool size={small} idle={number % 7} host=db-{number % 4}:5432",
            f"{{'state': 'paid', 'items': {small}, 'ok': True}}",
            _message(chance),
        )
    )
    return f"{moment} {chance.choice(('INFO', 'WARNING', 'DEBUG'))} [{chance.choice(_LOGGERS)}] {rest}"


@functools.cache
def mixed(count: int) -> tuple[str, ...]:
    """Return prose, descriptions and log messages, a third each."""
    third = count // 3
    return (
        *_texts(count - 2 * third, _prose, " "),
        *_texts(third, _description, " "),
        *_texts(third, _message, ". "),
    )


@functools.cache
def log_lines(count: int) -> tuple[str, ...]:
    """Return pieces of log files."""
    return _texts(count, _log_line, "\n")


@functools.cache
def not_ascii(count: int) -> tuple[str, ...]:
    """Return prose with accents in nearly every word, 1024 characters each."""
    return tuple(text.translate(_ACCENTS) for text in _texts(count, _prose, " "))


def _texts(count: int, piece: Callable[[random.Random], str], glue: str) -> tuple[str, ...]:
    chance = random.Random(count)  # noqa: S311 - the same texts in each run
    return tuple(_text(chance, piece, glue) for _ in range(count))


def _text(chance: random.Random, piece: Callable[[random.Random], str], glue: str) -> str:
    text = piece(chance)
    while len(text) < TEXT_BYTES:
        text += glue + piece(chance)
    return text[:TEXT_BYTES]
