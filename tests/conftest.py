"""Fixtures that every test folder shares."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.availability import missing


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the headless browser's program, for tests marked `browser`."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found is not None else missing("no Chromium on PATH")
