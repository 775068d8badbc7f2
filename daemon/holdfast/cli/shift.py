"""The drawer's shift from a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.amounts import amount_of
from holdfast.cli.session import Session, command, landing
from holdfast.cli.shop import STATION

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer()
Amount = Annotated[str, typer.Argument(help="Counted in the drawer, e.g. 150.00.", show_default=False)]


@landing(app, examples=("holdfast shift", "holdfast shift open 150.00", "holdfast shift close 1482.50"))
def shift(session: Session) -> None:
    """The open shift and what it has run up; `shift open`, `shift close`, `shift x`."""
    session.show(session.client.get("/v1/shift"), _shift)


@command(app, "open", examples=("holdfast shift open 150.00",))
def open_(session: Session, amount: Amount) -> None:
    """Start selling with this float in the drawer."""
    hub = session.client.get("/v1/status")["hub"]
    answer = session.client.command("shift.open", station=STATION, float_in=amount_of(amount, hub["exponent"]))
    session.show(answer | hub, _opened)


@command(app, examples=("holdfast shift close 1482.50", 'holdfast shift close 1480 --why "a note was missing"'))
def close(
    session: Session,
    amount: Amount,
    why: Annotated[str, typer.Option(help="Needed when the count differs.")] = "",
) -> None:
    """Close with what was counted; what was expected is told afterwards. Prints the Z report."""
    hub = session.client.get("/v1/status")["hub"]
    counted = amount_of(amount, hub["exponent"])
    answer = session.client.command("shift.close", station=STATION, counted=counted, why=why)
    session.show(answer | hub, _closed)


@command(app)
def x(session: Session) -> None:
    """Print the totals so far. Changes nothing."""
    session.show(session.client.command("shift.print_x", station=STATION), _printing)


def _shift(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import facts, local_time, money, plain

    if answer["shift"] is None:
        return plain("No shift was ever open. Begin with: holdfast shift open AMOUNT")
    who = escape(answer["name"] or answer["badge"])
    state = "[green]open[/]" if answer["open"] else f"closed {local_time(answer['closed'])} by {answer['z']}"
    amounts = [
        (name.replace("_", " "), money(answer, answer[name]))
        for name in ("float_in", "gross", "cash_sales", "pay_in", "pay_out", "safe_drop")
    ]
    receipts = f", {answer['first']} to {answer['last']}" if answer["first"] else ""
    counts = [
        ("receipts", f"{answer['documents']}{receipts}"),
        ("voids, training", f"{answer['voids']}, {answer['training']}"),
        ("drawer opened by hand", answer["no_sale"]),
    ]
    return facts(
        [
            ("shift", f"[bold]{answer['shift']}[/], {state}, opened {local_time(answer['opened'])} by {who}"),
            *amounts,
            *counts,
        ]
    )


def _opened(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import money, plain

    return plain(f"Shift {answer['shift']} is open with a float of {money(answer, answer['amount'])}.")


def _closed(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import facts, money

    over = answer["counted"] - answer["expected"]
    return facts(
        [
            ("closing", f"[bold]{answer['number']}[/]"),
            ("gross", money(answer, answer["total"])),
            ("expected", money(answer, answer["expected"])),
            ("counted", money(answer, answer["counted"])),
            ("over" if over >= 0 else "short", money(answer, abs(over))),
        ]
    )


def _printing(_: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain("The X report is on its way to the printer.")
