"""What `replaystack_flask` offers."""

from __future__ import annotations

from importlib.metadata import version

import replaystack_flask


def test_public_names_are_complete_and_sorted() -> None:
    """`__all__` names what there is, in order, and nothing else is public."""
    public = {name for name in vars(replaystack_flask) if not name.startswith("_")}
    assert sorted(replaystack_flask.__all__) == replaystack_flask.__all__
    assert public - {"middleware", "options", "setup"} == set(replaystack_flask.__all__) - {"__version__"}
    assert replaystack_flask.__version__ == version("replaystack-flask") == version("replaystack-core")
