"""Three ways to a serial port from asyncio, on PTYs: `python bench/serial_libraries.py`. Prints one table.

Ours is measured always; serialx and pyserial-asyncio-fast when they are installed. What is compared is what a till
needs: no byte lost to a cancelled read, no descriptor lost to a cancelled open, a loop that is never blocked, and a
write that says what became of its bytes. Times are medians of one run on one machine: compare within a column's row.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import statistics
import subprocess
import sys
import tty
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Self

CODE = b"]E04006381333931\r"
CODES, ROUNDS = 4000, 10
LONG = bytes(48 * 1024)
"""Longer than a tty's buffer, shorter than the 64 KiB that stream libraries take into their own."""
READ_BACK = 0.05


class Port:
    """What a measured library is reduced to. `write` returns or raises as the library does."""

    def __init__(
        self,
        read: Callable[[int], Awaitable[bytes]],
        write: Callable[[bytes, float], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.read, self.write, self.close = read, write, close


@dataclass(frozen=True)
class Subject:
    name: str
    module: str
    open: Callable[[str], Awaitable[Port]]

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


async def open_ours(path: str) -> Port:
    from holdfast_drivers.links.serial import serial_opener

    link = await serial_opener(path)()
    return Port(link.read, lambda data, timeout: link.write(data, timeout=timeout), link.close)


async def open_serialx(path: str) -> Port:
    import serialx

    return streams(*await serialx.open_serial_connection(path, baudrate=9600))


async def open_fast(path: str) -> Port:
    import serial_asyncio_fast

    return streams(*await serial_asyncio_fast.open_serial_connection(url=path, baudrate=9600, exclusive=True))


def streams(reader: asyncio.StreamReader, writer: Any) -> Port:
    async def write(data: bytes, limit: float) -> None:
        async with asyncio.timeout(limit):
            writer.write(data)
            await writer.drain()

    async def close() -> None:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()

    return Port(reader.read, write, close)


SUBJECTS = (
    Subject("ours", "holdfast_drivers.links.serial", open_ours),
    Subject("serialx", "serialx", open_serialx),
    Subject("pyserial-asyncio-fast", "serial_asyncio_fast", open_fast),
)


class Device:
    """The master of a PTY, read and written without the loop."""

    def __enter__(self) -> Self:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        for fd in (self.master, self._slave):
            with suppress(OSError):
                os.close(fd)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def received(self) -> int:
        """Bytes that had left by now: the loop stands still while they are counted, so no more can follow."""
        total, quiet_since = 0, perf_counter()
        while perf_counter() - quiet_since < READ_BACK:
            with suppress(BlockingIOError):
                total += len(os.read(self.master, 65536))
                quiet_since = perf_counter()
        return total


async def latencies(subject: Subject, count: int) -> list[float]:
    """Microseconds from the device's write to the reader's return, one code at a time."""
    took = []
    with Device() as device:
        port = await subject.open(device.path)
        for _ in range(count):
            reading = asyncio.ensure_future(port.read(64))
            await asyncio.sleep(0)
            sent = perf_counter()
            device.send(CODE)
            await reading
            took.append((perf_counter() - sent) * 1e6)
        await port.close()
    return took


async def latency(subjects: list[Subject]) -> dict[str, dict[str, str]]:
    """In turns, so that a noisy moment of the machine meets all of them."""
    took: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for _ in range(ROUNDS):
        for subject in subjects:
            took[subject.name] += await latencies(subject, CODES // ROUNDS)
    cuts = {name: statistics.quantiles(samples, n=100) for name, samples in took.items()}
    return {
        name: {"scan to reader, median": f"{cut[49]:.0f} us", "scan to reader, P99": f"{cut[98]:.0f} us"}
        for name, cut in cuts.items()
    }


async def cancelled_reads(subject: Subject) -> dict[str, str]:
    """A stream of bytes read under time-outs that keep firing."""
    rng = Random(1)
    sent, got = rng.randbytes(100_000), bytearray()
    with Device() as device:
        port = await subject.open(device.path)
        for start in range(0, len(sent), 500):
            device.send(sent[start : start + 500])
            for _ in range(8):
                with suppress(TimeoutError):
                    async with asyncio.timeout(rng.random() * 2e-4):
                        got += await port.read(100)
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(READ_BACK):
                    got += await port.read(4096)
        await port.close()
    return {"bytes lost to cancelled reads": f"{len(sent) - len(got)} of {len(sent)}"}


async def cancelled_opens(subject: Subject) -> dict[str, str]:
    rng = Random(2)
    with Device() as device:
        await (await subject.open(device.path)).close()
        before = descriptors()
        for _ in range(60):
            opening = asyncio.ensure_future(subject.open(device.path))
            await asyncio.sleep(rng.random() * 0.015)
            opening.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await (await opening).close()
        await asyncio.sleep(0.2)
        gc.collect()
        leaked = descriptors() - before
        try:
            await (await subject.open(device.path)).close()
            free = "free"
        except Exception as error:  # noqa: BLE001 - whatever a library raises is the measurement
            free = f"lost ({type(error).__name__})"
    return {"descriptors leaked by 60 cancelled opens": str(leaked), "the port after them": free}


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def opening(subject: Subject) -> dict[str, str]:
    took: list[float] = []
    stalls: list[float] = []
    for _ in range(15):
        with Device() as device:
            watch = asyncio.create_task(longest_stall(stalls))
            await asyncio.sleep(0)
            began = perf_counter()
            port = await subject.open(device.path)
            took.append((perf_counter() - began) * 1e3)
            watch.cancel()
            await asyncio.wait({watch})
            await port.close()
    return {
        "open": f"{statistics.median(took):.1f} ms",
        "loop held up by an open": f"{statistics.median(stalls):.2f} ms",
    }


async def longest_stall(stalls: list[float]) -> None:
    longest, last = 0.0, perf_counter()
    try:
        while True:
            await asyncio.sleep(0)
            now = perf_counter()
            longest, last = max(longest, now - last), now
    finally:
        stalls.append(longest * 1e3)


async def stuck_write(subject: Subject) -> dict[str, str]:
    """48 KiB to a device that takes none of it, 0.3 s allowed; the device comes to life after that."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    with Device() as device:
        port = await subject.open(device.path)
        try:
            await port.write(LONG, 0.3)
            said = "done"
        except Exception as error:  # noqa: BLE001 - whatever a library raises is the measurement
            said = f"{type(error).__name__}, {getattr(error, 'taken', '?')} taken"
        left = device.received()
        late = 0
        for _ in range(5):
            await asyncio.sleep(0.01)
            late += device.received()
        await port.close()
    asyncio.get_running_loop().set_exception_handler(None)
    return {
        f"write of {len(LONG)} to a stuck device ends": said,
        "... bytes that had left by then": str(left),
        "... bytes that leave after it ended": str(late),
        "... errors thrown in the loop meanwhile": str(len(errors)),
    }


async def unplug(subject: Subject) -> dict[str, str]:
    took, said = [], ""
    for _ in range(15):
        with Device() as device:
            port = await subject.open(device.path)
            reading = asyncio.ensure_future(port.read(64))
            await asyncio.sleep(0.005)
            began = perf_counter()
            device.unplug()
            try:
                said = repr(await reading)
            except Exception as error:  # noqa: BLE001 - whatever a library raises is the measurement
                said = type(error).__name__
            took.append((perf_counter() - began) * 1e3)
            await port.close()
    return {"unplug noticed after": f"{statistics.median(took):.2f} ms", "unplug seen as": said}


async def import_cost(subject: Subject) -> dict[str, str]:
    script = (
        "import asyncio, time; rss = lambda: int(open('/proc/self/statm').read().split()[1]) * 4;"
        f"a, t = rss(), time.perf_counter(); import {subject.module}; print(rss() - a, (time.perf_counter() - t) * 1e3)"
    )
    run = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], capture_output=True, check=True)
    kib, ms = run.stdout.split()
    return {"import": f"{int(kib) / 1024:.1f} MiB, {float(ms):.0f} ms"}


MEASURES = (cancelled_reads, cancelled_opens, opening, stuck_write, unplug, import_cost)


async def main() -> None:
    installed = [subject for subject in SUBJECTS if subject.installed]
    columns = await latency(installed)
    for subject in installed:
        for measure in MEASURES:
            columns[subject.name] |= await measure(subject)
    print("| " + " | ".join(["", *columns]) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in columns[installed[0].name]:
        print("| " + " | ".join([row, *(column[row] for column in columns.values())]) + " |")
    print(*(f"{subject.name}: not installed" for subject in SUBJECTS if not subject.installed), sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
