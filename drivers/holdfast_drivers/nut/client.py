"""A client of a NUT server, and any UPS that NUT knows as a gauge."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from holdfast_drivers.nut.protocol import LONGEST_LINE, PORT, UNKNOWN_STATES, NutError, answer, quoted, reading_of
from holdfast_drivers.values import DeviceError, PowerReading

TIMEOUT = 5.0
"""Seconds for one answer, and for the connection."""
MOST_LINES = 1000
"""Lines of a list; a UPS has about a hundred variables."""

LONGEST_SERIAL = 64
TESTS = ("test.battery.start.quick", "test.battery.start")
"""Instant commands that test a battery without emptying it (NUT, docs/nut-names.txt)."""

_PLAIN = re.compile(r"[\w.-]+", re.ASCII)


class NutClient:
    """One connection; an async context manager. Every method raises DeviceError: `absent`, `refused`, `timeout`,
    `garbled`, `unplugged`; NutError when the server refuses. After any but a NutError the connection is closed.
    """

    def __init__(self, host: str, port: int = PORT, *, timeout: float = TIMEOUT) -> None:
        self._host = host
        self._port = port
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        return self._streams is not None

    async def open(self) -> None:
        """Connect."""
        try:
            async with asyncio.timeout(self._timeout):
                self._streams = await asyncio.open_connection(self._host, self._port, limit=LONGEST_LINE * 2)
        except ConnectionRefusedError as error:
            raise DeviceError("refused", f"{self._host}:{self._port}: nobody listens") from error
        except OSError as error:
            raise DeviceError("absent", f"{self._host}:{self._port}: {error}") from error

    async def close(self) -> None:
        """Drop the connection. Idempotent."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def authenticate(self, username: str, password: str) -> None:
        """Name a user. The server checks it only when a command needs it."""
        await self.ask("USERNAME", username)
        await self.ask("PASSWORD", password)

    async def login(self, ups: str) -> None:
        """Be counted among those whose power the UPS is."""
        await self.ask("LOGIN", ups)

    async def primary(self, ups: str) -> None:
        """Claim to manage the UPS; asks an older server in its own word."""
        try:
            await self.ask("PRIMARY", ups)
        except NutError as error:
            if error.code != "UNKNOWN-COMMAND":
                raise
            await self.ask("MASTER", ups)

    async def force_shutdown(self, ups: str) -> None:
        """Tell every client that the power will be cut."""
        await self.ask("FSD", ups)

    async def upses(self) -> dict[str, str]:
        """Description by name."""
        return {name: text for _, name, text in await self.listed("UPS")}

    async def variables(self, ups: str) -> dict[str, str]:
        """Value by name."""
        return {name: value for _, _, name, value in await self.listed("VAR", ups)}

    async def commands(self, ups: str) -> list[str]:
        """The instant commands."""
        return [name for _, _, name in await self.listed("CMD", ups)]

    async def variable(self, ups: str, name: str) -> str:
        """One value."""
        return (await self.ask("GET", "VAR", ups, name))[-1]

    async def description(self, ups: str, name: str) -> str:
        """What a variable means."""
        return (await self.ask("GET", "DESC", ups, name))[-1]

    async def type_of(self, ups: str, name: str) -> list[str]:
        """A variable's type, e.g. `NUMBER` or `RW`, `STRING:32`."""
        return (await self.ask("GET", "TYPE", ups, name))[3:]

    async def test_battery(self, ups: str) -> str:
        """Begin the shortest test the UPS offers; the command's name. Needs a user with the right to it.

        Raises NutError(`CMD-NOT-SUPPORTED`) when it offers none.
        """
        offered = await self.commands(ups)
        command = next((name for name in TESTS if name in offered), None)
        if command is None:
            raise NutError("CMD-NOT-SUPPORTED")
        await self.ask("INSTCMD", ups, command)
        return command

    async def ask(self, *words: str) -> list[str]:
        """Send one line; the words of the answer."""
        async with self._turn:
            await self._send(words)
            return answer(await self._line())

    async def listed(self, *query: str) -> list[list[str]]:
        """The rows of `LIST query`, each as its words. A row of another shape is `garbled`."""
        async with self._turn:
            await self._send(("LIST", *query))
            if answer(await self._line())[:2] != ["BEGIN", "LIST"]:
                raise await self._broken("garbled", "no BEGIN LIST")
            rows: list[list[str]] = []
            width = {"UPS": 3, "CMD": 3}.get(query[0], 4)
            while (row := answer(await self._line()))[:2] != ["END", "LIST"]:
                rows.append(row)
                if len(row) != width or len(rows) > MOST_LINES:
                    raise await self._broken("garbled", f"{' '.join(row)!r} in a list")
            return rows

    async def _send(self, words: tuple[str, ...]) -> None:
        if self._streams is None:
            raise DeviceError("unplugged", f"{self._host}:{self._port}")
        line = " ".join(word if _PLAIN.fullmatch(word) else quoted(word) for word in words)
        try:
            async with asyncio.timeout(self._timeout):
                self._streams[1].write(line.encode() + b"\n")
                await self._streams[1].drain()
        except OSError as error:
            raise await self._broken("unplugged", str(error)) from error

    async def _line(self) -> str:
        assert self._streams is not None
        try:
            async with asyncio.timeout(self._timeout):
                line = await self._streams[0].readuntil(b"\n")
        except TimeoutError as error:
            raise await self._broken("timeout", "no answer") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise await self._broken("unplugged", "the server closed the connection") from error
        except asyncio.LimitOverrunError as error:
            raise await self._broken("garbled", "a line without an end") from error
        return line.decode("utf-8", "replace")

    async def _broken(self, kind: str, detail: str) -> DeviceError:
        await self.close()
        return DeviceError(kind, f"{self._host}:{self._port}: {detail}")


class NutGauge:
    """A UPS on a NUT server as a Gauge; connects again by itself. `cells` in series, where known."""

    def __init__(
        self,
        client: NutClient,
        ups: str,
        *,
        cells: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._ups = ups
        self._cells = cells
        self._clock = clock

    async def serial(self) -> str:
        """The UPS's serial number; empty: it tells none. Raises DeviceError."""
        if not self._client.connected:
            await self._client.open()
        told = await self._client.variables(self._ups)
        return (told.get("ups.serial") or told.get("device.serial", ""))[:LONGEST_SERIAL]

    async def read(self) -> PowerReading:
        """One sample. A server that does not know is a reading of unknowns; one that does not answer raises
        DeviceError, `absent` rather than `unplugged`: the next read connects anew.
        """
        try:
            if not self._client.connected:
                await self._client.open()
            return reading_of(await self._client.variables(self._ups), self._clock(), cells=self._cells)
        except NutError as error:
            if error.code in UNKNOWN_STATES:
                return PowerReading(self._clock())
            raise
        except DeviceError as error:
            await self._client.close()
            raise DeviceError("absent" if error.kind == "unplugged" else error.kind, error.detail) from error
