"""replaystack-flask before its adapter: a place in the build and a version, nothing that looks like more."""

from __future__ import annotations

from importlib.metadata import metadata, version

import replaystack_flask


def test_offers_its_version_and_nothing_else() -> None:
    """The package is honest: no name that would look like a working adapter."""
    assert replaystack_flask.__all__ == ["__version__"]
    assert replaystack_flask.__version__ == version("replaystack-flask") == version("replaystack-core")


def test_metadata_says_that_the_adapter_is_still_to_come() -> None:
    """Who reads the package's page learns it before installing."""
    described = metadata("replaystack-flask")
    assert "arrives with a later release" in described["Summary"]
    assert "Development Status :: 1 - Planning" in described.get_all("Classifier", [])
