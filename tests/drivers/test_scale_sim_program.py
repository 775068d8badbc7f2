"""`holdfast-sim scale`: a scale for anybody's code, and what a hand may do to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.scales import cas, toledo
from holdfast_drivers.scales.base import ScaleProtocol
from holdfast_drivers.scales.driver import Limits, Scale
from holdfast_drivers.sim import read_scenario
from holdfast_drivers.values import DeviceError, ScaleState

SCENARIO = Path(__file__).parents[2] / "docs/scenarios/restless-scale.toml"
QUICK = Limits(answer=0.5, quiet=0.02)


class Program:
    """The simulator as a process; `do` waits until a line is obeyed."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def heard(self) -> dict[str, object]:
        assert self._child.stdout is not None
        told: dict[str, object] = json.loads(await asyncio.wait_for(self._child.stdout.readline(), 20))
        return told

    async def do(self, line: str) -> dict[str, object]:
        """What it says before `done`, or how it refuses."""
        assert self._child.stdin is not None
        self._child.stdin.write(line.encode() + b"\n")
        said: dict[str, object] = {}
        while (event := await self.heard())["event"] not in ("done", "refused"):
            said = event
        return said or event


@asynccontextmanager
async def program(port: Path, *arguments: str) -> AsyncIterator[Program]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "holdfast_drivers.sim", "scale", "--pty", str(port), *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    playing = Program(child)
    assert await playing.heard() == {"event": "ready", "path": str(port)}
    try:
        yield playing
    finally:
        assert child.stdin is not None
        child.stdin.write(b"quit\n")
        assert await asyncio.wait_for(child.wait(), 20) == 0


@pytest.mark.parametrize(("name", "protocol"), [("toledo", toledo.protocol()), ("cas", cas.PROTOCOL)])
async def test_a_hand_at_the_scale(tmp_path: Path, name: str, protocol: ScaleProtocol) -> None:
    port = tmp_path / "scale"
    async with program(port, "--protocol", name, "--division", "5") as playing:
        async with Scale(serial_opener(str(port), bytesize=7, parity="E"), protocol, limits=QUICK) as scale:
            await playing.do("put 251")
            reading = await scale.read()
            assert reading.weight is not None
            assert reading.weight.grams == 250, "in steps of five grams"
            await playing.do("shake")
            assert (await scale.read()).state is ScaleState.WEIGHT_UNSTABLE
            await playing.do("rest")
            await playing.do("silent on")
            assert (await scale.read()).state is ScaleState.UNKNOWN
            await playing.do("silent off")
            assert (await playing.do("state"))["shown"] == 250
            assert (await playing.do("dance"))["event"] == "refused"
            assert (await playing.do("silent perhaps"))["event"] == "refused"
            await playing.do("unplug")
            with pytest.raises(DeviceError, match="unplugged"):
                await scale.read()
        assert (await playing.do("silent on"))["event"] == "refused", "nobody is silent who is not there"
        assert (await playing.do("plug"))["event"] == "ready"


def test_the_scenario_plays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "holdfast_drivers.sim", "scale", "--pty", str(tmp_path / "s"), "--scenario",
         str(SCENARIO), "--scenario-speed", "50", "--then-quit"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.splitlines()]
    obeyed = [event["command"] for event in events if event["event"] == "done"]
    assert obeyed == [line for step in read_scenario(SCENARIO, "scale") for line in step.lines]
    assert "refused" not in [event["event"] for event in events]
