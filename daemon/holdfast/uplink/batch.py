"""Putting records together into a batch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from holdfast_contract.record import Genesis
from holdfast_contract.wire import Batch, Stream, pack


class Stored(Protocol):
    """A stored record, its seq and the chain hash after it."""

    @property
    def seq(self) -> int: ...

    @property
    def record(self) -> bytes: ...

    @property
    def hash(self) -> bytes: ...


class Row(NamedTuple):
    """A Stored of a stream without a chain."""

    seq: int
    record: bytes
    hash: bytes = b""


def run_of(rows: Sequence[Stored], max_bytes: int) -> list[Stored]:
    """The longest run from the first row on without a gap, within `max_bytes` of records but never empty."""
    run: list[Stored] = []
    size = 0
    for row in rows:
        size += len(row.record)
        if run and (size > max_bytes or row.seq != run[-1].seq + 1):
            break
        run.append(row)
    return run


def seal(run: Sequence[Stored], *, genesis: Genesis, stream: Stream, prev: bytes, sent: int, compress: bool) -> bytes:
    """The payload of a batch, compressed if that is less. `prev`: chain hash before it; `sent`: UTC milliseconds."""
    batch = Batch(
        hub=genesis.hub,
        inc=genesis.inc,
        jid=genesis.jid,
        st=stream,
        first=run[0].seq,
        n=len(run),
        prev=prev,
        sent=sent,
        recs=tuple(row.record for row in run),
    )
    plain = pack(batch)
    return min(pack(batch, compress=True), plain, key=len) if compress else plain
