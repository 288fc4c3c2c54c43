"""replaystack-django before its adapter: a place in the build and a version; safe inside settings."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import metadata, version

import replaystack_django


def test_offers_its_version_and_nothing_else() -> None:
    """The package is honest: no name that would look like a working adapter."""
    assert replaystack_django.__all__ == ["__version__"]
    assert replaystack_django.__version__ == version("replaystack-django") == version("replaystack-core")


def test_metadata_says_that_the_adapter_is_still_to_come() -> None:
    """Who reads the package's page learns it before installing."""
    described = metadata("replaystack-django")
    assert "arrives with a later release" in described["Summary"]
    assert "Development Status :: 1 - Planning" in described.get_all("Classifier", [])


def test_importing_it_touches_neither_settings_nor_apps() -> None:
    """Inside a settings module nothing is configured yet: the import must work there and change nothing."""
    script = (
        "from django.apps import apps\n"
        "from django.conf import settings\n"
        "import replaystack_django\n"
        "assert not settings.configured\n"
        "assert not apps.ready\n"
        "assert not apps.app_configs\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
