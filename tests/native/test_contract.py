"""The handshake of the native extension, where it is built."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from tests.backends import without_native

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def native() -> ModuleType:
    """Return the extension; skip with a reason where it was not built (an error under CI)."""
    try:
        return importlib.import_module("replaystack_native")
    except ImportError as problem:
        without_native(problem)


def test_contract_version_is_the_one_this_tree_was_written_for(native: ModuleType) -> None:
    """Contract 2: an integer that core compares before it trusts the extension."""
    assert native.contract_version() == 3
    assert type(native.contract_version()) is int


def test_the_extension_knows_its_distribution(native: ModuleType) -> None:
    """The number compiled in is the number installed, so a stale build is recognised."""
    assert native.__version__ == version("replaystack-native")


def test_the_public_names_exist(native: ModuleType) -> None:
    """The public names are sorted, all of them exist, and the contract is among them."""
    assert list(native.__all__) == sorted(native.__all__)
    assert "contract_version" in native.__all__
    assert all(hasattr(native, name) for name in native.__all__)
