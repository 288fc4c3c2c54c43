"""Seven distributions, one version, the same equipment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli

import replaystack

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "replaystack-core": ROOT / "packages/replaystack-core",
    "replaystack-fastapi": ROOT / "packages/replaystack-fastapi",
    "replaystack-flask": ROOT / "packages/replaystack-flask",
    "replaystack-django": ROOT / "packages/replaystack-django",
    "replaystack-sdk": ROOT / "packages/replaystack-sdk",
    "replaystack-server": ROOT / "packages/replaystack-server",
    "replaystack-native": ROOT / "native",
}
IMPORT_NAMES = {"replaystack-core": "replaystack"}
OUTSIDE = {
    "replaystack-core": {"requests"},
    "replaystack-fastapi": {"starlette"},
    "replaystack-flask": {"flask"},
    "replaystack-django": {"django"},
    "replaystack-sdk": set[str](),
    "replaystack-server": {"fastapi", "uvicorn", "jinja2", "orjson", "pydantic"},
    "replaystack-native": set[str](),
}

each_distribution = pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))


def _toml(path: Path) -> dict[str, Any]:
    return tomli.loads(path.read_text(encoding="utf-8"))


def _project(name: str) -> dict[str, Any]:
    project: dict[str, Any] = _toml(DISTRIBUTIONS[name] / "pyproject.toml")["project"]
    return project


def _requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def test_every_folder_is_a_known_distribution() -> None:
    """A new folder in packages/ must be added here, and thereby to all checks of this file."""
    folders = {path.parent for path in ROOT.glob("packages/*/pyproject.toml")}
    assert folders | {ROOT / "native"} == set(DISTRIBUTIONS.values())


@each_distribution
def test_one_version_for_all(name: str) -> None:
    """Every distribution carries the version of core."""
    assert _project(name)["name"] == name
    assert _project(name)["version"] == replaystack.__version__


def test_the_crate_carries_the_same_version() -> None:
    """Cargo.toml and Cargo.lock follow: the extension reports that number at run time."""
    assert _toml(ROOT / "native/Cargo.toml")["package"]["version"] == replaystack.__version__
    locked = {p["name"]: p["version"] for p in _toml(ROOT / "native/Cargo.lock")["package"]}
    assert locked["replaystack-native"] == replaystack.__version__


@each_distribution
def test_members_pin_each_other_exactly(name: str) -> None:
    """A requirement on another member is `==` the common version: no mixture was ever tested."""
    project = _project(name)
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    ours = [entry for group in groups for entry in group if entry.startswith("replaystack")]
    assert all(entry.endswith(f"=={replaystack.__version__}") for entry in ours)


@each_distribution
def test_needs_what_the_design_says_and_nothing_else(name: str) -> None:
    """Dependencies are core and the framework; one more needs a decision, here and in the changelog."""
    core = set() if name in {"replaystack-core", "replaystack-native"} else {"replaystack-core"}
    assert _requirement_names(_project(name).get("dependencies", [])) == core | OUTSIDE[name]


@each_distribution
def test_equipment(name: str) -> None:
    """Each distribution has LICENSE and README with content, a py.typed, and the same lower Python bound."""
    folder = DISTRIBUTIONS[name]
    project = _project(name)
    license_text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (folder / "LICENSE").read_text(encoding="utf-8") == license_text
    assert project["license-files"] == ["LICENSE"]
    assert name in (folder / project["readme"]).read_text(encoding="utf-8")
    sources = folder / ("python" if name == "replaystack-native" else "src")
    import_name = IMPORT_NAMES.get(name, name.replace("-", "_"))
    assert [path.name for path in sources.iterdir() if path.is_dir()] == [import_name]
    assert (sources / import_name / "py.typed").is_file()
    assert project["requires-python"] == ">=3.10"


@pytest.mark.parametrize("name", sorted(set(DISTRIBUTIONS) - {"replaystack-native", "replaystack-server"}))
def test_the_native_extra_is_offered(name: str) -> None:
    """`pip install <distribution>[native]` works for core, every adapter and the sdk."""
    assert _project(name)["optional-dependencies"]["native"] == [
        f"replaystack-native=={replaystack.__version__}"
    ]
