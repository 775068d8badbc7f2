"""What a fleet scrapes."""

from __future__ import annotations

import math

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from holdfast.api.metrics import Metrics, MetricsServer
from holdfast.api.ports import BoardReport, DeviceReport, FindingReport, UplinkReport
from holdfast.domain.core import Outcome
from holdfast.domain.shift import MoveDrawer
from holdfast_drivers.values import DeviceState, Tri
from hub_rig import CANDLE, Rig


async def scraped(hub: Rig, metrics: Metrics) -> dict[str, float]:
    """Samples by `name{labels}`."""
    async with (
        MetricsServer(metrics, hub.hub, 0) as server,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{server.port}/metrics") as response,
    ):
        assert response.status == 200
        text = await response.text()
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_states_are_asked_for_when_read(shop: Rig) -> None:
    await shop.sell(CANDLE)
    shop.devices.append(DeviceReport("printer", "printer", DeviceState.UNKNOWN))
    shop.uplink = UplinkReport("offline", acked=shop.journal.head.seq - 3, sent_bytes=4711)
    shop.clock.advance(60)
    seen = await scraped(shop, Metrics())
    assert seen["holdfast_info,hub=test-hub,version=1.2.3"] == 1
    assert seen["holdfast_journal_head_seq"] == shop.journal.head.seq
    assert seen["holdfast_outbox_records"] == 3
    assert seen["holdfast_outbox_age_seconds"] == 60
    assert seen["holdfast_uplink_sent_bytes"] == 4711
    assert seen["holdfast_device_state,device=printer,state=unknown"] == 1
    assert seen["holdfast_device_state,device=printer,state=online"] == 0
    assert seen["holdfast_print_jobs,state=queued"] == 2
    assert seen["holdfast_power_charge_ratio"] == 0.87
    assert seen["holdfast_power_mains"] == 1
    assert seen["holdfast_storage_free_bytes"] > 0
    assert seen["process_resident_memory_bytes"] > 0


async def test_what_nobody_knows_is_not_a_number(hub: Rig) -> None:
    hub.power = None
    seen = await scraped(hub, Metrics())
    for name in ("charge_ratio", "stage", "mains"):
        assert math.isnan(seen[f"holdfast_power_{name}"])


async def test_a_device_taken_away_is_no_longer_reported(hub: Rig) -> None:
    metrics = Metrics()
    assert "holdfast_device_state,device=scanner,state=online" in await scraped(hub, metrics)
    hub.devices.clear()
    assert not [name for name in await scraped(hub, metrics) if name.startswith("holdfast_device")]


async def test_commands_are_timed_and_refusals_counted(shop: Rig) -> None:
    metrics = Metrics()
    execute = metrics.timed(shop.journal.execute)
    pay_in = MoveDrawer(station="till1", kind="pay_in", amount=100)
    assert (await execute(pay_in, actor="anna", command_id=b"123456789")).ok
    assert (await execute(pay_in, actor="anna", command_id=b"123456789")).ok
    drop = MoveDrawer(station="till1", kind="safe_drop", amount=10**9)
    assert (await execute(drop, actor="anna")).reason == "drawer_short"
    metrics.decided(0.5, Outcome(ok=False, reason="made up"))
    metrics.scanned("committed")
    seen = await scraped(shop, metrics)
    assert seen["holdfast_command_seconds_count"] == 4
    assert seen["holdfast_command_seconds_sum"] >= 0.5
    assert seen["holdfast_refusals_total,reason=drawer_short"] == 1
    assert seen["holdfast_refusals_total,reason=other"] == 1
    assert seen["holdfast_scans_total,outcome=committed"] == 1


async def test_the_machine_in_figures(hub: Rig) -> None:
    seen = await scraped(hub, Metrics())
    assert math.isnan(seen["holdfast_board_temperature_celsius"])
    hub.board = BoardReport(
        "Raspberry Pi 4",
        [
            FindingReport("supply", Tri.NO, "low", "undervoltage", 1, 1),
            FindingReport("space", Tri.YES, "9 GB free", "", 1, 1),
            FindingReport("rtc", Tri.UNKNOWN, "none", "rtc_absent", 1, 1),
        ],
        {"temperature_c": 51.1, "undervoltages": 3, "written_bytes": 4711, "life_used": 0.3},
    )
    seen = await scraped(hub, Metrics())
    assert (seen["holdfast_board_well,topic=supply"], seen["holdfast_board_well,topic=space"]) == (0, 1)
    assert math.isnan(seen["holdfast_board_well,topic=rtc"])
    assert (seen["holdfast_board_temperature_celsius"], seen["holdfast_board_undervoltages"]) == (51.1, 3)
    assert (seen["holdfast_storage_written_bytes"], seen["holdfast_storage_life_used_ratio"]) == (4711, 0.3)
    assert math.isnan(seen["holdfast_board_memory_available_bytes"])
