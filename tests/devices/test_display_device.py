"""The hub's customer displays on a real PTY: the newest is shown, a lost one comes back with it, nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from holdfast.config import ConfigError, parse
from holdfast.devices import display as module
from holdfast.devices.display import DisplayDevice, language
from holdfast.devices.health import HealthBoard
from holdfast.runtime.backoff import Backoff
from holdfast.runtime.clock import SystemClock
from holdfast.runtime.supervise import restarted
from holdfast_drivers.displays.commands import Dialect, Language
from holdfast_drivers.displays.driver import LineDisplay
from holdfast_drivers.displays.simulator import DisplaySimulator
from holdfast_drivers.links.pty import Pty
from holdfast_drivers.values import Columns, DeviceError, DeviceState, Tri

HUB: dict[str, Any] = {"hub": {"id": "pier-7", "code": "P7", "name": "Pier 7"}, "stations": [{"name": "t1"}]}
TEA, TOTAL = Columns("Tea", "1.20"), Columns("Total", "1.20")
SHOWN = ("Tea             1.20", "Total           1.20")


def options(port: str = "/dev/x", **keys: Any) -> Any:
    return parse(HUB | {"displays": [{"name": "pole", "station": "t1", "serial": {"port": port}, **keys}]}).displays[0]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - the far end of a PTY gives no signal
            await asyncio.sleep(0.005)


@asynccontextmanager
async def standing(pty: Pty, **keys: Any) -> AsyncIterator[tuple[DisplayDevice, HealthBoard]]:
    health = HealthBoard(SystemClock())
    device = DisplayDevice(options(pty.path, **keys), health=health)
    running = asyncio.create_task(
        restarted(
            "pole", device.run, clock=SystemClock(), backoff=Backoff(cap=0.05), expected=(DeviceError,),
            failed=lambda error: health.lost("pole", error),
        )
    )  # fmt: skip
    try:
        yield device, health
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.parametrize("dialect", ["epson", "cd5220"])
async def test_it_shows_what_it_is_given_also_what_it_was_given_before(tmp_path: Path, dialect: str) -> None:
    async with Pty(tmp_path / "pole") as pty, DisplaySimulator(pty.link) as simulator:
        async with standing(pty, dialect=dialect) as (device, health):
            device.show(TEA, TOTAL)
            await until(lambda: simulator.screen.lines == SHOWN)
            assert health["pole"].state is DeviceState.ONLINE
            assert (health["pole"].category, health["pole"].facts["answers"]) == ("LineDisplay", "unknown")
        await until(lambda: simulator.screen.lines == (" " * 20,) * 2)


async def test_the_newest_wins_and_giving_costs_nothing(tmp_path: Path) -> None:
    async with Pty(tmp_path / "pole") as pty, DisplaySimulator(pty.link) as simulator, standing(pty) as (device, _):
        for number in range(5000):
            device.show(Columns("x", str(number)), TOTAL)
        await until(lambda: simulator.screen.lines[0].endswith("4999"))
        assert simulator.screen.shown < 100 * 20, "what came meanwhile was never sent"


async def test_a_lost_display_comes_back_with_what_is_true_then(tmp_path: Path) -> None:
    async with Pty(tmp_path / "pole") as pty, standing(pty) as (device, health):
        async with DisplaySimulator(pty.link) as simulator:
            device.show(TEA, TOTAL)
            await until(lambda: simulator.screen.lines == SHOWN)
            await pty.unplug()
        await until(lambda: health["pole"].state is DeviceState.OFF)
        device.show(Columns("Coffee", "2.40"), TOTAL)
        await pty.plug()
        async with DisplaySimulator(pty.link) as simulator:
            await until(lambda: simulator.screen.lines[0].startswith("Coffee"))


async def test_one_that_takes_nothing_is_lost_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LineDisplay", partial(LineDisplay, write_timeout=0.1))
    async with Pty(tmp_path / "pole") as pty, standing(pty) as (device, health):
        await until(lambda: health["pole"].state is DeviceState.ONLINE)
        numbers = count()

        def rung() -> bool:
            device.show(Columns("x", str(next(numbers))), TOTAL)
            return health["pole"].reason == "timeout"

        await until(rung)


async def test_a_test_pattern_gives_way_to_the_sale_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TEST_SHOWN", 0.1)
    async with Pty(tmp_path / "pole") as pty, DisplaySimulator(pty.link) as simulator, standing(pty) as at:
        device, health = at
        assert await device.check() == (Tri.NO, "its port is not open")
        await until(lambda: health["pole"].state is DeviceState.ONLINE)
        device.show(TEA, TOTAL)
        await until(lambda: simulator.screen.lines == SHOWN)
        checking = asyncio.create_task(device.check())
        await until(lambda: simulator.screen.lines == ("ABCDEFGHIJKLMNOPQRST", "01234567890123456789"))
        assert (await checking)[0] is Tri.UNKNOWN
        await until(lambda: simulator.screen.lines == SHOWN)


def test_how_it_is_spoken_to() -> None:
    assert language(options()) == Language()
    assert language(options(dialect="cd5220")) == Language(Dialect.CD5220, ())
    assert language(options(code_pages=["cp858", "cp866"])) == Language(Dialect.EPSON, ("cp858", "cp866"))


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"station": "t2"}, "displays[0].station"),
        ({"code_pages": ["cp037"]}, "displays[0].code_pages[0]"),
        ({"dialect": "cd5220", "code_pages": ["cp437", "cp850"]}, "displays[0].code_pages"),
        ({"idle": ["a", "b", "c"]}, "displays[0].idle"),
        ({"name": "battery"}, "displays[0].name"),
    ],
)
def test_a_configuration_that_cannot_be_names_its_key(keys: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options(**keys)
    assert [where for where, _ in caught.value.problems] == [path]


def test_a_station_has_one_display() -> None:
    both = [{"name": name, "station": "t1", "serial": {"port": f"/dev/{name}"}} for name in ("a", "b")]
    with pytest.raises(ConfigError) as caught:
        parse(HUB | {"displays": both})
    assert [where for where, _ in caught.value.problems] == ["displays[1].station"]
