"""What `replaystack_django` offers, and that a settings module may import it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

import replaystack_django

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {
    "bodies",
    "checks",
    "closing",
    "configuration",
    "head",
    "middleware",
    "options",
    "passage",
    "watch",
}


def test_public_names_are_complete_and_sorted() -> None:
    """`__all__` names what there is, in order, and nothing else is public."""
    public = {name for name in vars(replaystack_django) if not name.startswith("_")}
    assert sorted(replaystack_django.__all__) == replaystack_django.__all__
    imported = {"check_settings", "register"}
    assert public - MODULES - imported == set(replaystack_django.__all__) - {"__version__"}
    assert replaystack_django.__version__ == version("replaystack-django") == version("replaystack-core")


@pytest.mark.parametrize("module", ["replaystack_django", "replaystack_sdk.integrations.django"])
def test_importing_it_touches_neither_settings_nor_apps(module: str) -> None:
    """Inside a settings module nothing is configured yet: the import works there and changes nothing."""
    if find_spec(module.partition(".")[0]) is None:
        pytest.skip("replaystack-sdk is not installed here")
    script = (
        "from django.apps import apps\n"
        "from django.conf import LazySettings, settings\n"
        "def touched(*_): raise AssertionError('settings were touched')\n"
        "LazySettings._setup = touched\n"
        f"import {module}\n"
        "assert not settings.configured\n"
        "assert not apps.ready\n"
        "assert not apps.app_configs\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_a_settings_module_may_import_it(tmp_path: Path) -> None:
    """The import in settings is there in time for everything else: the site is set up and checked."""
    (tmp_path / "shop_settings.py").write_text(
        "from replaystack import ReplayStackClient\n"
        "from replaystack_django import DjangoMiddlewareOptions\n"
        "REPLAYSTACK_CLIENT = ReplayStackClient(api_key='rs_test', enabled=False)\n"
        "REPLAYSTACK_OPTIONS = DjangoMiddlewareOptions(capture_headers=False)\n"
        "MIDDLEWARE = ['replaystack_django.ReplayStackDjangoMiddleware']\n"
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'replaystack_django']\n"
        "SECRET_KEY, USE_TZ, ROOT_URLCONF = 'x', True, 'shop_settings'\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n"
        "urlpatterns = []\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-W", "error", "-m", "django", "check", "--settings", "shop_settings"]
    done = subprocess.run(
        [*command, "--pythonpath", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout
