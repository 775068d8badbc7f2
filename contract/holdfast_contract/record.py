"""The record: encoded once, then stored, hashed and sent as the same bytes.

A record is the msgpack array `[seq, at, clk, boot, mono, type, subject, cause, actor, body]`. Its identity is
`(hub, inc, seq)`. `hash_n = SHA-256(hash_{n-1} || record_n)` stands beside it; `hash_0` is the genesis hash.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

import msgspec

MAX_RECORD = 256 * 1024
"""Bytes. Anything larger belongs in a blob that the record names by its SHA-256."""


class ClockQuality(IntEnum):
    """How far a wall-clock label can be trusted; order is always `seq`."""

    UNSET = 0
    HOLDOVER = 1
    SYNCED = 2


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One event, its body still encoded."""

    seq: int
    at: int
    """UTC milliseconds, a label only."""
    clk: ClockQuality
    boot: int
    """Count of daemon starts in this incarnation; `hub.started` ties it to the kernel's boot id."""
    mono: int
    """Monotonic milliseconds within that start."""
    type: str
    """`area.past_tense`."""
    subject: str
    cause: bytes
    """The command id."""
    actor: str
    body: msgspec.Raw


class Genesis(msgspec.Struct, frozen=True, array_like=True):
    """What the chain stands on."""

    v: int
    hub: str
    inc: int
    jid: int
    key: bytes
    """Ed25519 public key of the device, 32 bytes."""
    at: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class BadRecordError(ValueError):
    """The bytes are no record."""


def encode_record(record: Record) -> bytes:
    """The canonical bytes of a record."""
    return _encode(record)


def decode_record(data: bytes) -> Record:
    """Raises BadRecordError on anything that is not a record within MAX_RECORD bytes."""
    if len(data) > MAX_RECORD:
        raise BadRecordError(f"record of {len(data)} bytes exceeds {MAX_RECORD}")
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecordError(str(error)) from error


def genesis_hash(genesis: Genesis) -> bytes:
    """`hash_0` of a journal."""
    return hashlib.sha256(b"holdfast genesis\n" + _encode(genesis)).digest()


def chain(previous: bytes, record: bytes) -> bytes:
    """`hash_n` from `hash_{n-1}` and the stored bytes of record n (INV-12.2)."""
    digest = hashlib.sha256(previous)
    digest.update(record)
    return digest.digest()
