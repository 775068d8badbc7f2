"""The hub's scales: the configured protocol on a real PTY, what a sale gets of them, and how they are said to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import ConfigError, parse
from holdfast.devices import scale as module
from holdfast.devices.health import HealthBoard
from holdfast.devices.scale import ScaleDevice
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.runtime.supervise import restarted
from holdfast_contract.reasons import words
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.scales.simulator import KINDS, ScaleSimulator
from holdfast_drivers.values import DeviceError, DeviceState, ScaleReading, ScaleState, Tri

HUB: dict[str, Any] = {"hub": {"id": "pier-7", "code": "P7", "name": "Pier 7"}, "stations": [{"name": "t1"}]}


def options(port: str = "/dev/x", **keys: Any) -> Any:
    return parse(HUB | {"scales": [{"name": "scale", "station": "t1", "serial": {"port": port}, **keys}]}).scales[0]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)


@dataclass
class Plugged:
    device: ScaleDevice
    simulator: ScaleSimulator
    health: HealthBoard
    pty: Pty
    weights: list[str] = field(default_factory=list)
    states: list[DeviceState] = field(default_factory=list)
    """In the order they came."""

    @property
    def state(self) -> DeviceState:
        return self.health["scale"].state

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110 - the far end of a PTY gives no signal
                await asyncio.sleep(0.005)


@asynccontextmanager
async def plugged(directory: Path, protocol: str = "toledo", **keys: Any) -> AsyncIterator[Plugged]:
    states: list[DeviceState] = []
    health = HealthBoard(SystemClock(), lambda now: states.append(now.state))
    weights: list[str] = []
    async with Pty(directory / "scale") as pty, KINDS[protocol](pty.link) as simulator:
        configured = options(pty.path, protocol=protocol, **keys)
        device = ScaleDevice(configured, health=health, weighed=weights.append)
        running = asyncio.create_task(
            restarted(
                "scale", device.run, clock=SystemClock(), backoff=Backoff(cap=0.05), expected=(DeviceError,),
                failed=lambda error: health.lost("scale", error),
            )
        )  # fmt: skip
        try:
            yield Plugged(device, simulator, health, pty, weights, states)
        finally:
            running.cancel()
            await asyncio.wait({running})


@pytest.mark.parametrize("protocol", KINDS)
async def test_it_is_online_once_it_has_answered_and_weighs(tmp_path: Path, protocol: str) -> None:
    async with plugged(tmp_path, protocol) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        health = at.health["scale"]
        assert (health.category, health.where) == ("Scale", at.pty.path)
        assert health.facts == {"station": "t1", "protocol": protocol, "online": "yes", "answers": "yes"}
        at.simulator.platform.load = 640
        reading = await at.device.weigh()
        assert reading.weight is not None
        assert (reading.weight.grams, at.weights) == (640, ["scale"])
        assert (await at.device.check())[0] is Tri.YES
        assert "0.640 kg" in (await at.device.check())[1]


async def test_an_open_port_that_says_nothing_is_no_scale(tmp_path: Path) -> None:
    """Peers call such a one connected."""
    async with plugged(tmp_path) as at:
        at.simulator.silent = True
        await at.until(lambda: at.health["scale"].reason == "timeout")
        assert at.state is DeviceState.OFF_OFFLINE
        assert DeviceState.ONLINE not in at.states
        assert (await at.device.weigh()).state is ScaleState.UNKNOWN
        assert words("timeout")
        at.simulator.silent = False
        await at.until(lambda: at.state is DeviceState.ONLINE)


async def test_a_printer_at_its_port_is_not_taken_for_it(tmp_path: Path) -> None:
    async with plugged(tmp_path) as at:
        at.simulator.parity = True  # bytes that no frame of this protocol has
        await at.until(lambda: at.state is DeviceState.OFF_OFFLINE)
        assert at.health["scale"].reason in ("garbled", "timeout")


async def test_a_scale_that_falls_silent_is_lost_and_comes_back_by_itself(tmp_path: Path) -> None:
    async with plugged(tmp_path) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.silent = True
        await at.until(lambda: at.state is DeviceState.OFF_OFFLINE)
        at.simulator.silent = False
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.platform.load = 100
        assert (await at.device.weigh()).weight is not None


async def test_unplugged_it_is_off_and_a_sale_is_told_at_once(tmp_path: Path) -> None:
    async with plugged(tmp_path) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        await at.pty.unplug()
        async with asyncio.timeout(5):
            assert (await at.device.weigh()).state is ScaleState.UNKNOWN
        await at.until(lambda: at.state is DeviceState.OFF)
        assert at.weights == []
        for order in (at.device.tare, at.device.zero):
            with pytest.raises(DeviceError, match="absent"):
                await order()


async def test_a_sale_that_gets_no_answer_has_it_looked_at_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 3600.0)
    async with plugged(tmp_path) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.silent = True
        assert (await at.device.weigh()).state is ScaleState.UNKNOWN
        await at.until(lambda: at.state is DeviceState.OFF_OFFLINE)


async def test_what_moves_for_longer_than_the_patience_is_said_to_move(tmp_path: Path) -> None:
    async with plugged(tmp_path, patience=0.1) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.platform.load, at.simulator.platform.moving = 500, True
        assert (await at.device.weigh()).state is ScaleState.WEIGHT_UNSTABLE


async def test_a_fault_of_its_own_is_offline_with_its_reason(tmp_path: Path) -> None:
    async with plugged(tmp_path, "cas") as at:
        at.simulator.platform.faulty = True
        await at.until(lambda: at.state is DeviceState.OFFLINE)
        assert at.health["scale"].reason == "scale_fault"
        assert (await at.device.check())[0] is Tri.NO
        at.simulator.platform.faulty = False
        await at.until(lambda: at.state is DeviceState.ONLINE)


async def test_tare_and_zero_pass_through(tmp_path: Path) -> None:
    async with plugged(tmp_path) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.platform.load = 80
        await at.device.tare()
        at.simulator.platform.load = 330
        reading = await at.device.weigh()
        assert reading.weight is not None
        assert (reading.weight.grams, reading.net) == (250, Tri.YES)
        with pytest.raises(DeviceError, match="refused"):
            await at.device.zero()


async def test_a_question_that_hangs_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.1)
    async with plugged(tmp_path) as at:
        await at.until(lambda: at.state is DeviceState.ONLINE)
        at.simulator.late = 0.8
        assert await at.device.weigh() == ScaleReading(detail="timeout")
        with pytest.raises(DeviceError, match="timeout"):
            await at.device.tare()


def test_its_line_is_7e1_unless_said_otherwise() -> None:
    serial = options().serial
    assert (serial.baudrate, serial.bytesize, serial.parity, serial.stopbits) == (9600, 7, "E", 1)
    assert options(serial={"port": "/dev/x", "parity": "N", "bytesize": 8}).serial.bytesize == 8


@pytest.mark.parametrize(
    ("scales", "path"),
    [
        ([{"name": "a", "station": "t2", "serial": {"port": "/dev/a"}}], "scales[0].station"),
        (
            [{"name": "a", "station": "t1", "serial": {"port": "/dev/a"}},
             {"name": "b", "station": "t1", "serial": {"port": "/dev/b"}}],
            "scales[1].station",
        ),
        ([{"name": "panel", "station": "t1", "serial": {"port": "/dev/a"}}], "scales[0].name"),
        ([{"name": "a", "station": "t1", "serial": {"port": "/dev/a"}, "protocol": "adam"}], "scales[0].protocol"),
        ([{"name": "a", "station": "t1", "serial": {"port": "/dev/a"}, "patience": 60}], "scales[0].patience"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_names_its_key(scales: list[dict[str, Any]], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(HUB | {"scales": scales})
    assert [where for where, _ in caught.value.problems] == [path]
