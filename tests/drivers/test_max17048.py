"""The gauge's registers, its driver, and the simulated chip the driver cannot tell from one."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_drivers.links import i2c
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.registers import MemoryBus, Nack
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import Fault, SimulatedChip
from holdfast_drivers.ups.max17048 import (
    ADDRESS,
    CRATE,
    SOC,
    VCELL,
    VERSION,
    Max17048,
    decode_crate,
    decode_soc,
    decode_vcell,
    encode_crate,
    encode_soc,
    encode_vcell,
    identify,
    registers,
)
from holdfast_drivers.values import DeviceError, PowerReading, Tri

words = st.integers(0, 0xFFFF)


class Words:
    """A chip whose 16-bit registers are set outright."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words

    def read(self, register: int, length: int) -> bytes:
        return self.words.get(register, 0).to_bytes(2, "big")[:length]

    def write(self, register: int, data: bytes) -> None:
        pytest.fail(f"the driver wrote {data.hex()} to 0x{register:02x}")


def bus_of(chip: Words | SimulatedChip) -> I2CBus:
    return I2CBus(MemoryBus({ADDRESS: chip}))


# The codec


def test_vectors() -> None:
    assert encode_vcell(3700) == 0xB900
    assert decode_vcell(0xB900) == 3700
    assert decode_vcell(0xB90F & 0xFFF0) == 3700, "a 12-bit part's word"
    assert decode_soc(0x5000) == 800
    assert decode_soc(0x6600) == 1000, "102 % is clamped"
    assert decode_soc(0xA000, doubled=True) == 800
    assert decode_crate(0x0030) == 100
    assert decode_crate(0xFFFF) == -2
    assert encode_crate(-1000) == 0x10000 - 481


@given(st.floats(2500, 4500))
def test_vcell_round_trip(cell_mv: float) -> None:
    assert abs(decode_vcell(encode_vcell(cell_mv)) - cell_mv) <= 0.55


@given(st.floats(0, 1))
def test_soc_round_trip(charge: float) -> None:
    assert abs(decode_soc(encode_soc(charge)) - charge * 1000) <= 0.6


@given(words)
def test_crate_round_trip(raw: int) -> None:
    assert encode_crate(decode_crate(raw)) == raw


@pytest.mark.parametrize("raw", [0x0000, 0x7CF0, 0xE200, 0xFFFF])
def test_a_cell_that_cannot_be_is_garbled(raw: int) -> None:
    with pytest.raises(DeviceError, match="garbled"):
        decode_vcell(raw)


@pytest.mark.parametrize(("version", "has_rate"), [(0x0010, True), (0x0012, True), (0x001F, True), (0x0003, False)])
def test_the_version_tells_who_has_a_rate(version: int, has_rate: bool) -> None:
    assert identify(version) is has_rate


@pytest.mark.parametrize("version", [0x0000, 0xFFFF])
def test_no_version_is_no_gauge(version: int) -> None:
    with pytest.raises(DeviceError, match="garbled"):
        identify(version)


# The driver


async def test_reads_the_pack_behind_the_chip() -> None:
    battery = Battery(charge=0.42, load_w=6, mains=False, capacity_mah=6000)
    battery.step(1)
    bus = bus_of(SimulatedChip(battery, registers))
    gauge = await Max17048.detect(bus, clock=lambda: 12.5)
    reading = await gauge.read()
    assert reading == PowerReading(
        at=12.5,
        cell_mv=round(battery.cell_mv),
        charge_permille=420,
        rate_permille_per_hour=decode_crate(encode_crate(battery.permille_per_hour)),
        mains=Tri.UNKNOWN,
    )
    assert reading.rate_permille_per_hour is not None
    assert reading.rate_permille_per_hour < -200
    await bus.close()


async def test_an_older_part_has_no_rate() -> None:
    bus = bus_of(Words({VCELL: 0xB900, SOC: 0x3200, VERSION: 0x0003, CRATE: 0x1234}))
    gauge = await Max17048.detect(bus)
    assert (await gauge.read()).rate_permille_per_hour is None
    await bus.close()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({}, "garbled"),
        ({VERSION: 0x0012}, "garbled"),
        ({VERSION: 0xFFFF, VCELL: 0xB900, SOC: 0x3200}, "garbled"),
        ({VERSION: 0x0012, VCELL: 0xFFFF, SOC: 0x3200}, "garbled"),
        ({VERSION: 0x0012, VCELL: 0xB900, SOC: 0xFFFF}, "garbled"),
    ],
)
async def test_what_is_no_gauge_is_not_taken_for_one(words: dict[int, int], kind: str) -> None:
    bus = bus_of(Words(words))
    with pytest.raises(DeviceError) as caught:
        await Max17048.detect(bus)
    assert caught.value.kind == kind
    await bus.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.NACK, "absent"), (Fault.STUCK, "bus_stuck"), (Fault.ONES, "garbled")],
)
async def test_a_gauge_that_fails_raises_and_comes_back(
    fault: Fault, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i2c, "PAUSE", 0.0)
    chip = SimulatedChip(Battery(), registers)
    bus = bus_of(chip)
    gauge = await Max17048.detect(bus)
    chip.fault = fault
    with pytest.raises(DeviceError) as caught:
        await gauge.read()
    assert caught.value.kind == kind
    chip.fault = Fault.NONE
    assert (await gauge.read()).charge_permille == 1000
    await bus.close()


async def test_a_gauge_that_lies_is_still_read_with_its_voltage() -> None:
    battery = Battery(charge=0.5)
    chip = SimulatedChip(battery, registers)
    bus = bus_of(chip)
    gauge = await Max17048.detect(bus)
    chip.fault = Fault.ZERO
    low = await gauge.read()
    chip.fault = Fault.FULL
    high = await gauge.read()
    assert (low.charge_permille, high.charge_permille) == (0, 1000)
    assert low.cell_mv == high.cell_mv == 3720 + 80, "2 A of charge through 40 milliohm"
    await bus.close()


async def test_neither_detecting_nor_reading_writes() -> None:
    chip = SimulatedChip(Battery(), registers)
    bus = bus_of(chip)
    gauge = await Max17048.detect(bus)
    await gauge.read()
    assert chip.writes == []
    await bus.close()


@given(version=words, vcell=words, soc=words, crate=words, doubled=st.booleans())
async def test_no_registers_crash_the_driver(version: int, vcell: int, soc: int, crate: int, doubled: bool) -> None:
    bus = bus_of(Words({VERSION: version, VCELL: vcell, SOC: soc, CRATE: crate}))
    gauge = Max17048(bus, has_rate=True, doubled=doubled)
    outcomes = await asyncio.gather(Max17048.detect(bus, doubled=doubled), gauge.read(), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, PowerReading):
            assert 2500 <= (outcome.cell_mv or 0) <= 4500
            assert 0 <= (outcome.charge_permille or 0) <= 1000
        elif not isinstance(outcome, Max17048):
            assert isinstance(outcome, DeviceError)
            assert outcome.kind == "garbled"
    await bus.close()


# The simulated chip


def test_a_block_read_of_the_chip_is_its_words_in_a_row() -> None:
    chip = SimulatedChip(Battery(charge=0.5), registers)
    assert chip.read(VCELL, 4) == chip.read(VCELL, 2) + chip.read(SOC, 2)
    assert chip.read(VERSION, 2) == bytes([0x00, 0x12])
    chip.fault = Fault.NACK
    with pytest.raises(Nack):
        chip.read(VCELL, 2)
