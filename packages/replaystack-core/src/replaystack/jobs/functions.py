"""Functions whose every call is a run of a job: plain ones, coroutines, and generators of both kinds.

A generator's run lasts from its first step to its end. Between two steps the context is its
reader's: the run is entered for each step and left after it.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    from .job import Job
    from .run import JobRun

__all__ = ["called", "named_arguments", "wrapped"]

Function = TypeVar("Function", bound="Callable[..., Any]")


def wrapped(job: Job, function: Function) -> Function:
    """Return `function` with each call a run of `job`, and everything else as it was."""
    inner: Callable[..., Any] = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    kinds = (inner, type(inner).__call__)  # of an object, its `async def __call__` tells
    if any(map(inspect.isasyncgenfunction, kinds)):
        wrapper: Callable[..., Any] = _asynchronous_generator(job, function)
    elif any(map(inspect.isgeneratorfunction, kinds)):
        wrapper = _generator(job, function)
    elif any(map(inspect.iscoroutinefunction, kinds)):
        wrapper = _coroutine(job, function)
    else:
        wrapper = _plain(job, function)
    return cast("Function", functools.wraps(function)(wrapper))


def named_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a call passes by the names of the parameters, so that masking by name applies.

    Without `self` and `cls`. Where the names cannot be told: `{"args": ..., "kwargs": ...}`.
    """
    try:
        bound = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {name: value for name, value in (("args", list(args)), ("kwargs", dict(kwargs))) if value}
    first = next(iter(bound), None)
    if first in {"self", "cls"}:
        del bound[first]
    return bound


def _begun(job: Job, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> JobRun:
    run = job.run()
    run.begin(named_arguments(function, args, kwargs))
    return run


def _keep(job: Job, run: JobRun, value: Any) -> None:
    if value is not None and job.keeps_returned and not run.has_result():
        run.result(value)


def called(job: Job, function: Callable[[], Any], arguments: Mapping[str, Any] | None) -> Any:
    """Call `function` as one run of `job`."""
    run = job.run()
    run.begin(arguments)
    run.enter()
    try:
        value = function()
    except BaseException as error:
        run.end(error)
        raise
    else:
        _keep(job, run, value)
        run.end(None)
        return value
    finally:
        run.leave()


def _plain(job: Job, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return called(job, lambda: function(*args, **kwargs), named_arguments(function, args, kwargs))

    return call


def _coroutine(job: Job, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        run = _begun(job, function, args, kwargs)
        run.enter()
        try:
            value = await function(*args, **kwargs)
        except BaseException as error:
            await job.end_async(run, error)
            raise
        else:
            _keep(job, run, value)
            await job.end_async(run, None)
            return value
        finally:
            run.leave()

    return call


def _step(run: JobRun, resume: Callable[[Any], Any], value: Any) -> Any:
    run.enter()
    try:
        return resume(value)
    finally:
        run.leave()


def _generator(job: Job, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run = _begun(job, function, args, kwargs)
        inner = function(*args, **kwargs)
        resume, value = inner.send, None
        try:
            while True:
                try:
                    item = _step(run, resume, value)
                except StopIteration as stop:
                    _keep(job, run, stop.value)
                    run.end(None)
                    return stop.value
                try:
                    resume, value = inner.send, (yield item)
                except GeneratorExit:
                    _step(run, lambda _: inner.close(), None)
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the reader; the job gets it
                    resume, value = inner.throw, error
        except BaseException as error:
            run.end(error)
            raise

    return call


async def _step_async(run: JobRun, resume: Callable[[Any], Any], value: Any) -> Any:
    run.enter()
    try:
        return await resume(value)
    finally:
        run.leave()


def _asynchronous_generator(job: Job, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run = _begun(job, function, args, kwargs)
        inner = function(*args, **kwargs)
        resume, value = inner.asend, None
        try:
            while True:
                try:
                    item = await _step_async(run, resume, value)
                except StopAsyncIteration:
                    await job.end_async(run, None)
                    return
                try:
                    resume, value = inner.asend, (yield item)
                except GeneratorExit:
                    await _step_async(run, lambda _: inner.aclose(), None)
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the reader; the job gets it
                    resume, value = inner.athrow, error
        except BaseException as error:
            await job.end_async(run, error)
            raise

    return call
