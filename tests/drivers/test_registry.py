"""Drivers from elsewhere: the documented example at work, and what broken ones may not do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from holdfast_drivers.links.base import Link
from holdfast_drivers.links.memory import memory_pair
from holdfast_drivers.registry import API, BUILT_IN, GROUP, Driver, load_drivers

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/writing-a-driver.md"
BROKEN = "raise RuntimeError('no such luck')"


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.fixture(autouse=True)
def _importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(HERE / "example_driver"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("acme_ring", "foreign"):
        sys.modules.pop(name, None)


def test_the_page_shows_what_is_tested() -> None:
    assert (HERE / "example_driver/acme_ring.py").read_text() in PAGE.read_text()


async def test_the_example_scans() -> None:
    driver = load_drivers([point("acme-ring", "acme_ring:DRIVER")])["acme-ring"]
    ours, device = memory_pair()

    async def opener() -> Link:
        await asyncio.sleep(0)
        return ours

    async with driver.make(opener, {"loud": False}) as scanner:
        for piece in (b"<40063813", b"33931", b"%02X>" % (sum(b"4006381333931") % 256), b"<bad00>", b"<A41>"):
            await device.write(piece, timeout=1)
        assert (await anext(scanner)).data == b"4006381333931"
        assert (await anext(scanner)).data == b"A"
        assert scanner.stats.garbled == 1
        await scanner.good_read(beeps=2)
        assert await device.read(10) == b".."
    with pytest.raises(ValueError, match="volume"):
        driver.make(opener, {"volume": 11})
    await device.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BROKEN, "RuntimeError: no such luck"),
        ("DRIVER = 7", "is a int, not a Driver"),
        ("import holdfast_drivers.registry as r\nDRIVER = r.Driver('x', print, api=99)", "version 99"),
        ("import holdfast_drivers.registry as r\nDRIVER = r.Driver('ssi', print)", "'ssi' is taken"),
        ("nothing = 1", "AttributeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def (:", "SyntaxError"),
    ],
)
def test_a_broken_driver_is_set_aside_with_its_reason(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "foreign.py").write_text(text)
    registry = load_drivers([point("theirs", "foreign:DRIVER"), point("acme-ring", "acme_ring:DRIVER")])
    assert why in registry.broken["theirs"]
    assert registry["acme-ring"].api == API, "the others are there all the same"
    with pytest.raises(KeyError, match="no driver 'theirs'"):
        registry["theirs"]


def test_ours_are_there_without_anyone_s() -> None:
    registry = load_drivers([])
    assert set(registry.drivers) == {driver.name for driver in BUILT_IN}
    assert all(isinstance(driver, Driver) for driver in registry.drivers.values())
    assert load_drivers().broken == {}
