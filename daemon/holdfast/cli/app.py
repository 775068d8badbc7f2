"""The `holdfast` command. Every module imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from holdfast.cli import badges, board, catalogue, configuration, devices, hub, journal, power, shift, shop, stock
from holdfast.cli.client import UsageError
from holdfast.cli.session import Session, command

app = typer.Typer(name="holdfast", no_args_is_help=True, pretty_exceptions_enable=False)
RECORDS = "Records and setup"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"holdfast {version('holdfast')}")
        raise typer.Exit


@app.callback()
def holdfast(
    _: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """Look after a hub: what it sells, how it is, and the record it keeps.

    Every command takes --json for scripts, and --help. Exit status: 0 done, 1 refused or not proved, 2 wrong usage or
    configuration, 3 no daemon answers.
    """


hub.add_to(app)
board.add_to(app, panel=hub.PANEL)
app.add_typer(devices.app, name="devices", rich_help_panel=hub.PANEL)
app.add_typer(power.app, name="power", rich_help_panel=hub.PANEL)
shop.add_to(app)
app.add_typer(stock.app, name="stock", rich_help_panel=shop.PANEL)
app.add_typer(shift.app, name="shift", rich_help_panel=shop.PANEL)
app.add_typer(catalogue.app, name="catalogue", rich_help_panel=RECORDS)
app.add_typer(badges.app, name="badge", rich_help_panel=RECORDS)
app.add_typer(journal.app, name="journal", rich_help_panel=RECORDS)
app.add_typer(configuration.app, name="config", rich_help_panel=RECORDS)


@command(
    app, "command-sheet", panel=RECORDS,
    examples=("holdfast command-sheet cards.pdf", "holdfast command-sheet karten.pdf --language de --shop Hafenladen"),
)  # fmt: skip
def command_sheet(
    session: Session,
    out: Annotated[Path, typer.Argument(metavar="OUT.pdf", show_default=False)],
    language: Annotated[
        Literal["en", "de", "fr"] | None, typer.Option(help="The hub's own when left out.", show_default=False)
    ] = None,
    shop_name: Annotated[str | None, typer.Option("--shop", help="Name in the corner.", show_default=False)] = None,
) -> None:
    """Draw the command cards: every barcode the counter knows, on A4, to print and cut. Needs no daemon."""
    from holdfast.cli.sheet import draw_sheet
    from holdfast.cli.show import plain

    own = session.config.hub
    try:
        pages = draw_sheet(out, shop=own.name if shop_name is None else shop_name, language=language or own.language)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    session.show({"file": str(out), "pages": pages}, lambda told: plain(f"{told['pages']} pages in {told['file']}."))


def main() -> None:
    """Entry point of the `holdfast` command."""
    app()
