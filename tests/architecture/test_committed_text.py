"""What a committed file must not say: where packages come from, and where on a machine the tree lay."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.availability import missing

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file passes its own test.
REGISTRY_HOSTS = "|".join(
    re.escape(host)
    for host in (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "crates" + ".io",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "debian" + ".org",
        "static.rust-lang" + ".org",
        "proxy.golang" + ".org",
    )
)
INDEX_OPTIONS = "--" + r"(extra-)?index" + "-url|--" + "trusted" + "-host|--" + "find" + "-links"
MACHINE_PATHS = r"(^|[^A-Za-z0-9_.~-])/(" + "root|work" + r")/[A-Za-z.]"
FORBIDDEN = {
    "registry host": re.compile(REGISTRY_HOSTS),
    "package index option": re.compile(INDEX_OPTIONS),
    "path of one machine": re.compile(MACHINE_PATHS),
}

# The name by which every Cargo.lock in the world calls the default registry; cargo insists on it, and it
# is no address: a mirror configured on a machine stands in for it.
CARGO_SOURCE = 'source = "registry+https://github.com/rust-lang/' + "crates" + '.io-index"'


def _committed() -> list[Path]:
    """Return the files that git tracks, or would track after `git add`."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        missing("not a git checkout, so nothing tells which files are committed")
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def _offences(text: str) -> list[str]:
    """Return what `text` must not say, with its line number."""
    return [
        f"{number}: {kind}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), 1)
        for kind, pattern in FORBIDDEN.items()
        if pattern.search(line) and line != CARGO_SOURCE
    ]


def test_no_registry_host_and_no_machine_path() -> None:
    """No committed file names a package registry's host, an index option or a path of some machine."""
    found: list[str] = []
    for path in _committed():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}:{offence}" for offence in _offences(text)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "see https://pypi" + ".org/project/x",
        "pip install --" + "index" + "-url x",
        "cd /" + "root/x",
        '"/' + 'work/main"',
        CARGO_SOURCE + " # and more",
    ],
)
def test_the_search_can_fail(line: str) -> None:
    """Each kind of forbidden text is found."""
    assert len(_offences(line)) == 1


@pytest.mark.parametrize(
    "line", ["GET /api/work/1", "https://example.com/root/x", "~/" + "work/x", CARGO_SOURCE]
)
def test_the_search_spares_ordinary_text(line: str) -> None:
    """Paths of URLs that merely contain such words are not accused."""
    assert _offences(line) == []
