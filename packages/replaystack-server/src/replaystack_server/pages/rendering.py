"""The template environment: escaping on, undefined names an error."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from replaystack.version import __version__

from ..moments import iso_ms
from .log_listing import shown_fields
from .texts import clock_text, compact_text, day_text, duration_text, rich_text, short_day_text, visible

__all__ = ["page"]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("replaystack_server", "pages/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=clock_text,
        compact=compact_text,
        day=day_text,
        duration=duration_text,
        flow_url=_flow_url,
        iso=iso_ms,
        log_fields=shown_fields,
        rich=rich_text,
        short_day=short_day_text,
        visible=visible,
    )
    environment.globals.update(version=__version__)
    return environment


def _flow_url(flow_id: str) -> str:
    return f"/flows/{quote(flow_id, safe='')}"


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render `templates/<name>.html`."""
    return HTMLResponse(_environment().get_template(f"{name}.html").render(**values), status)
