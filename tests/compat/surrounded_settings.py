"""Settings of Django's own test suite, with the adapter around every handler."""

from __future__ import annotations

import surround  # type: ignore[import-not-found]  # noqa: F401 - importing it is what it is for
from test_sqlite import *  # type: ignore[import-not-found]  # noqa: F403 - lies beside the suite's runner
