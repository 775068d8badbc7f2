"""Telling a battery board to cut the power in half a minute, and to give it back when the mains return.

The only writes to boards in this library that do anything. Each is what its maker's document or code says, to the
letter; whoever calls them has identified the board first. Sources: Waveshare's register list of the UPS HAT (E) (0x01);
PiSugar's I²C data sheet of the PiSugar 3 (0x02, 0x09, 0x0B); PiJuice's pijuice.py (0x62, 0x63); Geekworm's xSoft.sh;
NUT's registry of instant commands (`shutdown.return`, `shutdown.stop`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from holdfast_drivers.links.header import Header
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.ups import pijuice, pisugar, waveshare_e
from holdfast_drivers.ups.pijuice import checked, checksum
from holdfast_drivers.ups.pisugar import decode_firmware
from holdfast_drivers.values import DeviceError

SECONDS = 30
"""Until the cut: longer than a Raspberry Pi takes to halt."""
LEAST_SECONDS = 20
"""A UPS that cuts sooner, by its own setting, would cut a system that is still halting."""

WAVESHARE_CUT, CUT_NOW = 0x01, 0x55
"""Cannot be taken back; the board gives power again when its USB input comes back."""

SUGAR_STATUS, SUGAR_DELAY, SUGAR_LOCK = 0x02, 0x09, 0x0B
DELAYED_OUTPUT, AUTO_BOOT = 0x20, 0x10
UNLOCK, RELOCK = 0x29, 0xFF
FIRMWARE_DELAY, FIRMWARE_LOCK = (1, 0, 6), (1, 2, 4)
"""First versions with a delayed cut, and with the lock."""

JUICE_OFF, JUICE_WAKE = 0x62, 0x63
WAKE_AT = 20
"""Percent of charge, being charged, at which a PiJuice gives power again: enough for a stop, should the mains go."""

PULSE = 2.0
"""Seconds the soft power-off line of a Geekworm board is held high; left high, the board would not start by itself."""


async def cut_waveshare_e(bus: I2CBus, *, address: int = waveshare_e.ADDRESS) -> None:
    """Raises DeviceError; `garbled` when the board does not say that the cut is pending."""
    await bus.write_byte(address, WAVESHARE_CUT, CUT_NOW)
    if (said := await bus.read_byte(address, WAVESHARE_CUT)) != CUT_NOW:
        raise DeviceError("garbled", f"a cut was ordered, and the board says 0x{said:02x}")


async def cut_pisugar3(bus: I2CBus, *, address: int = pisugar.ADDRESS_3) -> None:
    """Raises DeviceError; `refused` when its firmware knows no delayed cut."""
    version = [await bus.read_byte(address, pisugar.FIRMWARE + i) for i in range(pisugar.FIRMWARE_LENGTH)]
    firmware = _numbers(decode_firmware(bytes(version)))
    if firmware < FIRMWARE_DELAY:
        raise DeviceError("refused", "the PiSugar's firmware is older than 1.0.6 and knows no delayed cut")
    locked = firmware >= FIRMWARE_LOCK
    if locked:
        await bus.write_byte(address, SUGAR_LOCK, UNLOCK)
    try:
        await bus.write_byte(address, SUGAR_DELAY, SECONDS)
        status = await bus.read_byte(address, SUGAR_STATUS)
        await bus.write_byte(address, SUGAR_STATUS, (status | AUTO_BOOT) & ~DELAYED_OUTPUT)
    finally:
        if locked:
            await bus.write_byte(address, SUGAR_LOCK, RELOCK)


async def cut_pijuice(bus: I2CBus, *, address: int = pijuice.ADDRESS) -> None:
    """Raises DeviceError; nothing is cut unless the board repeats that it will wake up again."""
    await bus.write_word(address, JUICE_WAKE, _with_sum(WAKE_AT))
    await asyncio.sleep(0.2)
    (wake,) = checked(await bus.read_block(address, JUICE_WAKE, 2))
    if wake & 0x7F != WAKE_AT:
        raise DeviceError("garbled", f"the PiJuice would wake at {wake & 0x7F}, not at {WAKE_AT} %")
    await bus.write_word(address, JUICE_OFF, _with_sum(SECONDS))


async def cut_nut(client: NutClient, ups: str) -> None:
    """The client has authenticated. Raises DeviceError; `refused` when the UPS would cut too soon."""
    delay = (await client.variables(ups)).get("ups.delay.shutdown")
    if delay is not None and delay.isdecimal() and int(delay) < LEAST_SECONDS:
        raise DeviceError("refused", f"ups.delay.shutdown is {delay} s; set it to {SECONDS}: upsrw")
    await client.ask("INSTCMD", ups, "shutdown.return")


async def cancel_nut(client: NutClient, ups: str) -> None:
    """Take a cut back. Raises DeviceError."""
    await client.ask("INSTCMD", ups, "shutdown.stop")


async def cut_geekworm(header: Header, pin: int) -> None:
    """Press the soft power-off line, as `xSoft.sh` does; the board cuts once the system halts. Raises DeviceError."""

    def take() -> Any:
        from gpiozero import DigitalOutputDevice  # noqa: PLC0415 - in the header's thread, which has imported it

        return DigitalOutputDevice(pin, initial_value=True, pin_factory=header.factory)

    line = await header.call(take)
    try:
        await asyncio.sleep(PULSE)
    finally:
        await header.call(line.off)
        await header.call(line.close)


def _with_sum(value: int) -> int:
    """A byte and its checksum as an SMBus word: low byte first."""
    return value | checksum(bytes([value])) << 8


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))
