"""docs/masking.md says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from masking_doc import TABLES, rendered

from replaystack.sanitize import VALUE_CLASSES, Policy, explain, mask_text, mask_value

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "masking.md").read_text()


def test_the_tables_are_the_codes() -> None:
    """A rule that changes changes the page (scripts/masking_doc.py writes it)."""
    assert rendered(PAGE) == PAGE


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_page_without_a_table_is_noticed(name: str) -> None:
    """The comparison cannot pass because a table went missing."""
    with pytest.raises(ValueError, match=name):
        rendered(PAGE.replace(f"<!-- table: {name} -->", ""))


def section(title: str) -> str:
    """Return one section of the page."""
    return re.split(r"\n## ", PAGE.split(f"## {title}\n", 1)[1])[0]


def test_every_name_of_the_table_is_masked() -> None:
    """What the page calls secret under its whole name is masked, in three spellings."""
    table = PAGE.split("<!-- table: keys -->")[1].split("<!-- end -->")[0].splitlines()
    names = re.findall(r"`([a-z]+)`", next(line for line in table if "the whole key" in line))
    assert len(names) > 40
    for name in names:
        for spelling in (name, name.upper(), f"outer.{name}"):
            assert mask_value({spelling: "x1"}, Policy.build()) == {spelling: "[MASKED]"}, spelling


def test_the_examples_of_shapes_are_masked() -> None:
    """What the page shows as assignments is recognised."""
    for example in (
        "password=x1y2",
        "'token': 'x1y2'",
        "<password>x1y2</password>",
        "&lt;password&gt;x1y2&lt;/password&gt;",
        "login --password x1y2",
        "curl -u ada:x1y2 https://h/",
        "see //ada:x1y2@host",
        "token is x1y2x1y2x1y2x1y2",
        "https%3A%2F%2Fh%2F%3Ftoken%3Dx1y2",
        "passwords:\n- x1y2\n",
        '{"name": "password", "value": "x1y2"} and more',
        "password: str = 'x1y2'",
        "\x1b[36mpassword\x1b[0m=\x1b[35mx1y2\x1b[0m",
        "1 validation error for Login\npassword\n  Short [type=short, input_value='x1y2', input_type=str]",
        "ALTER USER ada PASSWORD 'x1y2'",
    ):
        assert "x1y2" not in mask_text(example, Policy.build())


def test_the_stated_limits_are_the_limits() -> None:
    """The page is honest: what it says is not recognised is not. Mend the page when a rule learns it."""
    limits = section("The limits of this promise")
    assert "swordfish" in limits
    for text in (
        "the word is swordfish",
        "mysql -p x1y2",
        "password is x1y2",
        "INSERT INTO u (name, password) VALUES ('a', 'x1y2')",
        "https://h/reset/x1y2z3",
        "password:\n  x1y2",
        "<p data-page='{&quot;password&quot;:&quot;x1y2&quot;}'>",
        "<key>password</key><string>x1y2</string>",
        "https://h/?filter[name]=password&filter[value]=x1y2",
        "curl -uada:x1y2 https://h/",
    ):
        assert mask_text(text, Policy.build()) == text


def test_the_example_of_explain_is_what_it_says() -> None:
    """The page's session with `explain` gives what the page shows."""
    shown = next(line for line in PAGE.splitlines() if line.startswith("[Finding("))
    value = {"user": {"password": "x", "has_password": True}, "note": "Bearer abcdefgh12345678"}
    assert str(explain(value)) == shown


def test_personal_data_is_masked_as_shown() -> None:
    """The classes that the page names are those of the code."""
    assert str(list(VALUE_CLASSES)).replace("'", '"') in section("Personal data, for who asks")


def test_more_and_fewer_names_work_as_shown() -> None:
    """mask_fields, unmask_fields and remote rules, as in the page's example."""
    policy = Policy.build(mask_fields=["tax_id"], unmask_fields=["session"], remote_fields=["phone"])
    masked = mask_value({"taxId": "1", "session": "s", "Phone": "2", "password": "p"}, policy)
    assert json.dumps(masked) == json.dumps(
        {"taxId": "[MASKED]", "session": "s", "Phone": "[MASKED]", "password": "[MASKED]"}
    )
    both = Policy.build(unmask_fields=["phone"], remote_fields=["phone"])
    assert mask_value({"phone": "2"}, both) == {"phone": "[MASKED]"}
