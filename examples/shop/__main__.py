"""Run the shop under uvicorn: `python -m examples.shop` in the root of the repository."""

from __future__ import annotations

import argparse
import json
import socket
import sys

import uvicorn

__all__ = ["main"]


def main() -> int:
    """Serve until interrupted; the first line on standard output is `{"url": ...}`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8700, help="0 takes any free port")
    options = parser.parse_args()
    from .app import app  # noqa: PLC0415 - here, so that --help needs neither a key nor a database

    # The socket listens before its address is said: whoever reads it can connect at once.
    # IPPROTO_TCP is named because asyncio turns Nagle's algorithm off for such sockets only; with it
    # on, every answer on a kept connection takes 40 ms longer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(128)
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
        sys.stdout.flush()
        try:
            uvicorn.Server(uvicorn.Config(app)).run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn shuts down in order first, then passes Ctrl-C on
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
