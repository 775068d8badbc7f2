"""A byte link over any non-blocking descriptor the event loop can watch: a tty, the master of a PTY, a socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from holdfast_drivers.links.base import WriteError
from holdfast_drivers.values import DeviceError

Watch = Callable[..., Any]
Unwatch = Callable[[int], bool]


class DescriptorLink:
    """Link over `fd`, which it owns from now on.

    Bytes stay in the kernel until a reader takes them: no buffer here can lose or hoard any, and a device that talks
    faster than it is read is held back by its own flow control.
    """

    def __init__(self, fd: int, name: str) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[Watch, asyncio.Future[None]] = {}
        self._closed = False
        self._stalled = False

    @property
    def name(self) -> str:
        return self._name

    async def read(self, limit: int) -> bytes:
        """Link.read. Waits for the loop even when bytes are there, so that a babbling device cannot starve it."""
        while True:
            await self._ready(self._loop.add_reader, self._loop.remove_reader)
            try:
                data = os.read(self._fd, limit)
            except BlockingIOError:
                continue
            except OSError as error:
                raise DeviceError("unplugged", f"{self._name}: {error.strerror}") from error
            if not data:
                raise DeviceError("unplugged", f"{self._name}: end of stream")
            return data

    async def write(self, data: bytes, *, timeout: float) -> None:
        """Link.write. `taken` counts the bytes the kernel accepted."""
        rest = memoryview(data)
        try:
            async with asyncio.timeout(timeout):
                while rest:
                    rest = rest[await self._write_some(rest) :]
        except TimeoutError:
            self._stalled = True
            detail = f"{self._name} took {len(data) - len(rest)} of {len(data)} bytes in {timeout:g} s"
            raise WriteError("timeout", detail, taken=len(data) - len(rest)) from None
        except DeviceError as error:
            raise WriteError(error.kind, error.detail, taken=len(data) - len(rest)) from error

    async def close(self) -> None:
        """Link.close. Whoever waits in read or write gets DeviceError("unplugged")."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(self._closed_error())
        await self._release()

    async def _release(self) -> None:
        os.close(self._fd)

    async def _write_some(self, data: memoryview) -> int:
        await self._ready(self._loop.add_writer, self._loop.remove_writer)
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise DeviceError("unplugged", f"{self._name}: {error.strerror}") from error

    async def _ready(self, watch: Watch, unwatch: Unwatch) -> None:
        if self._closed:
            raise self._closed_error()
        if watch in self._waiting:
            raise RuntimeError(f"{self._name}: two readers or two writers at once")
        waiter = self._waiting[watch] = self._loop.create_future()
        watch(self._fd, _wake, waiter)
        try:
            await waiter
        finally:
            del self._waiting[watch]
            if not self._closed:
                unwatch(self._fd)

    def _closed_error(self) -> DeviceError:
        return DeviceError("unplugged", f"{self._name} is closed")


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
