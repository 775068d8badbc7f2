"""Our NUT client at the real upsd, a UPS of the driver dummy-ups behind it; our names against NUT's registry.

Skipped where nut-server is not installed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from holdfast.devices.power.device import PowerNow
from holdfast.devices.power.nut import variables
from holdfast.domain.stages import Stage
from holdfast_drivers.nut.client import NutClient, NutGauge
from holdfast_drivers.nut.protocol import NutError
from holdfast_drivers.nut.server import DESCRIPTIONS
from holdfast_drivers.nut.sim import variables as simulated
from holdfast_drivers.ups.battery import Battery
from holdfast_drivers.values import DeviceError, PowerReading, Tri
from support.nut_rig import DUMMY, UPSD, Peer, peer

REGISTRY = Path("/usr/share/nut/cmdvartab")
NAMED_ONLY = {"device.mfr", "device.model", "device.type", "ups.test.date"}
"""In NUT's docs/nut-names.txt, not in the table of 2.8.0."""

needs_upsd = pytest.mark.skipif(None in (UPSD, DUMMY), reason="nut-server is not installed: no upsd and dummy-ups")


@pytest.fixture
async def big(tmp_path: Path) -> AsyncIterator[Peer]:
    async with peer(tmp_path) as made:
        yield made


async def when(gauge: NutGauge, so: Callable[[PowerReading], bool]) -> PowerReading:
    async with asyncio.timeout(20):
        while True:
            try:
                if so(reading := await gauge.read()):
                    return reading
            except DeviceError:
                pass  # not listening yet
            await asyncio.sleep(0.05)


@needs_upsd
async def test_a_ups_of_a_real_server_is_a_gauge(big: Peer) -> None:
    client = NutClient("127.0.0.1", big.port)
    gauge = NutGauge(client, "big", cells=7, clock=lambda: 1.0)
    big.say(
        ups_status="OL CHRG", battery_charge="87", battery_voltage="27.10", battery_runtime="3600",
        battery_current="1.20", battery_temperature="24.5", ups_mfr="Holdfast Test Works",
    )  # fmt: skip
    reading = await when(gauge, lambda r: r.minutes_left is not None)
    assert (reading.mains, reading.charge_permille, reading.minutes_left) == (Tri.YES, 870, 60)
    assert (reading.pack_mv, reading.cell_mv, reading.current_ma) == (27_100, 3871, 1200)
    assert (reading.temperature_dc, reading.stop_asked) == (245, False)
    assert await client.upses() == {"big": 'A "big" one'}
    assert await client.variable("big", "ups.mfr") == "Holdfast Test Works"
    assert await client.type_of("big", "battery.charge")

    big.say(ups_status="OB DISCHRG", battery_charge="20", battery_current="1.20")
    on_battery = await when(gauge, lambda r: r.mains is Tri.NO)
    assert (on_battery.charge_permille, on_battery.current_ma, on_battery.stop_asked) == (200, -1200, False)
    big.say(ups_status="OB LB", battery_charge="5")
    assert (await when(gauge, lambda r: r.charge_permille == 50)).stop_asked

    await big.stop("driver")
    assert await when(gauge, lambda r: r.mains is Tri.UNKNOWN) == PowerReading(1.0), "no driver is not online"
    await big.stop("server")
    with pytest.raises(DeviceError, match=r"absent|refused"):
        await gauge.read()
    big.say(ups_status="OL", battery_charge="6")
    await big.start("driver")
    await big.start("server")
    assert (await when(gauge, lambda r: r.charge_permille is not None)).charge_permille == 60
    await client.close()


@needs_upsd
async def test_a_real_server_checks_who_we_are(big: Peer) -> None:
    client = NutClient("127.0.0.1", big.port)
    gauge = NutGauge(client, "big")
    await when(gauge, lambda r: r.mains is Tri.YES)
    async with NutClient("127.0.0.1", big.port) as stranger:
        await stranger.authenticate("till", "wrong")
        with pytest.raises(NutError, match="ACCESS-DENIED"):
            await stranger.login("big")
    async with NutClient("127.0.0.1", big.port) as till, NutClient("127.0.0.1", big.port) as boss:
        await till.authenticate("till", "word")
        await till.login("big")
        with pytest.raises(NutError, match="ACCESS-DENIED"):
            await till.primary("big")
        await boss.authenticate("boss", "b")
        await boss.login("big")
        assert (await boss.ask("GET", "NUMLOGINS", "big"))[-1] == "2"
        await boss.primary("big")
        await boss.force_shutdown("big")
        assert "FSD" in (await till.variable("big", "ups.status")).split()
    assert (await when(gauge, lambda r: r.stop_asked)).stop_asked
    with pytest.raises(NutError, match="UNKNOWN-UPS"):
        await client.variables("nobody")
    await client.close()


@pytest.mark.skipif(not REGISTRY.exists(), reason="NUT's table of variables is not installed")
def test_every_name_we_serve_is_in_nuts_registry_and_means_that() -> None:
    table = dict(re.findall(r'^VARDESC (\S+) "(.*)"$', REGISTRY.read_text(), re.MULTILINE))
    assert {name: table.get(name, DESCRIPTIONS[name]) for name in DESCRIPTIONS} == DESCRIPTIONS
    assert set(DESCRIPTIONS) - set(table) <= NAMED_ONLY
    assert set(simulated(Battery(mains=False).measured())) <= set(table)
    now = PowerNow(
        Stage.NORMAL, Tri.NO, 500, 3700, 60, 1.0, 7400, temperature_dc=210, self_test="passed", installed=1, tested=1
    )
    served = variables(now, board="pijuice", version="1")
    assert served is not None
    assert set(served) <= set(DESCRIPTIONS), "a name without its description"
