"""Objects of a real Django in a payload: no SQL runs, nothing lazy is evaluated, nothing secret leaves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Settings and models are Django's globals, so this has a process of its own.
PROGRAM = """
import json
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    USE_TZ=True,
)
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from replaystack.sanitize import Policy, encode_event

call_command("migrate", verbosity=0)
ada = User.objects.create(username="ada", password="pbkdf2$hunter2")
statements = []

def refuse(execute, sql, params, many, context):
    statements.append(sql)
    return execute(sql, params, many, context)

def evaluate():
    statements.append("evaluated")
    return ada

with connection.execute_wrapper(refuse):
    deferred = User.objects.defer("password").get(pk=ada.pk)
    statements.clear()
    payload = {
        "all": User.objects.all(),
        "values": User.objects.values("password"),
        "user": ada,
        "deferred": deferred,
        "manager": User.objects,
        "related": ada.groups,
        "lazy": SimpleLazyObject(evaluate),
        "text": gettext_lazy("password"),
    }
    encoded = encode_event({"requestPayload": payload}, Policy.build()).data
print(json.dumps([statements, encoded.decode()]))
"""


@pytest.mark.slow
def test_django_objects_run_no_sql_and_give_nothing_away() -> None:
    """Query sets, managers, deferred fields and lazy objects are named or read by their fields only."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    statements, encoded = json.loads(done.stdout.splitlines()[-1])
    assert statements == []
    payload = json.loads(encoded)["requestPayload"]
    assert payload["lazy"] == "<django.utils.functional.SimpleLazyObject>"
    assert set(payload) >= {"all", "values", "user", "deferred", "manager", "related", "text"}
    assert "hunter2" not in encoded
