"""The command line: arguments, output, exit status."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..config import INGEST_PATH
from ..errors import ConfigError
from ..version import __version__
from .configuration import read_setting
from .doctor import Questions, examine
from .findings import as_json, as_text, has_problem
from .ingest import add_ingest, run_ingest
from .process import leave

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_EPILOG = """\
exit status: 0 all is well (notes do not count), 1 there is a problem, 2 wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status of the process. Wrong usage ends in SystemExit(2)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.error("a command is required: doctor, ingest")
    if options.command == "ingest":
        return run_ingest(options)
    given = {"endpoint": options.endpoint, "api_key": options.api_key, "timeout_seconds": options.timeout}
    if options.endpoint:  # also where REPLAYSTACK_INGEST_URL says otherwise: this was asked about
        given["ingest_url"] = options.endpoint.rstrip("/") + INGEST_PATH
    try:
        setting = read_setting(given)
    except ConfigError as error:
        options.parser.error(str(error))
    findings = examine(
        setting, Questions(send=options.send, offline=options.offline, application=options.app)
    )
    secret = setting.config.api_key if setting.has_key else None
    print((as_json if options.json else as_text)(findings, secret))
    return leave(1 if has_problem(findings) else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="replaystack", description="ReplayStack for Python.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor",
        help="look for what would keep events from arriving",
        description="Look for what would keep events from arriving: run it where the application runs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.set_defaults(parser=doctor)
    doctor.add_argument("--endpoint", metavar="URL", help="the receiver, instead of REPLAYSTACK_ENDPOINT")
    doctor.add_argument(
        "--api-key",
        metavar="KEY",
        help="instead of REPLAYSTACK_API_KEY; other users of the machine can see it here",
    )
    doctor.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="for each request (default: the client's)"
    )
    doctor.add_argument("--send", action="store_true", help="post one event that is marked as a test")
    doctor.add_argument("--offline", action="store_true", help="do not ask the receiver")
    doctor.add_argument(
        "--app", metavar="MODULE", help="import the application first (module or module:name); runs its code"
    )
    doctor.add_argument("--json", action="store_true", help="print one line of JSON instead of the text")
    add_ingest(commands)
    return parser
