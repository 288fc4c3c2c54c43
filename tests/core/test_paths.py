"""Paths: what is ignored, and what an endpoint is."""

from __future__ import annotations

import pytest

from replaystack.paths import normalize_endpoint, should_ignore_path


@pytest.mark.parametrize(
    ("path", "entries", "ignored"),
    [
        ("/health", ["/health"], True),
        ("/health/db", ["/health"], True),
        ("/health?x=1", ["/health"], True),
        ("/healthcare/patients", ["/health"], False),
        ("/internal/jobs", ["/internal/*"], True),
        ("/internal", ["/internal/*"], False),
        ("/internals", ["/internal*"], True),
        ("/orders", ["/"], True),
        ("/orders", [""], False),
        ("/orders", [], False),
        ("/orders", None, False),
        ("", ["/"], False),
        (None, ["*"], False),
        ("job-name", ["job-name"], True),
        ("/static/app.js", ["/static/"], True),
    ],
)
def test_an_entry_is_a_prefix_that_ends_at_a_boundary(
    path: str | None, entries: list[str] | None, *, ignored: bool
) -> None:
    """`/health` hides the probe and not the health care."""
    assert should_ignore_path(path, entries) is ignored


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("/orders?page=2#x", "/orders"),
        ("https://api.example.com/orders?ref=email", "/orders"),
        ("https://api.example.com", "/"),
        ("daily-report-job", "daily-report-job"),
        ("", ""),
        (None, None),
        ("http://[broken/orders?x=1", "/orders"),
    ],
)
def test_an_endpoint_is_the_path_alone(given: str | None, endpoint: str | None) -> None:
    """Scheme, host, query and fragment do not belong to an endpoint."""
    assert normalize_endpoint(given) == endpoint
