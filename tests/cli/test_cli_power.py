"""`holdfast power`: how the battery is, its test, its replacement."""

from __future__ import annotations

from typing import Any

import pytest

from cli_rig import Terminal
from holdfast.api.ports import PowerReport
from holdfast.cli import power
from holdfast.domain.core import Refused
from holdfast_drivers.values import DeviceError, Tri

IDLE = {"result": "never", "tested": None, "due": False, "phase": "idle", "by": "", "seconds": 0, "lasts": 600}
JUDGED: dict[str, Any] = {
    "charge_by": "gauge",
    "minutes_within": 9,
    "why_unknown": "",
    "draw_mw": 6100,
    "temperature_dc": 215,
    "health_permille": 870,
    "discharges_learnt": 2,
    "findings": [],
    "self_test": IDLE | {"verdict": ""},
}


class Bench:
    """A battery whose test goes on by a step whenever it is looked at."""

    def __init__(self, *phases: dict[str, Any], refused: str = "") -> None:
        self.phases, self.refused, self.known = iter(phases), refused, True
        self.now: dict[str, Any] = {}

    async def begin_test(self) -> None:
        if self.refused:
            raise Refused("test_not_now", detail=self.refused)

    async def forget(self) -> bool:
        known, self.known = self.known, False
        return known

    def look(self) -> PowerReport:
        self.now = next(self.phases, self.now)
        return PowerReport(0, Tri.NO, 950, 4010, 140, JUDGED | {"self_test": IDLE | {"verdict": ""} | self.now})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "LOOK_EVERY", 0.01)


def attach(hub: Terminal, bench: Bench) -> None:
    hub.rig.battery = bench


def test_the_battery_in_words(hub: Terminal) -> None:
    hub.rig.power = PowerReport(0, Tri.YES, 870, 4012, 141, JUDGED)
    shown = hub("power").stdout
    for told in ("about 141 ± 9 min left", "2 earlier discharges", "6.1 W", "22 °C", "87 % of its label", "never"):
        assert told in shown


def test_what_is_unknown_says_so(hub: Terminal) -> None:
    nothing = dict.fromkeys(("draw_mw", "temperature_dc", "health_permille"))
    hub.rig.power = PowerReport(0, Tri.UNKNOWN, battery=JUDGED | nothing | {"charge_by": "", "discharges_learnt": 0})
    shown = hub("power").stdout
    assert "two deep discharges show it" in shown
    assert "label, published curves and gauge" in shown


def test_what_is_not_well_is_on_the_status_screen_too(hub: Terminal) -> None:
    finding = {"code": "battery_worn", "words": "The battery holds less than 60 % of its label. Replace it."}
    hub.rig.power = PowerReport(0, Tri.YES, 870, 4012, 141, JUDGED | {"findings": [finding]})
    assert "Replace it." in hub("power").stdout
    assert "Replace it." in hub("status").stdout


@pytest.mark.parametrize(("verdict", "code", "told"), [("passed", 0, "passed"), ("failed", 1, "Replace it.")])
def test_a_person_is_led_through_the_test(hub: Terminal, verdict: str, code: int, told: str) -> None:
    person = {"by": "person"}
    attach(
        hub,
        Bench(
            person | {"phase": "waiting"},
            person | {"phase": "running", "seconds": 65},
            person | {"phase": "returning", "seconds": 3},
            person | {"verdict": verdict},
        ),
    )
    shown = hub("power", "test", code=code).stdout
    assert "Pull the mains plug now." in shown
    assert "1:05 of 10 min, charge 95 %, 4.01 V a cell, 6.1 W, 140 ± 9 min left" in shown
    assert "put the plug back now" in shown
    assert told in shown


def test_a_test_that_would_hurt_is_refused_with_its_reason(hub: Terminal) -> None:
    attach(hub, Bench(refused="a sale is open"))
    refused = hub("power", "test", code=1)
    assert "a sale is open" in refused.output
    assert "no open sale" in refused.output


def test_a_new_pack(hub: Terminal) -> None:
    attach(hub, Bench())
    assert "learnt" in hub("power", "forget").stdout
    assert "Nothing was known" in hub("power", "forget").stdout


def test_without_a_battery(hub: Terminal) -> None:
    hub.rig.power = None
    assert "no battery" in hub("power").stdout
    assert "no battery is configured" in hub("power", "test", code=1).output


# Looking for boards

GAUGE: dict[str, Any] = {
    "board": "max1704x", "address": 0x36, "sure": True, "evidence": "VERSION, CONFIG 0x971c, 3850 mV", "wired": [],
    "configured": False, "needs": "mains_pin = 6",
}  # fmt: skip
MONITOR = GAUGE | {
    "board": "ina219", "address": 0x43, "sure": False, "evidence": "configuration 0x0eef, 3850 mV",
    "wired": ["waveshare-c"], "configured": True,
}  # fmt: skip


def test_boards_are_told_with_how_sure_and_what_to_configure(hub: Terminal) -> None:
    hub.rig.bench.seen = [GAUGE, MONITOR]
    shown = hub("power", "detect").stdout
    for told in (
        "/dev/i2c-1",
        "0x36",
        "max1704x",
        "sure",
        "mains_pin = 6",
        "ina219 or waveshare-c",
        "unsure: you decide",
    ):
        assert told in shown
    assert hub.json("power", "detect", "--bus", "/dev/i2c-0")["bus"] == "/dev/i2c-0"


def test_no_board_and_no_bus(hub: Terminal) -> None:
    assert "no board that is known here answers" in hub("power", "detect").stdout
    hub.rig.bench.seen = ValueError("x is no I²C bus")
    assert "x is no I²C bus" in hub("power", "detect", "--bus", "x", code=1).output
    hub.rig.bench.seen = DeviceError("bus_stuck", "/dev/i2c-1 is held")
    assert "bus_stuck: /dev/i2c-1 is held" in hub("power", "detect", code=1).output
