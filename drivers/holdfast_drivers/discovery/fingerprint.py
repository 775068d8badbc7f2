"""What a device looked like when it last worked, and whether what is at its port now is still the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from holdfast_drivers.discovery.sysfs import Port


class Fingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The descriptors of a USB device, whatever port it is at."""

    usb_id: str
    serial: str = ""
    name: str = ""
    interface_class: int | None = None


def fingerprint(port: Port) -> Fingerprint | None:
    """None for what has no descriptors: nothing can be learnt about it."""
    if port.usb is None:
        return None
    return Fingerprint(port.usb.id, port.usb.serial, port.usb.name, port.interface_class)


class Misplaced(msgspec.Struct, frozen=True):
    """Something else is at a configured device's port."""

    device: str
    """The configured device."""
    other: str
    """The configured device whose port it belongs to; empty for a stranger."""
    expected: Fingerprint
    seen: Fingerprint

    @property
    def words(self) -> str:
        """What happened and what to do."""
        if self.other:
            return f"{self.other} is plugged in where {self.device} belongs: swap the plugs"
        return (
            f"{self.seen.name or self.seen.usb_id} is plugged in where {self.device} belongs:"
            f" put it back, or forget {self.device} if it was replaced"
        )


def misplaced(device: str, learnt: Mapping[str, Fingerprint], seen: Port | None) -> Misplaced | None:
    """None when all is well or nobody can tell: nothing learnt, nothing there, or two devices that look alike."""
    expected = learnt.get(device)
    mark = None if seen is None else fingerprint(seen)
    if expected is None or mark is None or mark == expected:
        return None
    others = [name for name, other in learnt.items() if other == mark]
    return Misplaced(device, others[0] if others else "", expected, mark)


class FingerprintFile:
    """Fingerprints kept in a JSON file. One that cannot be read is as good as none: they are learnt again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.learnt: dict[str, Fingerprint] = self._load()

    def learn(self, device: str, mark: Fingerprint) -> None:
        """Keep it. Blocks on the disk; raises OSError."""
        if self.learnt.get(device) != mark:
            self.learnt[device] = mark
            self._save()

    def forget(self, device: str) -> bool:
        """False: nothing was known. Blocks on the disk; raises OSError."""
        known = self.learnt.pop(device, None) is not None
        if known:
            self._save()
        return known

    def _load(self) -> dict[str, Fingerprint]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Fingerprint])
        except (OSError, msgspec.DecodeError):
            return {}

    def _save(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(self.learnt)) + b"\n")
        fresh.replace(self._path)
