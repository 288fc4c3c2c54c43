"""How processes are made here: servers and their workers, fork, gevent; the application, once imported."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.metadata
import multiprocessing
import os
import shlex
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..recorder import flush_at_exit, open_recorders
from .findings import counted, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .findings import Finding

__all__ = ["check_application", "check_gevent", "check_workers", "leave"]

_SERVERS = ("celery", "gevent", "gunicorn", "hypercorn", "uvicorn", "uwsgi")
_SERVERLESS = ("AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "FUNCTIONS_WORKER_RUNTIME")
_GUNICORN_FILE = "gunicorn.conf.py"
_GUNICORN_SETTINGS = ("preload_app", "worker_class", "workers")


def check_workers() -> Iterator[Finding]:
    """Tell what can be known about the worker model from the environment and gunicorn's file."""
    installed = {name: version for name in _SERVERS if (version := _version(name)) is not None}
    named = ", ".join(f"{name} {version}" for name, version in installed.items()) or "no server that we know"
    yield ok("servers", named, installed=installed)
    gunicorn = {**_gunicorn_file(), **_gunicorn_arguments()}
    if gunicorn:
        yield from _check_gunicorn(gunicorn, installed)
    for variable in ("WEB_CONCURRENCY", "UVICORN_WORKERS"):
        if os.environ.get(variable, "").strip():
            yield ok("workers", f"{variable} is set: each worker has a sender and a stream of its own")
    if any(name.startswith("UWSGI_") for name in os.environ) or "uwsgi" in installed:
        yield note(
            "workers", "uWSGI runs no threads, and so no sender, unless `enable-threads = true` is set in it"
        )
    for variable in _SERVERLESS:
        if variable in os.environ:
            text = f"{variable} is set: a frozen process sends nothing"
            yield note("workers", f"{text}; call client.flush() at the end of each call")
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    forks = hasattr(os, "register_at_fork")
    text = "a child begins again, with an empty queue and a stream of its own" if forks else "none here"
    yield ok("fork", f"{text}; multiprocessing starts by {method}", start_method=method, forks=forks)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gunicorn_file() -> dict[str, Any]:
    """Return the plain settings of gunicorn's file in this directory, read and not run."""
    settings: dict[str, Any] = {}
    try:
        tree = ast.parse(Path(_GUNICORN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return settings
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in _GUNICORN_SETTINGS:
                settings[target.id] = node.value.value
    return settings


def _gunicorn_arguments() -> dict[str, Any]:
    """Return the same settings out of GUNICORN_CMD_ARGS, which wins over the file."""
    settings: dict[str, Any] = {}
    try:
        words = shlex.split(os.environ.get("GUNICORN_CMD_ARGS", ""))
    except ValueError:
        return settings
    names = {"-k": "worker_class", "--worker-class": "worker_class", "-w": "workers", "--workers": "workers"}
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        if word == "--preload":
            settings["preload_app"] = True
        elif option in names:
            settings[names[option]] = value or "".join(words[index + 1 : index + 2])
    return settings


def _check_gunicorn(settings: dict[str, Any], installed: dict[str, str]) -> Iterator[Finding]:
    worker = str(settings.get("worker_class", "sync"))
    facts = {name: value for name, value in settings.items() if isinstance(value, (str, int))}
    how = ", ".join(f"{name}={value}" for name, value in facts.items())
    if worker.rpartition(".")[2].lower().startswith("gevent") and "gevent" not in installed:
        yield problem("workers", f"gunicorn: {how}, but gevent is not installed", **facts)
        return
    text = "a client made before the fork serves every worker; what it had queued stays with the master"
    yield ok("workers", f"gunicorn: {how}" + (f"; {text}" if settings.get("preload_app") else ""), **facts)


def check_gevent() -> Iterator[Finding]:
    """Tell whether threads are greenlets in this process, as after importing the application."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        yield ok("gevent", "not loaded: the sender is a thread", patched=False)
        return
    patched = bool(monkey.is_module_patched("threading"))
    if patched and not monkey.is_module_patched("socket"):
        text = "threading is patched and socket is not: a request of the sender stops all greenlets"
        yield problem("gevent", f"{text}; use monkey.patch_all()", patched=True)
        return
    text = "threads are greenlets: the sender is one too" if patched else "loaded, threads are not patched"
    yield ok("gevent", text, patched=patched)


def check_application(target: str) -> Iterator[Finding]:
    """Import the application as a server would, and tell what is there afterwards.

    Runs its code. `target` is a module, or `module:name` as servers take it.
    """
    module = target.partition(":")[0]
    if "" not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109 - sys.path holds strings
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's
            importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the application raises
        yield problem("application", f"importing {module} raised {type(error).__name__}: {str(error)[:200]}")
        return
    clients = [
        {
            "service": recorder.config.service_name,
            "url": recorder.config.base_url,
            "enabled": recorder.config.enabled,
        }
        for recorder in open_recorders()
    ]
    if clients:
        named = ", ".join(f"{client['service'] or 'unnamed'} to {client['url']}" for client in clients)
        yield ok("application", f"{module} makes {counted(len(clients), 'client')}: {named}", clients=clients)
    else:
        yield note("application", f"importing {module} makes no client", clients=[])
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if threads:
        text = f"importing {module} starts threads ({', '.join(threads)}): they do not survive a fork"
        yield note("application", f"{text} (gunicorn --preload)", threads=threads)


def leave(status: int) -> int:
    """Return `status`; end the process with it at once where a thread of the application would hold it up."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if all(thread.daemon for thread in others):
        return status
    flush_at_exit()  # what the application captured while it was imported
    sys.stdout.flush()
    os._exit(status)
