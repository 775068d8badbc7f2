"""How much has been written to a medium in all, kept by ourselves: an SD card keeps no count that can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Wear:
    """One medium since it was first seen. The kernel's counters begin at 0 with every boot."""

    identity: str
    boot: str
    """The kernel's boot id of `here_…`."""
    before_bytes: int = 0
    """Written in earlier boots ..."""
    before_s: int = 0
    """... and the seconds they ran."""
    here_bytes: int = 0
    here_s: int = 0

    @property
    def written(self) -> int:
        """Bytes, at least: what was written between the last look of a boot and its end is not in it."""
        return self.before_bytes + self.here_bytes

    @property
    def running_s(self) -> int:
        return self.before_s + self.here_s

    @property
    def bytes_a_day(self) -> int | None:
        """Of running; None before a whole day was seen."""
        return self.written * DAY // self.running_s if self.running_s >= DAY else None


def counted(before: Wear | None, *, identity: str, boot: str, written: int, ran_s: int) -> Wear:
    """With the kernel's counters of now. Another medium begins at its own."""
    now = Wear(identity, boot, here_bytes=written, here_s=ran_s)
    if before is None or before.identity != identity:
        return now
    if before.boot == boot:
        return replace(before, here_bytes=max(written, before.here_bytes), here_s=max(ran_s, before.here_s))
    return replace(now, before_bytes=before.written, before_s=before.running_s)


def days_left(wear: Wear, rated_bytes: int) -> int | None:
    """Days of running until the maker's rating is used up, at the pace so far; None before a pace is known."""
    pace = wear.bytes_a_day
    return None if not pace else max(0, rated_bytes - wear.written) // pace


def load_wear(path: Path) -> Wear | None:
    """None when there is none, or it cannot be read: then counting begins anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Wear)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def save_wear(path: Path, wear: Wear) -> None:
    """Whole or not at all. Raises OSError."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(wear))
    fresh.replace(path)
