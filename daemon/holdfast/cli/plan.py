"""Will the pack last until the event's end? With the hub's own figures, or with what is typed."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.client import UnreachableError, UsageError
from holdfast.cli.forecast import Typed, assumed, moment, reckoned, typed_loads
from holdfast.cli.session import Session, command, landing

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer()

Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="22:00, or 6h, 90min, 6h30min from now.", show_default=False),
]
PackOption = Annotated[
    float | None, typer.Option("--pack", metavar="WH", min=1, help="The pack's label.", show_default=False)
]
Loads = Annotated[
    str | None,
    typer.Option(
        "--loads", metavar="NAME=W,...", help="Watts by class, e.g. board=5,router=8,tablet=7.", show_default=False
    ),
]
Charge = Annotated[
    int | None, typer.Option("--charge", metavar="PERCENT", min=0, max=100, help="At the start.", show_default=False)
]
Celsius = Annotated[
    int | None,
    typer.Option("--temperature", metavar="C", min=-40, max=60, help="Of the battery.", show_default=False),
]


@landing(
    app,
    examples=(
        "holdfast power plan --until 22:00",
        "holdfast power plan --until 8h --pack 300 --loads board=5,router=8,tablet=7",
        "holdfast power plan arm --until 22:00 --pack 300",
        "holdfast power plan extend --until 23:30",
        "holdfast power plan end",
    ),
)
def plan(
    session: Session,
    *,
    until: Until = None,
    pack: PackOption = None,
    loads: Loads = None,
    charge: Charge = None,
    temperature: Celsius = None,
) -> None:
    """Will we last until then? Asks, changes nothing.

    What is typed counts, then the armed plan, then what the hub measures, then a typical till on a full pack.

    The verdict keeps a reserve: 20 minutes of what is never shed, and the ordered stop.
    """
    from holdfast.config import Power

    power = _power(session)
    own = (session.config.power or Power()) if power is None else Power()
    share = None if charge is None else charge / 100
    typed = Typed(until, pack, typed_loads(loads), share, None if temperature is None else float(temperature))
    answer = reckoned(assumed(power, typed, now=_now(), capacity_wh=own.capacity_wh))
    session.show(answer, _shown)


@command(
    app,
    examples=(
        "holdfast power plan arm --until 22:00 --pack 300",
        "holdfast power plan arm --from 10:00 --until 18:00 --pack 300 --loads board=5,router=8",
    ),
)
def arm(
    session: Session,
    *,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When the event ends.", show_default=False)],
    begins: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="When it begins; now.", show_default=False)
    ] = None,
    pack: PackOption = None,
    loads: Loads = None,
    charge: Charge = None,
    temperature: Celsius = None,
) -> None:
    """Plan the energy of an event. Refused when the pack does not last; from then on the hub watches the margin.

    Loads are watts by class; left out, a typical till of 29 W. The pack, left out, is the hub's own.

    Never shed before the stop: board, scanner, printer, terminal, router.
    """
    now = _now()
    power = _power(session) or {"battery": False}
    known = power.get("charge_permille") if power["battery"] else None
    wanted = charge * 10 if charge is not None else known if begins is None and known is not None else -1
    capacity = pack or power.get("capacity_wh")
    if capacity is None:
        raise UsageError("The hub has no battery of its own: say how large the pack is.", "--pack WH")
    fields: dict[str, Any] = {
        "start": moment(begins, now) if begins else 0,
        "end": moment(until, now),
        "loads": [[name, round(watts * 1000)] for name, watts in typed_loads(loads).items()],
        "pack_mwh": round(capacity * 1000),
        "charge": wanted,
    }
    celsius = temperature * 10 if temperature is not None else power.get("temperature_dc")
    if celsius is not None:
        fields["temperature"] = celsius
    if power.get("health_permille"):
        fields["health"] = power["health_permille"]
    session.show(session.client.command("power.arm_plan", **fields), _armed)


@command(app, examples=("holdfast power plan extend --until 23:30", "holdfast power plan extend --until 2h"))
def extend(
    session: Session,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="The new end.", show_default=False)],
    loads: Loads = None,
) -> None:
    """Let the event end later, or earlier, or go on with other loads; it is planned again, and refused when short."""
    power = session.client.get("/v1/power")
    typed = [[name, round(watts * 1000)] for name, watts in typed_loads(loads).items()]
    charge = power.get("charge_permille") if power["battery"] else None
    fields = {"end": moment(until, _now()), "loads": typed, "charge": -1 if charge is None else charge}
    session.show(session.client.command("power.extend_plan", **fields), _armed)


@command(app, examples=("holdfast power plan end",))
def end(session: Session) -> None:
    """The event is over: end its plan and print the energy report."""
    from holdfast.cli.show import plain

    answer = session.client.command("power.end_plan")
    session.show(answer, lambda _: plain("The plan is ended. Its energy report follows: holdfast power report"))


def _power(session: Session) -> dict[str, Any] | None:
    """What the hub says; None when there is none to ask."""
    try:
        return session.client.get("/v1/power")
    except UnreachableError:
        return None


def _shown(answer: dict[str, Any]) -> RenderableType:
    from rich.console import Console
    from rich.markup import escape

    from holdfast.cli.chart import energy_chart
    from holdfast.cli.show import facts, marked, stack

    now = answer["now"]
    chart = energy_chart(
        usable=answer["usable_wh"],
        watts=answer["watts"],
        reserve=answer["reserve_wh"],
        hours=(answer["until"] - now) / 3_600_000,
        width=min(Console().width, 100),
        label=lambda hour: _clock(now + round(hour * 3_600_000)),
    )
    loads = ", ".join(f"{name} {watts:g}" for name, watts in answer["loads"].items())
    pairs = [
        (
            "usable",
            f"{answer['usable_wh']:.0f} Wh of {answer['pack_wh']:.0f} Wh at {answer['charge_permille'] / 10:.0f} %",
        ),
        ("needed", f"{answer['need_wh']:.0f} Wh and {answer['reserve_wh']:.0f} Wh reserve"),
        ("to spare", _margin(answer["margin_permille"])),
        ("lasts until", f"{_clock(answer['lasts_until'])}, the reserve kept"),
        ("pack needed", f"{answer['needed_pack_wh']} Wh, full, at {answer['temperature_c']:.0f} °C"),
        ("draw", f"{answer['watts']:.1f} W: {escape(loads)}"),
        *(("", f"[dim]{escape(source)}[/]") for source in answer["sources"]),
    ]
    return stack(marked(_verdict(answer)), chart, facts(pairs))


def _verdict(answer: dict[str, Any]) -> str:
    from holdfast.cli.show import BAD, DOUBTFUL, GOOD

    end = _clock(answer["until"])
    return {
        "ok": f"{GOOD} [bold]Yes[/], it lasts until {end}.",
        "plan_tight": f"{DOUBTFUL} [bold]Just[/]: until {end} with little to spare.",
        "plan_short": f"{BAD} [bold]No[/], not until {end}: until {_clock(answer['lasts_until'])}.",
    }[answer["verdict"]]


def _armed(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import facts

    told = {"ok": "[green]it lasts[/]", "plan_tight": "[yellow]tight: little to spare[/]"}[answer["verdict"]]
    return facts(
        [
            ("plan", f"{_clock(answer['start'])} to {_clock(answer['end'])}, {told}"),
            ("usable", f"{answer['usable_mwh'] / 1000:.0f} Wh"),
            ("needed", f"{answer['need_mwh'] / 1000:.0f} Wh and {answer['reserve_mwh'] / 1000:.0f} Wh reserve"),
            ("to spare", _margin(answer["margin_permille"])),
        ]
    )


def _percent(answer: dict[str, Any]) -> str:
    return f"{answer['charge_permille'] / 10:.0f} %"


def plan_line(plan: dict[str, Any]) -> str:
    """The armed plan on one line, with markup."""
    from holdfast.cli.show import UNKNOWN

    end = _clock(plan["end"])
    if plan["margin_permille"] is None:
        return f"until {end}, margin {UNKNOWN}"
    colour = {"ok": "green", "plan_tight": "yellow", "plan_short": "red"}[plan["verdict"]]
    return f"until {end}, [{colour}]{_margin(plan['margin_permille'])}[/] to spare"


def _margin(permille: int) -> str:
    """Near the end next to nothing is needed, and the share of it says nothing."""
    most = 9990
    return f"{permille / 10:+.0f} % of the need" if abs(permille) < most else "far more" if permille > 0 else "far less"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000).astimezone():%H:%M}"
