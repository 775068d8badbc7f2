"""Which battery boards are on a bus, by reading alone: nothing is written to a chip that nobody has named.

Where several kinds of chip share an address, what a chip says decides; where it cannot, every candidate is unsure and
the configuration decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.ups import bq27441, ina, lc709203, max17048, pijuice, pisugar, sbs, waveshare_e
from holdfast_drivers.ups.cells import PLAUSIBLE_MV
from holdfast_drivers.ups.ina import CONFIG, INA219, INA219_AT_START, INA226, INA3221, WAVESHARE, Part
from holdfast_drivers.values import DeviceError

PACK_MV = range(2500, 18_001)
"""One to four cells in series, for a monitor that does not know how many."""
KERNEL = "kernel"
"""In place of a board: a driver of the kernel has the chip, and nobody else may read it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A board that may stand at an address."""

    board: str
    """As in the configuration; or KERNEL."""
    address: int
    evidence: str
    """What it said that the board would say."""
    sure: bool = True
    """False: another chip could have said the same, or more than one board answers to this address."""
    wired: tuple[str, ...] = ()
    """Boards of the configuration that carry such a chip at this address; their wiring cannot be seen."""


Probe = Callable[[I2CBus, int], Awaitable[Candidate]]
"""Raises DeviceError when it is not this board, or nothing answers."""


async def detect(bus: I2CBus) -> list[Candidate]:
    """Every board found, by address. Raises DeviceError: `unplugged`, `bus_stuck`, `refused` by the bus itself."""
    found: list[Candidate] = []
    for address, probes in sorted(PROBES.items()):
        here = await _at(bus, address, probes)
        found += here if len(here) == 1 else [replace(candidate, sure=False) for candidate in here]
    return found


async def _at(bus: I2CBus, address: int, probes: tuple[Probe, ...]) -> list[Candidate]:
    here = []
    for probe in probes:
        try:
            here.append(await probe(bus, address))
        except DeviceError as error:
            if error.kind == "absent":
                break
            if error.kind == "busy":
                return [Candidate(KERNEL, address, "a driver of the kernel has it: take its overlay out of config.txt")]
            if error.kind in ("unplugged", "bus_stuck", "refused"):
                raise
    return here


async def _max1704x(bus: I2CBus, address: int) -> Candidate:
    """Other gauges of the maker at this address (MAX17055, MAX17262) count in other registers, by which a VERSION and a
    voltage can come out by chance; a CONFIG that was never written to cannot.
    """
    reading = await (await max17048.Max17048.detect(bus)).read()
    config = await bus.read_word_be(address, max17048.CONFIG)
    fresh = config & ~max17048.CONFIG_LIVE in max17048.CONFIG_AT_START
    return Candidate("max1704x", address, f"VERSION, CONFIG 0x{config:04x}, {reading.cell_mv} mV", sure=fresh)


async def _waveshare_e(bus: I2CBus, address: int) -> Candidate:
    await waveshare_e.WaveshareE.detect(bus)
    return Candidate("waveshare-e", address, "its identity and four working cells")


async def _pisugar3(bus: I2CBus, address: int) -> Candidate:
    await pisugar.PiSugar3.detect(bus)
    return Candidate("pisugar3", address, "a firmware version and a working cell")


def _pisugar2(chip: pisugar.Chip2) -> Probe:
    async def probe(bus: I2CBus, address: int) -> Candidate:
        reading = await pisugar.PiSugar2(bus, chip).read()
        return Candidate(chip.name, address, f"{reading.cell_mv} mV; the chip has no identity", sure=False)

    return probe


async def _pijuice(bus: I2CBus, address: int) -> Candidate:
    await pijuice.PiJuice.detect(bus)
    return Candidate("pijuice", address, "checksums of firmware version and sample")


async def _sbs(bus: I2CBus, address: int) -> Candidate:
    return Candidate("sbs", address, f"made by {await sbs.maker(bus)!r}")


async def _lc709203f(bus: I2CBus, address: int) -> Candidate:
    await lc709203.Lc709203.detect(bus)
    return Candidate("lc709203f", address, "CRCs of a sample")


async def _bq27441(bus: I2CBus, address: int) -> Candidate:
    """It would name itself, but only when asked by a write."""
    shown = await bq27441.looks_like(bus)
    return Candidate("bq27441", address, f"{shown}; it is asked for its type once it is configured", sure=False)


def _ina(part: Part) -> Probe:
    async def probe(bus: I2CBus, address: int) -> Candidate:
        await ina.identify(bus, part, address)
        return Candidate(part.name, address, "manufacturer and die")

    return probe


async def _ina219(bus: I2CBus, address: int) -> Candidate:
    """Last at its address: it has no identity, only a configuration few others start with."""
    config = await bus.read_word_be(address, CONFIG)
    pack_mv = ina.decode_bus(INA219, await bus.read_word_be(address, ina.BUS))
    if config in (0, 0xFFFF) or pack_mv not in PACK_MV:
        raise DeviceError("garbled", f"0x{config:04x}, {pack_mv} mV")
    fresh = config == INA219_AT_START
    wired = tuple(
        board
        for board, wiring in WAVESHARE.items()
        if wiring.address == address and pack_mv // wiring.cells in PLAUSIBLE_MV
    )
    return Candidate("ina219", address, f"configuration 0x{config:04x}, {pack_mv} mV", sure=fresh, wired=wired)


async def _unless_marked(bus: I2CBus, address: int) -> Candidate:
    """An INA219 where no Texas Instruments part with an identity stands."""
    if await bus.read_word_be(address, ina.MANUFACTURER) == ina.TEXAS_INSTRUMENTS:
        raise DeviceError("garbled", "a marked part")
    return await _ina219(bus, address)


PROBES: dict[int, tuple[Probe, ...]] = {
    lc709203.ADDRESS: (_sbs, _lc709203f),
    pijuice.ADDRESS: (_pijuice,),
    waveshare_e.ADDRESS: (_waveshare_e,),
    max17048.ADDRESS: (_max1704x,),
    **{address: (_ina(INA226), _ina(INA3221), _unless_marked) for address in range(0x40, 0x44)},
    **{address: (_ina(INA226), _unless_marked) for address in range(0x44, 0x50)},
    bq27441.ADDRESS: (_bq27441,),
    pisugar.ADDRESS_3: (_pisugar3,),
    pisugar.ADDRESS_2: (_pisugar2(pisugar.IP5209), _pisugar2(pisugar.IP5312)),
}
