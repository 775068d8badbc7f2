"""Tapes: what went over a link and when, kept for tests. Recorded redacted unless asked otherwise.

A tape is text. Its first line is `{"tape":1,"link":…,"redacted":…}`; every further line is one read or write,
`{"at":seconds since the start,"in":bytes}` or `"out"`, its bytes as the characters U+0000 to U+00FF.
`python -m holdfast_drivers.record` makes one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from holdfast_drivers.links.base import Link, WriteError
from holdfast_drivers.values import DeviceError

VERSION = 1
MAX_BYTES = 1 << 20
"""On one tape, both ways together; then the recorder stops."""

Redact = Callable[[bytes], bytes]
"""What may be kept of one read or write."""

_MASK = bytes(
    ord("0") if 48 <= byte < 58 else ord("X") if 65 <= byte < 91 else ord("x") if 97 <= byte < 123 else byte
    for byte in range(256)
)


def mask_text(data: bytes) -> bytes:
    """Digits become 0, letters X or x: any code may be a card number, a token or a name. Length and framing stay."""
    return data.translate(_MASK)


def keep_all(data: bytes) -> bytes:
    """For traffic that is known to hold nobody's data."""
    return data


@dataclass(frozen=True, slots=True)
class Entry:
    at: float
    """Seconds since the start."""
    data: bytes
    written: bool
    """By the hub; else read by it."""


@dataclass(frozen=True, slots=True)
class Tape:
    link: str
    redacted: bool
    entries: tuple[Entry, ...]

    def dumps(self) -> str:
        lines: list[object] = [{"tape": VERSION, "link": self.link, "redacted": self.redacted}]
        lines += [
            {"at": round(entry.at, 6), "out" if entry.written else "in": entry.data.decode("latin-1")}
            for entry in self.entries
        ]
        return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)

    @classmethod
    def loads(cls, text: str) -> Tape:
        """Raises ValueError for what is no tape."""
        head, *lines = text.removesuffix("\n").split("\n")
        about = msgspec.json.decode(head, type=_Head)
        if about.tape != VERSION:
            raise ValueError(f"tape version {about.tape} is not {VERSION}")
        return cls(about.link, about.redacted, tuple(map(_entry, lines)))


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    tape: int
    link: str
    redacted: bool


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    at: float
    read: str | None = msgspec.field(default=None, name="in")
    written: str | None = msgspec.field(default=None, name="out")


def _entry(text: str) -> Entry:
    line = msgspec.json.decode(text, type=_Line)
    if (line.read is None) == (line.written is None):
        raise ValueError("a line of a tape is one of in and out")
    data = line.read if line.written is None else line.written
    return Entry(line.at, (data or "").encode("latin-1"), line.written is not None)


class Recorder:
    """A link that keeps what goes over `inner`, as `redact` leaves it."""

    def __init__(self, inner: Link, *, redact: Redact = mask_text) -> None:
        self._inner = inner
        self._redact = redact
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._entries: list[Entry] = []
        self._room = MAX_BYTES

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def tape(self) -> Tape:
        """What has been recorded so far."""
        return Tape(self.name, self._redact is not keep_all, tuple(self._entries))

    async def read(self, limit: int) -> bytes:
        data = await self._inner.read(limit)
        self._keep(data, written=False)
        return data

    async def write(self, data: bytes, *, timeout: float) -> None:
        """Link.write. A write that failed is not on the tape."""
        await self._inner.write(data, timeout=timeout)
        self._keep(data, written=True)

    async def close(self) -> None:
        await self._inner.close()

    def _keep(self, data: bytes, *, written: bool) -> None:
        self._room -= len(data)
        if self._room >= 0:
            self._entries.append(Entry(self._loop.time() - self._began, self._redact(data), written))


class TapeLink:
    """Plays a device's part from a tape: gives what was read, waits for what was written, then is unplugged.

    `pace` 1.0 keeps the tape's pauses; 0.0 leaves them out. Writes that the tape does not have raise WriteError
    (`refused`); they may come in other pieces than on the tape.
    """

    def __init__(self, tape: Tape, *, pace: float = 1.0) -> None:
        self._name = f"tape of {tape.link}"
        self._entries = deque(tape.entries)
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._moved_at = self._loop.time()
        self._tape_at = 0.0
        self._rest = b""
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    async def read(self, limit: int) -> bytes:
        while not self._rest:
            await self._take_read()
        taken, self._rest = self._rest[:limit], self._rest[limit:]
        return taken

    async def write(self, data: bytes, *, timeout: float) -> None:  # noqa: ARG002 - a tape takes at once or never
        due = self._entries[0] if self._entries else None
        if self._closed or due is None or not due.written or not due.data.startswith(data):
            raise WriteError("refused", f"{self._name}: {data!r} is not what was written here")
        self._move()
        if len(due.data) > len(data):
            self._entries.appendleft(replace(due, data=due.data[len(data) :]))
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._closed = True
        self._moved.set()

    async def _take_read(self) -> None:
        """Take the next read off the tape, when it is due."""
        while not self._closed and self._entries and self._entries[0].written:
            self._moved.clear()
            await self._moved.wait()
        if self._closed or not self._entries:
            raise DeviceError("unplugged", f"{self._name}: at its end")
        due = self._entries[0]
        pause = (due.at - self._tape_at) * self._pace
        await asyncio.sleep(max(0.0, self._moved_at + pause - self._loop.time()))
        self._rest = due.data
        self._move()

    def _move(self) -> None:
        self._tape_at = self._entries.popleft().at
        self._moved_at = self._loop.time()
        self._moved.set()
