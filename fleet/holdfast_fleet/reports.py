"""The `tm` and `dg` streams: reports that may be thinned, so the highest seq committed is what is acknowledged."""

from __future__ import annotations

from holdfast_contract.wire import STOCK_DIGEST, Stream
from holdfast_fleet import digests, streams
from holdfast_fleet.messages import Reports
from holdfast_fleet.work import Work

KEPT = 10_000
"""Seqs of each stream of each hub; older ones make room."""


def take(work: Work, reports: Reports) -> None:
    """Commit what is newer than the stream's last."""
    hub, st, inc = key = (reports.hub, reports.st, reports.inc)
    work.owed.add(key)
    state = streams.enter(work, key, reports.jid)
    if state is None:
        return
    fresh = [item for item in reports.items if item.seq > state.upto]
    if len(fresh) < len(reports.items):
        streams.count_duplicates(work.db, key, len(reports.items) - len(fresh))
    if not fresh:
        return
    last = fresh[-1].seq
    work.db.executemany(
        "INSERT INTO telemetry VALUES (?,?,?,?,?,?,?)",
        [(*key, item.seq, item.at, item.name, bytes(item.body)) for item in fresh],
    )
    work.db.execute("DELETE FROM telemetry WHERE hub = ? AND st = ? AND inc = ? AND seq <= ?", (*key, last - KEPT))
    streams.save(work, key, state._replace(upto=last, high=last))
    for item in fresh:
        if st is Stream.TM and item.name == STOCK_DIGEST:
            digests.note(work, hub, inc, item)
    digests.settle(work, hub)
