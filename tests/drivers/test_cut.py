"""The delayed cut: exactly what the makers' documents say is written, and nothing else."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.header import gpio_header
from holdfast_drivers.links.i2c import I2CBus
from holdfast_drivers.links.lines import Edge
from holdfast_drivers.links.registers import MemoryBus
from holdfast_drivers.nut.client import NutClient
from holdfast_drivers.ups import cut, pisugar
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.chips import SimulatedChip
from holdfast_drivers.ups.simulated import BOARDS
from holdfast_drivers.values import DeviceError


class ObedientChip(SimulatedChip):
    """One that repeats what was written."""

    def write(self, register: int, data: bytes) -> None:
        super().write(register, data)
        self.overlay[register] = data


def bus_with(name: str, *, obeys: bool = True, firmware: bytes = b"1.2.5") -> tuple[I2CBus, SimulatedChip]:
    board, kind = BOARDS[name], ObedientChip if obeys else SimulatedChip
    chip = kind(Battery(mains=False), board.registers)
    if name == "pisugar3":
        chip.overlay[pisugar.FIRMWARE] = firmware.ljust(pisugar.FIRMWARE_LENGTH, b"\0")
    return I2CBus(MemoryBus({board.address: chip})), chip


async def test_a_waveshare_e_is_told_and_says_so() -> None:
    bus, chip = bus_with("waveshare-e")
    await cut.cut_waveshare_e(bus)
    assert chip.writes == [(0x01, b"\x55")]
    await bus.close()


async def test_a_waveshare_e_that_does_not_take_it_is_told_of() -> None:
    bus, _ = bus_with("waveshare-e", obeys=False)
    with pytest.raises(DeviceError, match="says 0x0b"):
        await cut.cut_waveshare_e(bus)
    await bus.close()


async def test_a_pisugar_is_unlocked_told_and_locked_again() -> None:
    bus, chip = bus_with("pisugar3")
    chip.overlay[0x02] = b"\x64"
    await cut.cut_pisugar3(bus)
    assert chip.writes == [(0x0B, b"\x29"), (0x09, bytes([30])), (0x02, b"\x54"), (0x0B, b"\xff")]
    await bus.close()


async def test_an_older_pisugar_has_no_lock_and_the_oldest_no_cut() -> None:
    bus, chip = bus_with("pisugar3", firmware=b"1.1.0")
    await cut.cut_pisugar3(bus)
    assert [register for register, _ in chip.writes] == [0x09, 0x02]
    await bus.close()
    bus, chip = bus_with("pisugar3", firmware=b"1.0.5")
    with pytest.raises(DeviceError, match="older than"):
        await cut.cut_pisugar3(bus)
    assert chip.writes == []
    await bus.close()


async def test_a_pijuice_is_cut_only_once_it_will_wake_again() -> None:
    bus, chip = bus_with("pijuice")
    await cut.cut_pijuice(bus)
    assert chip.writes == [(0x63, bytes([20, 0xFF ^ 20])), (0x62, bytes([30, 0xFF ^ 30]))]
    await bus.close()
    bus, chip = bus_with("pijuice", obeys=False)
    chip.overlay[0x63] = bytes([0x7F, 0x80])
    with pytest.raises(DeviceError, match="would wake at 127"):
        await cut.cut_pijuice(bus)
    assert [register for register, _ in chip.writes] == [0x63]
    await bus.close()


async def test_a_geekworm_boards_line_is_held_two_seconds_and_let_go(tmp_path: Path) -> None:
    edges = list[Edge]()
    async with BenchServer(tmp_path / "bench", on_output=edges.append) as bench:
        began = time.monotonic()
        async with gpio_header(f"bench:{bench.path}") as header:
            await cut.cut_geekworm(header, 26)
        assert [(edge.line, edge.high) for edge in edges] == [(26, True), (26, False)]
        assert edges[1].at - edges[0].at >= cut.PULSE
        assert time.monotonic() - began >= cut.PULSE


class Upsd:
    """A NUT server with one UPS, as far as a cut needs it."""

    def __init__(self, delay: str | None) -> None:
        self.delay = delay
        self.heard: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            if line.startswith("LIST VAR"):
                rows = [f'VAR big ups.delay.shutdown "{self.delay}"'] if self.delay else []
                answer = "\n".join(["BEGIN LIST VAR big", *rows, "END LIST VAR big"])
            else:
                answer = "OK"
            writer.write(answer.encode() + b"\n")
        writer.close()


async def told(delay: str | None) -> Upsd:
    upsd = Upsd(delay)
    server = await asyncio.start_server(upsd.serve, "127.0.0.1", 0)
    async with server, NutClient("127.0.0.1", server.sockets[0].getsockname()[1]) as client:
        await client.authenticate("hub", "secret")
        try:
            await cut.cut_nut(client, "big")
            await cut.cancel_nut(client, "big")
        except DeviceError as error:
            upsd.heard.append(error.kind)
    return upsd


async def test_a_ups_is_told_to_return_and_can_be_told_otherwise() -> None:
    upsd = await told("30")
    assert upsd.heard[-2:] == ["INSTCMD big shutdown.return", "INSTCMD big shutdown.stop"]
    assert (await told(None)).heard[-2:] == upsd.heard[-2:], "its own delay is not known"


async def test_a_ups_that_would_cut_while_the_system_halts_is_not_told() -> None:
    upsd = await told("5")
    assert upsd.heard[-1] == "refused"
    assert not [line for line in upsd.heard if line.startswith("INSTCMD")]
