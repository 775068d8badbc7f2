"""The catalogue from a terminal: a file of all products, a price."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.amounts import amount_of
from holdfast.cli.client import RefusedError
from holdfast.cli.session import Session, command
from holdfast.cli.stock import read_text

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="Products and prices.", no_args_is_help=True)
MAX_FILE = 16 * 1024 * 1024


@command(
    app, "import", examples=("holdfast catalogue import products.csv --check", "holdfast catalogue import products.csv")
)
def import_(
    session: Session,
    file: Annotated[Path, typer.Argument(help="CSV, UTF-8, a header line, one product a line.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Only look for errors.")] = False,
) -> None:
    """Replace the catalogue by this file, all of it or nothing.

    Columns: sku, name, price, tax_category (S, Z, E, …), tax_rate (percent); and if wanted gtin, aliases (several:
    A|B), merchant, unit (kg: sold by weight, priced a kilogram, stock in grams), open_price (yes: sold at a keyed
    amount). Lines already in a cart keep their price.
    """
    text = read_text(file, MAX_FILE)
    try:
        answer = session.client.upload("/v1/catalogue", text.encode(), check=1 if check else None)
    except RefusedError as error:
        error.remedy = "\n".join(_problems(error.answer)) or error.remedy
        raise
    session.show(answer, _imported)


@command(app, examples=('holdfast catalogue price candle 17.90 --why "last one has a scratch"',))
def price(
    session: Session,
    sku: Annotated[str, typer.Argument(show_default=False)],
    amount: Annotated[str, typer.Argument(help="A piece or a kilogram, tax included, e.g. 17.90.", show_default=False)],
    why: Annotated[str, typer.Option(help="Kept in the record.")] = "",
) -> None:
    """Change a price here, until the next import says otherwise."""
    hub = session.client.get("/v1/status")["hub"]
    wanted = amount_of(amount, hub["exponent"])
    session.show(session.client.command("catalogue.change_price", sku=sku, price=wanted, why=why) | hub, _priced)


def _problems(answer: dict[str, Any]) -> list[str]:
    """One line a problem; a catalogue refused as a whole names them as text."""
    problems = answer["data"].get("problems", ())
    told = [f"line {one['line']}: {one['problem']}" if isinstance(one, dict) else str(one) for one in problems]
    more = answer["data"].get("count", len(told)) - len(told)
    return [*told, f"and {more} more"] if more else told


def _imported(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    if answer["version"] is None:
        return plain(f"{answer['rows']} products, no errors. Nothing was changed.")
    return plain(f"Version {answer['version']} with {answer['rows']} products is in use.")


def _priced(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import money, plain

    return plain(f"{answer['name']} ({answer['sku']}) now costs {money(answer, answer['price'])}.")
