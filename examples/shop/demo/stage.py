"""The three real processes of the demo: the receiver, the payment provider and the shop."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replaystack.testing import password

from .processes import ChildError

if TYPE_CHECKING:
    from replaystack.testing import Canaries

    from .processes import Children

__all__ = ["ROOT", "Stage", "set_up"]

ROOT = Path(__file__).resolve().parents[3]
_PROVIDER_TIMEOUT_SECONDS = 0.4  # the shop's patience with the provider, which takes 5 s over a late card


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is, once it is up."""

    receiver_url: str
    read_token: str
    login_url: str
    database: Path
    receiver_log: Path
    provider_url: str
    shop_url: str
    customer_password: str


def set_up(children: Children, folder: Path, canaries: Canaries) -> Stage:
    """Start the three, each on a free port of its own, with secrets in their configuration.

    Blocks until all of them answer. Raises `ChildError` when one does not come up.
    """
    receiver = children.start(
        "receiver",
        [_server_command(), "--port", "0", "--db", str(folder / "replaystack.sqlite3"), "--json"],
        _environment(),
    )
    provider = children.start(
        "provider", [sys.executable, "-m", "examples.shop.provider", "--port", "0"], _environment()
    )
    ledger = canaries.plant("exception cause and breadcrumb, ledger URL")
    mail = canaries.plant("background exception, mail URL")
    courier = canaries.plant("exception of the Flask part, courier URL")
    # Plain ASCII, because this one travels in the environment.
    customer_password = canaries.plant("form, password", password(accent=""))
    shop = children.start(
        "shop",
        [sys.executable, "-m", "examples.shop", "--port", "0"],
        _environment(
            REPLAYSTACK_ENDPOINT=receiver["url"],
            REPLAYSTACK_API_KEY=canaries.plant("ingest key", receiver["ingest_key"]),
            SHOP_FOLDER=str(folder / "shop"),
            SHOP_PROVIDER_URL=provider["url"],
            SHOP_PROVIDER_KEY=canaries.plant("exception message, Bearer"),
            SHOP_PROVIDER_TIMEOUT_SECONDS=str(_PROVIDER_TIMEOUT_SECONDS),
            SHOP_LEDGER_URL=f"postgresql://shop:{ledger}@127.0.0.1:1/books",
            SHOP_MAIL_URL=f"smtp://shop:{mail}@127.0.0.1:1",
            SHOP_COURIER_URL=f"https://shop:{courier}@127.0.0.1:1/labels",
            SHOP_CUSTOMER_PASSWORD=customer_password,
        ),
    )
    canaries.plant("read token", receiver["read_token"])
    return Stage(
        receiver_url=receiver["url"],
        read_token=receiver["read_token"],
        login_url=receiver["login_url"],
        database=Path(receiver["database"]),
        receiver_log=children.log("receiver"),
        provider_url=provider["url"],
        shop_url=shop["url"],
        customer_password=customer_password,
    )


def _server_command() -> str:
    folder = str(Path(sys.executable).parent)  # of this virtual environment, activated or not
    command = shutil.which("replaystack-server", path=folder) or shutil.which("replaystack-server")
    if command is None:
        raise ChildError("there is no command replaystack-server: run `make demo`, or install the packages")
    return command


def _environment(**added: str) -> dict[str, str]:
    """Return this process's environment without what would steer the children elsewhere."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("REPLAYSTACK_", "SHOP_"))
    }
    # A proxy of the developer's machine has no business between two local processes.
    return {**inherited, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", **added}
