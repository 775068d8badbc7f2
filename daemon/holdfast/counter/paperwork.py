"""From a job to its document: fetches the rows, composes in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from holdfast.config import Hub
from holdfast.counter import jobs, slips, spool
from holdfast.counter.letterhead import Letterhead, Marks
from holdfast.counter.ports import Journal
from holdfast.counter.receipt import Sale, receipt
from holdfast.counter.reports import Closing, Snapshot, energy_report, x_report, z_report
from holdfast.counter.spool import Job
from holdfast.domain import numbers
from holdfast.domain.jobs import COPY, DRAWER, ENERGY_REPORT, RECEIPT, X_REPORT, Z_REPORT
from holdfast.runtime.clock import Clock
from holdfast_contract.events import decode_body
from holdfast_contract.power import PowerStatement
from holdfast_contract.record import MAX_RECORD, Record, decode_record
from holdfast_contract.sale import SaleCompleted
from holdfast_contract.shift import ShiftClosed, Totals
from holdfast_drivers.values import Document, Image

LATE_MS = 5 * 60_000
"""Paper that comes later than this is marked."""

_NAMES = """
SELECT j.value, (SELECT name FROM product WHERE sku = j.value AND since <= ? ORDER BY since DESC LIMIT 1)
FROM json_each(?) j
"""


class Paperwork:
    """Documents of this hub's journal, incarnation `inc`."""

    def __init__(self, *, journal: Journal, hub: Hub, inc: int, clock: Clock, logo: Image | None = None) -> None:
        self._journal = journal
        self._paper = Letterhead(hub, logo)
        self._inc = inc
        self._clock = clock

    async def compose(self, job: Job) -> Document:
        """What goes on paper now. Raises LookupError or msgspec.ValidationError when its event is not what it was."""
        late = self._clock.wall_ms() - job.at > LATE_MS
        if job.kind in (RECEIPT, COPY, Z_REPORT, ENERGY_REPORT):
            return await self._document(job.ref, copy=job.extra.get("copy", 0), late=late)
        return await asyncio.to_thread(self._small, job, await self._extra(job), Marks(late=late))

    async def receipt(self, number: str) -> Document | None:
        """The document with this printed number, as it would go on paper; None when there is none."""
        parsed = numbers.parse(number, self._paper.hub.code, self._inc)
        if parsed is None:
            return None
        rows = await self._journal.query("SELECT seq FROM document WHERE series = ? AND number = ?", *parsed)
        return await self._document(rows[0][0]) if rows else None

    async def _document(self, ref: int, *, copy: int = 0, late: bool = False) -> Document:
        record = await self._record(ref)
        body = decode_body(record)
        match body:
            case SaleCompleted():
                sale = await self._sale(record, body)
                marks = Marks(training=body.training, copy=copy, late=late)
                return await asyncio.to_thread(receipt, sale, self._paper, marks)
            case ShiftClosed():
                closing = await self._closing(record, body)
                return await asyncio.to_thread(z_report, closing, self._paper, Marks(copy=copy, late=late))
            case PowerStatement():
                return await asyncio.to_thread(energy_report, body, self._paper, Marks(copy=copy, late=late))
            case _:
                raise LookupError(f"{record.type} at {ref} is no document")

    def _small(self, job: Job, extra: Mapping[str, Any], marks: Marks) -> Document:
        match job.kind:
            case jobs.SLIP if "reason" in extra:
                return slips.refusal(extra["reason"], extra["data"], self._paper)
            case jobs.SLIP:
                return slips.prompt(extra["need"], extra["data"], self._paper)
            case jobs.PRICE:
                return slips.price(extra, self._paper)
            case jobs.STATUS:
                return slips.status(extra, job.at, self._paper)
            case jobs.PARKED:
                return slips.parked(extra, job.at, self._paper, marks)
            case _ if job.kind == X_REPORT:
                totals = msgspec.convert(extra["totals"], Totals)
                snapshot = Snapshot(extra["shift"], totals, extra["expected"], job.at)
                return x_report(snapshot, self._paper, marks)
            case _:
                raise LookupError(f"no paper of kind {job.kind}")

    async def _extra(self, job: Job) -> Mapping[str, Any]:
        """A job's facts, and those only the tables know."""
        extra = job.extra
        if job.kind == jobs.STATUS:
            ((waiting,),) = await self._journal.query(spool.COUNT_LASTING, DRAWER, spool.PASSING_KINDS)
            ((unknown,),) = await self._journal.query("SELECT count(*) FROM unknown_paper")
            return {**extra, "papers": waiting, "unknown_papers": unknown}
        if job.kind == jobs.SLIP and "ref" in extra["data"]:
            return {**extra, "data": {"document": await self._number(extra["data"]["ref"])}}
        return extra

    async def _record(self, seq: int) -> Record:
        found = await self._journal.records(seq - 1, limit=1, max_bytes=MAX_RECORD)
        if not found or found[0].seq != seq:
            raise LookupError(f"no event {seq}")
        return decode_record(found[0].record)

    async def _sale(self, record: Record, body: SaleCompleted) -> Sale:
        names = await self._names((line.sku for line in body.lines), record.seq)
        series = numbers.TRAINING if body.training else numbers.RECEIPTS
        number = numbers.printed(self._paper.hub.code, self._inc, series, body.number)
        return Sale(body, number, record.at, await self._operator(record.actor), names)

    async def _closing(self, record: Record, body: ShiftClosed) -> Closing:
        number = numbers.printed(self._paper.hub.code, self._inc, numbers.CLOSINGS, body.number)
        return Closing(int(record.subject[1:]), body, number, record.at, await self._operator(record.actor))

    async def _names(self, skus: Iterable[str], seq: int) -> dict[str, str]:
        rows = await self._journal.query(_NAMES, seq, json.dumps(sorted(set(skus))))
        return {sku: name or sku for sku, name in rows}

    async def _operator(self, badge: str) -> str:
        rows = await self._journal.query("SELECT name FROM badge WHERE badge = ?", badge)
        return str(rows[0][0]) if rows else ""

    async def _number(self, ref: int) -> str:
        """Printed number of the document at `ref`; empty when that is no document."""
        rows = await self._journal.query("SELECT series, number FROM document WHERE seq = ?", ref)
        return numbers.printed(self._paper.hub.code, self._inc, *rows[0]) if rows else ""
