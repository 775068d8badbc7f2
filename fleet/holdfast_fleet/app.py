"""The `holdfast-fleet` command: collect from every hub, and see what headquarters holds."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from holdfast_fleet import audit, overview, queries, render
from holdfast_fleet.broker import Broker, parse_url
from holdfast_fleet.collector import Collector
from holdfast_fleet.digests import Verdict
from holdfast_fleet.schema import WrongDatabaseError, open_reader
from holdfast_fleet.store import Store
from holdfast_fleet.work import Notice

app = typer.Typer(
    name="holdfast-fleet",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="""Headquarters' side of holdfast.

    A hub keeps every event until headquarters says it has **committed** it. `collect` is who says so: it takes events
    from the broker, checks that they continue the hub's chain, writes them to one SQLite file, and only then
    acknowledges. The other commands read that file, also while `collect` runs.

    * start: `holdfast-fleet collect --broker mqtt://127.0.0.1:1883 --database fleet.db`
    * look: `holdfast-fleet hubs --database fleet.db`
    * doubt: `holdfast-fleet verify HUB --database fleet.db`

    Set HOLDFAST_FLEET_DATABASE to leave out `--database`.
    """,
)

EXIT_BAD = 1
EXIT_UNKNOWN = 2

Database = Annotated[
    Path, typer.Option("--database", envvar="HOLDFAST_FLEET_DATABASE", help="The collector's SQLite file.")
]
HubName = Annotated[str, typer.Argument(metavar="HUB", help="Hub id, as in `hubs`.")]
Json = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]


def main() -> None:
    """Entry point of `holdfast-fleet`."""
    app()


@app.command()
def collect(
    database: Database,
    broker: Annotated[
        str, typer.Option(envvar="HOLDFAST_FLEET_BROKER", help="mqtt://[user@]host[:port], or mqtts:// for TLS.")
    ] = "mqtt://127.0.0.1:1883",
    *,
    protocol: Annotated[Literal["3.1.1", "5"], typer.Option(help="MQTT version; NATS speaks 3.1.1.")] = "3.1.1",
    core: Annotated[
        str, typer.Option(help="Name of this collector in acks and status. Two with one name throw each other out.")
    ] = "core",
    ca_file: Annotated[Path | None, typer.Option(help="CA to trust for mqtts, instead of the system's.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="First line is the broker password.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line instead of text.")] = False,
) -> None:
    """Take events from the broker, commit them, acknowledge. Runs until SIGTERM or Ctrl-C.

    Prints a line for every change: `READY` once subscribed, a hub coming and going, a gap, a fork, a digest that
    differs, refused messages, storage trouble. Nothing is acknowledged before it is on disk, so killing this process at
    any instant loses nothing: hubs send again what was not acknowledged.
    """
    password = password_file.read_text(encoding="utf-8").splitlines()[0] if password_file else None
    try:
        where = parse_url(broker, protocol=protocol, ca_file=ca_file, password=password)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    gc.collect()
    gc.freeze()  # messages are acyclic and short-lived: scanning the imported world for them costs a tenth
    gc.set_threshold(50_000)
    problem = ""
    try:
        asyncio.run(_collect(where, database, core, as_json=as_json))
    except* (WrongDatabaseError, sqlite3.Error) as errors:
        problem = "; ".join(str(error) for error in errors.exceptions)
    if problem:
        _fail(f"cannot use {database}: {problem}")


async def _collect(broker: Broker, database: Path, core: str, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def say(notice: Notice) -> None:
        typer.echo(render.json_line(notice) if as_json else render.line(notice))
        sys.stdout.flush()

    await Collector(broker, lambda: Store(database, core=core), core=core, say=say).run(stop)


@app.command()
def hubs(database: Database, *, as_json: Json = False) -> None:
    """Every hub, worst first: is it there, is all it did here, do its books equal ours.

    `condition` is the worst that applies: fork (two journals claim one identity), digest_differs, rejected (the last
    message was not understood), gap, lost, silent (online but not heard of for an hour), behind, unknown, offline,
    draining, online. `behind` counts events the hub holds that are not committed here, as far as is known.
    """
    with _reader(database) as db:
        views = overview.hubs(db, render.now())
    render.show(views, render.hubs, as_json=as_json)


@app.command()
def events(
    database: Database,
    hub: HubName,
    kind: Annotated[str, typer.Option("--type", help="Only this type, e.g. sale.completed.")] = "",
    tail: Annotated[int, typer.Option(min=1, max=100_000, help="How many, counted from the newest.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """The newest events of a hub, oldest first. `flag` names what was not understood; the raw record is kept anyway."""
    with _reader(database) as db:
        _demand_hub(db, hub)
        views = queries.events(db, hub, kind=kind, tail=tail)
    render.show(views, render.events, as_json=as_json)


@app.command()
def stock(
    database: Database,
    hub: HubName,
    sku: Annotated[str, typer.Argument(help="Only this SKU.")] = "",
    *,
    outside: Annotated[
        bool, typer.Option("--all", help="Also places outside the hub: customer, supplier, ...")
    ] = False,
    as_json: Json = False,
) -> None:
    """Stock of a hub as folded from its committed events, in base units."""
    with _reader(database) as db:
        inc, upto = _demand_hub(db, hub)
        balances = queries.stock(db, hub, inc, sku, outside=outside)
    render.show({"hub": hub, "inc": inc, "as_of_seq": upto, "stock": balances}, render.stock, as_json=as_json)


@app.command()
def money(database: Database, hub: HubName, *, as_json: Json = False) -> None:
    """Accounts of a hub as folded from its committed events, in minor units, debit positive. They sum to zero."""
    with _reader(database) as db:
        inc, upto = _demand_hub(db, hub)
        accounts = queries.money(db, hub, inc)
    render.show({"hub": hub, "inc": inc, "as_of_seq": upto, "money": accounts}, render.money, as_json=as_json)


@app.command()
def verify(database: Database, hub: HubName, *, as_json: Json = False) -> None:
    """Check a hub's records from its genesis: numbering, hash chain, folds. Exit status 1 names the first bad seq."""
    with _reader(database) as db:
        _demand_hub(db, hub)
        audits = audit.verify(db, hub)
    render.show(audits, render.audits, as_json=as_json)
    if not all(found.ok for found in audits):
        raise typer.Exit(EXIT_BAD)


@app.command()
def digest(database: Database, hub: HubName, *, as_json: Json = False) -> None:
    """Does the hub's own fold equal ours at the same event? Exit status 1 when the newest that was compared differs."""
    with _reader(database) as db:
        _demand_hub(db, hub)
        views = queries.digests(db, hub)
    render.show(views, render.digests, as_json=as_json)
    settled = [view.verdict for view in views if view.verdict in {Verdict.EQUAL, Verdict.DIFFERS}]
    if settled[:1] == [Verdict.DIFFERS]:
        raise typer.Exit(EXIT_BAD)


@contextmanager
def _reader(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        db = open_reader(database)
    except (sqlite3.Error, WrongDatabaseError) as error:
        _fail(f"cannot read {database}: {error}")
    try:
        yield db
    finally:
        db.close()


def _demand_hub(db: sqlite3.Connection, hub: str) -> tuple[int, int]:
    found = queries.newest(db, hub)
    if found is None:
        _fail(f"no hub {hub!r} here; `holdfast-fleet hubs` lists those heard of")
    return found


def _fail(words: str) -> NoReturn:
    typer.echo(words, err=True)
    raise typer.Exit(EXIT_UNKNOWN)
