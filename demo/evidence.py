"""Asks hub and headquarters what they hold: the hub by its doors, headquarters and the chain by their own commands."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from audit import Closing, CoreBooks, HubBooks
from holdfast_contract.shift import Totals
from hub import HUB, Hub, Place
from processes import output

BIN = Path(sys.executable).parent
MOST_EVENTS = 100_000
"""As many as `holdfast-fleet events` tells at once; a day has a few thousand."""
PAGE = 100
COMPARED = frozenset({"equal", "differs"})
"""Digests for which headquarters had the events."""
OK_CONDITIONS = frozenset({"online", "draining", "offline"})


class NoEvidenceError(RuntimeError):
    """A command that was asked for its word failed."""


async def hub_books(hub: Hub, place: Place) -> HubBooks:
    """Raises HubAwayError, NoEvidenceError."""
    _, words = await _holdfast("journal", "verify", "--projections", "--json", "--config", str(place.config))
    found = json.loads(words)
    status = await hub.get("/v1/status")
    shift = await hub.get("/v1/shift")
    spool = await hub.get("/v1/spool", limit=200)
    accounts = (await hub.get("/v1/money"))["accounts"]
    return HubBooks(
        head=status["journal"]["seq"],
        sales=await _sales(hub),
        stock=await _stock(hub),
        money={account["account"]: account["amount"] for account in accounts if account["amount"]},
        closing=await _closing(hub, shift),
        unproved=tuple(job["number"] or job["kind"] for job in spool["jobs"] if job["offered"]),
        chain="" if found.get("ok") else words,
    )


async def offered(hub: Hub) -> list[str]:
    """Numbers of the documents whose paper nobody can vouch for, oldest first. Raises HubAwayError."""
    jobs = (await hub.get("/v1/spool", limit=200))["jobs"]
    return [job["number"] for job in reversed(jobs) if job["offered"] and job["number"]]


async def _sales(hub: Hub) -> dict[str, int]:
    found: dict[str, int] = {}
    after: int | None = 0
    while after is not None:
        page = await hub.get("/v1/sales", after=after, limit=PAGE)
        found |= {sale["number"]: sale["payable"] for sale in page["sales"]}
        after = page["next"]
    return found


async def _stock(hub: Hub) -> dict[str, int]:
    found: dict[str, int] = {}
    after: str | None = ""
    while after is not None:
        page = await hub.get("/v1/stock", after=after, limit=PAGE)
        found |= {item["sku"]: item["buckets"].get("sellable", 0) for item in page["items"]}
        after = page["next"]
    return found


async def _closing(hub: Hub, shift: Mapping[str, Any]) -> Closing:
    document = (await hub.get(f"/v1/receipts/{shift['z']}"))["document"]
    return _closed(shift["z"], document, document["totals"])


def _closed(number: str, body: Mapping[str, Any], totals: Mapping[str, Any]) -> Closing:
    over_short = body["counted"] - body["expected"]
    return Closing(number, totals["documents"], totals["gross"], totals["cash_sales"], over_short)


def _core_closing(body: Mapping[str, Any]) -> Closing:
    """The event as the wire has it: its totals are an array."""
    totals = msgspec.structs.asdict(msgspec.convert(body["totals"], Totals))
    return _closed(_number(body["number"], "Z"), body, totals)


async def core_books(place: Place) -> CoreBooks:
    """Raises NoEvidenceError."""
    hubs, audits, digests, stock, money, sales, closings, unknown = await asyncio.gather(
        _fleet(place, "hubs"),
        _fleet(place, "verify", HUB),
        _fleet(place, "digest", HUB),
        _fleet(place, "stock", HUB),
        _fleet(place, "money", HUB),
        _events(place, "sale.completed"),
        _events(place, "shift.closed"),
        _events(place, "paper.outcome_unknown"),
    )
    view = next(view for view in hubs if view["hub"] == HUB)
    (audit,) = audits
    return CoreBooks(
        upto=view["upto"],
        records=audit["records"],
        problem=audit["problem"],
        sales=tuple((_number(event["body"]["number"], "R"), event["body"]["payable"]) for event in sales),
        stock={sku: places.get("sellable", 0) for sku, places in stock["stock"].items()},
        money=money["money"],
        closing=_core_closing(closings[-1]["body"]) if closings else None,
        unknown_papers=len(unknown),
        duplicates=view["duplicates"],
        trouble=_trouble(view),
        digest=_newest(digests),
    )


def _number(count: int, series: str) -> str:
    """As printed by the one incarnation a demonstration has."""
    return f"DEM-1-{series}{count:06d}"


def _trouble(view: Mapping[str, Any]) -> str:
    counts = [f"{view[what]} {what}" for what in ("held", "forks", "orphans", "quarantined") if view[what]]
    condition = [] if view["condition"] in OK_CONDITIONS else [str(view["condition"])]
    return ", ".join(condition + counts)


async def settled(place: Place) -> str:
    """The newest digest that headquarters has compared: `equal at 42`. Raises NoEvidenceError."""
    return _newest(await _fleet(place, "digest", HUB))


def _newest(digests: list[dict[str, Any]]) -> str:
    compared = [f"{digest['verdict']} at {digest['as_of']}" for digest in digests if digest["verdict"] in COMPARED]
    return compared[0] if compared else "none"


async def _events(place: Place, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await _fleet(place, "events", HUB, "--type", kind, "--tail", str(MOST_EVENTS))
    return found


async def _fleet(place: Place, *words: str) -> Any:
    argv = (str(BIN / "holdfast-fleet"), *words, "--database", str(place.database), "--json")
    return _read(argv, await output(argv))


async def _holdfast(*words: str) -> tuple[int, str]:
    return await output((str(BIN / "holdfast"), *words))


def _read(argv: Iterable[str], found: tuple[int, str]) -> Any:
    """Status 1 is an answer too: it says that something is bad."""
    status, words = found
    try:
        return json.loads(words)
    except ValueError as error:
        raise NoEvidenceError(f"{' '.join(argv)} (status {status}): {words[-500:]}") from error
