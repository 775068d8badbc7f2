"""`holdfast power plan`: will we last, with a hub and without; an event planned, extended, ended, accounted for."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli_rig import Terminal
from holdfast.api.ports import PowerReport
from holdfast.cli.app import app
from holdfast.cli.chart import HEIGHT, energy_chart
from holdfast.cli.client import UsageError
from holdfast.cli.forecast import moment, typed_loads
from holdfast.domain.consumption import NoteEnergy, NoteStatement
from holdfast_contract.power import Share
from holdfast_drivers.values import Tri

HOUR = 3_600_000
NOW = 1_790_000_000_000
JUDGED: dict[str, Any] = {
    "charge_by": "gauge", "minutes_within": 9, "why_unknown": "", "draw_mw": 6100, "temperature_dc": 100,
    "health_permille": 900, "discharges_learnt": 2, "findings": [],
    "self_test": {"result": "never", "tested": None, "due": False, "phase": "idle", "by": "", "seconds": 0,
                  "lasts": 600, "verdict": ""},
    "stage_why": "margin", "age_s": 1.2, "capacity_wh": 300.0, "left_mwh": 190_000, "plan": None,
    "grid": {"level": 2, "signals": [{}]},
    "loads": [{"name": "yard", "kind": "camera", "mw": 6000, "on": False}],
}  # fmt: skip


def report(**more: Any) -> PowerReport:
    return PowerReport(1, Tri.NO, 800, 3950, 400, JUDGED | more)


def offline(*arguments: str, code: int = 0) -> Any:
    given = [*arguments, "--socket", "/nonexistent", "--json"]
    result = CliRunner().invoke(app, ["power", "plan", *given], env={"HOLDFAST_CONFIG": ""})
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_without_a_hub_it_reckons_with_what_is_typed() -> None:
    told = offline("--until", "10h", "--pack", "451", "--temperature", "10")
    assert told["verdict"] == "plan_short", "the reserve comes on top of the 450 Wh"
    assert told["needed_pack_wh"] == pytest.approx(462, abs=2)
    assert offline("--until", "10h", "--pack", "470", "--temperature", "10")["verdict"] == "plan_tight"
    assert offline("--until", "10h", "--pack", "570", "--temperature", "10")["verdict"] == "ok"
    light = offline("--until", "10h", "--pack", "451", "--temperature", "10", "--loads", "board=5,router=8")
    assert (light["verdict"], light["watts"], light["loads"]) == ("ok", 13.0, {"board": 5, "router": 8})
    half = offline("--until", "1h", "--pack", "100", "--charge", "50")
    assert half["usable_wh"] == pytest.approx(36)
    assert half["lasts_until"] - half["now"] == pytest.approx((36 - half["reserve_wh"]) / 29.2 * HOUR, rel=0.01)


def test_a_hub_that_does_not_answer_is_told(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["power", "plan", "--socket", "/nonexistent"], env={"COLUMNS": "80"}).stdout
    assert "no hub answers" in shown
    assert "No, not until" in shown, "20 Wh for eight hours"
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_a_hub_is_asked_for_charge_and_plan(hub: Terminal) -> None:
    hub.rig.power = report()
    told = hub.json("power", "plan", "--until", "4h")
    assert told["usable_wh"] == pytest.approx(300 * 0.72 * 0.9 * 0.9 * 0.8, rel=0.01), "cold, aged, at 80 %"
    assert told["watts"] == pytest.approx(6.1 * 0.9, abs=0.1), "as it draws"
    hub.rig.power = report(draw_mw=None)
    assert hub.json("power", "plan", "--until", "4h")["watts"] == pytest.approx(29.2), "as a typical till"
    plan = {
        "start": NOW, "end": round(time.time() * 1000) + 2 * HOUR, "seconds_left": 7200, "loads": {"board": 20_000},
        "pack_mwh": 300_000, "reserve_mwh": 7000, "usable_mwh": 50_000, "need_mwh": 40_000, "margin_permille": 75,
        "verdict": "plan_tight",
    }  # fmt: skip
    hub.rig.power = report(plan=plan)
    told = hub.json("power", "plan")
    assert (told["usable_wh"], told["reserve_wh"], told["watts"], told["verdict"]) == (50, 7, 20, "plan_tight")
    assert "Just" in hub("power", "plan").stdout
    assert hub.json("power", "plan", "--pack", "600")["usable_wh"] > 200, "what is typed counts"
    assert "+8 % of the need" in hub("power").stdout


def test_one_screen_with_stage_plan_loads_and_grid(hub: Terminal) -> None:
    hub.rig.power = report()
    shown = hub("power").stdout
    for told in ("S1 conserve, for the event's energy is short", "190.0 Wh for the loads", "3.95 V a cell",
                 "none: holdfast power plan arm", "off, to save energy", "asks for level 2"):  # fmt: skip
        assert told in shown
    hub.rig.power = PowerReport(
        0, Tri.UNKNOWN, battery=JUDGED | {"left_mwh": None, "age_s": None, "stage_why": "unknown"}
    )
    shown = hub("power").stdout
    assert "never heard" in shown
    assert "nothing is known yet" in shown
    assert "what now" not in shown
    hub.rig.power = PowerReport(4, Tri.NO, 20, 3000, 0, JUDGED | {"stage_why": "runtime"})
    assert "starts again by itself" in hub("power").stdout
    assert shown.count("unknown") >= 3


def test_an_event_from_its_plan_to_its_report(hub: Terminal) -> None:
    hub.rig.power = report()
    assert "No event has ended yet" in hub("power", "report").stdout
    assert "plan_none" in hub("power", "plan", "end", code=1).stderr
    hub.rig.clock.step_wall(time.time() - NOW / 1000)
    refused = hub("power", "plan", "arm", "--until", "12h", code=1)
    assert "plan_short" in refused.stderr
    assert "Wh short" in refused.stderr
    armed = hub("power", "plan", "arm", "--until", "4h", "--loads", "board=5,router=8").stdout
    assert "it lasts" in armed
    assert "plan_armed" in hub("power", "plan", "arm", "--until", "4h", code=1).stderr
    assert "plan_short" in hub("power", "plan", "extend", "--until", "23h", code=1).stderr
    assert "it lasts" in hub("power", "plan", "extend", "--until", "6h").stdout
    hub.rig.clock.advance(60)
    loads = Share("board", 1000), Share("router", 1600)
    hub.hub(hub.rig.journal.execute(NoteEnergy(seconds=720, pack=2600, loads=loads, peak=13_000), actor="power"))
    assert "ended" in hub("power", "plan", "end").stdout
    hub.hub(hub.rig.journal.execute(NoteStatement(), actor="power"))
    shown = hub("power", "report").stdout
    for told in ("2.6 Wh", "router", "1.6 Wh", "13.0 W", "0 s of 12 min"):
        assert told in shown


def test_a_hub_without_a_battery_must_be_told_of_the_pack(hub: Terminal) -> None:
    hub.rig.power = None
    assert "--pack" in hub("power", "plan", "arm", "--until", "4h", code=2).stderr
    assert "has no battery" in hub("power", "plan", "--until", "4h").stdout


def test_times_as_people_write_them() -> None:
    assert moment("6h", NOW) == NOW + 6 * HOUR
    assert moment("6h30min", NOW) == NOW + 6.5 * HOUR
    assert moment("90min", NOW) == NOW + 1.5 * HOUR
    for text in ("00:00", "12:30", "23:59"):
        then = moment(text, NOW)
        assert 0 < then - NOW <= 24 * HOUR + 60_000
        assert f"{datetime.fromtimestamp(then / 1000).astimezone():%H:%M}" == text
    for wrong in ("", "25:00", "22.00", "h", "tomorrow", "6"):
        with pytest.raises(UsageError):
            moment(wrong, NOW)


def test_loads_as_people_write_them() -> None:
    assert typed_loads("board=5, router=8.5") == {"board": 5.0, "router": 8.5}
    for wrong in ("board", "board=", "board=5,board=6", "board=-1", ""):
        with pytest.raises(UsageError):
            typed_loads(wrong)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(("usable", "hours"), [(100.0, 8.0), (300.0, 8.0), (1000.0, 2.0), (0.0, 8.0), (100.0, 0.0)])
def test_the_chart_fits_and_marks_the_end_and_the_reserve(usable: float, hours: float, width: int) -> None:
    drawn = energy_chart(usable=usable, watts=20, reserve=8, hours=hours, width=width, label=lambda _: "22:00").plain
    lines = drawn.splitlines()
    assert len(lines) == HEIGHT + 2
    assert max(len(line) for line in lines) <= width
    assert sum("┃" in line for line in lines) == HEIGHT, "the end"
    assert "end 22:00" in lines[-1] or hours == 0
    assert f"{max(usable, 8):.0f} Wh" in lines[0]


@pytest.mark.parametrize("hours", [0.1, 1.0, 3.0, 4.0, 4.5, 4.8, 5.0, 9.0])
@pytest.mark.parametrize("width", [80, 120])
def test_the_times_under_the_chart_are_whole_and_apart(hours: float, width: int) -> None:
    drawn = energy_chart(usable=100, watts=20, reserve=8, hours=hours, width=width, label=lambda h: f"{h:05.2f}").plain
    told = drawn.splitlines()[-1].replace("end ", "end").split()
    assert f"end{hours:05.2f}" in told
    assert all(word in ("now", f"end{hours:05.2f}") or len(word) == 5 for word in told)
