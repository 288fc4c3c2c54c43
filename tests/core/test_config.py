"""Options: names, units, precedence, and what happens to values that cannot work."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import pytest

from replaystack import ReplayStackClient
from replaystack.config import OPTIONS, Config, resolve
from replaystack.errors import ConfigError


class Variable(NamedTuple):
    """One environment variable: a good value, what it becomes, an argument that must win, a bad value."""

    name: str
    option: str
    text: str
    value: Any
    argument: Any
    malformed: str | None


VARIABLES = [
    Variable("REPLAYSTACK_API_KEY", "api_key", "rs_env", "rs_env", "rs_arg", None),
    Variable("REPLAYSTACK_ENDPOINT", "endpoint", "http://e:1/", "http://e:1", "http://a:1", "nonsense"),
    Variable(
        "REPLAYSTACK_INGEST_URL", "ingest_url", "http://e:1/in", "http://e:1/in", "http://a:1/in", "ftp://x"
    ),
    Variable("REPLAYSTACK_SERVICE_NAME", "service_name", "env-service", "env-service", "arg-service", None),
    Variable("REPLAYSTACK_APP_VERSION", "app_version", "1.2", "1.2", "3.4", None),
    Variable("REPLAYSTACK_COMMIT_HASH", "commit_hash", "a7f91c", "a7f91c", "beef", None),
    Variable("REPLAYSTACK_ENVIRONMENT", "environment", "production", "production", "staging", None),
    Variable("REPLAYSTACK_ENABLED", "enabled", "false", False, True, "perhaps"),
    Variable("REPLAYSTACK_TIMEOUT_MS", "timeout_seconds", "1500", 1.5, 4.0, "2.5s"),
    Variable("REPLAYSTACK_RETRIES", "max_retries", "3", 3, 0, "-1"),
    Variable("REPLAYSTACK_SAMPLE_RATE", "sample_rate", "0.25", 0.25, 0.5, "1.5"),
    Variable("REPLAYSTACK_CAPTURE_SUCCESS", "capture_success", "no", False, True, "2"),
    Variable("REPLAYSTACK_MAX_PAYLOAD_SIZE_BYTES", "max_payload_bytes", "1000", 1000, 2000, "2000000"),
    Variable("REPLAYSTACK_MAX_BREADCRUMBS", "max_breadcrumbs", "7", 7, 8, "many"),
    Variable("REPLAYSTACK_OFFLINE_QUEUE_MAX", "offline_queue_max", "5", 5, 6, "1e3"),
    Variable("REPLAYSTACK_FLUSH_INTERVAL_MS", "flush_interval_seconds", "10000", 10.0, 3.0, "nan"),
    Variable("REPLAYSTACK_SPOOL_PATH", "spool_path", "env/spool", "env/spool", "arg/spool", None),
    Variable("REPLAYSTACK_CAPTURE_LOGS", "capture_logs", "off", False, True, "maybe"),
    Variable("REPLAYSTACK_LOG_LEVEL", "log_level", "WARN", "warning", "error", "loud"),
    Variable("REPLAYSTACK_MAX_LOGS", "max_logs", "7", 7, 8, "many"),
]
by_name = pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)

DEFAULTS = {
    "endpoint": "https://api.replaystack.co",
    "environment": "development",
    "enabled": True,
    "timeout_seconds": 2.5,
    "max_retries": 1,
    "sample_rate": 1.0,
    "capture_success": True,
    "max_payload_bytes": 524288,
    "max_breadcrumbs": 50,
    "flush_interval_seconds": 0.0,
    "spool_path": None,
    "spool_max_bytes": 256 * 1024 * 1024,
    "durability": "on_failure",
    "capture_logs": True,
    "log_level": "info",
    "max_logs": 50,
    "send_pii": False,
}


def resolved(options: dict[str, Any] | None = None, environ: dict[str, str] | None = None) -> Config:
    """Resolve `options` with a key, outside of this process' environment."""
    return resolve({"api_key": "rs_test", **(options or {})}, environ or {})


def from_environment(environ: dict[str, str]) -> Config:
    """Resolve what `environ` alone says."""
    return resolve({}, {"REPLAYSTACK_API_KEY": "rs_test", **environ})


def test_every_variable_is_in_the_table() -> None:
    """No option may have an environment variable that this file does not prove."""
    assert {option.env for option in OPTIONS.values() if option.env} == {v.name for v in VARIABLES}


@by_name
def test_a_variable_sets_its_option_in_its_unit(variable: Variable) -> None:
    """Each variable sets the option that API.md names, converted from the unit in its name."""
    config = from_environment({variable.name: variable.text})
    assert getattr(config, variable.option) == variable.value
    assert variable.option in config.explicit


@by_name
def test_an_argument_wins_over_the_variable(variable: Variable) -> None:
    """Precedence is argument, environment, default."""
    config = resolve(
        {"api_key": "rs_test", variable.option: variable.argument}, {variable.name: variable.text}
    )
    assert getattr(config, variable.option) == variable.argument


@by_name
def test_an_empty_variable_is_unset(variable: Variable) -> None:
    """Empty and blank mean: not there."""
    for text in ("", "   "):
        if variable.option == "api_key":
            with pytest.raises(ConfigError, match="apiKey"):
                resolve({}, {variable.name: text})
            continue
        config = from_environment({variable.name: text})
        assert variable.option not in config.explicit
        assert getattr(config, variable.option) == getattr(resolved(), variable.option)


@by_name
def test_a_malformed_variable_warns_once_and_leaves_the_default(
    variable: Variable, caplog: pytest.LogCaptureFixture
) -> None:
    """A typo in the environment never stops the application."""
    if variable.malformed is None:
        texts = {"api_key", "service_name", "app_version", "commit_hash", "environment", "spool_path"}
        assert variable.option in texts
        return
    with caplog.at_level(logging.WARNING, logger="replaystack"):
        config = from_environment({variable.name: variable.malformed})
    assert getattr(config, variable.option) == getattr(resolved(), variable.option)
    assert [line for line in config.malformed if variable.name in line]
    assert sum(variable.name in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize("name", ["REPLAYSTACK_ENDPOINT", "REPLAYSTACK_INGEST_URL"])
def test_a_malformed_address_switches_capturing_off(name: str) -> None:
    """Events meant for one receiver must not go to the default one because of a typo."""
    assert from_environment({name: "htp://receiver"}).enabled is False


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "Yes", "on", "y", "T"])
def test_spellings_of_true(text: str) -> None:
    """The usual spellings of yes are understood, in any case."""
    assert from_environment({"REPLAYSTACK_ENABLED": text}).enabled is True


@pytest.mark.parametrize("text", ["0", "false", "FALSE", "No", "off", "n", "F"])
def test_spellings_of_false(text: str) -> None:
    """The usual spellings of no are understood, in any case."""
    assert from_environment({"REPLAYSTACK_ENABLED": text}).enabled is False


@pytest.mark.parametrize(("option", "value"), DEFAULTS.items(), ids=DEFAULTS)
def test_defaults_are_the_seeds(option: str, value: Any) -> None:
    """What nobody sets is what the seed's README says."""
    assert getattr(resolved(), option) == value


def test_the_offline_queue_defaults_by_mode() -> None:
    """100 events in sync mode, as the seed; no count limit in async mode."""
    assert resolved({"async_send": False}).offline_queue_max == 100
    assert resolved().offline_queue_max is None
    assert resolved({"async_send": False, "offline_queue_max": 0}).offline_queue_max == 0


BAD_ARGUMENTS: list[tuple[str, Any, str | None]] = [
    ("sample_rate", 1.5, "sample_rate must be between 0.0 and 1.0: got 1.5"),
    ("sample_rate", "0.5", "sample_rate must be between 0.0 and 1.0: got '0.5'"),
    ("sample_rate_failed", -0.1, "sample_rate_failed must be"),
    ("sample_rate", float("nan"), "sample_rate must be"),
    ("timeout_seconds", 0, "timeout_seconds must be above 0"),
    ("timeout_seconds", 2500, None),
    ("timeout_seconds", 100_000, "timeout_seconds must be"),
    ("max_retries", -1, "max_retries must be"),
    ("max_retries", True, "max_retries must be"),
    ("max_payload_bytes", 0, "max_payload_bytes must be an integer between 1 and 1048576: got 0"),
    ("max_payload_bytes", 1024 * 1024 + 1, "max_payload_bytes must be"),
    ("offline_queue_max", -1, "offline_queue_max must be"),
    ("queue_max_bytes", 0, "queue_max_bytes must be"),
    ("batch_max_events", 101, "batch_max_events must be"),
    ("enabled", "yes", "enabled must be True or False"),
    ("async_send", 1, "async_send must be True or False"),
    ("mask_fields", "password", "mask_fields must be an iterable of strings"),
    ("mask_fields", [1], "mask_fields must be"),
    ("ignored_paths", 3, "ignored_paths must be"),
    ("remote_masking_rules", ["x"], "remote_masking_rules must be a dict"),
    ("remote_masking_rules", {"fields": "x"}, "remote_masking_rules must be a dict"),
    ("endpoint", "api.replaystack.co", "endpoint must be an absolute http or https URL"),
    ("ingest_url", "http://[::1", "ingest_url must be"),
    (
        "endpoint",
        "https://bob:s3cret@host",
        "endpoint must be an absolute http or https URL without credentials",
    ),
    ("endpoint", "https://host/?token=x", "endpoint must be a URL without a query"),
    ("endpoint", "https://host/#f", "endpoint must be"),
    ("endpoint", "http://host:notaport", "endpoint must be"),
    ("on_error", "print", "on_error must be callable"),
    ("before_send", 1, "before_send must be callable"),
    ("transport", object(), "transport must be an object with a method post"),
    ("service_name", 7, "service_name must be"),
    ("spool_path", b"bytes", "spool_path must be the path of a directory"),
    ("spool_max_bytes", 0, "spool_max_bytes must be"),
    ("durability", "never", "durability must be one of on_failure, always, sync: got 'never'"),
    ("metrics", object(), "metrics must be a MetricsHook"),
    ("api_key", 7, "api_key must be a string"),
    ("api_key", "rs_live\nx-evil: 1", "api_key must be printable"),
]


@pytest.mark.parametrize(("option", "value", "text"), BAD_ARGUMENTS)
def test_a_bad_argument_says_what_was_expected_and_what_came(
    option: str, value: Any, text: str | None
) -> None:
    """A configuring call fails at once, with a text that mends it."""
    if text is None:
        resolved({option: value})
        return
    with pytest.raises(ConfigError) as caught:
        resolved({option: value})
    assert text in str(caught.value)


def test_an_empty_argument_is_not_given() -> None:
    """`service_name=os.getenv("SERVICE", "")` falls back to the environment, as in the original."""
    config = resolve(
        {"api_key": "", "service_name": ""},
        {"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_SERVICE_NAME": "orders"},
    )
    assert (config.api_key, config.service_name) == ("k", "orders")


def test_an_error_never_shows_the_key() -> None:
    """An API key with a stray newline must not end in a log."""
    with pytest.raises(ConfigError) as caught:
        resolved({"api_key": "rs_live_SECRETSECRET\n"})
    assert "SECRET" not in str(caught.value)
    assert "rs_live" not in repr(resolved({"api_key": "rs_live_x"}))
    with pytest.raises(ConfigError) as caught:
        resolved({"endpoint": "https://bob:s3cret@host"})
    assert "s3cret" not in str(caught.value)


def test_an_unknown_option_names_the_nearest() -> None:
    """A misspelt option is a TypeError that suggests the right one."""
    with pytest.raises(TypeError, match=r"'smaple_rate'.*'sample_rate'"):
        ReplayStackClient(api_key="x", smaple_rate=0.5)  # type: ignore[call-arg]  # the typo is the test


def test_a_missing_key_is_a_value_error_about_the_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed's users catch ValueError and look for apiKey."""
    monkeypatch.delenv("REPLAYSTACK_API_KEY", raising=False)
    with pytest.raises(ValueError, match="apiKey"):
        ReplayStackClient()


def test_everything_derives_from_the_ingest_url() -> None:
    """A client that is pointed somewhere must never send its key to another host."""
    config = resolved(
        {"ingest_url": "http://mine:9/gate/api/v1/ingest/events"},
        {"REPLAYSTACK_ENDPOINT": "https://other.example"},
    )
    assert config.base_url == "http://mine:9/gate"
    assert resolved({"ingest_url": "http://mine:9/take"}).base_url == "http://mine:9"
    assert resolved({"endpoint": "http://mine:9/"}).ingest_url == "http://mine:9/api/v1/ingest/events"
