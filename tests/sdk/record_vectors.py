"""What `replaystack_sdk` answers to the table and the scenarios, as data.

Runs with any `replaystack_sdk`, the original 1.1.3 included, and needs nothing else. From the
root of the repository, in an environment where 1.1.3 and the three frameworks are installed:

    python -m tests.sdk.record_vectors > tests/sdk/vectors_1_1_3.json

`test_parity.py` runs the same over the drop-in and compares.
"""

from __future__ import annotations

import contextvars
import importlib
import inspect
import json
import random
import sys
from typing import Any

from tests.sdk.vector_cases import cases
from tests.sdk.vector_inputs import Accepting
from tests.sdk.vector_scenarios import SCENARIOS

MODULES = (
    "client",
    "context",
    "integrations.django",
    "integrations.fastapi",
    "integrations.flask",
    "runtime",
    "stacktrace",
    "types",
    "utils",
)


def outcome(target: Any, *args: Any, **kwargs: Any) -> str:
    """Return the literal of a result, or `raises X`: errors are part of the behaviour."""
    random.seed(7)
    try:
        return repr(contextvars.Context().run(target, *args, **kwargs))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the recorded outcome
        return f"raises {type(error).__name__}"


def signature_of(target: Any) -> list[str]:
    """Return kind, name and default of each parameter; annotations are nobody's behaviour."""
    return [
        f"{parameter.kind.name} {parameter.name}"
        + ("" if parameter.default is parameter.empty else f" = {_default(parameter.default)}")
        for parameter in inspect.signature(target).parameters.values()
    ]


def _default(value: Any) -> str:
    # The mark of `field(default_factory=...)` prints differently from version to version.
    return "<factory>" if "factory" in repr(value) else repr(value)


def public_names(module: Any) -> list[str]:
    """Return what a module defines itself under a public name: classes, functions, constants."""
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (getattr(value, "__module__", None) == module.__name__ or name.isupper())
    )


def record_helpers(sdk: Any) -> dict[str, dict[str, str]]:
    """Run the table and the scenarios over `sdk`."""
    outcomes = {
        helper: {
            case: outcome(getattr(sdk, helper), *args, **kwargs) for case, (args, kwargs) in table.items()
        }
        for helper, table in cases().items()
    }
    outcomes["scenarios"] = {scenario.__name__: outcome(scenario, sdk) for scenario in SCENARIOS}
    return outcomes


def record() -> dict[str, Any]:
    """Return everything that can be compared about the installed `replaystack_sdk`."""
    sdk: Any = importlib.import_module("replaystack_sdk")
    modules = {}
    for name in MODULES:
        try:
            modules[name] = public_names(importlib.import_module(f"replaystack_sdk.{name}"))
        except ImportError:  # the framework of an integration is not installed here
            continue
    client = sdk.ReplayStackClient(api_key="k", transport=Accepting(), async_send=False)
    client.close()
    public = {name: getattr(sdk, name) for name in sorted(sdk.__all__)}
    return {
        "all": list(public),
        "modules": modules,
        "client": {
            "methods": [
                name for name, _ in inspect.getmembers(type(client), inspect.isroutine) if name[0] != "_"
            ],
            "attributes": sorted(name for name in vars(client) if name[0] != "_"),
        },
        "signatures": {
            name: signature_of(value)
            for name, value in public.items()
            if inspect.isclass(value) or inspect.isroutine(value)
        },
        "helpers": record_helpers(sdk),
    }


if __name__ == "__main__":
    json.dump(record(), sys.stdout, indent=1)
    sys.stdout.write("\n")
