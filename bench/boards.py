"""Battery boards: processor time and bus traffic of each, read once a second as on battery; beside a sleeping loop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from holdfast_drivers.links.bench import BenchServer
from holdfast_drivers.links.registers import RegisterMap
from holdfast_drivers.nut.sim import NAME, SimulatedUps
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.ups.ina import INA219, INA226, INA3221
from holdfast_drivers.ups.simulated import BOARDS, SimulatedBoard
from idle import BARE, LIMIT_PERCENT, READY, percents
from measure import Beside, Row, Run

READER = f"""
import asyncio, sys
from contextlib import AsyncExitStack
import msgspec
from holdfast.config import Power
from holdfast.devices.power.gauges import open_gauge
from holdfast_drivers.ups.board import PowerBoard
async def main():
  async with AsyncExitStack() as stack:
    clock = asyncio.get_running_loop().time
    gauge = await open_gauge(msgspec.json.decode(sys.argv[1], type=Power), stack, clock)
{READY}    async for reading in PowerBoard(gauge, clock=clock).readings():
        pass
asyncio.run(main())
"""
ADDRESSED = 3
"""Bytes of a read besides its data: address, register, address again."""
BITS = 9
"""A byte and its acknowledge."""
BUS_HZ = 100_000
MONITORS = {part.name for part in (INA219, INA226, INA3221)}


class Counted:
    """A chip, and what went over its bus."""

    def __init__(self, chip: RegisterMap) -> None:
        self._chip = chip
        self.transfers = 0
        self.bytes = 0

    def read(self, register: int, length: int) -> bytes:
        self.transfers += 1
        self.bytes += ADDRESSED + length
        return self._chip.read(register, length)

    def write(self, register: int, data: bytes) -> None:
        self._chip.write(register, data)


async def run(bench: Run) -> list[Row]:
    seconds = bench.pick(60, 10)
    async with AsyncExitStack() as stack:
        chips = {}
        programs: list[tuple[str, ...]] = [(BARE,)]
        for name, board in BOARDS.items():
            socket = bench.sockets / f"{name}.sock"
            chips[name] = await stack.enter_async_context(_hosted(socket, board))
            programs.append((READER, json.dumps(_configured(name, board, socket))))
        ups = SimulatedUps(_in_use(4))
        server = await stack.enter_async_context(ups.server(0))
        programs.append((READER, json.dumps({"board": "nut", "nut_ups": f"{NAME}@127.0.0.1:{server.port}"})))
        began: dict[str, tuple[int, int]] = {}

        def settled() -> None:
            began.update({name: (chip.transfers, chip.bytes) for name, chip in chips.items()})

        bare, *ours = await percents(seconds, programs, settled)
        traffic = {
            name: tuple(now - then for now, then in zip((chip.transfers, chip.bytes), began[name], strict=True))
            for name, chip in chips.items()
        }
    return [
        _row(name, percent, bare, traffic.get(name), seconds)
        for name, percent in zip([*BOARDS, "nut"], ours, strict=True)
    ]


def _row(name: str, percent: float, bare: float, traffic: tuple[int, ...] | None, seconds: int) -> Row:
    note = "one LIST VAR a second over loopback"
    if traffic is not None:
        transfers, wire = (count * 60 / seconds for count in traffic)
        share = wire * BITS / BUS_HZ / 60
        note = f"{transfers:.0f} transfers, {wire:.0f} bytes a minute: {share:.2%} of the bus"
    return Row(
        what=f"board {name}, read once a second",
        value=percent,
        unit="% of a core",
        beside=(Beside("an asyncio loop that sleeps by the second", bare),),
        goal=f"<= {LIMIT_PERCENT:g} %",
        met=percent <= LIMIT_PERCENT,
        note=note,
    )


@asynccontextmanager
async def _hosted(socket: Path, board: SimulatedBoard) -> AsyncIterator[Counted]:
    chip = Counted(board.chip(_in_use(board.cells)))
    async with BenchServer(socket, {board.address: chip}, on_output=lambda _: None):
        yield chip


def _in_use(cells: int) -> Battery:
    return Battery(cells=cells, charge=0.6, mains=False)


def _configured(name: str, board: SimulatedBoard, socket: Path) -> dict[str, Any]:
    power: dict[str, Any] = {"board": name, "bus": f"bench:{socket}"}
    if name in MONITORS:
        power |= {"address": board.address, "cells": board.cells, "shunt_mohm": 100.0 if name == "ina219" else 10.0}
    return power | ({"cells": board.cells} if name == "sbs" else {})
