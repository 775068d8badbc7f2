"""A business area small enough to see through: goods come in, or the command refuses, or it breaks half way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast.domain.core import Area, Command, Event, Outcome, Policy, Refused, Tables, UnitOfWork, Urgency
from holdfast.journal.journal import Journal, Settings
from holdfast.runtime.clock import ManualClock
from holdfast_contract.ledger import Move, Place
from holdfast_contract.stock import StockReceived

POLICY = Policy(hub="toy-hub", code="TOY")


class Put(Command, frozen=True, tag="toy.put"):
    sku: str
    qty: int = 1
    times: int = 1


class Refuse(Command, frozen=True, tag="toy.refuse"):
    sku: str = "x"


class Break(Command, frozen=True, tag="toy.break"):
    sku: str = "x"


class Pay(Command, frozen=True, tag="toy.pay"):
    urgency = Urgency.ALWAYS


class Load(Command, frozen=True, tag="toy.load"):
    urgency = Urgency.BULK


def received(sku: str, qty: int) -> StockReceived:
    return StockReceived(moves=(Move(sku, Place.SUPPLIER, Place.SELLABLE, qty),))


def put(uow: UnitOfWork, command: Put) -> Outcome:
    for _ in range(command.times):
        seq = uow.emit("d1", received(command.sku, command.qty))
    uow.enqueue("slip", seq)
    return Outcome(data={"sku": command.sku})


def refuse(uow: UnitOfWork, command: Refuse) -> Outcome:
    uow.emit("d1", received(command.sku, 1))
    raise Refused("no_price", sku=command.sku)


def break_(uow: UnitOfWork, command: Break) -> Outcome:
    uow.emit("d1", received(command.sku, 1))
    raise ZeroDivisionError


def fine(uow: UnitOfWork, _: Command) -> Outcome:
    uow.emit("d1", received("pay", 1))
    return Outcome()


def remember(tables: Tables, event: Event, body: Any) -> None:
    for move in body.moves:
        for place, qty in ((move.src, -move.qty), (move.dst, move.qty)):
            tables.run(
                "INSERT INTO toy VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET qty = qty + excluded.qty, seq = excluded.seq",
                move.sku, place, qty, event.seq,
            )  # fmt: skip


TOY = Area(
    name="toy",
    tables="CREATE TABLE IF NOT EXISTS toy(sku TEXT, place INTEGER, qty INTEGER, seq INTEGER, PRIMARY KEY(sku, place))"
    " WITHOUT ROWID;",
    handlers={Put: put, Refuse: refuse, Break: break_, Pay: fine, Load: fine},
    projections={StockReceived: remember},
)


def settings(directory: Path, **changes: Any) -> Settings:
    return Settings(directory=directory, policy=POLICY, day_of=lambda at: at // 86_400_000, **changes)


def toy_journal(directory: Path, clock: ManualClock | None = None, **changes: Any) -> Journal:
    return Journal(settings(directory, **changes), (TOY,), clock or ManualClock(wall_ms=1_790_000_000_000))
