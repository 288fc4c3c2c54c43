"""The command `replaystack-server`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from replaystack.errors import ConfigError
from replaystack.version import __version__

from .app import create_app
from .serving import DEFAULT_PORT, Server, listen, url_of
from .settings import INGEST_KEY_VARIABLE, READ_TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE, Settings
from .store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from .service import Service

__all__ = ["main"]

_EPILOG = f"""\
environment:
  {INGEST_KEY_VARIABLE}  the key that senders use, instead of a new one at each start
  {READ_TOKEN_VARIABLE}  the token for reading, instead of a new one at each start
  {VIEWER_TOKEN_VARIABLE}  the same for reading without personal logs
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a server until it is told to stop; return the exit code of the process.

    0 after Ctrl-C or SIGTERM, 2 if it cannot start.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = Settings(
            database=options.db,
            allowed_hosts=tuple(options.allowed_host),
            # From the environment and not from the command line, which `ps` shows to everyone.
            ingest_key=os.environ.get(INGEST_KEY_VARIABLE) or None,
            read_token=os.environ.get(READ_TOKEN_VARIABLE) or None,
            viewer_token=os.environ.get(VIEWER_TOKEN_VARIABLE) or None,
        )
        # Before the database: a port that is taken should leave no new file behind.
        bound = listen(options.host, options.port)
    except ConfigError as error:
        return _give_up(str(error))
    except OSError as error:
        return _give_up(f"cannot listen on {options.host}:{options.port}: {error}")
    try:
        app = create_app(settings)
    except StoreError as error:
        bound.close()
        return _give_up(str(error))
    service: Service = app.state.service
    if options.revoke_keys:
        service.keys.forget_all()
        service.keys.add(service.ingest_key)
    if options.host not in {"127.0.0.1", "::1", "localhost"}:
        print("replaystack-server: reachable from other machines, without encryption", file=sys.stderr)
    facts = _facts(service, url_of(bound))
    # uvicorn hands a signal on when it has stopped; here that is the end, and a good one.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    Server(app, on_started=lambda: _announce(facts, is_json=options.json)).run([bound])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="replaystack-server",
        description="Receive, keep and show ReplayStack events.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument(
        "--db",
        type=Path,
        default=Settings.__dataclass_fields__["database"].default,
        metavar="PATH",
        help="the SQLite file, made if it does not exist (default: %(default)s)",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name that browsers may use for this server; may be repeated",
    )
    parser.add_argument(
        "--revoke-keys", action="store_true", help="make every ingest key of earlier starts invalid"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of the text")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _facts(service: Service, url: str) -> dict[str, str]:
    return {
        "url": url,
        "ingest_key": service.ingest_key,
        "login_url": f"{url}/login?token={service.read_token}",
        "read_token": service.read_token,
        "viewer_login_url": f"{url}/login?token={service.viewer_token}",
        "viewer_token": service.viewer_token,
        "database": str(service.settings.database.absolute()),
    }


def _announce(facts: dict[str, str], *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(facts), flush=True)
        return
    print(
        f"ReplayStack server {__version__}\n\n"
        f"  look      {facts['login_url']}\n"
        f"  ... without personal logs {facts['viewer_login_url']}\n"
        f"  send to   {facts['url']}\n"
        f"  key       {facts['ingest_key']}\n"
        f"  database  {facts['database']}\n\n"
        f"In an application: REPLAYSTACK_ENDPOINT={facts['url']} REPLAYSTACK_API_KEY={facts['ingest_key']}\n"
        "Ctrl-C stops it.",
        flush=True,
    )


def _give_up(reason: str) -> int:
    print(f"replaystack-server: {reason}", file=sys.stderr)
    return 2


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
