"""The proof itself: it must fail where a secret is, or its "0 found" says nothing."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from examples.shop.demo.checks import proof_checks

from replaystack.testing import (
    Canaries,
    Secret,
    Verdict,
    blind_spots,
    card_number,
    database_haystacks,
    jwt,
    password,
    prove,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HIDINGS: dict[str, Callable[[str], bytes | str]] = {
    "as text": lambda value: f"before {value} after",
    "as bytes": lambda value: value.encode(),
    "in another case": lambda value: value.swapcase(),
    "percent-encoded": lambda value: quote(f"a b={value}", safe=""),
    "every byte percent-encoded": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "in base64, after one byte": lambda value: base64.b64encode(b"1" + value.encode()).decode(),
    "in base64, after two bytes": lambda value: base64.b64encode(b"22" + value.encode()).decode(),
    "in JSON": lambda value: json.dumps({"value": value}),
    "in JSON, escaped": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "by zlib": lambda value: zlib.compress(json.dumps({"value": value}).encode(), 9),
    "by gzip": lambda value: gzip.compress(value.encode()),
    "by zlib, behind a header": lambda value: b"\x01\x02" + zlib.compress(value.encode()),
    "the first half alone": lambda value: value[: len(value) // 2],
}


def _verdict(database: Path, secret: Secret) -> Verdict:
    return prove([secret], "", database_haystacks(database))


def _database(folder: Path) -> tuple[Path, sqlite3.Connection]:
    path = folder / "store.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE documents (body BLOB)")
    return path, connection


@pytest.mark.parametrize("hiding", HIDINGS)
@pytest.mark.parametrize("checkpointed", [True, False], ids=["in the file", "in the write-ahead log"])
def test_finds_a_secret_that_was_stored(tmp_path: Path, hiding: str, *, checkpointed: bool) -> None:
    """A secret in the receiver's file fails the proof, however it is disguised."""
    secret = Secret("somewhere", Canaries().plant("somewhere"))
    path, connection = _database(tmp_path)
    with closing(connection):
        connection.execute("INSERT INTO documents VALUES (?)", (HIDINGS[hiding](secret.value),))
        if checkpointed:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        verdict = _verdict(path, secret)
    assert verdict.leaked == 1
    assert next(iter(proof_checks(verdict, []))).faults
    assert secret.value not in repr(verdict)


def test_finds_a_secret_that_was_deleted_again(tmp_path: Path) -> None:
    """A compressed body that no table holds any more still fails the proof while its bytes are there."""
    secret = Secret("somewhere", Canaries().plant("somewhere"))
    path, connection = _database(tmp_path)
    with closing(connection):
        connection.execute("INSERT INTO documents VALUES (?)", (zlib.compress(secret.value.encode()),))
        connection.execute("DELETE FROM documents")
        assert _verdict(path, secret).leaked == 1


def test_finds_a_secret_in_a_full_text_index_alone(tmp_path: Path) -> None:
    """A secret whose only trace is a term that shares its beginning with the term before is found."""
    value = re.sub("[^a-z0-9]", "x", Canaries().plant("somewhere").lower())
    path, connection = _database(tmp_path)
    with closing(connection):
        connection.execute("CREATE VIRTUAL TABLE search USING fts5 (message, content='')")
        connection.execute("INSERT INTO search (rowid, message) VALUES (1, ?)", (f"{value[:20]}0 {value}",))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        verdict = _verdict(path, Secret("somewhere", value))
    assert "terms of search" in {finding.where_found for finding in verdict.findings}


def test_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    """A file without the secret passes, and the marker in it is found."""
    canaries = Canaries()
    for make in (password, jwt, lambda: card_number("4242")):
        canaries.plant(make.__name__, make())
    path, connection = _database(tmp_path)
    with closing(connection):
        connection.execute("INSERT INTO documents VALUES (?)", (zlib.compress(canaries.marker.encode()),))
        verdict = prove(canaries.planted, canaries.marker, database_haystacks(path))
    assert verdict.leaked == 0
    assert "table documents, unpacked" in verdict.marker_found_in


@pytest.mark.parametrize(
    "make", [password, jwt, lambda: card_number("424242")], ids=["password", "jwt", "card"]
)
def test_sees_through_its_own_disguises(make: Callable[[], str]) -> None:
    """The search that the demo runs over hidden copies of every planted secret misses none."""
    assert blind_spots([Secret("somewhere", make())]) == []


def test_a_search_that_does_not_find_the_marker_fails() -> None:
    """Zero secrets found is no success when the marker was not found either."""
    zero, works = proof_checks(Verdict(["here", "there"]), [])
    assert not zero.faults
    assert works.faults


def test_an_unreadable_file_is_no_proof(tmp_path: Path) -> None:
    """A file that is not there, or is no database, raises instead of passing."""
    with pytest.raises(OSError, match="No such file"):
        list(database_haystacks(tmp_path / "absent.sqlite3"))
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        list(database_haystacks(broken))


def test_card_numbers_are_valid_and_new() -> None:
    """Planted card numbers pass the Luhn check, or the card rules of a masker would never meet them."""
    number = card_number("424242")
    digits = [int(digit) for digit in reversed(number)]
    doubled = [d if index % 2 == 0 else sum(divmod(2 * d, 10)) for index, d in enumerate(digits)]
    assert (len(number), sum(doubled) % 10) == (16, 0)
    assert number != card_number("424242")
