"""What each port may be, most likely first. Judged by descriptors and by what was learnt; nothing is asked or sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from holdfast_drivers.discovery.catalogue import Confidence, Role, hints
from holdfast_drivers.discovery.fingerprint import Fingerprint, fingerprint
from holdfast_drivers.discovery.sysfs import Port, Subsystem

PRINTER_CLASS, HID_CLASS, KEYBOARD = 0x07, 0x03, 1

USABLE: Mapping[Subsystem, frozenset[Role]] = {
    Subsystem.TTY: frozenset({Role.SCANNER, Role.PRINTER, Role.ADAPTER}),
    Subsystem.HIDRAW: frozenset({Role.SCANNER}),
    Subsystem.INPUT: frozenset({Role.SCANNER}),
    Subsystem.USBLP: frozenset({Role.PRINTER}),
    Subsystem.I2C: frozenset({Role.BATTERY}),
}
"""What this library can drive, by how the kernel presents it."""


@dataclass(frozen=True, slots=True)
class Guess:
    role: Role
    confidence: Confidence
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A port and what it may be."""

    port: Port
    guesses: tuple[Guess, ...]
    device: str = ""
    """The configured device that was learnt to be this one."""

    @property
    def supported(self) -> bool:
        """Is there a driver for anything it may be?"""
        return any(guess.role in USABLE.get(self.port.subsystem, ()) for guess in self.guesses)


def identify(
    port: Port, learnt: Mapping[str, Fingerprint] | None = None, roles: Mapping[str, Role] | None = None
) -> Finding:
    """Rank what `port` may be. `learnt` and `roles` hold configured devices by name."""
    mark = fingerprint(port)
    known = [name for name, other in (learnt or {}).items() if mark is not None and other == mark]
    guesses = sorted(_guesses(port), key=lambda guess: -guess.confidence)
    device = known[0] if len(known) == 1 else ""
    if role := (roles or {}).get(device):
        guesses.insert(0, Guess(role, Confidence.LEARNT, f"worked here as {device}"))
    return Finding(port, tuple(guesses), device)


def identify_all(
    found: Iterable[Port], learnt: Mapping[str, Fingerprint] | None = None, roles: Mapping[str, Role] | None = None
) -> list[Finding]:
    return [identify(port, learnt, roles) for port in found]


def _guesses(port: Port) -> Iterator[Guess]:
    if port.subsystem is Subsystem.I2C:
        yield Guess(Role.BATTERY, Confidence.NONE, "an I2C bus: a battery board may be on it")
    if port.usb is None:
        if port.subsystem is Subsystem.TTY:
            yield Guess(Role.ADAPTER, Confidence.NONE, "a serial port of the board: whatever is wired to it")
        return
    told = hints(port.usb.vendor, port.usb.product)
    yield from (Guess(hint.role, hint.confidence, f"{port.usb.id}: {hint.words}") for hint in told)
    if port.interface_class == PRINTER_CLASS:
        yield Guess(Role.PRINTER, Confidence.CONFIRMED, "USB printer class")
    if port.interface_class == HID_CLASS and port.interface_protocol == KEYBOARD and not told:
        yield Guess(Role.SCANNER, Confidence.NONE, "a keyboard, or a scanner that types")
    if port.subsystem is Subsystem.TTY and not told:
        yield Guess(Role.ADAPTER, Confidence.NONE, "a serial port over USB of unknown make")
