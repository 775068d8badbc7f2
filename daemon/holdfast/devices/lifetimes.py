"""What is kept of each device's life, in a small file beside the journal. It may be lost; it never stops the hub."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from holdfast_drivers.discovery.fingerprint import Fingerprint

log = logging.getLogger(__name__)

RETIRED = 32
"""Devices with a serial number that were replaced and may come back; the oldest is dropped."""
MAX_FILE = 1 << 20
"""Bytes; ten devices need some 3 000."""

Count = Annotated[int, Meta(ge=0)]


class Lifetime(msgspec.Struct, forbid_unknown_fields=True):
    """One device's."""

    mark: Fingerprint | None = None
    """Its descriptors, once they were learnt."""
    installed: str = ""
    """The day it was first seen here, `YYYY-MM-DD` UTC; empty: the clock was not trusted then."""
    reset: str = ""
    """The day its counts began anew; empty: never."""
    seconds: Count = 0
    """Powered on."""
    counts: dict[str, Count] = {}

    def join(self, other: Lifetime) -> None:
        """Both were of the same device; `other` is the earlier one."""
        self.installed = other.installed or self.installed
        self.reset = self.reset or other.reset
        self.seconds += other.seconds
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


class Book(msgspec.Struct, forbid_unknown_fields=True):
    """All of them."""

    devices: dict[str, Lifetime] = {}
    """By configured name."""
    retired: list[Lifetime] = []

    def identified(self, name: str, mark: Fingerprint) -> None:
        """The device called so looks like this. One with a serial number that was here before goes on counting."""
        life = self.devices.setdefault(name, Lifetime())
        if life.mark is not None and life.mark != mark:
            self.replaced(name)
            life = self.devices[name]
        life.mark = mark
        for earlier in [old for old in self.retired if old.mark == mark]:
            self.retired.remove(earlier)
            life.join(earlier)

    def replaced(self, name: str) -> bool:
        """Another device bears the name from now on. False: nothing was known of the old one."""
        old, self.devices[name] = self.devices.get(name, Lifetime()), Lifetime()
        if old.mark is not None and old.mark.serial:
            self.retired = [*self.retired, old][-RETIRED:]
        return old != Lifetime()


def read_book(path: Path) -> Book:
    """An empty one without a file; one that cannot be read is moved aside to `NAME.damaged`. Blocks."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")  # noqa: TRY301 - damage is damage, however it was found
        return msgspec.json.decode(data, type=Book)
    except FileNotFoundError:
        return Book()
    except (OSError, ValueError, RecursionError) as error:
        aside = path.with_name(path.name + ".damaged")
        log.warning("the devices' statistics begin anew, for %s cannot be read (%s); kept as %s", path, error, aside)
        with suppress(OSError):
            path.replace(aside)
        return Book()


def write_book(path: Path, data: bytes) -> None:
    """All of it or nothing, whenever the power goes. Blocks on the disk; raises OSError."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
