from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.sanitize import (
    NotMaskableError,
    Policy,
    mask_log_document,
    mask_log_lines,
    mask_log_rows,
    mask_log_texts,
)

POLICY = Policy.build()
SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nzzzz\n-----END RSA PRIVATE KEY-----"


def text_of(masked: Any) -> str:
    """Return what would leave."""
    return str(masked.data.decode())


def test_a_document_stays_byte_for_byte_but_for_its_secrets() -> None:
    """Numbers, order, repeated keys and white space survive."""
    text = '{ "logs" : [ {"message":"m", "n": 1.50e3, "n":2, "data":{"password":"x"}} ] }'
    assert text_of(mask_log_document(text, POLICY)) == text.replace('"x"', '"[MASKED]"')


@pytest.mark.parametrize("key", ["sessionId", "session_id", "userId", "requestId", "flowId", "traceId"])
def test_the_ids_of_an_entry_are_no_secrets(key: str) -> None:
    """Their names look like secrets; whoever masks one by name still does."""
    text = json.dumps({"message": "m", key: "abc"})
    assert text_of(mask_log_lines([text], POLICY)) == text
    assert text_of(mask_log_rows([key], [["abc"]], ",", POLICY)) == f"{key}\nabc\n"
    named = Policy.build(mask_fields=[key])
    assert "abc" not in text_of(mask_log_lines([text], named))
    assert "abc" not in text_of(mask_log_rows([key], [["abc"]], ",", named))
    # The value rules hold for them as for every text.
    assert SECRET not in text_of(mask_log_lines([json.dumps({key: SECRET})], POLICY))


def test_sessions_of_a_board_log_stay() -> None:
    """The list that holds everything is no session secret; what is in it is masked."""
    text = json.dumps({"sessions": [{"id": "s", "events": [{"text": f"key {SECRET}"}]}]})
    masked = json.loads(text_of(mask_log_document(text, POLICY)))
    assert masked["sessions"][0]["events"][0]["text"] == "key [MASKED]"


def test_what_is_no_json_does_not_leave() -> None:
    """The error tells which line, and quotes nothing."""
    with pytest.raises(NotMaskableError) as refused:
        mask_log_lines(["{}", f'{{"a": "{SECRET}"'], POLICY)
    assert refused.value.index == 1
    assert SECRET not in str(refused.value)


def test_columns_are_masked_by_name_and_by_value() -> None:
    """A header names the secret of its whole column; a header may hold one itself."""
    rows = [["m1", "hunter2", f"see {SECRET}"], ["m2"]]
    masked = text_of(mask_log_rows(["message", "password", "note"], rows, ";", POLICY))
    assert masked == "message;password;note\nm1;[MASKED];see [MASKED]\nm2\n"
    assert SECRET not in text_of(mask_log_rows(["message", SECRET], [["m", "x"]], ",", POLICY))


def test_a_row_that_cannot_be_masked_does_not_leave() -> None:
    """Too large for masking to look at: an error, and no marker where a cell was."""
    with pytest.raises(NotMaskableError) as refused:
        mask_log_rows(["a"], [["x"], ["y" * 5_000_000]], ",", POLICY)
    assert refused.value.index == 1


def test_a_key_over_several_lines_is_one_secret() -> None:
    """Lines are masked together."""
    masked = text_of(mask_log_texts(["before", *PEM.split("\n"), "after"], POLICY))
    assert masked == "before\n[MASKED]\nafter"


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])),
            min_size=3,
            max_size=3,
        )
    )
)
def test_a_table_without_secrets_comes_back(rows: list[list[str]]) -> None:
    """Whatever stands in its cells, the number of rows and cells stays."""
    masked = text_of(mask_log_rows(["a", "b", "c"], rows, ",", POLICY))
    found = list(csv.reader(_lines(masked)))
    assert [len(row) for row in found] == [3] * (len(rows) + 1)


def _lines(text: str) -> list[str]:
    return [line + "\n" for line in text.split("\n")[:-1]]
