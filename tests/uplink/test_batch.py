"""Batches: always a run without a gap, within the bytes asked for, and the stored bytes untouched."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from holdfast.uplink.batch import Row, run_of, seal
from holdfast_contract.record import Genesis
from holdfast_contract.wire import MAX_PAYLOAD, Batch, Lead, Stream, unpack

GENESIS = Genesis(v=1, hub="hub-1", inc=2, jid=7, key=bytes(32), at=0)
SEQS = st.lists(st.integers(1, 60), unique=True, min_size=1, max_size=40).map(sorted)


@given(SEQS, st.data(), st.integers(1, 4000))
def test_g1_a_run_has_no_gap_and_keeps_order(seqs: list[int], data: st.DataObject, max_bytes: int) -> None:
    rows = [Row(seq, bytes(data.draw(st.integers(1, 500)))) for seq in seqs]
    run = run_of(rows, max_bytes)
    assert [row.seq for row in run] == list(range(seqs[0], seqs[0] + len(run)))
    assert run == rows[: len(run)]
    size = sum(len(row.record) for row in run)
    assert len(run) == 1 or size <= max_bytes
    if len(run) < len(rows) and rows[len(run)].seq == run[-1].seq + 1:
        assert size + len(rows[len(run)].record) > max_bytes, "it could have been longer"


def test_nothing_makes_no_run() -> None:
    assert run_of([], 100) == []


def test_g1_runs_laid_end_to_end_are_the_whole() -> None:
    rows, sent = [Row(seq, bytes(seq % 97 + 1)) for seq in range(1, 2000)], []
    while len(sent) < len(rows):
        sent += run_of(rows[len(sent) :], 700)
    assert sent == rows


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=50), st.booleans())
def test_the_stored_bytes_travel_untouched(records: list[bytes], compress: bool) -> None:
    rows = [Row(seq, record) for seq, record in enumerate(records, 40)]
    payload = seal(rows, genesis=GENESIS, stream=Stream.EV, prev=bytes(32), sent=99, compress=compress)
    batch = unpack(payload, Batch)
    assert batch == Batch(
        hub="hub-1", inc=2, jid=7, st=Stream.EV, first=40, n=len(records), prev=bytes(32), sent=99, recs=tuple(records)
    )


def test_compression_is_used_only_where_it_pays() -> None:
    noise = random.Random(1)

    def lead(record: bytes) -> int:
        rows, prev = [Row(1, record)], noise.randbytes(32)
        return seal(rows, genesis=GENESIS, stream=Stream.EV, prev=prev, sent=0, compress=True)[0]

    assert lead(bytes(1000)) == Lead.ZLIB
    assert lead(noise.randbytes(1000)) == Lead.PLAIN


def test_the_largest_record_still_fits_a_payload() -> None:
    rows = [Row(1, bytes(i % 251 for i in range(256 * 1024))), Row(2, b"x")]
    run = run_of(rows, 262_144)
    assert len(run) == 1
    assert len(seal(run, genesis=GENESIS, stream=Stream.EV, prev=bytes(32), sent=0, compress=False)) <= MAX_PAYLOAD
