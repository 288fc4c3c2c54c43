"""For users' tests: plant secrets, prove that none of them leaves the process; keep what was logged.

Needs no pytest by itself; the fixture lives in `replaystack.testing.plugin`.
"""

from .canaries import Canaries, Secret, card_number, jwt, password
from .logs import CapturedLogs, captured_logs
from .search import Finding, Haystack, Verdict, blind_spots, prove
from .storage import database_haystacks
from .watch import LeakWatch, SecretLeakedError, assert_no_secret, watch_transports

__all__ = [
    "Canaries",
    "CapturedLogs",
    "Finding",
    "Haystack",
    "LeakWatch",
    "Secret",
    "SecretLeakedError",
    "Verdict",
    "assert_no_secret",
    "blind_spots",
    "captured_logs",
    "card_number",
    "database_haystacks",
    "jwt",
    "password",
    "prove",
    "watch_transports",
]
