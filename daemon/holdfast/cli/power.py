"""The battery: how it is, how long it lasts, its weekly test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli import plan
from holdfast.cli.session import Session, command, landing

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer()
app.add_typer(plan.app, name="plan")

LOOK_EVERY = 1.0
SAY_EVERY = 15
"""Seconds between two lines while nothing else happens."""
ASKS = {
    ("waiting", "person"): "Pull the mains plug now.",
    ("waiting", "ups"): "The UPS tests itself.",
    ("running", "person"): "On battery; leave the plug out.",
    ("running", "ups"): "The UPS is on battery.",
    ("returning", "person"): "Enough: put the plug back now.",
    ("returning", "ups"): "Long enough; waiting for the UPS.",
}
"""What goes on, and what a person should do, by phase and by who runs the test."""
WHYS = {
    "mains": "for the mains are there",
    "battery": "for the battery holds",
    "unknown": "for nothing is known yet that asks for less",
    "margin": "for the event's energy is short",
    "charge": "for the charge is low",
    "runtime": "for little time is left",
    "voltage": "for the cell is empty",
    "silent": "for the battery does not answer",
    "grid": "for the grid asks",
    "asked": "for the UPS asks for it",
}
"""Why the stage is what it is, by its stable key."""
STOPPED = 4
"""The stage in which the hub stops, and waits where nothing powers it off."""
VERDICTS = {
    "passed": ("green", "The battery passed: it lasts as long as it must."),
    "failed": ("red", "The battery failed: it does not last as long as it must. Replace it."),
    "given_up": ("yellow", "No verdict: the battery was not drained long enough. Try again."),
}


@landing(
    app,
    examples=("holdfast power", "holdfast power plan --until 22:00", "holdfast power --json | jq .minutes_left"),
)
def overview(session: Session) -> None:
    """The battery: charge, time left, stage and why, the event's plan, loads, health, what to do, the last test."""
    session.show(session.client.get("/v1/power"), _shown)


@command(app, examples=("holdfast power test",))
def test(session: Session) -> None:
    """Test the battery for ten minutes. It says when to pull the mains plug and when to put it back.

    Ctrl-C ends the watching, not the test. A UPS that can be told needs no hand.
    """
    session.client.post("/v1/power/test", b"")
    power, said = session.client.get("/v1/power"), ("", 0)
    while (phase := power["self_test"]["phase"]) != "idle":
        turn = (phase, power["self_test"]["seconds"] // SAY_EVERY)
        if not session.json and turn != said:
            typer.echo(_progress(power))
        said = turn
        time.sleep(LOOK_EVERY)
        power = session.client.get("/v1/power")
    session.show(power, _verdict)
    if power["self_test"]["verdict"] != "passed":
        raise typer.Exit(1)


@command(app, examples=("holdfast power detect", "holdfast power detect --bus /dev/i2c-0"))
def detect(
    session: Session,
    bus: Annotated[
        str | None, typer.Option(metavar="PATH", help="/dev/i2c-N; left out: the hub's own.", show_default=False)
    ] = None,
) -> None:
    """Look for battery boards on a bus: what is there, how sure that is, what to configure. Only reads."""
    from urllib.parse import quote

    session.show(session.client.get("/v1/devices/boards" + (f"?bus={quote(bus)}" if bus else "")), _detected)


@command(app)
def report(session: Session) -> None:
    """The energy report of the last event: what its sources gave, what its loads took."""
    session.show(session.client.get("/v1/power/report"), _report)


@command(app)
def forget(session: Session) -> None:
    """The pack was replaced: forget what was learnt of the old one."""
    from holdfast.cli.show import plain

    answer = session.client.post("/v1/power/forget", b"")
    known = answer["data"]["known"]
    session.show(
        answer, lambda _: plain("The new battery is learnt." if known else "Nothing was known of the old one.")
    )


def in_words(power: dict[str, Any]) -> str:
    """The battery on one line, with markup."""
    from holdfast.cli.show import BAD, DOUBTFUL, GOOD, UNKNOWN

    if not power["battery"]:
        return "no battery"
    mark = (GOOD, DOUBTFUL, DOUBTFUL, BAD, BAD)[power["stage"]]
    charge = UNKNOWN if power["charge_permille"] is None else f"{power['charge_permille'] / 10:.0f} %"
    mains = {"yes": "on mains", "no": "[yellow]on battery[/]"}.get(power["mains"], f"mains {UNKNOWN}")
    left = "" if power["minutes_left"] is None else f", about {_left(power)} left"
    return f"{mark} S{power['stage']} {power['stage_name']}, {mains}, charge {charge}{left}"


def _detected(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import DOUBTFUL, GOOD, table

    rows = (
        (
            GOOD if found["sure"] else DOUBTFUL,
            f"0x{found['address']:02x}",
            " or ".join([found["board"], *found["wired"]]),
            "sure" if found["sure"] else "unsure: you decide",
            escape(found["evidence"]),
            "it is" if found["configured"] else escape(found["needs"]),
        )
        for found in answer["boards"]
    )
    headings = ("", "address", "board", "", "why", "configure")
    return table(f"Battery boards on {answer['bus']}", headings, rows, empty="no board that is known here answers")


def _left(power: dict[str, Any]) -> str:
    within = f" ± {power['minutes_within']}" if power.get("minutes_within") else ""
    return f"{power['minutes_left']}{within} min"


def _shown(power: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import UNKNOWN, facts, local_time, marked

    if not power["battery"]:
        return marked("no battery is configured")
    test = power["self_test"]
    tested = f"{test['result']} {local_time(test['tested'] / 1000)}" if test["tested"] else "never"
    learnt = power["discharges_learnt"]
    pairs = [
        ("power", in_words(power)),
        *_energy(power),
        ("charge by", power["charge_by"] or UNKNOWN),
        ("time left by", f"{learnt} earlier discharges" if learnt else "label, published curves and gauge"),
        ("draw", UNKNOWN if power["draw_mw"] is None else f"{power['draw_mw'] / 1000:.1f} W on battery"),
        ("temperature", UNKNOWN if power["temperature_dc"] is None else f"{power['temperature_dc'] / 10:.0f} °C"),
        ("health", _health(power["health_permille"])),
        ("last test", tested),
        *(("finding", f"[yellow]{escape(finding['words'])}[/]") for finding in power["findings"]),
    ]
    return facts(pairs if power["draw_mw"] is not None else [pair for pair in pairs if pair[0] != "draw"])


def _energy(power: dict[str, Any]) -> list[tuple[str, str]]:
    """Stage, plan, loads and grid; a hub of an earlier version tells nothing of them."""
    from rich.markup import escape

    from holdfast.cli.show import UNKNOWN, duration

    if "plan" not in power:
        return []
    volts = UNKNOWN if power["cell_mv"] is None else f"{power['cell_mv'] / 1000:.2f} V a cell"
    left = UNKNOWN if power["left_mwh"] is None else f"{power['left_mwh'] / 1000:.1f} Wh for the loads"
    age = "never heard" if power["age_s"] is None else f"heard {duration(power['age_s'])} ago"
    pairs = [
        ("stage", f"S{power['stage']} {power['stage_name']}{_why(power['stage_why'])}"),
        ("battery", f"{volts}, {left}, [dim]{age}[/]"),
        ("plan", plan.plan_line(power["plan"]) if power["plan"] else "none: holdfast power plan arm --until TIME"),
    ]
    if power["stage"] == STOPPED:
        pairs.append(("what now", "it sells nothing until the mains are back; then it starts again by itself"))
    for load in power["loads"]:
        state = "on" if load["on"] else "[yellow]off, to save energy[/]"
        pairs.append((escape(load["name"]), f"{state}, {load['mw'] / 1000:g} W"))
    if power["grid"]["level"] or power["grid"]["signals"]:
        pairs.append(("grid", f"asks for level {power['grid']['level']} now"))
    return pairs


def _why(key: str) -> str:
    return f", {WHYS.get(key, key)}" if key else ", since the start"


def _report(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import duration, facts, local_time, plain

    told = answer["statement"]
    if told is None:
        return plain("No event has ended yet. Plan one: holdfast power plan arm --until TIME")
    stages = ", ".join(f"S{n} {duration(seconds)}" for n, seconds in enumerate(told["stages"]) if seconds)
    return facts(
        [
            ("event", f"{local_time(told['start'] / 1000)} to {local_time(told['end'] / 1000)}"),
            *((f"from {kind}", _wh(amount)) for kind, amount in told["sources"]),
            *((kind, _wh(amount)) for kind, amount in told["loads"]),
            ("charged", _wh(told["charged"])),
            ("peak", f"{told['peak'] / 1000:.1f} W"),
            ("outages", f"{told['outages']}, {duration(told['outage_s'])} without mains"),
            ("stages", stages or "none"),
            ("measured", f"{duration(told['metered_s'])} of {duration(told['seconds'])}; the rest is reckoned"),
        ]
    )


def _wh(mwh: int) -> str:
    return f"{mwh / 1000:.1f} Wh"


def _health(permille: int | None) -> str:
    from holdfast.cli.show import UNKNOWN

    return f"{UNKNOWN}: two deep discharges show it" if permille is None else f"{permille / 10:.0f} % of its label"


def _progress(power: dict[str, Any]) -> str:
    test = power["self_test"]
    asks = ASKS[test["phase"], test["by"]]
    if test["phase"] == "waiting":
        return f"{asks} {test['seconds']} s" if test["seconds"] >= SAY_EVERY else asks
    charge = "unknown" if power["charge_permille"] is None else f"{power['charge_permille'] / 10:.0f} %"
    volts = "" if power["cell_mv"] is None else f", {power['cell_mv'] / 1000:.2f} V a cell"
    draw = "" if power["draw_mw"] is None else f", {power['draw_mw'] / 1000:.1f} W"
    left = "" if power["minutes_left"] is None else f", {_left(power)} left"
    clock = f"{test['seconds'] // 60}:{test['seconds'] % 60:02} of {test['lasts'] // 60} min"
    return f"{asks} {clock}, charge {charge}{volts}{draw}{left}"


def _verdict(power: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import marked

    colour, words = VERDICTS[power["self_test"]["verdict"]]
    return marked(f"[{colour}]{words}[/]")
