"""What arrives over MQTT, checked before anything is stored. Pure: topic and payload in, one message out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

from holdfast_contract import topics
from holdfast_contract.events import decode_body
from holdfast_contract.hub import HubCreated
from holdfast_contract.record import BadRecordError, Genesis, chain, decode_record, genesis_hash
from holdfast_contract.wire import BadPayloadError, Batch, Birth, Status, Stream, Telemetry, unpack
from holdfast_fleet.reading import INT64, UNDECODABLE, Reading, read

HASH_BYTES = 32
LAST_SEQ = 2**53
LAST_INC = 2**31


class Arrival(NamedTuple):
    """One MQTT message as it came in."""

    topic: str
    payload: bytes


_telemetry = msgspec.msgpack.Decoder(Telemetry).decode


class RejectedError(ValueError):
    """Nothing of the message can be used. `reason` is a stable key, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records of a journal, every one decoded, with the chain its sender claims."""

    hub: str
    inc: int
    jid: int
    first: int
    prev: bytes
    """Chain hash before `first`."""
    sent: int
    records: tuple[bytes, ...]
    readings: list[Reading]
    hashes: list[bytes]
    """Chain hash after each record."""
    created: HubCreated | None
    """Body of record 1 when the run begins with it; its genesis is verified."""

    @property
    def last(self) -> int:
        return self.first + len(self.records) - 1


@dataclass(frozen=True, slots=True)
class Reports:
    """Telemetry or diagnostics, seqs ascending; the sender may have thinned them."""

    hub: str
    st: Stream
    inc: int
    jid: int
    sent: int
    items: list[Telemetry]


@dataclass(frozen=True, slots=True)
class Born:
    """A birth whose genesis speaks of the same journal; `root` is its hash."""

    birth: Birth
    root: bytes


@dataclass(frozen=True, slots=True)
class Presented:
    hub: str
    status: Status


Message = Run | Reports | Born | Presented


def parse(topic: str, payload: bytes) -> Message:
    """Raises RejectedError (also for a message that speaks for another hub than its topic, G-7)."""
    hub = topics.hub_of(topic)
    if hub is None:
        raise RejectedError("bad_topic", topic[:100])
    try:
        if topic == topics.status(hub):
            return _status(hub, unpack(payload, Status))
        if topic == topics.birth(hub):
            return _born(hub, unpack(payload, Birth))
        return _batch(hub, topic, unpack(payload, Batch))
    except BadPayloadError as error:
        raise RejectedError(error.reason, str(error)) from error
    except BadRecordError as error:
        raise RejectedError("bad_record", str(error)) from error
    except UNDECODABLE as error:
        raise RejectedError("bad_msgpack", str(error)) from error


def _batch(hub: str, topic: str, batch: Batch) -> Run | Reports:
    _demand("wrong_version", batch.v == 1)
    _demand("wrong_writer", batch.hub == hub, topic == topics.up(hub, batch.st))
    _demand("wrong_count", 1 <= batch.n == len(batch.recs))
    _demand("out_of_range", 1 <= batch.first <= LAST_SEQ, _journal_in_range(batch.inc, batch.jid))
    return _run(batch) if batch.st is Stream.EV else _reports(batch)


def _demand(reason: str, *facts: bool) -> None:
    if not all(facts):
        raise RejectedError(reason)


def _journal_in_range(inc: int, jid: int) -> bool:
    return 1 <= inc <= LAST_INC and 0 <= jid < 2 * INT64


def _run(batch: Batch) -> Run:
    _demand("bad_prev", len(batch.prev) == HASH_BYTES)
    return Run(
        hub=batch.hub,
        inc=batch.inc,
        jid=batch.jid,
        first=batch.first,
        prev=batch.prev,
        sent=batch.sent,
        records=batch.recs,
        readings=[read(data, seq) for seq, data in enumerate(batch.recs, batch.first)],
        hashes=list(accumulate(batch.recs, chain, initial=batch.prev))[1:],
        created=_created(batch) if batch.first == 1 else None,
    )


def _created(batch: Batch) -> HubCreated:
    """The first record is what the chain stands on: it must be there, and match the hash the batch starts from."""
    try:
        body = decode_body(decode_record(batch.recs[0]))
    except UNDECODABLE as error:
        raise RejectedError("bad_genesis", str(error)) from error
    if not isinstance(body, HubCreated):
        raise RejectedError("bad_genesis", "record 1 is not hub.created")
    _demand("bad_genesis", _root(body.genesis, batch.hub, batch.inc, batch.jid) == batch.prev)
    _demand("bad_prior", 0 <= body.prior_inc < batch.inc, 0 <= body.prior_seq <= LAST_SEQ)
    return body


def _root(genesis: bytes, hub: str, inc: int, jid: int) -> bytes:
    try:
        decoded = msgspec.msgpack.decode(genesis, type=Genesis)
    except UNDECODABLE as error:
        raise RejectedError("bad_genesis", str(error)) from error
    _demand("bad_genesis", (decoded.hub, decoded.inc, decoded.jid) == (hub, inc, jid))
    return genesis_hash(decoded)


def _reports(batch: Batch) -> Reports:
    try:
        items = [_telemetry(data) for data in batch.recs]
    except UNDECODABLE as error:
        raise RejectedError("bad_record", str(error)) from error
    seqs = [item.seq for item in items]
    _demand("bad_order", seqs[0] == batch.first, all(a < b for a, b in pairwise(seqs)))
    _demand("out_of_range", seqs[-1] <= LAST_SEQ, all(-INT64 <= item.at < INT64 for item in items))
    return Reports(batch.hub, batch.st, batch.inc, batch.jid, batch.sent, items)


def _born(hub: str, birth: Birth) -> Born:
    _demand("wrong_writer", birth.hub == hub)
    _demand("out_of_range", _journal_in_range(birth.inc, birth.jid), _life_in_range(birth.boot, birth.conn))
    return Born(birth, _root(birth.genesis, hub, birth.inc, birth.jid))


def _status(hub: str, status: Status) -> Presented:
    _demand("out_of_range", _life_in_range(status.boot, status.conn))
    return Presented(hub, status)


def _life_in_range(boot: int, conn: int) -> bool:
    return 0 <= boot <= LAST_SEQ and 0 <= conn <= LAST_SEQ
