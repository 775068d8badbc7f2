"""The shop from a terminal: sales, receipts, money, carts, and a sale by hand."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.amounts import amount_of, pair_of
from holdfast.cli.client import Client, RefusedError, UsageError
from holdfast.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import RenderableType

PANEL = "The shop"
STATION = "cli"
"""Where a sale by hand takes place: apart from every counter."""


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    command(
        app, panel=PANEL, examples=("holdfast sell 4006381333931 --cash 20", "holdfast sell MUG=2 A-candle --json")
    )(sell)
    command(app, panel=PANEL, examples=("holdfast sales", "holdfast sales --day 2026-03-31 --limit 200"))(sales)
    command(app, panel=PANEL, examples=("holdfast receipt BER-1-R000042", "holdfast receipt BER-1-Z000007 --copy"))(
        receipt
    )
    command(app, panel=PANEL, examples=("holdfast carts", "holdfast carts --void cli"))(carts)
    command(app, panel=PANEL)(money)


def sales(
    session: Session,
    day: Annotated[str | None, typer.Option(help="Business date, YYYY-MM-DD.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(help="At most this many.", min=1, max=200)] = 20,
    after: Annotated[int | None, typer.Option(help="Only beyond this count, e.g. 42.", show_default=False)] = None,
    training: Annotated[bool, typer.Option("--training", help="Training receipts instead.")] = False,
) -> None:
    """The last receipts, or those of a day."""
    series = "T" if training else "R"
    session.show(session.client.get("/v1/sales", day=day, limit=limit, after=after, series=series), _sales)


def receipt(
    session: Session,
    number: Annotated[str, typer.Argument(help="As printed, dashes or not.", show_default=False)],
    copy: Annotated[bool, typer.Option("--copy", help="Print it again, marked COPY.")] = False,
) -> None:
    """A receipt or Z report as it went on paper."""
    if copy:
        session.show(session.client.command("paper.reprint", number=number), _copied)
    else:
        session.show(session.client.get(f"/v1/receipts/{_in_path(number)}"), _receipt)


def money(session: Session) -> None:
    """Every account; debits are positive, and all of them sum to zero."""
    session.show(session.client.get("/v1/money"), _money)


def carts(
    session: Session,
    void: Annotated[str | None, typer.Option(help="End the open cart of this station.", show_default=False)] = None,
) -> None:
    """Open and parked carts."""
    if void is not None:
        session.client.command("cart.void", station=void, why="voided by a technician")
    session.show(session.client.get("/v1/carts"), _carts)


def sell(
    session: Session,
    codes: Annotated[list[str], typer.Argument(help="GTIN, house code or sku; =QTY for several.", metavar="CODE...")],
    cash: Annotated[str | None, typer.Option(help="Cash handed over; exact when left out.", show_default=False)] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Take unusually large quantities.")] = False,
) -> None:
    """Sell for cash, all or nothing: the same commands as at the counter, from here."""
    client = session.client
    wanted = [pair_of(code) for code in codes]
    hub = client.get("/v1/status")["hub"]
    tendered = None if cash is None else amount_of(cash, hub["exponent"])
    if any(cart["station"] == STATION and not cart["parked"] for cart in client.get("/v1/carts")["carts"]):
        raise UsageError("A sale from a terminal was left unfinished.", f"End it: holdfast carts --void {STATION}")
    found = [(_house_code(client, code), quantity) for code, quantity in wanted]
    try:
        sold = _sell(client, found, tendered, confirmed=confirm)
    except RefusedError:
        with suppress(RefusedError):
            client.command("cart.void", station=STATION, why="the sale was refused")
        raise
    session.show(sold | {"currency": hub["currency"], "exponent": hub["exponent"]}, _sold)


def _sell(client: Client, wanted: list[tuple[str, int]], tendered: int | None, *, confirmed: bool) -> dict[str, Any]:
    cart = ""
    for code, quantity in wanted:
        cart = client.command("cart.add_item", station=STATION, code=code, qty=quantity, confirmed=confirmed)["cart"]
    return client.command("sale.pay_cash", station=STATION, tendered=tendered, cart=cart)


def _house_code(client: Client, typed: str) -> str:
    """The code as the hub keeps it. Raises UsageError for what is no product."""
    told = client.post_json("/v1/scan-test", data=typed)
    if "code" not in told:
        raise UsageError(f"{typed}: {told['words'] or 'this is no product.'}", "Look with: holdfast scan-test CODE")
    return str(told["code"])


def _in_path(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _sales(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import local_time, money, table

    rows = (
        (
            sale["number"],
            local_time(sale["at"]),
            sale["pieces"],
            money(answer, sale["payable"]),
            escape(sale["station"]),
            escape(sale["name"] or sale["actor"]),
        )
        for sale in answer["sales"]
    )
    return table("Sales", ("number", "at", "pieces", "amount", "station", "by"), rows)


def _receipt(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import facts, local_time, plain, stack

    copies = f", {answer['copies']} copies made" if answer["copies"] else ""
    return stack(
        plain(answer["text"]), facts([("record", f"seq {answer['seq']} at {local_time(answer['at'])}{copies}")])
    )


def _copied(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain(f"Copy {answer['copy']} of {answer['number']} is on its way to the printer.")


def _money(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import money, table

    rows = ((escape(row["account"]), money(answer, row["amount"])) for row in answer["accounts"])
    return table(f"Accounts as of seq {answer['as_of']}", ("account", "amount"), rows)


def _carts(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import money, table

    rows = (
        (
            cart["cart"],
            escape(cart["station"]),
            ("parked" if cart["parked"] else "open") + (", training" if cart["training"] else ""),
            sum(line["qty"] if line["base"] == 1 else 1 for line in cart["lines"]),
            money(answer, cart["total"]),
        )
        for cart in answer["carts"]
    )
    return table("Carts", ("cart", "station", "state", "pieces", "amount"), rows)


def _sold(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import facts, money

    return facts(
        [
            ("receipt", f"[bold]{answer['number']}[/]"),
            ("total", money(answer, answer["total"])),
            ("due", money(answer, answer["due"])),
            ("change", f"[bold]{money(answer, answer['change'])}[/]"),
        ]
    )
