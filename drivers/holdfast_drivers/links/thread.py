"""One blocking device, one thread: calls that may never return, kept away from the event loop and from each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from holdfast_drivers.values import DeviceError

T = TypeVar("T")


class CallThread:
    """Runs blocking calls in order, in a daemon thread of its own: one that hangs does not keep the process alive."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._overdue: Future[Any] | None = None
        self._closed = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    @property
    def stuck(self) -> bool:
        """A call has passed its deadline and has not returned yet."""
        return self._overdue is not None and not self._overdue.done()

    async def call(self, work: Callable[[], T], *, timeout: float) -> T:
        """What `work` returns or raises. Raises DeviceError("timeout") after `timeout` seconds, at once while stuck.

        A call whose deadline passes, or whose caller is cancelled, before it began never runs.
        """
        if self.stuck:
            raise DeviceError("timeout", f"{self.name} is stuck in an earlier call")
        if self._closed:
            raise DeviceError("unplugged", f"{self.name} is closed")
        job: Future[T] = Future()
        self._jobs.put((job, work))
        result = asyncio.wrap_future(job)
        try:
            done, _ = await asyncio.wait({result}, timeout=timeout)
        finally:
            job.cancel()
            result.cancel()
        if not done:
            self._overdue = job
            raise DeviceError("timeout", f"{self.name} did not answer within {timeout:g} s")
        return result.result()

    async def close(self, last: Callable[[], object] | None = None, *, timeout: float = 1.0) -> None:
        """Run `last`, ignoring what it raises, and end the thread; while a call hangs, both wait for it. Idempotent."""
        if self._closed:
            return
        self._closed = True
        job: Future[Any] = Future()
        self._jobs.put((job, last or (lambda: None)))
        self._jobs.put(None)
        ended = asyncio.wrap_future(job)
        ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        await asyncio.wait({ended}, timeout=0 if self.stuck else timeout)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, work = entry
            if not job.set_running_or_notify_cancel():
                continue
            try:
                job.set_result(work())
            except BaseException as error:  # noqa: BLE001 - a thread's edge: the awaiting caller gets it
                job.set_exception(error)


async def opened(
    name: str, opener: Callable[[], T], closer: Callable[[T], object], *, timeout: float
) -> tuple[CallThread, T]:
    """A new thread and what `opener` opened in it; opened too late or for a cancelled caller, `closer` gets it.

    Raises DeviceError("timeout") and what `opener` raises.
    """
    thread = CallThread(name)
    late: list[T] = []
    try:
        await thread.call(lambda: late.append(opener()), timeout=timeout)
    except BaseException:
        await thread.close(lambda: [closer(thing) for thing in late])
        raise
    return thread, late[0]


async def opened_once(name: str, opener: Callable[[], T], closer: Callable[[T], object], *, timeout: float) -> T:
    """`opened`, for a thing that needs its thread no longer."""
    thread, thing = await opened(name, opener, closer, timeout=timeout)
    try:
        await thread.close()
    except BaseException:
        closer(thing)
        raise
    return thing
