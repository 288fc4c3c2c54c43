"""Fixtures that every test folder shares."""

from __future__ import annotations

import shutil
from pathlib import Path

import hypothesis
import pytest
from tests.availability import missing

# Internal errors of the SDK fail a test instead of being swallowed; canaries for every folder.
pytest_plugins = ["replaystack.testing.plugin"]

# The machine is noisy: how long an example takes says nothing here.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the headless browser's program, for tests marked `browser`."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found is not None else missing("no Chromium on PATH")
