"""Wire bytes per event over the demonstration's day, plain and compressed; beside a JSON message for each event."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path

import msgspec

import trading_day
from holdfast.config import Uplink
from holdfast.journal.export import readable
from holdfast.journal.journal import Stored
from holdfast.journal.schema import connect_read
from holdfast.journal.store import FILE
from holdfast.journal.verify import read_genesis
from holdfast.uplink.batch import run_of, seal
from holdfast.uplink.forwarder import MAX_RECORDS
from holdfast_contract import topics
from holdfast_contract.record import Genesis, decode_record
from holdfast_contract.wire import Stream
from measure import Beside, Row, Run
from raw_mqtt import packet, text
from selling import HUB, STATION, open_shop, trading

LIMITS = {"plain": 80.0, "compressed": 40.0}
TYPES_SHOWN = 4
SENT = 1_800_000_000_000
BATCH_BYTES = Uplink(host="").batch_bytes


async def run(bench: Run) -> list[Row]:
    """A whole day in any case: it takes seconds."""
    directory = bench.disk / "wire"
    async with open_shop(directory, units=trading_day.expected_stock(trading())) as shop:
        for basket in trading().baskets:
            await shop.serve(STATION, basket)
    genesis, records = read(directory / FILE)
    by_command = [list(group) for _, group in groupby(records, key=lambda row: decode_record(row.record).cause)]
    json = [msgspec.json.encode(readable(decode_record(row.record))) for row in records]
    rows = []
    for how, limit in LIMITS.items():
        compress = how == "compressed"
        drained = mean(sealed(batches(records), genesis, compress=compress), len(records))
        live = mean(sealed(by_command, genesis, compress=compress), len(records))
        single = mean((zlib.compress(one) if compress else one for one in json), len(records))
        rows.append(
            Row(
                what=f"wire bytes an event, {how}: a day of {len(records)} events, drained",
                value=drained,
                unit="B",
                beside=(
                    Beside("a JSON message an event", single),
                    Beside("ours live, a batch a command", live),
                ),
                goal=f"<= {limit:g} B",
                met=drained <= limit,
                note="" if compress else breakdown(records),
            )
        )
    return rows


def read(path: Path) -> tuple[Genesis, list[Stored]]:
    with closing(connect_read(path)) as db:
        records = db.execute("SELECT seq, record, hash FROM journal ORDER BY seq")
        return read_genesis(db), [Stored(*row) for row in records]


def batches(records: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    """As the forwarder cuts a backlog."""
    start = 0
    while start < len(records):
        run = [*run_of(records[start : start + MAX_RECORDS], BATCH_BYTES)]
        yield records[start : start + len(run)]
        start += len(run)


def sealed(runs: Iterable[Sequence[Stored]], genesis: Genesis, *, compress: bool) -> Iterator[bytes]:
    prev = bytes(32)
    for run in runs:
        yield seal(run, genesis=genesis, stream=Stream.EV, prev=prev, sent=SENT, compress=compress)
        prev = run[-1].hash


def mean(payloads: Iterable[bytes], events: int) -> float:
    """Bytes of the MQTT packets for each event; TCP aside."""
    topic = text(topics.up(HUB, Stream.EV)) + b"\x00\x01"
    return sum(len(packet(0x32, topic + payload)) for payload in payloads) / events


def breakdown(records: Sequence[Stored]) -> str:
    """Mean record of each type and its share in all bytes, the largest first."""
    sizes = defaultdict(list)
    for row in records:
        sizes[decode_record(row.record).type].append(len(row.record))
    total = sum(map(sum, sizes.values()))
    ranked = sorted(sizes.items(), key=lambda item: -sum(item[1]))
    shown = [
        f"{kind} {sum(lengths) / len(lengths):.0f} B x {len(lengths)} = {sum(lengths) / total:.0%}"
        for kind, lengths in ranked[:TYPES_SHOWN]
    ]
    return "records: " + ", ".join(shown)
