"""Domains: each logger writes files of its own, which rotate, shrink and go (docs/domains.md)."""

from .configuration import STANDARD_DOMAINS, configure_domains
from .sink import Domains

__all__ = ["STANDARD_DOMAINS", "Domains", "configure_domains"]
