"""What a user gets: the built wheels, installed from nothing into an empty environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.availability import missing

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PURE = ("core", "fastapi", "flask", "django", "sdk", "server")

# Lists what is installed, and what the given distributions need there, markers and extras considered.
# Runs inside the empty environment, so it borrows the `packaging` that pip carries.
CENSUS = """
import json, sys
from importlib.metadata import distribution, distributions
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
installed = {canonicalize_name(d.metadata["Name"]) for d in distributions()}
def needs(name, seen):
    if name not in seen:
        seen.add(name)
        for text in distribution(name).requires or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                needs(canonicalize_name(need.name), seen)
    return seen
wanted = set()
for name in sys.argv[1:]:
    needs(name, wanted)
print(json.dumps({"installed": sorted(installed), "wanted": sorted(wanted)}))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Build the wheel of every pure member once; no network: the build backend is installed already."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    sources = [str(ROOT / f"packages/replaystack-{name}") for name in PURE]
    subprocess.run([*command, "--wheel-dir", str(folder), *sources], check=True, timeout=110)
    built = {path.name.split("-")[0].removeprefix("replaystack_"): path for path in folder.glob("*.whl")}
    assert set(built) == set(PURE)
    return built


@pytest.fixture(scope="module")
def empty_environment(wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a new environment with core, the FastAPI adapter and what pip adds."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=110)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "--no-input"]
    wanted = [str(wheels["core"]), str(wheels["fastapi"])]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False, timeout=110)
    if done.returncode != 0 and "No matching distribution found for" in done.stderr:
        missing(f"no package index can be reached: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


def test_the_adapter_brings_core_requests_starlette_and_nothing_else(empty_environment: Path) -> None:
    """`pip install replaystack-fastapi`: no Flask, Django, server, FastAPI or Rust comes along."""
    named = ["replaystack-fastapi", "replaystack-core", "requests", "starlette"]
    answer = subprocess.run(
        [str(empty_environment), "-I", "-c", CENSUS, *named], capture_output=True, text=True, check=True
    )
    census = json.loads(answer.stdout)
    brought_by_venv = {"pip", "setuptools"}
    assert set(census["installed"]) - brought_by_venv == set(census["wanted"])
    ours = {name for name in census["installed"] if name.startswith("replaystack")}
    assert ours == {"replaystack-core", "replaystack-fastapi"}
    assert not {"flask", "django", "fastapi", "uvicorn", "pydantic"} & set(census["installed"])


def test_the_installed_wheels_work(empty_environment: Path, tmp_path: Path) -> None:
    """The adapter imports from its wheel, away from the source tree, and names its version."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run(
        [str(empty_environment), "-c", "import replaystack_fastapi as r; print(r.__version__, r.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    version, _, place = answer.stdout.strip().partition(" ")
    assert version == "2.0.0"
    assert Path(place).is_relative_to(empty_environment.parent.parent)


@pytest.mark.parametrize("name", PURE)
def test_a_wheel_holds_its_package_and_nothing_else(wheels: Mapping[str, Path], name: str) -> None:
    """One top-level package with py.typed, metadata with licence, every file of the source folder."""
    package = "replaystack" if name == "core" else f"replaystack_{name}"
    source = ROOT / f"packages/replaystack-{name}/src"
    with zipfile.ZipFile(wheels[name]) as wheel:
        names = set(wheel.namelist())
    tops = {entry.partition("/")[0] for entry in names}
    assert tops == {package, f"replaystack_{name}-2.0.0.dist-info"}
    assert f"{package}/py.typed" in names
    assert f"replaystack_{name}-2.0.0.dist-info/licenses/LICENSE" in names
    in_tree = {
        path.relative_to(source).as_posix()
        for path in (source / package).rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".so"}
    }
    assert in_tree - names == set()
