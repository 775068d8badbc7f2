"""Every battery board: the makers' vectors, its simulated chip over one battery, and registers that say anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_drivers.links import i2c
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.pec import read_pec
from holdfast_drivers.links.registers import MemoryBus, RegisterMap
from holdfast_drivers.ups import bq27441, ina, lc709203, pijuice, pisugar, sbs, waveshare_e
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.board import Gauge, PowerBoard
from holdfast_drivers.ups.bq27441 import Bq27441
from holdfast_drivers.ups.cells import AGREE, InferredMains, charge_from_voltage
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.ups.ina import INA219, INA226, INA3221, WAVESHARE, Ina, Wiring
from holdfast_drivers.ups.lc709203 import Lc709203
from holdfast_drivers.ups.max17048 import Max17048
from holdfast_drivers.ups.pijuice import PiJuice
from holdfast_drivers.ups.pisugar import IP5209, IP5312, PiSugar2, PiSugar3
from holdfast_drivers.ups.sbs import Sbs
from holdfast_drivers.ups.simulated import BOARDS
from holdfast_drivers.ups.waveshare_e import WaveshareE
from holdfast_drivers.values import DeviceError, PowerReading, Tri
from support.noise import Fuzz

CLOCK = partial(float, 7)
T = TypeVar("T")

DRIVERS: dict[str, Callable[[I2CBus], Gauge]] = {
    "max1704x": lambda b: Max17048(b, has_rate=True, clock=CLOCK),
    "ina219": lambda b: Ina(b, INA219, Wiring(0x40, cells=1, shunt_mohm=100), clock=CLOCK),
    "ina226": lambda b: Ina(b, INA226, Wiring(0x40, cells=1, shunt_mohm=10), clock=CLOCK),
    "ina3221": lambda b: Ina(b, INA3221, Wiring(0x40, cells=1, shunt_mohm=10), clock=CLOCK),
    **{name: lambda b, w=w: Ina(b, INA219, w, clock=CLOCK) for name, w in WAVESHARE.items()},  # type: ignore[misc]
    "waveshare-e": lambda b: WaveshareE(b, clock=CLOCK),
    "pisugar3": lambda b: PiSugar3(b, clock=CLOCK),
    "pisugar2": lambda b: PiSugar2(b, IP5209, clock=CLOCK),
    "pisugar2pro": lambda b: PiSugar2(b, IP5312, clock=CLOCK),
    "pijuice": lambda b: PiJuice(b, clock=CLOCK),
    "lc709203f": lambda b: Lc709203(b, clock=CLOCK),
    "sbs": lambda b: Sbs(b, cells=3, clock=CLOCK),
    "bq27441": lambda b: Bq27441(b, clock=CLOCK),
}
SEEN = sorted(set(BOARDS) - {"bq27441", "pisugar2", "pisugar2pro", *WAVESHARE})
"""Boards that reading alone identifies."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i2c, "RETRY_AFTER", 0.0)


def chip_of(name: str, **battery: float) -> SimulatedChip:
    return BOARDS[name].chip(Battery(cells=BOARDS[name].cells, **battery))  # type: ignore[arg-type]  # mains is a bool


async def read(name: str, chip: RegisterMap) -> PowerReading:
    return await on_bus({BOARDS[name].address: chip}, lambda bus: DRIVERS[name](bus).read())


async def on_bus(chips: dict[int, RegisterMap], work: Callable[[I2CBus], Awaitable[T]]) -> T:
    bus = I2CBus(MemoryBus(chips))
    try:
        return await work(bus)
    finally:
        await bus.close()


# Vectors from the makers' documents


def test_ina_vectors() -> None:
    assert ina.encode_bus(INA219, 7400) == 0x39D0
    assert ina.decode_bus(INA219, 0x39D0 | 0b11) == 7400, "the flags are no voltage"
    assert ina.decode_current(INA219, 0xFFFF, 100) == 0, "10 uV over 0.1 Ohm is 0.1 mA"
    assert ina.decode_current(INA219, 0xD8F0, 100) == -1000
    assert ina.decode_current(INA226, 0xF060, 10) == -1000
    assert ina.decode_bus(INA3221, 0x0E78) == 3704
    assert ina.decode_current(INA3221, 0xFF38, 100) == -10


def test_pisugar_2_vectors() -> None:
    assert pisugar.decode_voltage_2(0x00, 0x10) == 3700
    assert pisugar.decode_voltage_2(0xFF, 0x3F) == 2600, "one count below the middle"


def test_pijuice_checksum_and_the_bit_the_bus_loses() -> None:
    assert pijuice.checksum(bytes.fromhex("740e")) == 0x85
    assert pijuice.checked(bytes.fromhex("740e85")) == bytes.fromhex("740e")
    good = bytes.fromhex("b40e") + bytes([pijuice.checksum(bytes.fromhex("b40e"))])
    assert pijuice.checked(bytes([good[0] & 0x7F]) + good[1:]) == bytes.fromhex("b40e")
    with pytest.raises(DeviceError, match="garbled"):
        pijuice.checked(bytes.fromhex("740f85"))


@pytest.mark.parametrize("block", [b"\0" * 32, b"\xff" * 32, b"\x20" + b"a" * 31, b"\x03a\0c".ljust(32, b"\xff")])
def test_what_is_no_block_string(block: bytes) -> None:
    with pytest.raises(DeviceError, match="garbled"):
        sbs.decode_string(block)


# One battery behind every board


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("mains", [True, False])
async def test_a_board_tells_what_its_battery_is(name: str, mains: bool) -> None:
    chip = chip_of(name, charge=0.6, load_w=6.0, mains=mains)
    battery, reading = chip.battery, await read(name, chip)
    assert reading.at == 7
    assert reading.cell_mv == pytest.approx(battery.cell_mv, abs=5)
    assert reading.charge_permille == pytest.approx(600, abs=150 if reading.estimated else 5)
    if reading.current_ma is not None:
        assert reading.current_ma == pytest.approx(battery.current_a * 1000, abs=15)
        assert reading.pack_mv is not None
        assert reading.power_mw is not None
        assert reading.power_mw == pytest.approx(reading.pack_mv * reading.current_ma / 1000, abs=2)
    if reading.mains is not Tri.UNKNOWN:
        assert (reading.mains is Tri.YES) == mains
    assert not reading.stop_asked
    assert not chip.writes


async def test_temperature_where_it_is_measured() -> None:
    for name in ("pijuice", "lc709203f", "sbs", "bq27441"):
        assert (await read(name, chip_of(name, temperature_c=-7.0))).temperature_dc == -70


async def test_hat_e_with_a_silent_gauge_knows_only_the_mains() -> None:
    chip = chip_of("waveshare-e")
    chip.overlay[waveshare_e.STATE] = bytes([waveshare_e.USB_POWER, waveshare_e.CHARGER_OK])
    assert await read("waveshare-e", chip) == PowerReading(7, mains=Tri.YES)
    chip.overlay[waveshare_e.STATE] = bytes([waveshare_e.USB_POWER, 0])
    assert await read("waveshare-e", chip) == PowerReading(7)


async def test_hat_e_whose_pack_is_not_the_sum_of_its_cells_is_not_believed() -> None:
    chip = chip_of("waveshare-e")
    chip.overlay[waveshare_e.CELLS] = (3000).to_bytes(2, "little") * 4
    with pytest.raises(DeviceError, match="garbled"):
        await read("waveshare-e", chip)


async def test_pijuice_without_a_battery() -> None:
    chip = chip_of("pijuice")
    chip.overlay[pijuice.STATUS] = bytes([0x3C, pijuice.checksum(b"\x3c")])
    assert await read("pijuice", chip) == PowerReading(7, mains=Tri.YES)


async def test_lc709203_whose_crc_is_wrong_is_not_believed() -> None:
    chip = chip_of("lc709203f")
    chip.overlay[lc709203.CHARGE] = bytes.fromhex("0a0000")
    with pytest.raises(DeviceError, match="checksum"):
        await read("lc709203f", chip)


async def test_lc709203_that_counts_past_full_is_not_believed() -> None:
    chip = chip_of("lc709203f")
    past = (1001).to_bytes(2, "little")
    chip.overlay[lc709203.CHARGE] = past + bytes([read_pec(lc709203.ADDRESS, lc709203.CHARGE, past)])
    with pytest.raises(DeviceError, match="1001 permille"):
        await read("lc709203f", chip)


@pytest.mark.parametrize(
    ("specification", "checked"),
    [("3100", True), ("2100", False), ("1100", False), ("310099", False)],
)
async def test_a_smart_batterys_checksums_are_used_when_it_has_them_and_they_are_right(
    specification: str, checked: bool
) -> None:
    chip = chip_of("sbs")
    raw = bytes.fromhex(specification)
    chip.overlay[sbs.SPECIFICATION] = raw if len(raw) > 2 else raw + bytes([read_pec(sbs.ADDRESS, 0x1A, raw)])
    driver = await on_bus({sbs.ADDRESS: chip}, lambda bus: Sbs.detect(bus, cells=3))
    assert driver.pec == checked
    chip.overlay[sbs.VOLTAGE] = bytes.fromhex("305d00")

    async def read(bus: I2CBus) -> PowerReading:
        return await (await Sbs.detect(bus, cells=3)).read()

    if checked:
        with pytest.raises(DeviceError, match="checksum"):
            await on_bus({sbs.ADDRESS: chip}, read)


async def test_pisugar_3_whose_voltage_moves_under_the_reader_is_not_believed() -> None:
    class Moving(SimulatedChip):
        def read(self, register: int, length: int) -> bytes:
            if register == pisugar.VOLTAGE_LOW:
                self.overlay[pisugar.VOLTAGE_HIGH] = (0x0E00).to_bytes(2, "big")
            return super().read(register, length)

    with pytest.raises(DeviceError, match="moved"):
        await read("pisugar3", Moving(Battery(charge=1.0), pisugar.registers_3))


async def test_bq27441_that_lost_its_configuration_does_not_know_the_charge() -> None:
    chip = chip_of("bq27441")
    chip.overlay[bq27441.FLAGS] = (bq27441.BATTERY_SEEN | bq27441.CONFIGURATION_LOST).to_bytes(2, "little")
    reading = await read("bq27441", chip)
    assert (reading.charge_permille, reading.cell_mv) == (None, round(chip.battery.cell_mv))


async def test_bq27441_is_asked_for_its_type_only_when_it_looks_like_one() -> None:
    chip = chip_of("bq27441")
    chip.overlay[bq27441.TEMPERATURE] = b"\xff\x7f"
    with pytest.raises(DeviceError, match="no battery's temperature"):
        await on_bus({bq27441.ADDRESS: chip}, Bq27441.identified)
    assert not chip.writes
    del chip.overlay[bq27441.TEMPERATURE]
    await on_bus({bq27441.ADDRESS: chip}, Bq27441.identified)
    assert chip.writes == [(0, b"\x01\x00")]


async def test_a_smart_battery_that_will_open_its_switch_asks_for_the_stop() -> None:
    chip = chip_of("sbs")
    chip.overlay[sbs.STATUS] = (sbs.INITIALISED | sbs.STOP_DISCHARGING).to_bytes(2, "little")
    assert (await read("sbs", chip)).stop_asked


def test_the_direction_of_the_current_needs_agreement() -> None:
    mains = InferredMains()
    assert [mains.take(-900) for _ in range(AGREE)] == [Tri.UNKNOWN] * (AGREE - 1) + [Tri.NO]
    assert {mains.take(current) for current in (500, -900, 500, 500, 500, 500)} == {Tri.NO}
    assert mains.take(-100) is Tri.YES, "a full pack's current floats below zero"


def test_charge_by_voltage_is_monotonic_and_bounded() -> None:
    charges = [charge_from_voltage(mv) for mv in range(2500, 4501, 10)]
    assert charges == sorted(charges)
    assert (charges[0], charges[-1], charge_from_voltage(3720)) == (0, 1000, 500)


# Registers that say anything


@given(name=st.sampled_from(sorted(BOARDS)), data=st.binary(min_size=1, max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_registers_give_a_sane_reading_or_a_device_error(name: str, data: bytes) -> None:
    chip = Fuzz(data)
    try:
        reading = asyncio.run(read(name, chip))
    except DeviceError:
        return
    assert chip.writes == 0
    assert reading.cell_mv is None or 2500 <= reading.cell_mv <= 4500
    assert reading.charge_permille is None or 0 <= reading.charge_permille <= 1000


# As one stream


async def test_without_a_line_the_gauges_word_on_mains_counts() -> None:
    chip = chip_of("pisugar3", mains=False)

    async def first(bus: I2CBus) -> PowerReading:
        async for reading in PowerBoard(PiSugar3(bus)).readings():
            return reading
        raise AssertionError

    assert (await on_bus({pisugar.ADDRESS_3: chip}, first)).mains is Tri.NO
