"""Badges from a terminal: issue, list, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.client import UsageError
from holdfast.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="Who may act at this hub.", no_args_is_help=True)


@command(app, examples=('holdfast badge new "Anna Berg"', 'holdfast badge new "Bert" --role supervisor --out bert.pdf'))
def new(
    session: Session,
    name: Annotated[str, typer.Argument(help="As it appears on screens and in the record.", show_default=False)],
    role: Annotated[str, typer.Option(help="cashier, supervisor or technician.")] = "cashier",
    out: Annotated[Path | None, typer.Option(help="The card as PDF; badge-ID.pdf here.", show_default=False)] = None,
) -> None:
    """Issue a badge and draw its card, ready to print.

    Whoever holds the card is that person: keep the file as you would a key, and delete it once printed.
    """
    from holdfast.cli.badge_card import draw_badge

    hub = session.client.get("/v1/status")["hub"]
    badge = session.client.ask_once("/v1/badges", name=name, role=role)
    target = out or Path(f"badge-{badge['badge']}.pdf")
    try:
        draw_badge(target, shop=hub["name"], name=name, role=role, badge=badge["badge"], text=badge["text"])
    except OSError as error:
        raise UsageError(
            f"The badge {badge['badge']} is issued, but {target} cannot be written: {error.strerror}.",
            f"Revoke it and issue another: holdfast badge revoke {badge['badge']}",
        ) from error
    session.show(badge | {"card": str(target)}, _issued)


@command(app, "list")
def list_(session: Session) -> None:
    """Badges issued here, and who is signed in where."""
    session.show(session.client.get("/v1/badges"), _badges)


@command(app, examples=("holdfast badge revoke K3JQ7A2B --why lost",))
def revoke(
    session: Session,
    badge: Annotated[str, typer.Argument(help="Its id, from `holdfast badge list`.", show_default=False)],
    why: Annotated[str, typer.Option(help="Kept in the record.")] = "",
) -> None:
    """End a lost badge: it is signed out everywhere, and its id never comes back."""
    session.client.command("operator.revoke_badge", badge=badge, why=why)
    session.show({"badge": badge, "revoked": True}, _revoked)


def _issued(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import facts

    return facts(
        [
            ("badge", f"[bold]{answer['badge']}[/], {escape(answer['name'])}, {answer['role']}"),
            ("barcode", answer["text"]),
            ("card", escape(answer["card"])),
        ]
    )


def _badges(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import table

    rows = (
        (
            one["badge"],
            escape(one["name"]),
            one["role"],
            "[red]revoked[/]" if one["revoked"] else f"signed in at {escape(one['station'])}" if one["station"] else "",
        )
        for one in answer["badges"]
    )
    return table("Badges", ("badge", "name", "role", ""), rows, empty='none; issue one: holdfast badge new "NAME"')


def _revoked(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain(f"Badge {answer['badge']} is revoked.")
