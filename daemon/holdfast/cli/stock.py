"""Stock from a terminal: what is there, goods coming in, counts."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.amounts import pair_of
from holdfast.cli.client import Client, UsageError
from holdfast.cli.session import Session, command, landing

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer()
MAX_FILE = 1024 * 1024
COLUMNS = ("sku", "qty")


@landing(app, examples=("holdfast stock", "holdfast stock --sku candle", "holdfast stock receive candle=12"))
def stock(
    session: Session,
    sku: Annotated[str | None, typer.Option(help="One product.", show_default=False)] = None,
    low: Annotated[int | None, typer.Option(help="Only what is at or below this.", show_default=False)] = None,
) -> None:
    """Stock by product; `stock receive` books goods in, `stock count` corrects."""
    answer = session.client.get("/v1/stock", sku=sku)
    while answer["next"]:
        page = session.client.get("/v1/stock", after=answer["next"])
        answer = page | {"items": answer["items"] + page["items"]}
    if low is not None:
        answer["items"] = [item for item in answer["items"] if item["stocked"] and item["on_hand"] <= low]
    session.show(answer, _stock)


@command(app, examples=("holdfast stock receive candle=12 mug=6", "holdfast stock receive delivery.csv --ref ASN-77"))
def receive(
    session: Session,
    goods: Annotated[
        list[str],
        typer.Argument(
            help="SKU=QTY (grams if sold by weight), or a CSV file with columns sku,qty.", metavar="GOODS..."
        ),
    ],
    ref: Annotated[str, typer.Option(help="Delivery note or ASN number.")] = "",
) -> None:
    """Book goods in, all of them or none."""
    lines = [line for one in goods for line in (_read(Path(one)) if one.endswith(".csv") else [pair_of(one)])]
    answer = session.client.command("delivery.receive", lines=lines, reference=ref)
    session.show(answer | {"products": len(lines), "pieces": sum(quantity for _, quantity in lines)}, _received)


@command(app, examples=("holdfast stock count candle 11 --reason miscounted",))
def count(
    session: Session,
    sku: Annotated[str, typer.Argument(show_default=False)],
    counted: Annotated[int, typer.Argument(min=0, show_default=False, help="Sellable pieces or grams there.")],
    reason: Annotated[
        str,
        typer.Option(help="cycle_count, miscounted, found, lost, expired, stolen, data_entry, missing_transaction."),
    ] = "cycle_count",
    as_of: Annotated[
        int | None, typer.Option(help="Last seq before the count; sales after it do not disturb.", show_default=False)
    ] = None,
) -> None:
    """Post a count of one product."""
    seen = _head(session.client, sku) if as_of is None else as_of
    session.show(
        session.client.command("inventory.count", sku=sku, counted=counted, as_of=seen, reason=reason), _counted
    )


def _head(client: Client, sku: str) -> int:
    return int(client.get("/v1/stock", sku=sku)["as_of"])


def _read(path: Path) -> list[tuple[str, int]]:
    """Lines of a CSV file. Raises UsageError with every line that cannot be used."""
    rows = csv.DictReader(read_text(path, MAX_FILE).splitlines())
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise UsageError(f"{path}: the first line must be {','.join(COLUMNS)}")
    found: list[tuple[str, int]] = []
    problems: list[str] = []
    for row in rows:
        quantity = (row["qty"] or "").strip()
        if row["sku"] and quantity.isascii() and quantity.isdigit() and int(quantity) > 0 and None not in row:
            found.append((row["sku"].strip(), int(quantity)))
        else:
            problems.append(f"line {rows.line_num}: a sku and a whole number above 0, please")
    if problems or not found:
        raise UsageError(f"{path} cannot be used:", "\n".join(problems) or "no line in it")
    return found


def read_text(path: Path, limit: int) -> str:
    """A text file of at most `limit` bytes. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise UsageError(f"{path} is larger than {limit} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error


def _stock(answer: dict[str, Any]) -> RenderableType:
    from rich.markup import escape

    from holdfast.cli.show import money, table

    rows = (
        (
            escape(item["sku"]),
            escape(item["name"]) + ("" if item["listed"] else " [dim](no longer listed)[/]"),
            money(answer, item["price"]) if item["price"] else "",
            _pieces(item),
            ", ".join(f"{pieces} {bucket}" for bucket, pieces in item["buckets"].items() if bucket != "sellable"),
        )
        for item in answer["items"]
    )
    return table(f"Stock as of seq {answer['as_of']}", ("sku", "product", "price", "on hand", "not sellable"), rows)


def _pieces(item: dict[str, Any]) -> str:
    if not item["stocked"]:
        return ""
    on_hand = f"{item['on_hand']}{' g' if item['base'] > 1 else ''}"
    return f"[red]{on_hand}, count it[/]" if item["discrepancy"] else on_hand


def _received(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    return plain(f"Received {answer['pieces']} pieces of {answer['products']} products.")


def _counted(answer: dict[str, Any]) -> RenderableType:
    from holdfast.cli.show import plain

    variance = answer["variance"]
    told = f"{variance:+} corrected" if variance else "as the ledger says"
    return plain(f"{answer['sku']}: {answer['counted']} counted, {told}.")
