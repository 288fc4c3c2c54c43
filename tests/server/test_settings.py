from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import replaystack_server
from replaystack.errors import ConfigError
from replaystack_server import Settings
from replaystack_server.cli import _parser
from replaystack_server.settings import INGEST_KEY_VARIABLE, READ_TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE

README = Path(replaystack_server.__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_body_bytes": 0}, "max_body_bytes must be at least 1: got 0"),
        ({"max_streams": -1}, "max_streams must be at least 1: got -1"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds must be above 0: got 0"),
        ({"body_timeout_seconds": float("nan")}, "body_timeout_seconds must be above 0: got nan"),
        (
            {"ingest_key": "short"},
            "ingest_key must be at least 16 visible ASCII characters without blanks: got 5",
        ),
        ({"viewer_token": "v" * 20, "read_token": "v" * 20}, "viewer_token must differ from read_token"),
        ({"read_token": "sixteen chars or more"}, "read_token must be at least 16 visible ASCII"),
    ],
)
def test_a_bad_setting_is_named_at_once(settings: dict[str, Any], message: str) -> None:
    """The error says which, what was expected and what came, and never repeats a secret."""
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        Settings(**settings)
    assert "sixteen" not in str(caught.value)


def test_settings_do_not_print_secrets() -> None:
    """A log line with the settings gives nothing away."""
    settings = Settings(ingest_key="k" * 20, read_token="t" * 20)
    assert "kkk" not in repr(settings)
    assert "ttt" not in repr(settings)


def test_everything_that_can_be_set_is_documented() -> None:
    """The README names each setting, each option of the command and each variable."""
    text = README.read_text(encoding="utf-8")
    options = [
        option for action in _parser()._actions for option in action.option_strings if option.startswith("--")
    ]
    names = [field.name for field in fields(Settings)]
    undocumented = [
        name
        for name in (*names, *options, INGEST_KEY_VARIABLE, READ_TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE)
        if f"`{name}" not in text
    ]
    assert undocumented == ["--help"]  # which explains itself
