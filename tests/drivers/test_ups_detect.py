"""Which board is on a bus: by what it says, unsure where another chip could say the same; none is written to."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_drivers.links import i2c
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.registers import MemoryBus, RegisterMap
from holdfast_drivers.ups import ina, max17048, pisugar
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import Fault, SimulatedChip
from holdfast_drivers.ups.detect import KERNEL, Candidate, detect
from holdfast_drivers.ups.ina import WAVESHARE
from holdfast_drivers.ups.simulated import BOARDS
from holdfast_drivers.values import DeviceError
from support.noise import Fuzz

T = TypeVar("T")
UNSURE = {"bq27441", "pisugar2", "pisugar2pro"}
"""Boards that reading alone does not identify."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i2c, "RETRY_AFTER", 0.0)


async def on_bus(chips: dict[int, RegisterMap], work: Callable[[I2CBus], Awaitable[T]]) -> T:
    bus = I2CBus(MemoryBus(chips))
    try:
        return await work(bus)
    finally:
        await bus.close()


def chip_of(name: str, **battery: float) -> SimulatedChip:
    return BOARDS[name].chip(Battery(cells=BOARDS[name].cells, **battery))  # type: ignore[arg-type]  # mains is a bool


class Table:
    """A chip that is no battery board's: what it holds after power-up, bytes in wire order by register."""

    def __init__(self, registers: dict[int, str], *, rest: int = 0x00, pointer: bool = False) -> None:
        self.registers = {at: bytes.fromhex(data) for at, data in registers.items()}
        self.rest = rest
        self.pointer = pointer
        """It has registers of several bytes and goes nowhere beyond one's end."""
        self.writes = 0

    def read(self, register: int, length: int) -> bytes:
        if self.pointer:
            return self.registers.get(register % 4, b"")[:length].ljust(length, b"\xff")
        if len(self.registers.get(register, b"")) == length:
            return self.registers[register]
        flat = {at + i: byte for at, data in self.registers.items() for i, byte in enumerate(data)}
        return bytes(flat.get((register + i) & 0xFF, self.rest) for i in range(length))

    def write(self, _register: int, _data: bytes) -> None:
        self.writes += 1


STRANGERS: dict[str, tuple[int, Table]] = {
    # The maker's other gauges, little-endian: 0x02 talrt, 0x04 atrate, 0x08 temperature, 0x0c qresidual.
    "MAX17055 at 25 °C": (0x36, Table({0x02: "807f", 0x04: "0000", 0x08: "0019", 0x0C: "1002"})),
    "24C32 EEPROM, empty": (0x57, Table({}, rest=0xFF)),
    "24C32 EEPROM with a text": (0x57, Table({0x00: b"holdfast 1.2.3 ".hex() * 17})),
    "DS3231 clock": (0x68, Table({0x00: "30451205280226", 0x0E: "1c88001940"})),
    "SHT21 humidity": (0x40, Table({}, rest=0xFF)),
    "HDC1080 humidity": (0x40, Table({0x00: "6640", 0x01: "5a00", 0x02: "1000", 0xFE: "5449", 0xFF: "1050"})),
    "PCA9685 PWM": (0x40, Table({0x00: "1104e2e4e8e0", 0xFE: "1e00"})),
    "INA260 at 14.8 V": (0x41, Table({0x00: "6127", 0x01: "0010", 0x02: "2e40", 0xFE: "5449", 0xFF: "2270"})),
    "TMP102 at 25 °C": (0x48, Table({0: "1900", 1: "60a0", 2: "4b00", 3: "5000"}, pointer=True)),
    "ADS1115": (0x48, Table({0: "1a2b", 1: "8583", 2: "8000", 3: "7fff"}, pointer=True)),
    "LM75 at 25 °C": (0x4F, Table({0: "1900", 1: "00", 2: "4b00", 3: "5000"}, pointer=True)),
    "PCF8591 ADC": (0x48, Table({}, rest=0x80)),
    "an EEPROM at 0x55": (0x55, Table({0x00: b"serial 000123".hex()}, rest=0xFF)),
    "IP5306 power bank": (0x75, Table({0x00: "37170000", 0x70: "08083c", 0x78: "f0"})),
    "a silent controller": (0x14, Table({}, rest=0x00)),
    "a controller of another maker at 0x2D": (0x2D, Table({0x00: "0b01"})),
    "a smart charger at 0x0B": (0x0B, Table({}, rest=0xFF)),
}
"""Chips that share an address with a battery board, as their data sheets have them after power-up."""


@pytest.mark.parametrize("name", sorted(set(BOARDS) - UNSURE - set(WAVESHARE)))
async def test_a_board_is_known_by_what_it_says(name: str) -> None:
    chip = chip_of(name, charge=0.5, mains=False)
    found = await on_bus({BOARDS[name].address: chip}, detect)
    assert [(c.board, c.address, c.sure) for c in found] == [(name, BOARDS[name].address, True)]
    assert not chip.writes


@pytest.mark.parametrize("name", sorted(WAVESHARE))
async def test_a_bare_monitor_is_said_to_be_a_board_that_carries_one_there(name: str) -> None:
    chip = chip_of(name, charge=0.5)
    (found,) = await on_bus({BOARDS[name].address: chip}, detect)
    assert (found.board, found.sure) == ("ina219", True)
    assert name in found.wired


@pytest.mark.parametrize("name", sorted(UNSURE))
async def test_a_board_without_an_identity_to_read_is_unsure(name: str) -> None:
    chip = chip_of(name, charge=0.5)
    found = await on_bus({BOARDS[name].address: chip}, detect)
    assert name in [candidate.board for candidate in found]
    assert not any(candidate.sure for candidate in found)
    assert not chip.writes


async def test_two_boards_that_could_both_be_it_are_both_unsure() -> None:
    chip = chip_of("pisugar2", charge=0.5)
    chip.overlay[0xD0] = b"\0\x10"
    found = await on_bus({pisugar.ADDRESS_2: chip}, detect)
    assert [(c.board, c.sure) for c in found] == [("pisugar2", False), ("pisugar2pro", False)]


@pytest.mark.parametrize(("name", "register", "data"), [("ina219", ina.CONFIG, "0eef"), ("max1704x", 0x0C, "5c1c")])
async def test_a_chip_that_was_configured_is_unsure(name: str, register: int, data: str) -> None:
    chip = chip_of(name, charge=0.5)
    chip.overlay[register] = bytes.fromhex(data)
    (found,) = await on_bus({BOARDS[name].address: chip}, detect)
    assert isinstance(found, Candidate)
    assert (found.board, found.sure) == (name, False)


async def test_an_alert_does_not_make_a_gauge_unsure() -> None:
    chip = chip_of("max1704x", charge=0.02)
    chip.overlay[max17048.CONFIG] = bytes.fromhex("973c")
    (found,) = await on_bus({max17048.ADDRESS: chip}, detect)
    assert found.sure


@pytest.mark.parametrize("name", sorted(STRANGERS))
async def test_no_other_chip_is_surely_a_battery_board_and_none_is_written_to(name: str) -> None:
    address, chip = STRANGERS[name]
    found = await on_bus({address: chip}, detect)
    assert not [candidate for candidate in found if candidate.sure]
    assert chip.writes == 0


@pytest.mark.parametrize("name", ["INA260 at 14.8 V", "HDC1080 humidity", "24C32 EEPROM, empty", "DS3231 clock"])
async def test_what_says_that_it_is_another_is_not_told_at_all(name: str) -> None:
    address, chip = STRANGERS[name]
    assert not await on_bus({address: chip}, detect)


async def test_a_whole_bus_of_boards_and_strangers_is_read_and_never_written_to() -> None:
    boards = {board.address: chip_of(name, charge=0.5) for name, board in BOARDS.items()}
    strangers = {address: chip for address, chip in STRANGERS.values() if address not in boards}
    found = await on_bus({**boards, **strangers}, detect)
    assert {c.address for c in found if c.sure} >= set(boards) - {0x55, 0x75}
    assert not [chip for chip in boards.values() if chip.writes]
    assert not [chip for chip in strangers.values() if chip.writes]


async def test_the_kernels_chip_is_told_to_be_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken(MemoryBus):
        def read_word_data(self, i2c_addr: int, register: int) -> int:
            if i2c_addr == max17048.ADDRESS:
                raise OSError(errno.EBUSY, "busy")
            return super().read_word_data(i2c_addr, register)

    monkeypatch.setattr(i2c, "SYSFS", tmp_path)
    (tmp_path / "1-0036/driver").mkdir(parents=True)
    bus = I2CBus(Taken({}), name="/dev/i2c-1")
    (found,) = await detect(bus)
    assert (found.board, found.address) == (KERNEL, 0x36)
    await bus.close()


async def test_a_bus_that_hangs_is_told() -> None:
    chip = chip_of("lc709203f")
    chip.fault = Fault.STUCK
    with pytest.raises(DeviceError, match="bus_stuck"):
        await on_bus({BOARDS["lc709203f"].address: chip}, detect)


@given(data=st.binary(max_size=400), address=st.integers(0x03, 0x77))
@settings(max_examples=60, deadline=None)
async def test_detection_survives_any_chip_and_never_writes(data: bytes, address: int) -> None:
    chip = Fuzz(data)
    await on_bus({address: chip}, detect)
    assert chip.writes == 0
