"""What the shop needs to know about its surroundings, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the shop keeps its data, and how it reaches the services that it depends on.

    `ledger_url`, `mail_url` and `courier_url` carry a password, as such URLs do in real deployments:
    they are what ends up in exception texts.
    """

    folder: Path
    provider_url: str
    provider_key: str
    provider_timeout_seconds: float
    ledger_url: str
    mail_url: str
    courier_url: str
    customer_password: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the `SHOP_*` variables; each has a default that works on a developer's machine.

        Raises `ValueError` when SHOP_PROVIDER_TIMEOUT_SECONDS is not a number.
        """
        return cls(
            folder=Path(environ.get("SHOP_FOLDER", ".demo/shop")),
            provider_url=environ.get("SHOP_PROVIDER_URL", "http://127.0.0.1:8701"),
            provider_key=environ.get("SHOP_PROVIDER_KEY", "provider-key-for-development"),
            provider_timeout_seconds=float(environ.get("SHOP_PROVIDER_TIMEOUT_SECONDS", "2.0")),
            # Nothing listens on port 1, so the ledger is "down" unless a real one is named.
            ledger_url=environ.get("SHOP_LEDGER_URL", "postgresql://shop:development@127.0.0.1:1/books"),
            mail_url=environ.get("SHOP_MAIL_URL", "smtp://shop:development@127.0.0.1:1"),
            courier_url=environ.get("SHOP_COURIER_URL", "https://shop:development@127.0.0.1:1/labels"),
            customer_password=environ.get("SHOP_CUSTOMER_PASSWORD", "correct horse battery staple"),
        )
